//! What an attempt is made of.

use prism_core::{hash::Sha256Hash, outcome::Reason, time::Timestamp};

prism_core::words! {
    /// What an attempt is for.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Kind, as_str {
        /// The measurement of a submission.
        Main = "main",
        /// The second one, before first place.
        Confirm = "confirm",
        /// A run of the round's reference bundle.
        Noise = "noise",
    }
}

prism_core::words! {
    /// Where an attempt stands.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum State, as_str {
        /// It may start.
        Created = "created",
        /// It runs.
        Started = "started",
        /// It is over.
        Ended = "ended",
        /// Whoever ran it is gone and left no result.
        Lost = "lost",
    }
}

impl State {
    /// Whether its result would be taken.
    pub fn is_live(self) -> bool {
        match self {
            Self::Created | Self::Started => true,
            Self::Ended | Self::Lost => false,
        }
    }
}

/// What is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// A submission for the first time.
    Main(String),
    /// A submission for the second time.
    Confirm(String),
    /// The reference bundle of a round.
    Noise {
        /// The round.
        round_id: String,
    },
}

/// An attempt that may start once it is committed.
#[derive(Clone, Debug)]
pub struct NewAttempt {
    /// What is measured, and for what.
    pub of: Of,
    /// 16 random bytes: whoever brings the result shows them.
    pub nonce: [u8; 16],
    /// Which executor runs it.
    pub executor: String,
    /// What the executor finds it by, where that is known before it starts.
    pub handle: Option<String>,
    /// The seed of the run.
    pub seed: u64,
    /// How many times as many audits as the recipe says.
    pub audit_rate_factor: u32,
}

/// An attempt.
#[derive(Clone, PartialEq)]
pub struct Attempt {
    /// Its id.
    pub id: i64,
    /// The submission; `None` for a noise run.
    pub submission: Option<String>,
    /// The round.
    pub round_id: String,
    /// What it is for.
    pub kind: Kind,
    /// 1 for the first of a submission (of a round, for noise runs).
    pub number: u32,
    /// The fence.
    pub nonce: [u8; 16],
    /// Which executor runs it.
    pub executor: String,
    /// What the executor finds it by.
    pub handle: Option<String>,
    /// The seed of the run.
    pub seed: u64,
    /// How many times as many audits as the recipe says.
    pub audit_rate_factor: u32,
    /// Where it stands.
    pub state: State,
    /// When its row was made.
    pub created_at: Timestamp,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// When its end was stored.
    pub ended_at: Option<Timestamp>,
    /// Why it ended.
    pub reason: Option<Reason>,
    /// That in a sentence.
    pub sentence: Option<String>,
    /// How long it took, by its own measurement.
    pub wall_seconds: Option<f64>,
    /// Details, as JSON.
    pub evidence_json: Option<String>,
    /// A blob of details.
    pub evidence: Option<Sha256Hash>,
    /// The day whose budget of scored runs it counts against.
    pub charged_day: Option<i64>,
}

/// Without the nonce and the seed: what is logged must open no door.
impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempt")
            .field("id", &self.id)
            .field("submission", &self.submission)
            .field("kind", &self.kind)
            .field("number", &self.number)
            .field("executor", &self.executor)
            .field("handle", &self.handle)
            .field("state", &self.state)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    /// The stable reason.
    pub reason: Reason,
    /// In a sentence.
    pub sentence: String,
    /// How long it took, by its own measurement.
    pub wall_seconds: Option<f64>,
    /// Details, as JSON.
    pub evidence_json: Option<String>,
    /// A blob of details.
    pub evidence: Option<Sha256Hash>,
}

/// What became of an end.
#[must_use = "a late result must change nothing"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is the attempt's: store its result and move its submission in this same job.
    Taken,
    /// The attempt is not live any more, or the nonce is another: it was kept as evidence, and nothing else may follow.
    Late,
}
