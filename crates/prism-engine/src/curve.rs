//! The learning curve of a run, thinned to what may be published.
//!
//! Collected from the referee's events while a run goes on. What is published of it is worth at most the bundle's
//! allowance: at most [`CURVE_POINTS_MAX`] points, at steps that their number alone decides. What is told meanwhile is a
//! part of what is told at the end, so nothing more is learned by watching. A completed run has the curve in its
//! manifest, another one as a [`PublishedCurve`], an unfinished one in its event file.

use prism_core::nats::NATS_PER_BIT;
use prism_referee::plan::StepReport;
use prism_report::{curve::PublishedCurve, manifest::CURVE_POINTS_MAX};

/// Totals after one step.
#[derive(Clone, Copy, Debug, Default)]
struct Total {
    covered_bytes: u64,
    targets: u64,
    claimed_nats: f64,
    nats: f64,
}

/// The curve so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Curve {
    /// Steps that the whole stream takes.
    steps: u64,
    points: Vec<Point>,
    /// The totals at the point before the last one, at the last one, and after the last step.
    before: Total,
    at_point: Total,
    now: Total,
}

/// One published point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    /// Source bytes accepted so far.
    pub covered_bytes: u64,
    /// Claimed bits per byte since the point before.
    pub claimed_bpb: f64,
    /// Estimated bits per byte of everything accepted so far.
    pub mean_bpb: f64,
}

/// What is published of a run that has no manifest.
pub(crate) fn published(
    points: &[Point],
    stream_bytes: u64,
    entropy_floor_bpb: Option<f64>,
) -> PublishedCurve {
    PublishedCurve {
        stream_bytes,
        entropy_floor_bpb,
        covered_bytes: points.iter().map(|point| point.covered_bytes).collect(),
        claimed_bpb: points.iter().map(|point| point.claimed_bpb).collect(),
        mean_bpb: points.iter().map(|point| point.mean_bpb).collect(),
    }
}

impl Curve {
    /// Of a stream that takes so many steps in all.
    pub(crate) fn open(&mut self, steps: u64) {
        self.steps = steps;
    }

    /// Adds one step; the point, where it is one.
    pub(crate) fn push(&mut self, report: &StepReport) -> Option<Point> {
        self.now = Total {
            covered_bytes: report.covered_bytes,
            targets: self.now.targets + report.targets,
            claimed_nats: self.now.claimed_nats + report.claimed_nats,
            nats: report.nats,
        };
        // A step of ends of documents alone has no bytes; it joins the next point.
        if !self.is_due(report.step) || self.now.covered_bytes == self.at_point.covered_bytes {
            return None;
        }
        let point = between(&self.at_point, &self.now);
        (self.before, self.at_point) = (self.at_point, self.now);
        self.points.push(point);
        Some(point)
    }

    /// Targets accepted so far.
    pub(crate) fn targets(&self) -> u64 {
        self.now.targets
    }

    /// Whether the points, evenly spread over all steps, have one at this step.
    fn is_due(&self, step: u64) -> bool {
        let points = self.steps.min(CURVE_POINTS_MAX as u64);
        let up_to = |steps: u64| u128::from(steps) * u128::from(points) / u128::from(self.steps.max(1));
        up_to(step + 1) > up_to(step)
    }

    /// All points. The last step is always one: of a run that ended between two points, what it has read since the last
    /// one joins that point.
    pub(crate) fn points(&self) -> Vec<Point> {
        let mut points = self.points.clone();
        if self.now.covered_bytes > self.at_point.covered_bytes {
            points.pop();
            points.push(between(&self.before, &self.now));
        }
        points
    }
}

fn between(before: &Total, now: &Total) -> Point {
    Point {
        covered_bytes: now.covered_bytes,
        claimed_bpb: (now.claimed_nats - before.claimed_nats)
            / NATS_PER_BIT
            / (now.covered_bytes - before.covered_bytes) as f64,
        mean_bpb: now.nats / NATS_PER_BIT / now.covered_bytes as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a run that ends after `read` of `steps` steps, and what was told meanwhile.
    fn curve(steps: u64, read: u64) -> (Curve, Vec<Point>) {
        let mut curve = Curve::default();
        curve.open(steps);
        let told = (0..read).filter_map(|step| {
            curve.push(&StepReport {
                step,
                targets: 10,
                bytes: 10,
                covered_bytes: (step + 1) * 10,
                claimed_nats: 10.0 * NATS_PER_BIT,
                nats: (step + 1) as f64 * 20.0 * NATS_PER_BIT,
            })
        });
        let told = told.collect();
        (curve, told)
    }

    #[test]
    fn a_curve_is_thinned_and_keeps_its_end() {
        assert!(curve(100, 0).0.points().is_empty());
        assert_eq!(curve(7, 7).0.points().len(), 7);
        for (steps, read) in [
            (499, 499),
            (500, 500),
            (501, 501),
            (1234, 1234),
            (1234, 777),
            (100_000, 3),
        ] {
            let (curve, told) = curve(steps, read);
            let points = curve.points();
            assert!(points.len() <= CURVE_POINTS_MAX && told.len() <= CURVE_POINTS_MAX);
            assert_eq!(points.last().unwrap().covered_bytes, read * 10, "{steps} {read}");
            assert_eq!(curve.targets(), read * 10);
            for point in points {
                assert!((point.claimed_bpb - 1.0).abs() < 1e-9 && (point.mean_bpb - 2.0).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn what_is_told_meanwhile_is_what_is_told_at_the_end() {
        let (whole, told) = curve(1234, 1234);
        assert_eq!(whole.points(), told);
        assert_eq!(told.len(), CURVE_POINTS_MAX);
        let (ended, told) = curve(1234, 777);
        let points = ended.points();
        assert_eq!(points.len(), told.len());
        assert_eq!(points[..told.len() - 1], told[..told.len() - 1]);
    }
}
