//! The weights: what the master asks for and what everybody may read about how they came about.

use std::collections::BTreeMap;

use prism_core::time::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::prepared::Prepared;

/// How far the sum of weights may be from 1.
const SUM_TOLERANCE: f64 = 1e-12;

/// What is shown of the weights.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WeightsView {
    /// The round that they come from; null while there has been none.
    pub round: Option<String>,
    /// Name of the policy.
    pub policy: String,
    /// When they were computed.
    pub computed_at: String,
    /// Hash of everything that they were computed from.
    pub inputs_hash: String,
    /// Hotkey to weight; empty where nobody qualifies.
    pub weights: BTreeMap<String, f64>,
    /// For each hotkey the rank, the tie group and the arithmetic, each a JSON text: as values they take ten times the memory.
    #[schema(value_type = Vec<Object>)]
    pub explanation: Vec<Box<RawValue>>,
}

impl WeightsView {
    /// Nobody qualifies.
    pub fn empty(policy: &str, computed_at: Timestamp) -> Self {
        Self {
            round: None,
            policy: policy.to_owned(),
            computed_at: computed_at.to_string(),
            inputs_hash: String::new(),
            weights: BTreeMap::new(),
            explanation: Vec::new(),
        }
    }
}

/// Numbers that are no weights.
#[derive(Debug, thiserror::Error)]
pub enum NotWeights {
    /// Not finite, or not above zero.
    #[error("the weight of {0} is not a positive number")]
    NotPositive(String),
    /// They do not sum to one.
    #[error("the weights sum to {0}, not to 1")]
    Sum(f64),
    /// They cannot be written as JSON.
    #[error("the weights cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

/// Weights, ready to be sent.
#[derive(Debug)]
pub struct Weights {
    view: WeightsView,
    prepared: Prepared,
}

impl Weights {
    /// Checks the weights and makes the answers of them.
    pub fn new(mut view: WeightsView) -> Result<Self, NotWeights> {
        for (hotkey, &weight) in &view.weights {
            if !(weight.is_finite() && weight > 0.0) {
                return Err(NotWeights::NotPositive(hotkey.clone()));
            }
        }
        let sum: f64 = view.weights.values().sum();
        if !view.weights.is_empty() && (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(NotWeights::Sum(sum));
        }
        let prepared = Prepared::json(&view)?;
        // It is in that text, and most of what there is.
        view.explanation = Vec::new();
        Ok(Self { view, prepared })
    }

    /// What is shown, without the explanation: that is in the text alone.
    pub fn view(&self) -> &WeightsView {
        &self.view
    }

    /// The JSON text with the explanation.
    pub fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// The weight of a hotkey.
    pub fn of(&self, hotkey: &str) -> f64 {
        self.view.weights.get(hotkey).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(pairs: &[(&str, f64)]) -> Result<Weights, NotWeights> {
        let mut view = WeightsView::empty("rank-geometric", Timestamp(0));
        view.weights = pairs
            .iter()
            .map(|&(hotkey, weight)| (hotkey.to_owned(), weight))
            .collect();
        Weights::new(view)
    }

    #[test]
    fn only_positive_numbers_that_sum_to_one_are_weights() {
        assert_eq!(weights(&[]).unwrap().of("a"), 0.0);
        assert_eq!(weights(&[("a", 0.25), ("b", 0.75)]).unwrap().of("b"), 0.75);
        for bad in [
            &[("a", 1.0), ("b", 0.0)][..],
            &[("a", f64::NAN)],
            &[("a", -1.0), ("b", 2.0)],
            &[("a", 0.5)],
            &[("a", f64::INFINITY)],
        ] {
            assert!(weights(bad).is_err(), "{bad:?}");
        }
    }
}
