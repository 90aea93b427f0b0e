//! Who leads: the board of the round, and the contract's leaderboard of an epoch.

use serde::Deserialize;

use super::or_default;

/// The board of a round.
#[derive(Clone, Debug, Deserialize)]
pub struct Board {
    /// Which round; absent while there has been none.
    pub round: Option<RoundName>,
    /// Spread of bits per byte of one bundle under fresh seeds.
    pub noise_bpb: Option<f64>,
    /// When a rank last changed.
    pub changed_at: Option<String>,
    /// Best first.
    pub entries: Vec<Row>,
}

/// Which round something is of.
#[derive(Clone, Debug, Deserialize)]
pub struct RoundName {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// The leaderboard of an epoch.
#[derive(Clone, Debug, Deserialize)]
pub struct Leaderboard {
    /// Which epoch.
    pub epoch_id: i64,
    /// Best first.
    pub entries: Vec<Row>,
}

/// A line of either.
#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    /// From 1.
    pub rank: u64,
    /// Whose.
    pub hotkey: String,
    /// The score.
    pub score: f64,
    /// Which submission.
    pub submission_id: String,
    /// Bits per byte.
    pub bpb: Option<f64>,
    /// Their standard error.
    pub bpb_se: Option<f64>,
    /// The tie group.
    pub tie_group: Option<u64>,
    /// Whether the score is still to be confirmed.
    #[serde(default, deserialize_with = "or_default")]
    pub provisional: bool,
    /// The weight.
    pub weight: Option<f64>,
    /// What is remarkable about it.
    #[serde(default, deserialize_with = "or_default")]
    pub flags: Vec<String>,
}
