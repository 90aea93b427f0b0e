//! Weights: a ranking and a policy to shares that sum to 1, with the reason of each.
//!
//! A pure function of stored results, called by the service for `/v1/weights`, for what the master reads, and to simulate
//! another policy. The rules in plain words are in `docs/ranking.md`.
//!
//! Only confirmed results with a score above zero take part ([`View::Weights`]); a provisional one is as if it were not
//! there, so whatever it would displace keeps its weight until the confirmation is in. Nothing here writes to a chain,
//! reads a clock or depends on the order of its input.

use std::collections::BTreeMap;

use crate::{
    estimate::Sum,
    hash::Sha256Hash,
    ranking::{self, RULES_VERSION, RankingError, RoundResult, View, compare::NoiseFloor},
};

pub mod explain;

pub mod policy;

#[cfg(test)]
mod document;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use explain::Explained;
use policy::Policy;

/// The weights of a round.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// By which policy.
    pub policy: Policy,
    /// Under which noise floor.
    pub noise_floor: NoiseFloor,
    /// A hash of everything that they depend on: rules, policy, noise floor and the results that take part.
    pub inputs_hash: Sha256Hash,
    /// Each hotkey that has a weight: above 0, and 1 in all. Empty where nobody qualifies.
    pub weights: BTreeMap<String, f64>,
    /// Each hotkey of the round with its reason: by position, then those that have no place, by hotkey.
    pub explained: Vec<Explained>,
}

/// Weighs the results of one round.
pub fn weigh(
    results: &[RoundResult],
    noise_floor: NoiseFloor,
    policy: Policy,
) -> Result<Weights, RankingError> {
    let ranking = ranking::rank(results, noise_floor, View::Weights)?;
    let mut places: Vec<_> = ranking.entries.iter().collect();
    places.sort_by_key(|entry| entry.position);
    let shares: Vec<Option<f64>> = places
        .iter()
        .map(|entry| policy.share(entry.position, entry.result.final_score))
        .collect();
    // In the order of the positions, compensated.
    let mut sum = Sum::default();
    shares.iter().flatten().for_each(|&share| sum.add(share));
    let sum = sum.value();
    let mut weights = BTreeMap::new();
    for (entry, share) in places.iter().zip(&shares) {
        if let Some(share) = share {
            weights.insert(entry.result.hotkey.clone(), share / sum);
        }
    }
    let explained = explain::all(results, &places, &shares, sum, policy)?;
    Ok(Weights {
        policy,
        noise_floor,
        inputs_hash: inputs_hash(results, noise_floor, policy),
        weights,
        explained,
    })
}

/// The hash of a canonical text of everything that weights depend on.
///
/// A line each for the rules, the policy and the noise floor, then one for each result that takes part, by submission: a
/// JSON array, with floats as the sixteen hexadecimal digits of their bits.
fn inputs_hash(results: &[RoundResult], noise_floor: NoiseFloor, policy: Policy) -> Sha256Hash {
    let bits = |float: f64| format!("{:016x}", float.to_bits());
    let mut text = format!(
        "prism weights, rules {RULES_VERSION}\n{policy}\n{}\n",
        bits(noise_floor.bpb())
    );
    let mut taking_part: Vec<_> = results
        .iter()
        .filter(|result| result.place(View::Weights).is_ok())
        .collect();
    taking_part.sort_by(|a, b| a.submission.cmp(&b.submission));
    for result in taking_part {
        let line = serde_json::json!([
            result.submission,
            result.hotkey,
            result.accepted_at_us,
            bits(result.final_score),
            bits(result.bpb),
            bits(result.bpb_se),
            bits(result.bpb_ranked),
            result.memorization,
            result.profile.as_ref().map(|profile| profile.sha256()),
        ]);
        text.push_str(&line.to_string());
        text.push('\n');
    }
    Sha256Hash::of(text.as_bytes())
}
