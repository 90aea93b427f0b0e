//! Why a hotkey has its weight: rank, tie group, the policy's arithmetic and the results that it came from.
//!
//! Made by [`super::weigh`] beside the weights, from the same values; serialised as `/v1/weights` shows it and
//! `prism weights --explain` reads it. One hotkey fits on a screen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::policy::Policy;
use crate::ranking::{
    self, Counts, Entry, NoPlace, RankingError, RoundResult, Tie, View, compare::Comparison,
};

/// Most other results of a hotkey that are listed; the rest is counted.
pub const MOST_OTHERS: usize = 8;

/// The reason of one weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explained {
    /// Whose.
    pub hotkey: String,
    /// The weight; 0 for none.
    pub weight: f64,
    /// Its place among those who may take a weight, or why it has none.
    pub place: Place,
    /// A result of it that is shown on the board and takes no weight before it is confirmed.
    pub provisional: Option<Provisional>,
    /// Its other results, best first, then those without a score, latest first; at most [`MOST_OTHERS`].
    pub others: Vec<Other>,
    /// How many more there are.
    pub others_left_out: u64,
}

/// Where somebody stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// It has a place.
    Taken(Box<Taken>),
    /// It has none.
    None {
        /// The result that comes closest, or the latest one.
        submission: String,
        /// Why that one takes no place.
        why: NoPlace,
    },
}

/// A place and the arithmetic that makes a weight of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    /// By score, from 1, among those who may take a weight.
    pub rank: u32,
    /// The tie group, from 1.
    pub tie_group: u32,
    /// By tie group, then time: what the policy goes by.
    pub position: u32,
    /// The result that counts.
    pub submission: String,
    /// When it was accepted, in microseconds since 1970.
    pub accepted_at_us: i64,
    /// Its score.
    pub final_score: f64,
    /// Its code length, in bits per byte.
    pub bpb: f64,
    /// Its standard error, in bits per byte.
    pub bpb_se: f64,
    /// What the score is made of: `bpb + 3 se`.
    pub bpb_ranked: f64,
    /// How it stands to the best of its group, or of the group above; absent for the best of all.
    pub against: Option<Against>,
    /// The result by whose acceptance it holds its position within the group.
    pub held_by: String,
    /// When that was accepted, in microseconds since 1970.
    pub held_since_us: i64,
    /// The policy.
    pub policy: Policy,
    /// Its arithmetic for this position, in words and numbers.
    pub arithmetic: String,
    /// What that comes to; absent where the policy pays nothing.
    pub share: Option<f64>,
    /// The sum of all shares, by which it is divided.
    pub sum_of_shares: f64,
}

/// A comparison with the best of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Against {
    /// Whose result that is.
    pub hotkey: String,
    /// Which.
    pub submission: String,
    /// Whether it is the best of the same group; otherwise of the one above.
    pub same_group: bool,
    /// What is needed more than by that one, in bits per byte.
    pub difference_bpb: f64,
    /// The lower end of the interval of 95 %, in bits per byte.
    pub low_bpb: Option<f64>,
    /// Its upper end.
    pub high_bpb: Option<f64>,
    /// What decided: `bootstrap`, `noise_floor`, `standard_errors` or `penalty`.
    pub method: String,
    /// All of it in words.
    pub sentence: String,
}

/// A result that waits for its confirmation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provisional {
    /// Which.
    pub submission: String,
    /// Its rank on the board.
    pub board_rank: u32,
    /// Its score so far.
    pub final_score: f64,
}

/// A result beside the one that counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Other {
    /// Which.
    pub submission: String,
    /// When it was accepted, in microseconds since 1970.
    pub accepted_at_us: i64,
    /// Its score, where it has one.
    pub final_score: Option<f64>,
    /// Why it takes no place; absent where another one is better.
    pub why: Option<NoPlace>,
}

/// Explains every hotkey of the round. `places` are those who may take a weight, by position, with their shares.
pub(super) fn all(
    results: &[RoundResult],
    places: &[&Entry<'_>],
    shares: &[Option<f64>],
    sum_of_shares: f64,
    policy: Policy,
) -> Result<Vec<Explained>, RankingError> {
    let mut of_hotkey: BTreeMap<&str, Vec<&RoundResult>> = BTreeMap::new();
    for result in results {
        of_hotkey.entry(&result.hotkey).or_default().push(result);
    }
    for of_one in of_hotkey.values_mut() {
        of_one.sort_by(|a, b| {
            closeness(a)
                .cmp(&closeness(b))
                .then_with(|| a.submission.cmp(&b.submission))
        });
    }
    let board = ranking::field(results, View::Board)?;
    let mut provisional: BTreeMap<&str, Provisional> = BTreeMap::new();
    for (board_rank, entrant) in (1..).zip(&board) {
        if entrant.best.counts == Counts::Provisional {
            let waiting = Provisional {
                submission: entrant.best.submission.clone(),
                board_rank,
                final_score: entrant.best.final_score,
            };
            provisional.insert(&entrant.best.hotkey, waiting);
        }
    }

    let mut all = Vec::with_capacity(of_hotkey.len());
    for (entry, &share) in places.iter().zip(shares) {
        let hotkey = entry.result.hotkey.as_str();
        let results = of_hotkey.remove(hotkey).unwrap_or_default();
        let place = Place::Taken(Box::new(taken(entry, share, sum_of_shares, policy)));
        let weight = share.map_or(0.0, |share| share / sum_of_shares);
        all.push(explained(
            hotkey,
            weight,
            place,
            provisional.remove(hotkey),
            &results,
        ));
    }
    for (hotkey, results) in of_hotkey {
        // Every hotkey is here because of a result, and no result of it takes a place.
        let closest = results.first().and_then(|closest| {
            Some(Place::None {
                submission: closest.submission.clone(),
                why: closest.place(View::Weights).err()?,
            })
        });
        if let Some(place) = closest {
            all.push(explained(
                hotkey,
                0.0,
                place,
                provisional.remove(hotkey),
                &results,
            ));
        }
    }
    Ok(all)
}

/// Smaller is closer to a weight: what may take one, by score; then what has a score; then the rest, latest first.
fn closeness(result: &RoundResult) -> (u8, i64, i64) {
    let stage = match (result.place(View::Weights), result.place(View::Board)) {
        (Ok(()), _) => 0,
        (Err(_), Ok(())) => 1,
        (Err(_), Err(_)) => 2,
    };
    if stage == 2 {
        (stage, 0, result.accepted_at_us.saturating_neg())
    } else {
        (stage, -result.score_step(), result.accepted_at_us)
    }
}

fn explained(
    hotkey: &str,
    weight: f64,
    place: Place,
    provisional: Option<Provisional>,
    results: &[&RoundResult],
) -> Explained {
    let named = match &place {
        Place::Taken(taken) => &taken.submission,
        Place::None { submission, .. } => submission,
    };
    let waiting = provisional.as_ref().map(|waiting| &waiting.submission);
    let others: Vec<_> = results
        .iter()
        .filter(|result| result.submission != *named && Some(&result.submission) != waiting)
        .map(|result| Other {
            submission: result.submission.clone(),
            accepted_at_us: result.accepted_at_us,
            final_score: result.place(View::Board).is_ok().then_some(result.final_score),
            why: result.place(View::Weights).err(),
        })
        .collect();
    Explained {
        hotkey: hotkey.into(),
        weight,
        others_left_out: others.len().saturating_sub(MOST_OTHERS) as u64,
        others: others.into_iter().take(MOST_OTHERS).collect(),
        place,
        provisional,
    }
}

fn taken(entry: &Entry<'_>, share: Option<f64>, sum_of_shares: f64, policy: Policy) -> Taken {
    let result = entry.result;
    Taken {
        rank: entry.rank,
        tie_group: entry.tie_group,
        position: entry.position,
        submission: result.submission.clone(),
        accepted_at_us: result.accepted_at_us,
        final_score: result.final_score,
        bpb: result.bpb,
        bpb_se: result.bpb_se,
        bpb_ranked: result.bpb_ranked,
        against: match &entry.tie {
            Tie::First => None,
            Tie::Behind(best, comparison) => Some(against(best, comparison, false)),
            Tie::With(best, comparison) => Some(against(best, comparison, true)),
        },
        held_by: entry.held_since.submission.clone(),
        held_since_us: entry.held_since.accepted_at_us,
        policy,
        arithmetic: policy.arithmetic(entry.position),
        share,
        sum_of_shares,
    }
}

fn against(best: &RoundResult, comparison: &Comparison, same_group: bool) -> Against {
    let interval = comparison.interval();
    Against {
        hotkey: best.hotkey.clone(),
        submission: best.submission.clone(),
        same_group,
        difference_bpb: comparison.difference_bpb,
        low_bpb: interval.map(|interval| interval.low_bpb),
        high_bpb: interval.map(|interval| interval.high_bpb),
        method: comparison.method_code().into(),
        sentence: comparison.explain(),
    }
}

impl Explained {
    /// It as lines of text; `time` writes a moment in microseconds since 1970.
    pub fn lines(&self, time: impl Fn(i64) -> String) -> Vec<String> {
        let mut lines = vec![format!("{}  weight {:.6}", self.hotkey, self.weight)];
        match &self.place {
            Place::Taken(taken) => taken.lines(self.weight, &time, &mut lines),
            Place::None { submission, why } => {
                lines.push(format!(
                    "  result    {submission} takes no place: {}",
                    why.explain()
                ));
            }
        }
        if let Some(waiting) = &self.provisional {
            lines.push(format!(
                "  waiting   {} is rank {} on the board with {:.9}; it takes no weight yet",
                waiting.submission, waiting.board_rank, waiting.final_score
            ));
        }
        for other in &self.others {
            let score = other
                .final_score
                .map_or_else(String::new, |score| format!(" {score:.9},"));
            let why = other.why.map_or("not its best", NoPlace::explain);
            lines.push(format!(
                "  other     {} of {}:{score} {why}",
                other.submission,
                time(other.accepted_at_us)
            ));
        }
        if self.others_left_out > 0 {
            lines.push(format!("  other     and {} more", self.others_left_out));
        }
        lines
    }
}

impl Taken {
    fn lines(&self, weight: f64, time: &impl Fn(i64) -> String, lines: &mut Vec<String>) {
        lines.push(format!(
            "  place     rank {}, tie group {}, position {}",
            self.rank, self.tie_group, self.position
        ));
        lines.push(format!(
            "  result    {}, accepted {}",
            self.submission,
            time(self.accepted_at_us)
        ));
        lines.push(format!(
            "  score     {:.9} from {:.6} bits per byte ({:.6} + 3 x {:.6})",
            self.final_score, self.bpb_ranked, self.bpb, self.bpb_se
        ));
        if let Some(against) = &self.against {
            let how = if against.same_group { "tie with" } else { "behind" };
            lines.push(format!("  {how:8}  {} of {}", against.submission, against.hotkey));
            lines.push(format!("            {}", against.sentence));
        }
        if self.held_by != self.submission {
            lines.push(format!(
                "  since     {}, by its own {} in the same group",
                time(self.held_since_us),
                self.held_by
            ));
        }
        lines.push(format!("  policy    {}", self.policy));
        lines.push(match self.share {
            Some(share) => format!(
                "            {} = {share:.9}; / {:.9} (sum of shares) = {weight:.9}",
                self.arithmetic, self.sum_of_shares
            ),
            None => format!("            {}: no share", self.arithmetic),
        });
    }
}
