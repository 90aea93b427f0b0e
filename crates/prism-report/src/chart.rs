//! Figures as inline SVG: curves over bytes read, and the grid of audits.
//!
//! Pure: numbers in, markup out. Values that are not finite are left out; whatever the numbers are, the drawing stays
//! within its frame.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::{
    audits::{AuditGrid, CELLS},
    figures,
};

/// Most points of a curve that answer to the mouse.
const HINTS_MAX: usize = 80;

/// A wider figure is drawn a second time for narrow screens: shrunk, nobody could read its labels.
const WIDE: f64 = 600.0;
/// The size of that one. It is shown on screens of 400 pixels and more as it is.
const NARROW: (f64, f64) = (340.0, 250.0);
/// Pixels that a mark of the horizontal axis needs.
const TICK_WIDTH: f64 = 80.0;

/// A curve.
#[derive(Clone, Debug)]
pub struct Series {
    /// What it is called.
    pub name: String,
    /// Its colour class, `c1` to `c4`, and perhaps `dash`.
    pub class: &'static str,
    /// Whether it is background.
    pub thin: bool,
    /// Bytes read, and the value.
    pub points: Vec<(f64, f64)>,
}

/// A horizontal line.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What it stands for.
    pub name: String,
    /// Where it is.
    pub y: f64,
}

/// Curves over bytes read.
#[derive(Clone, Debug)]
pub struct LineChart {
    /// What it shows, for those who do not see it.
    pub title: &'static str,
    /// What the vertical axis counts.
    pub unit: &'static str,
    /// In pixels.
    pub width: f64,
    /// In pixels.
    pub height: f64,
    /// The curves.
    pub series: Vec<Series>,
    /// The lines that they are held against.
    pub rules: Vec<Rule>,
    /// The vertical axis begins at zero.
    pub from_zero: bool,
    /// What lies above is drawn at the upper edge.
    pub clip_above: Option<f64>,
}

const LEFT: f64 = 56.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 40.0;

/// Maps values to the drawing.
struct Frame {
    x: (f64, f64),
    y: (f64, f64),
    width: f64,
    height: f64,
}

impl Frame {
    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.left(x), self.top(y))
    }

    /// How many marks the horizontal axis has room for.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small positive number"
    )]
    fn columns(&self) -> u32 {
        ((self.width - LEFT - RIGHT) / TICK_WIDTH).clamp(2.0, 7.0) as u32
    }

    fn left(&self, x: f64) -> f64 {
        let share = (x - self.x.0) / (self.x.1 - self.x.0);
        LEFT + share.clamp(0.0, 1.0) * (self.width - LEFT - RIGHT)
    }

    fn top(&self, y: f64) -> f64 {
        let share = (y - self.y.0) / (self.y.1 - self.y.0);
        self.height - BOTTOM - share.clamp(0.0, 1.0) * (self.height - TOP - BOTTOM)
    }
}

impl LineChart {
    fn frame(&self, (width, height): (f64, f64)) -> Frame {
        let points = || {
            self.series
                .iter()
                .flat_map(|series| &series.points)
                .filter(|(x, y)| x.is_finite() && y.is_finite())
        };
        let x_max = points().map(|&(x, _)| x).fold(0.0, f64::max);
        let values = || {
            points()
                .map(|&(_, y)| y)
                .chain(self.rules.iter().map(|rule| rule.y))
        };
        let mut low = values().fold(f64::INFINITY, f64::min);
        let mut high = values().fold(f64::NEG_INFINITY, f64::max);
        if self.from_zero {
            low = low.min(0.0);
        }
        if let Some(clip) = self.clip_above {
            high = high.min(clip);
        }
        if !low.is_finite() || !high.is_finite() {
            (low, high) = (0.0, 1.0);
        }
        // A flat curve still needs a height.
        let span = if high > low {
            high - low
        } else {
            high.abs().max(1.0)
        };
        let y = if self.from_zero {
            (low, low + span * 1.05)
        } else {
            (low - span * 0.05, low + span * 1.05)
        };
        Frame {
            x: (0.0, if x_max > 0.0 { x_max } else { 1.0 }),
            y,
            width,
            height,
        }
    }

    /// Draws it.
    pub fn draw(&self) -> Markup {
        let size = (self.width, self.height);
        html! {
            figure {
                @if self.series.len() + self.rules.len() > 1 { (self.legend()) }
                @if self.width > WIDE {
                    (self.svg(size, Some("wide")))
                    (self.svg(NARROW, Some("narrow")))
                } @else {
                    (self.svg(size, None))
                }
            }
        }
    }

    fn svg(&self, size: (f64, f64), class: Option<&str>) -> Markup {
        let frame = self.frame(size);
        html! {
            svg class=[class] viewBox=(format!("0 0 {} {}", size.0, size.1)) role="img" aria-label=(self.title) {
                title { (self.title) }
                (axes(&frame, self.unit))
                @for rule in &self.rules {
                    @let y = frame.top(rule.y);
                    line class="rule" x1=(LEFT) x2=(size.0 - RIGHT) y1=(number(y)) y2=(number(y)) {
                        title { (rule.name) }
                    }
                }
                @for series in &self.series {
                    path class={ "series " (series.class) @if series.thin { " thin" } } d=(path(&frame, &series.points)) {}
                }
                @for series in &self.series { (hints(&frame, series)) }
            }
        }
    }

    fn legend(&self) -> Markup {
        html! {
            div class="legend" {
                @for series in &self.series { span { i class=(series.class) {} (series.name) } }
                @for rule in &self.rules { span { i class="dashed cm" {} (rule.name) } }
            }
        }
    }
}

fn axes(frame: &Frame, unit: &str) -> Markup {
    let right = frame.width - RIGHT;
    let bottom = frame.height - BOTTOM;
    html! {
        @for tick in ticks(frame.y.0, frame.y.1, 6) {
            @let y = number(frame.top(tick));
            line class="grid" x1=(LEFT) x2=(right) y1=(y) y2=(y) {}
            text x=(LEFT - 8.0) y=(y) dy="4" text-anchor="end" { (tick_text(tick)) }
        }
        @for tick in ticks(frame.x.0, frame.x.1, frame.columns()) {
            @let x = number(frame.left(tick));
            line class="axis" x1=(x) x2=(x) y1=(bottom) y2=(bottom + 4.0) {}
            text x=(x) y=(bottom + 18.0) text-anchor="middle" { (bytes_text(tick)) }
        }
        line class="axis" x1=(LEFT) x2=(right) y1=(bottom) y2=(bottom) {}
        text x=(right) y=(bottom + 34.0) text-anchor="end" { "read" }
        text x="2" y="11" { (unit) }
    }
}

fn hints(frame: &Frame, series: &Series) -> Markup {
    let step = series.points.len().div_ceil(HINTS_MAX).max(1);
    html! {
        @for &(x, y) in series.points.iter().step_by(step).filter(|(x, y)| x.is_finite() && y.is_finite()) {
            @let (left, top) = frame.at(x, y);
            circle class="hit" cx=(number(left)) cy=(number(top)) r="4" {
                title { (series.name) ": " (figures::figure(y)) " at " (bytes_text(x)) }
            }
        }
    }
}

fn path(frame: &Frame, points: &[(f64, f64)]) -> String {
    let mut out = String::new();
    let mut pen_down = false;
    for &(x, y) in points {
        if !x.is_finite() || !y.is_finite() {
            pen_down = false;
            continue;
        }
        let (left, top) = frame.at(x, y);
        let command = if pen_down { 'L' } else { 'M' };
        let _ = write!(out, "{command}{} {}", number(left), number(top));
        pen_down = true;
    }
    out
}

/// Round numbers between two bounds, about `wanted` of them.
fn ticks(low: f64, high: f64, wanted: u32) -> Vec<f64> {
    let rough = (high - low) / f64::from(wanted);
    if !rough.is_finite() || rough <= 0.0 {
        return Vec::new();
    }
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|&step| step >= rough)
        .unwrap_or(power);
    let first = (low / step).ceil();
    (0..=wanted * 2)
        .map(|i| (first + f64::from(i)) * step)
        .take_while(|&tick| tick <= high + step * 1e-9)
        .collect()
}

fn tick_text(value: f64) -> String {
    if value != 0.0 && !(1e-3..1e5).contains(&value.abs()) {
        return format!("{value:.0e}");
    }
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a label; out of range saturates"
)]
fn bytes_text(value: f64) -> String {
    figures::bytes(value.max(0.0) as u64)
}

/// A coordinate: a tenth of a pixel is enough.
fn number(value: f64) -> String {
    format!("{value:.1}")
}

/// Side of the audits figure, without its margins.
const GRID_SIDE: f64 = 360.0;

/// The audits: claimed across, audited upward.
pub fn audit_grid(grid: &AuditGrid) -> Markup {
    let cell = GRID_SIDE / CELLS as f64;
    let most = grid.cells.iter().map(|&(.., count)| count).max().unwrap_or(1);
    let side = GRID_SIDE + TOP + BOTTOM;
    let at = |nats: f64| nats / grid.max_nats * GRID_SIDE;
    html! {
        svg viewBox=(format!("0 0 {} {side}", side + 20.0)) role="img" aria-label="Claimed against audited nats"
            style="max-width:460px" {
            title { "Claimed against audited nats" }
            @for tick in ticks(0.0, grid.max_nats, 6) {
                @let x = LEFT + at(tick);
                @let y = TOP + GRID_SIDE - at(tick);
                line class="grid" x1=(number(x)) x2=(number(x)) y1=(TOP) y2=(TOP + GRID_SIDE) {}
                line class="grid" x1=(LEFT) x2=(LEFT + GRID_SIDE) y1=(number(y)) y2=(number(y)) {}
                text x=(number(x)) y=(TOP + GRID_SIDE + 18.0) text-anchor="middle" { (tick_text(tick)) }
                text x=(LEFT - 8.0) y=(number(y)) dy="4" text-anchor="end" { (tick_text(tick)) }
            }
            line class="rule" x1=(LEFT) y1=(TOP + GRID_SIDE) x2=(LEFT + GRID_SIDE) y2=(TOP) {
                title { "claimed = audited" }
            }
            @for &(x, y, count) in &grid.cells {
                rect class="cell" x=(number(LEFT + x as f64 * cell)) y=(number(TOP + GRID_SIDE - (y + 1) as f64 * cell))
                    width=(number(cell)) height=(number(cell)) fill-opacity=(format!("{:.2}", shade(count, most))) {
                    title { (count) @if count == 1 { " audit" } @else { " audits" } }
                }
            }
            text x=(LEFT + GRID_SIDE) y=(TOP + GRID_SIDE + 34.0) text-anchor="end" { "claimed, nats" }
            text x="2" y="11" { "audited, nats" }
        }
    }
}

/// From faint to full, by the logarithm of the count.
fn shade(count: u64, most: u64) -> f64 {
    let log = |n: u64| (n as f64).ln_1p();
    0.25 + 0.75 * log(count) / log(most.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, f64)>) -> String {
        LineChart {
            title: "t",
            unit: "bpb",
            width: 700.0,
            height: 300.0,
            series: vec![Series {
                name: "a".into(),
                class: "c1",
                thin: false,
                points,
            }],
            rules: vec![],
            from_zero: true,
            clip_above: Some(12.0),
        }
        .draw()
        .into_string()
    }

    #[test]
    fn any_numbers_stay_within_the_frame() {
        for points in [
            vec![],
            vec![(0.0, 0.0)],
            vec![(1.0, 5.0), (2.0, 5.0)],
            vec![(1.0, f64::NAN), (f64::INFINITY, 2.0), (3.0, 4.0)],
            vec![(1.0, 1e300), (2.0, -1e300)],
        ] {
            let svg = chart(points.clone());
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{points:?}: {svg}");
        }
    }

    #[test]
    fn a_wide_figure_has_a_narrow_twin_for_small_screens() {
        let svg = chart(vec![(1.0, 5.0), (2e6, 5.0)]);
        assert_eq!(svg.matches("<svg").count(), 2);
        assert!(svg.contains("class=\"narrow\" viewBox=\"0 0 340 250\""), "{svg}");
        assert!(
            NARROW.0 <= 400.0 - 4.0 * 12.0,
            "with the margins of page and card"
        );
        let style = crate::style::CSS;
        assert!(
            style.contains(".narrow { display: none; }"),
            "one of the two is hidden"
        );
        assert!(
            !style.contains("min-width: 6"),
            "nothing is wider than the screen"
        );
        // Labels of the horizontal axis do not run into each other.
        let narrow = &svg[svg.find("class=\"narrow\"").unwrap()..];
        assert!(narrow.matches("text-anchor=\"middle\"").count() <= 5, "{narrow}");
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(ticks(0.0, 8.4, 6), [0.0, 2.0, 4.0, 6.0, 8.0]);
        assert_eq!(ticks(0.0, 1e6, 7), [0.0, 2e5, 4e5, 6e5, 8e5, 1e6]);
        assert!(ticks(0.0, f64::INFINITY, 6).is_empty() && ticks(1.0, 1.0, 6).is_empty());
        assert_eq!(
            [0.0, 0.25, 3.0, -0.0, 1e6].map(tick_text),
            ["0", "0.25", "3", "0", "1e6"]
        );
    }
}
