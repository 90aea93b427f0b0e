//! The weights with their reasons.
//!
//! The reasons are shown as the service gives them: nothing is computed again here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::or_default;

/// The weights.
#[derive(Clone, Debug, Deserialize)]
pub struct Weights {
    /// The round that they come from; absent while there has been none.
    pub round: Option<String>,
    /// The policy.
    pub policy: Option<String>,
    /// When they were computed.
    pub computed_at: Option<String>,
    /// Hash of everything that they were computed from.
    pub inputs_hash: Option<String>,
    /// Hotkey to weight.
    pub weights: BTreeMap<String, f64>,
    /// The reasons, by position.
    #[serde(default, deserialize_with = "or_default")]
    pub explanation: Vec<Explained>,
}

/// The reason of one weight.
#[derive(Clone, Debug, Deserialize)]
pub struct Explained {
    /// Whose.
    pub hotkey: String,
    /// The weight; 0 for none.
    pub weight: f64,
    /// Its place, or why it has none.
    pub place: Place,
    /// A result that waits for its confirmation.
    pub provisional: Option<Provisional>,
}

/// Where somebody stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// It has a place.
    Taken(Box<Taken>),
    /// It has none.
    None {
        /// The result that comes closest.
        submission: String,
        /// Why that one takes no place: a word, or a word within one.
        why: Value,
    },
}

/// A place and the arithmetic that makes a weight of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Taken {
    /// By score, from 1.
    pub rank: u64,
    /// The tie group, from 1.
    pub tie_group: u64,
    /// What the policy goes by, from 1.
    pub position: u64,
    /// The result that counts.
    pub submission: String,
    /// Its score.
    pub final_score: f64,
    /// Bits per byte.
    pub bpb: f64,
    /// Their standard error.
    pub bpb_se: f64,
    /// How it stands to the best of its group, or of the group above.
    pub against: Option<Against>,
    /// The result by whose acceptance it holds its position.
    pub held_by: Option<String>,
    /// The policy's arithmetic, in words and numbers.
    pub arithmetic: String,
    /// What that comes to.
    pub share: Option<f64>,
    /// What it is divided by.
    pub sum_of_shares: f64,
}

/// A comparison with the best of a group.
#[derive(Clone, Debug, Deserialize)]
pub struct Against {
    /// All of it in words.
    pub sentence: String,
}

/// A result that waits for its confirmation.
#[derive(Clone, Debug, Deserialize)]
pub struct Provisional {
    /// Which.
    pub submission: String,
    /// Its rank on the board.
    pub board_rank: u64,
    /// Its score so far.
    pub final_score: f64,
}

impl Place {
    /// Why there is no place, in words; nothing where there is one.
    pub fn why_none(&self) -> Option<String> {
        match self {
            Self::Taken(_) => None,
            Self::None { why, .. } => Some(words(why)),
        }
    }
}

/// `{"not_counted": "no_rank"}` as `not counted: no rank`.
fn words(why: &Value) -> String {
    let plain = |word: &str| word.replace('_', " ");
    match why {
        Value::String(word) => plain(word),
        Value::Object(outer) => {
            let pairs = outer.iter().map(|(name, inner)| match inner.as_str() {
                Some(word) => format!("{}: {}", plain(name), plain(word)),
                None => plain(name),
            });
            pairs.collect::<Vec<_>>().join(", ")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => "no reason was given".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_their_absence_are_read() {
        let taken = r#"{"hotkey":"a","weight":1.0,"provisional":null,"others":[],"place":{"taken":{"rank":1,"tie_group":1,
            "position":1,"submission":"s","accepted_at_us":1,"final_score":0.2,"bpb":3.8,"bpb_se":0.1,"bpb_ranked":4.1,
            "against":null,"held_by":"s","held_since_us":1,"policy":"winner-take-all","arithmetic":"all","share":1.0,
            "sum_of_shares":1.0}}}"#;
        let explained: Explained = serde_json::from_str(taken).unwrap();
        assert!(matches!(explained.place, Place::Taken(taken) if taken.position == 1));
        for (why, expected) in [
            (r#""provisional""#, "provisional"),
            (r#"{"not_counted":"no_rank"}"#, "not counted: no rank"),
            ("7", "no reason was given"),
        ] {
            let none =
                format!(r#"{{"hotkey":"a","weight":0,"place":{{"none":{{"submission":"s","why":{why}}}}}}}"#);
            let explained: Explained = serde_json::from_str(&none).unwrap();
            assert_eq!(explained.place.why_none().as_deref(), Some(expected));
        }
    }
}
