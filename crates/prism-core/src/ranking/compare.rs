//! Whether the difference of two results may be chance.
//!
//! Called by [`super`]. In this order:
//!
//! 1. Results with different penalties (memorisation, step-0 anomaly) never tie: what a penalty takes is no chance.
//! 2. A difference of bits per byte below the **noise floor** of the round, which other seeds of one bundle make, is chance.
//! 3. Otherwise the paired block bootstrap decides ([`super::bootstrap`]): it is chance if the interval of 95 % holds zero.
//! 4. Where it cannot be made, the standard errors of the audits alone decide, at the same level. They know nothing of the
//!    choice of the text, so they call less a tie. The comparison says that it was so and why ([`NoBootstrap`]).
//!
//! Many pairs are compared and nothing is taken off for that: of two runs of equal worth one in twenty is called different.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    RoundResult,
    bootstrap::{BLOCKS_MIN, Draws, Interval, Totals},
    profile::CodeProfile,
};

/// The 97.5 % point of the standard normal distribution.
const NORMAL_95: f64 = 1.959_963_984_540_054;
/// A profile that adds up to another figure than its result is of another run. Rounding of the blocks is far below.
const SAME_RUN_BPB: f64 = 1e-6;

/// The spread of bits per byte that other seeds make, below which a difference says nothing. Zero until it is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NoiseFloor(f64);

/// A noise floor that is none.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error("a noise floor is a number of bits per byte, at least 0 and at most 8, not {0}")]
pub struct NoiseFloorError(f64);

impl NoiseFloor {
    /// A floor of this many bits per byte.
    pub fn new(bpb: f64) -> Result<Self, NoiseFloorError> {
        // A floor of infinity would make one group of everybody.
        if (0.0..=8.0).contains(&bpb) {
            Ok(Self(bpb))
        } else {
            Err(NoiseFloorError(bpb))
        }
    }

    /// Its height, in bits per byte.
    pub fn bpb(self) -> f64 {
        self.0
    }
}

/// Two results held against each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// What the one needs more than the other, in bits per byte.
    pub difference_bpb: f64,
    /// What decided.
    pub method: Method,
}

/// What decided whether a difference may be chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// Their penalties: they differ.
    Penalty,
    /// The noise floor: they tie.
    NoiseFloor(NoiseFloor),
    /// The bootstrap over this many blocks.
    Bootstrap(Interval, usize),
    /// The standard errors of the audits, because there was no bootstrap.
    StandardErrors(Interval, NoBootstrap),
}

impl Comparison {
    /// Whether the difference may be chance.
    pub fn tied(&self) -> bool {
        match self.method {
            Method::Penalty => false,
            Method::NoiseFloor(_) => true,
            Method::Bootstrap(interval, _) | Method::StandardErrors(interval, _) => interval.holds_zero(),
        }
    }

    /// The code of its method.
    pub fn method_code(&self) -> &'static str {
        match self.method {
            Method::Penalty => "penalty",
            Method::NoiseFloor(_) => "noise_floor",
            Method::Bootstrap(..) => "bootstrap",
            Method::StandardErrors(..) => "standard_errors",
        }
    }

    /// The interval of the difference, where there is one.
    pub fn interval(&self) -> Option<Interval> {
        match self.method {
            Method::Penalty | Method::NoiseFloor(_) => None,
            Method::Bootstrap(interval, _) | Method::StandardErrors(interval, _) => Some(interval),
        }
    }

    /// It in words, to go after the name of the one: what it needs more, and whether that may be chance.
    pub fn explain(&self) -> String {
        let needs = format!("needs {:+.6} bpb", self.difference_bpb);
        let between = |Interval { low_bpb, high_bpb }| format!("(95 %: {low_bpb:+.6} to {high_bpb:+.6})");
        let verdict = if self.tied() { "may be chance" } else { "differs" };
        match self.method {
            Method::Penalty => format!("{needs}, penalties are not the same: {verdict}"),
            Method::NoiseFloor(floor) => {
                format!("{needs}, less than the noise floor of {:.6}: {verdict}", floor.0)
            }
            Method::Bootstrap(interval, blocks) => {
                format!(
                    "{needs} {}, bootstrap over {blocks} blocks: {verdict}",
                    between(interval)
                )
            }
            Method::StandardErrors(interval, why) => format!(
                "{needs} {}, standard errors alone ({}): {verdict}",
                between(interval),
                why.explain()
            ),
        }
    }
}

/// Why there was no bootstrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoBootstrap {
    /// One of the two has no profile.
    NoProfile,
    /// The profile of one of them adds up to another figure than its result: it is of another run.
    OtherRun,
    /// Their profiles have no blocks in common.
    OtherStream,
    /// The stream has too few documents.
    FewBlocks,
}

impl NoBootstrap {
    /// What it means, in a few words.
    pub fn explain(self) -> &'static str {
        match self {
            Self::NoProfile => "no code profile",
            Self::OtherRun => "a code profile of another run",
            Self::OtherStream => "no text in common",
            Self::FewBlocks => "too few documents",
        }
    }
}

/// Compares results, and keeps what it has added up.
pub(super) struct Judge<'a> {
    floor: NoiseFloor,
    /// A run of the stream that the round is on, with the draws for it.
    stream: Option<(&'a CodeProfile, Draws)>,
    /// The runs with their sums over the draws, or why there are none; by submission.
    runs: BTreeMap<&'a str, Result<Run<'a>, NoBootstrap>>,
}

struct Run<'a> {
    profile: &'a CodeProfile,
    totals: Totals,
}

/// What decides about a pair.
enum Ground<'j> {
    Penalty,
    NoiseFloor,
    Bootstrap(&'j Draws, &'j Run<'j>, &'j Run<'j>),
    StandardErrors(NoBootstrap),
}

impl<'a> Judge<'a> {
    /// For a field of results, the best first. Its stream is that of the best that has a profile.
    pub(super) fn new(field: &[&'a RoundResult], floor: NoiseFloor) -> Self {
        // One alone is compared with nobody.
        let field = if field.len() > 1 { field } else { &[] };
        let first = field.iter().find_map(|&result| own_profile(result).ok());
        let mut judge = Self {
            floor,
            stream: first.map(|profile| (profile, Draws::new(profile.saved_micronats().len()))),
            runs: BTreeMap::new(),
        };
        judge.add_up(field);
        judge
    }

    /// Adds up over the draws whatever can be and is not yet.
    fn add_up(&mut self, results: &[&'a RoundResult]) {
        let mut new = Vec::new();
        for &result in results {
            if self.runs.contains_key(result.submission.as_str()) {
                continue;
            }
            match (own_profile(result), &self.stream) {
                (Ok(profile), Some((of_round, _))) if profile.same_stream(of_round) => {
                    new.push((result.submission.as_str(), profile));
                }
                (usable, _) => {
                    let why = usable.err().unwrap_or(NoBootstrap::OtherStream);
                    self.runs.insert(&result.submission, Err(why));
                }
            }
        }
        let Some((_, draws)) = &self.stream else {
            return;
        };
        let profiles: Vec<_> = new.iter().map(|&(_, profile)| profile).collect();
        for ((submission, profile), totals) in new.into_iter().zip(draws.totals(&profiles)) {
            self.runs.insert(submission, Ok(Run { profile, totals }));
        }
    }

    /// What decides about these two.
    fn ground(&mut self, result: &'a RoundResult, other: &'a RoundResult) -> Ground<'_> {
        let penalties = |result: &RoundResult| (result.memorization, result.anomalous);
        if penalties(result) != penalties(other) {
            return Ground::Penalty;
        }
        if (result.bpb - other.bpb).abs() < self.floor.0 {
            return Ground::NoiseFloor;
        }
        self.add_up(&[result, other]);
        let run = |result: &RoundResult| self.runs.get(result.submission.as_str());
        match (run(result), run(other), &self.stream) {
            (Some(Ok(run)), Some(Ok(base)), Some((_, draws))) => Ground::Bootstrap(draws, run, base),
            (Some(Err(why)), _, _) | (_, Some(Err(why)), _) => Ground::StandardErrors(*why),
            // Without a stream nobody has a profile.
            (None, _, _) | (_, None, _) | (_, _, None) => Ground::StandardErrors(NoBootstrap::NoProfile),
        }
    }

    /// Whether their difference may be chance.
    pub(super) fn tied(&mut self, result: &'a RoundResult, other: &'a RoundResult) -> bool {
        match self.ground(result, other) {
            Ground::Penalty => false,
            Ground::NoiseFloor => true,
            Ground::Bootstrap(draws, run, base) => draws.holds_zero(run.pair(), base.pair()),
            Ground::StandardErrors(_) => standard_errors(result, other).holds_zero(),
        }
    }

    /// The same with its figures: what `result` needs more than `other`.
    pub(super) fn comparison(&mut self, result: &'a RoundResult, other: &'a RoundResult) -> Comparison {
        let floor = self.floor;
        let method = match self.ground(result, other) {
            Ground::Penalty => Method::Penalty,
            Ground::NoiseFloor => Method::NoiseFloor(floor),
            Ground::Bootstrap(draws, run, base) => Method::Bootstrap(
                draws.interval(run.pair(), base.pair()),
                run.profile.saved_micronats().len(),
            ),
            Ground::StandardErrors(why) => Method::StandardErrors(standard_errors(result, other), why),
        };
        Comparison {
            difference_bpb: result.bpb - other.bpb,
            method,
        }
    }
}

impl Run<'_> {
    fn pair(&self) -> (&CodeProfile, &Totals) {
        (self.profile, &self.totals)
    }
}

/// The profile of a result, if it can be used at all.
fn own_profile(result: &RoundResult) -> Result<&CodeProfile, NoBootstrap> {
    let profile = result.profile.as_deref().ok_or(NoBootstrap::NoProfile)?;
    if (profile.bpb() - result.bpb).abs() > SAME_RUN_BPB {
        return Err(NoBootstrap::OtherRun);
    }
    if profile.saved_micronats().len() < BLOCKS_MIN {
        return Err(NoBootstrap::FewBlocks);
    }
    Ok(profile)
}

/// The interval of the difference by the errors of the audits alone.
fn standard_errors(result: &RoundResult, other: &RoundResult) -> Interval {
    let difference = result.bpb - other.bpb;
    let error = NORMAL_95 * libm::hypot(result.bpb_se, other.bpb_se);
    Interval {
        low_bpb: difference - error,
        high_bpb: difference + error,
    }
}
