//! The order of a round: ranks, tie groups and the positions that weights go by.
//!
//! A pure function of stored results: the same results in any order give the same ranking on every machine. Called by the
//! service for the board and by [`crate::weights`]. The rules in plain words, with an example, are in `docs/ranking.md`.
//!
//! 1. **Rank.** The best result of each hotkey; by `final_score` on a grid of 1e-9, then earliest accepted, then id.
//! 2. **Tie group.** From the top: the best that has no group yet, and everybody below whose difference to it may be chance
//!    ([`compare`]), as long as nobody is passed over who may not be ([`ties`]).
//! 3. **Position.** Group by group; within one by time of acceptance: that of the earliest of a hotkey's own results that
//!    ties with the group's best, so that a later improvement of one's own costs nobody his place.
//!
//! Never: a clock, randomness that is not fixed, the order of a hash map, a float sum. A score that is no number has no rank.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::advice::{Advice, Hint};

pub mod profile;

pub mod bootstrap;

pub mod compare;

mod ties;

#[cfg(test)]
pub(crate) mod properties;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use compare::{Comparison, Judge, NoiseFloor};
use profile::CodeProfile;
pub use ties::MOST_PASSED;

/// Version of the rules of this module. It grows when the same results could be ranked otherwise.
pub const RULES_VERSION: u32 = 1;

/// The step of the grid on which scores are compared.
pub const SCORE_STEP: f64 = 1e-9;

/// The result of one submission of a round, as it is stored. A run that was confirmed has the worse of its two scores, and
/// the other figures are of that same run.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundResult {
    /// The submission; no two results of a round have the same.
    pub submission: String,
    /// Whose it is: the canonical text of the key.
    pub hotkey: String,
    /// When the submission was accepted, in microseconds since 1970.
    pub accepted_at_us: i64,
    /// Whether it counts.
    pub counts: Counts,
    /// The score, between 0 and 1; whatever where there is none.
    pub final_score: f64,
    /// The code length, in bits per byte.
    pub bpb: f64,
    /// Its standard error, in bits per byte.
    pub bpb_se: f64,
    /// What the score is made of, in bits per byte: `bpb + 3 se`.
    pub bpb_ranked: f64,
    /// Whether the memorisation gap halved the score.
    pub memorization: bool,
    /// Whether its first losses were too good for a random init: its score is 0.
    pub anomalous: bool,
    /// Its code length block by block, where there is one.
    pub profile: Option<Arc<CodeProfile>>,
}

/// Whether a result counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// It does.
    Counted,
    /// It would take first place and waits for its confirmation: shown, without a weight.
    Provisional,
    /// It does not, and is not ranked.
    Not(NotCounted),
}

/// Why a submission does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotCounted {
    /// It waits, runs or is held.
    Unfinished,
    /// It ran and has no score.
    Failed,
    /// It was never run.
    Rejected,
    /// Its owner stopped it.
    Cancelled,
    /// Its result was withdrawn.
    Invalidated,
    /// Its run was a rehearsal.
    Rehearsal,
    /// Its claims were untrue or nothing of it was audited.
    NoRank,
}

/// Why a result takes no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoPlace {
    /// It does not count.
    NotCounted(NotCounted),
    /// Its confirmation is still to come.
    Provisional,
    /// One of its figures is no number, or none that a score can be.
    NotANumber,
    /// Its score is 0 because of its first losses.
    Anomalous,
    /// Its score is 0 on the grid.
    Zero,
}

impl NoPlace {
    /// What it means, in a few words.
    pub fn explain(self) -> &'static str {
        match self {
            Self::NotCounted(NotCounted::Unfinished) => "it has no result yet",
            Self::NotCounted(NotCounted::Failed) => "its run failed",
            Self::NotCounted(NotCounted::Rejected) => "it was rejected",
            Self::NotCounted(NotCounted::Cancelled) => "it was cancelled",
            Self::NotCounted(NotCounted::Invalidated) => "its result was withdrawn",
            Self::NotCounted(NotCounted::Rehearsal) => "its run was a rehearsal",
            Self::NotCounted(NotCounted::NoRank) => "its claims are not known to be true",
            Self::Provisional => "it waits for its confirmation",
            Self::NotANumber => "one of its figures is no number",
            Self::Anomalous => "its first losses are an anomaly",
            Self::Zero => "its score is zero",
        }
    }
}

/// Which results take places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Everything that has a score, provisional results and zeros too: what the board shows.
    Board,
    /// What may take a weight. A provisional result is not there at all: what it would displace stays where it is, and its
    /// hotkey goes by its best confirmed result.
    Weights,
}

/// Why there is no ranking.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RankingError {
    /// The caller gave a submission twice.
    #[error("the submission `{0}` has two results in one ranking")]
    Twice(String),
}

impl Advice for RankingError {
    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Twice(_) => Some("give the one that counts".into()),
        }
    }
}

/// A ranking.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking<'a> {
    /// One for each hotkey that takes a place, by rank.
    pub entries: Vec<Entry<'a>>,
}

impl<'a> Ranking<'a> {
    /// The results that hold first place: by rank, and by position where that is another one. In [`View::Weights`] each of
    /// them must have been confirmed; one that was not is provisional, and the next one takes its place until it is.
    pub fn first_places(&self) -> impl Iterator<Item = &'a RoundResult> {
        let first = |entry: &&Entry<'_>| entry.rank == 1 || entry.position == 1;
        self.entries.iter().filter(first).map(|entry| entry.result)
    }
}

/// The place of a hotkey.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'a> {
    /// Its rank, from 1, without gaps.
    pub rank: u32,
    /// Its best result.
    pub result: &'a RoundResult,
    /// Its tie group, from 1.
    pub tie_group: u32,
    /// How it stands to the best of a group.
    pub tie: Tie<'a>,
    /// Its place in the order that weights go by, from 1, without gaps.
    pub position: u32,
    /// The result by whose acceptance it holds its position within the group: its best one, or an earlier one of its own.
    pub held_since: &'a RoundResult,
}

/// How somebody stands to the best of a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tie<'a> {
    /// The best of all.
    First,
    /// The best of its group; it differs from the best of the group above.
    Behind(&'a RoundResult, Comparison),
    /// It may be as good as the best of its group.
    With(&'a RoundResult, Comparison),
}

impl RoundResult {
    /// Whether it takes a place in this view.
    pub fn place(&self, view: View) -> Result<(), NoPlace> {
        let provisional = match self.counts {
            Counts::Counted => false,
            Counts::Provisional => true,
            Counts::Not(why) => return Err(NoPlace::NotCounted(why)),
        };
        let figures = [self.bpb, self.bpb_se, self.bpb_ranked];
        let is_score = (0.0..=1.0).contains(&self.final_score);
        if !is_score || !figures.iter().all(|figure| figure.is_finite()) || self.bpb_se < 0.0 {
            return Err(NoPlace::NotANumber);
        }
        match view {
            View::Weights if provisional => Err(NoPlace::Provisional),
            View::Weights if self.anomalous => Err(NoPlace::Anomalous),
            View::Weights if self.score_step() == 0 => Err(NoPlace::Zero),
            View::Board | View::Weights => Ok(()),
        }
    }

    /// The score on the grid. For a score between 0 and 1.
    pub(crate) fn score_step(&self) -> i64 {
        #[allow(clippy::cast_possible_truncation, reason = "whole and at most 1e9")]
        let step = libm::floor(self.final_score / SCORE_STEP + 0.5) as i64;
        step
    }

    /// Smaller is better: a total order, because no two submissions are the same.
    fn order(&self) -> (i64, i64, &str) {
        (-self.score_step(), self.accepted_at_us, &self.submission)
    }

    /// Smaller is earlier; no two are equal.
    fn seniority(&self) -> (i64, &str) {
        (self.accepted_at_us, &self.submission)
    }
}

/// Ranks the results of one round.
pub fn rank(results: &[RoundResult], floor: NoiseFloor, view: View) -> Result<Ranking<'_>, RankingError> {
    Ok(Ranking {
        entries: entries(&field(results, view)?, floor),
    })
}

/// A hotkey with what it may hold its place by.
pub(crate) struct Entrant<'a> {
    /// Its best result.
    pub(crate) best: &'a RoundResult,
    /// Its other results that take a place in the view, earliest first.
    others: Vec<&'a RoundResult>,
}

/// One for each hotkey that takes a place, in the order of the ranks.
pub(crate) fn field(results: &[RoundResult], view: View) -> Result<Vec<Entrant<'_>>, RankingError> {
    let mut all: Vec<&RoundResult> = results.iter().collect();
    all.sort_by(|a, b| a.submission.cmp(&b.submission));
    if let Some(twice) = all
        .windows(2)
        .find(|pair| pair[0].submission == pair[1].submission)
    {
        return Err(RankingError::Twice(twice[0].submission.clone()));
    }
    all.retain(|result| result.place(view).is_ok());
    all.sort_by_key(|result| result.order());

    let mut of_hotkey: BTreeMap<&str, usize> = BTreeMap::new();
    let mut field: Vec<Entrant<'_>> = Vec::new();
    for result in all {
        let entrant = *of_hotkey.entry(&result.hotkey).or_insert(field.len());
        match field.get_mut(entrant) {
            Some(entrant) => entrant.others.push(result),
            None => field.push(Entrant {
                best: result,
                others: Vec::new(),
            }),
        }
    }
    for entrant in &mut field {
        entrant.others.sort_by_key(|result| result.seniority());
    }
    Ok(field)
}

/// Groups and positions of a field that is in the order of its ranks.
fn entries<'a>(field: &[Entrant<'a>], floor: NoiseFloor) -> Vec<Entry<'a>> {
    let bests: Vec<&RoundResult> = field.iter().map(|entrant| entrant.best).collect();
    let mut contest = Field {
        field,
        judge: Judge::new(&bests, floor),
    };
    let placed = ties::place(field.len(), &mut contest);
    let mut by_position: Vec<usize> = (0..field.len()).collect();
    by_position.sort_by_key(|&of| (placed[of].group, placed[of].since.seniority()));
    let mut positions = vec![0; field.len()];
    for (position, of) in by_position.into_iter().enumerate() {
        positions[of] = number(position);
    }
    placed
        .iter()
        .enumerate()
        .map(|(of, placed)| {
            let result = field[of].best;
            let mut against = |best: usize| {
                let best = field[best].best;
                (best, contest.judge.comparison(result, best))
            };
            let tie = match placed.best {
                ties::Best::Nobody => Tie::First,
                ties::Best::Above(best) => {
                    let (best, comparison) = against(best);
                    Tie::Behind(best, comparison)
                }
                ties::Best::Own(best) => {
                    let (best, comparison) = against(best);
                    Tie::With(best, comparison)
                }
            };
            Entry {
                rank: number(of),
                result,
                tie_group: number(placed.group),
                tie,
                position: positions[of],
                held_since: placed.since,
            }
        })
        .collect()
}

/// A place in a list as people count: from 1.
fn number(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}

/// What the groups are made from.
struct Field<'f, 'a> {
    field: &'f [Entrant<'a>],
    judge: Judge<'a>,
}

impl<'a> ties::Contest for Field<'_, 'a> {
    type Since = &'a RoundResult;

    fn tied(&mut self, below: usize, above: usize) -> bool {
        self.judge.tied(self.field[below].best, self.field[above].best)
    }

    fn since(&mut self, entrant: usize, best: usize) -> &'a RoundResult {
        let (best, Entrant { best: own, others }) = (self.field[best].best, &self.field[entrant]);
        others
            .iter()
            .take_while(|other| other.seniority() < own.seniority())
            .find(|other| self.judge.tied(other, best))
            .copied()
            .unwrap_or(own)
    }

    fn earlier(&self, a: &Self::Since, b: &Self::Since) -> bool {
        a.seniority() < b.seniority()
    }
}
