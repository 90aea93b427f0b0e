//! Where a submission stands, and the one function that says where it may go from there.
//!
//! ```text
//! pending -> running -> completed | failed | rejected | held | cancelled
//! held -> pending | rejected          rejected -> held (an appeal)
//! completed -> invalidated -> pending | completed
//! stage, while pending or running: received, contract, gate, similarity, review, queued, training, scoring, confirming
//! ```
//!
//! The store asks [`Position::may_step`] before it writes a change; nobody else decides. A stage exists only while a
//! submission is pending or running.

use std::fmt;

use thiserror::Error;

use crate::outcome::Status;

crate::words! {
    /// What is done with a submission, in this order.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Stage, as_str {
        /// It is stored; nothing has looked at it.
        Received = "received",
        /// Its bundle is read and validated.
        Contract = "contract",
        /// The static gate reads its source.
        Gate = "gate",
        /// Its source is compared with earlier ones.
        Similarity = "similarity",
        /// The reviewer reads it.
        Review = "review",
        /// It waits for a slot.
        Queued = "queued",
        /// It is measured.
        Training = "training",
        /// Its record is checked and its score stored.
        Scoring = "scoring",
        /// It is measured a second time before it takes first place. It has a score, which is provisional.
        Confirming = "confirming",
    }
}

/// Where a submission stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Position {
    /// It waits for this stage, or is in it without a process of its own.
    Pending(Stage),
    /// A process works on it.
    Running(Stage),
    /// It is over, unless a person says otherwise.
    Ended(Status),
}

/// Who moves a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The service itself.
    Pipeline,
    /// Whoever submitted it.
    Owner,
    /// Whoever runs the challenge.
    Operator,
}

/// A change that is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a submission that is {from} cannot become {to} by the {by}")]
pub struct IllegalStep {
    /// Where it stands.
    pub from: Position,
    /// Where it was to go.
    pub to: Position,
    /// Who wanted that.
    pub by: Actor,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pipeline => "service",
            Self::Owner => "owner",
            Self::Operator => "operator",
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending(stage) | Self::Running(stage) => {
                write!(f, "{} ({})", self.status(), stage.as_str())
            }
            Self::Ended(_) => f.write_str(self.status()),
        }
    }
}

impl Position {
    /// The status, in one word.
    pub fn status(self) -> &'static str {
        match self {
            Self::Pending(_) => "pending",
            Self::Running(_) => "running",
            Self::Ended(status) => status.as_str(),
        }
    }

    /// The status as the contract knows it, which has six words: what was cancelled or invalidated is shown as rejected.
    pub fn contract_status(self) -> &'static str {
        match self {
            Self::Pending(_) | Self::Running(_) => self.status(),
            Self::Ended(Status::Cancelled | Status::Invalidated) => Status::Rejected.as_str(),
            Self::Ended(status @ (Status::Completed | Status::Failed | Status::Rejected | Status::Held)) => {
                status.as_str()
            }
        }
    }

    /// The stage, while there is one.
    pub fn stage(self) -> Option<Stage> {
        match self {
            Self::Pending(stage) | Self::Running(stage) => Some(stage),
            Self::Ended(_) => None,
        }
    }

    /// From the two words of the store; `None` where they do not belong together.
    pub fn parse(status: &str, stage: Option<&str>) -> Option<Self> {
        match (status, stage) {
            ("pending", Some(stage)) => Stage::parse(stage)
                .filter(|stage| stage.may_wait())
                .map(Self::Pending),
            ("running", Some(stage)) => Stage::parse(stage)
                .filter(|stage| stage.may_run())
                .map(Self::Running),
            (status, None) => Status::parse(status).map(Self::Ended),
            (_, Some(_)) => None,
        }
    }

    /// Whether `by` may move a submission from here to there.
    pub fn may_step(self, to: Self, by: Actor) -> Result<(), IllegalStep> {
        let legal = match by {
            Actor::Pipeline => self.pipeline_may(to),
            Actor::Owner => self.owner_may(to),
            Actor::Operator => self.operator_may(to),
        };
        if legal {
            Ok(())
        } else {
            Err(IllegalStep { from: self, to, by })
        }
    }

    fn pipeline_may(self, to: Self) -> bool {
        match (self, to) {
            // Forward, one or more stages, as far as the queue.
            (Self::Pending(from), Self::Pending(to)) => from < to && to <= Stage::Queued,
            (Self::Pending(from), Self::Running(to)) => {
                (from, to) == (Stage::Queued, Stage::Training)
                    || (from, to) == (Stage::Confirming, Stage::Confirming)
            }
            // What waits for a confirmation that nobody needs any more has its score.
            (Self::Pending(from), Self::Ended(Status::Completed)) => from == Stage::Confirming,
            (Self::Pending(_) | Self::Running(_), Self::Ended(end)) if end != Status::Completed => {
                end != Status::Invalidated
            }
            (Self::Running(from), Self::Running(to)) => (from, to) == (Stage::Training, Stage::Scoring),
            // Tried again, or measured a second time.
            (Self::Running(from), Self::Pending(to)) => match from {
                Stage::Training => to == Stage::Queued,
                Stage::Scoring => to == Stage::Queued || to == Stage::Confirming,
                Stage::Confirming => to == Stage::Confirming,
                Stage::Received
                | Stage::Contract
                | Stage::Gate
                | Stage::Similarity
                | Stage::Review
                | Stage::Queued => false,
            },
            (Self::Running(from), Self::Ended(_)) => from == Stage::Scoring || from == Stage::Confirming,
            // The one above it was invalidated.
            (Self::Ended(Status::Completed), Self::Pending(to)) => to == Stage::Confirming,
            (Self::Pending(_) | Self::Ended(_), _) => false,
        }
    }

    fn owner_may(self, to: Self) -> bool {
        matches!(
            (self, to),
            (
                Self::Pending(_) | Self::Running(_) | Self::Ended(Status::Held),
                Self::Ended(Status::Cancelled)
            )
            // An appeal against the reviewer: a person decides.
            | (Self::Ended(Status::Rejected), Self::Ended(Status::Held))
        )
    }

    fn operator_may(self, to: Self) -> bool {
        match (self, to) {
            // Released, or requeued.
            (
                Self::Ended(
                    Status::Held | Status::Failed | Status::Rejected | Status::Cancelled | Status::Invalidated,
                ),
                Self::Pending(stage),
            ) if stage <= Stage::Queued => true,
            (Self::Pending(_) | Self::Ended(Status::Held), Self::Ended(Status::Rejected))
            // It has a score; only its second measurement is still to be made.
            | (Self::Ended(Status::Held), Self::Pending(Stage::Confirming))
            | (Self::Ended(Status::Completed), Self::Ended(Status::Invalidated))
            // Its record alone could be scored again.
            | (Self::Ended(Status::Invalidated), Self::Ended(Status::Completed)) => true,
            (Self::Pending(_) | Self::Running(_) | Self::Ended(_), _) => false,
        }
    }
}

impl Stage {
    fn may_wait(self) -> bool {
        !matches!(self, Self::Training | Self::Scoring)
    }

    fn may_run(self) -> bool {
        matches!(self, Self::Training | Self::Scoring | Self::Confirming)
    }
}

crate::words! {
    /// Why a submission that is pending does not move.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Wait, code {
        /// Others are before it.
        Queue = "queue",
        /// It is tried again after a pause, since the last attempt failed for a reason that is not the miner's.
        Retry = "retry",
        /// No machine here can confine untrusted code, or none has the device that the round wants.
        NoExecutor = "no_executor",
        /// The operator has paused the queue.
        Paused = "paused",
        /// Every attempt fails for the same reason, which is the operator's: the queue waits.
        Breaker = "breaker",
        /// No round is open.
        NoRound = "no_round",
        /// Its hotkey has had its scored runs of today.
        Budget = "budget",
        /// Its process has started and waits until another run has left the machine.
        Machine = "machine",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDS: [Status; 6] = [
        Status::Completed,
        Status::Failed,
        Status::Rejected,
        Status::Cancelled,
        Status::Held,
        Status::Invalidated,
    ];
    const ACTORS: [Actor; 3] = [Actor::Pipeline, Actor::Owner, Actor::Operator];

    fn positions() -> Vec<Position> {
        let waiting = Stage::ALL
            .into_iter()
            .filter(|stage| stage.may_wait())
            .map(Position::Pending);
        let running = Stage::ALL
            .into_iter()
            .filter(|stage| stage.may_run())
            .map(Position::Running);
        waiting.chain(running).chain(ENDS.map(Position::Ended)).collect()
    }

    fn may(from: Position, to: Position, by: Actor) -> bool {
        from.may_step(to, by).is_ok()
    }

    #[test]
    fn the_words_of_a_position_read_back() {
        for position in positions() {
            let stage = position.stage().map(Stage::as_str);
            assert_eq!(Position::parse(position.status(), stage), Some(position));
        }
        for (status, stage) in [
            ("pending", None),
            ("running", Some("queued")),
            ("pending", Some("training")),
            ("completed", Some("queued")),
            ("", None),
            ("pending", Some("other")),
        ] {
            assert_eq!(Position::parse(status, stage), None, "{status} {stage:?}");
        }
    }

    #[test]
    fn the_contract_knows_six_words() {
        for position in positions() {
            let word = position.contract_status();
            assert!(
                ["pending", "running", "completed", "failed", "rejected", "held"].contains(&word),
                "{word}"
            );
        }
    }

    #[test]
    fn the_usual_way_is_legal() {
        let way = [
            Position::Pending(Stage::Received),
            Position::Pending(Stage::Contract),
            Position::Pending(Stage::Gate),
            Position::Pending(Stage::Similarity),
            Position::Pending(Stage::Review),
            Position::Pending(Stage::Queued),
            Position::Running(Stage::Training),
            Position::Running(Stage::Scoring),
            Position::Pending(Stage::Confirming),
            Position::Running(Stage::Confirming),
            Position::Ended(Status::Completed),
        ];
        for pair in way.windows(2) {
            assert!(
                may(pair[0], pair[1], Actor::Pipeline),
                "{} -> {}",
                pair[0],
                pair[1]
            );
            assert!(!may(pair[0], pair[1], Actor::Owner), "{} -> {}", pair[0], pair[1]);
        }
        assert!(may(
            Position::Running(Stage::Scoring),
            Position::Ended(Status::Completed),
            Actor::Pipeline
        ));
        assert!(may(
            Position::Running(Stage::Training),
            Position::Pending(Stage::Queued),
            Actor::Pipeline
        ));
    }

    #[test]
    fn nothing_becomes_completed_without_a_run_and_nothing_ended_moves_by_itself() {
        for from in positions() {
            let completed = Position::Ended(Status::Completed);
            if may(from, completed, Actor::Pipeline) {
                assert!(
                    [
                        Position::Running(Stage::Scoring),
                        Position::Running(Stage::Confirming),
                        Position::Pending(Stage::Confirming)
                    ]
                    .contains(&from),
                    "{from}"
                );
            }
            for to in positions() {
                if let (Position::Ended(end), true) = (from, may(from, to, Actor::Pipeline)) {
                    assert_eq!(
                        (end, to),
                        (Status::Completed, Position::Pending(Stage::Confirming))
                    );
                }
                let appeals =
                    (from, to) == (Position::Ended(Status::Rejected), Position::Ended(Status::Held));
                if may(from, to, Actor::Owner) && !appeals {
                    assert_eq!(to, Position::Ended(Status::Cancelled));
                    assert!(
                        !matches!(from, Position::Ended(end) if end != Status::Held),
                        "{from}"
                    );
                }
                // Only operators withdraw a score.
                if to == Position::Ended(Status::Invalidated) && may(from, to, Actor::Operator) {
                    assert_eq!(from, completed);
                }
                for by in ACTORS {
                    assert!(from != to || !may(from, to, by), "{from} stays by the {by}");
                }
            }
        }
    }

    #[test]
    fn what_is_held_waits_for_a_person() {
        let held = Position::Ended(Status::Held);
        for to in positions() {
            assert!(!may(held, to, Actor::Pipeline), "{to}");
        }
        assert!(may(held, Position::Pending(Stage::Review), Actor::Operator));
        assert!(may(held, Position::Ended(Status::Rejected), Actor::Operator));
        assert!(!may(held, Position::Ended(Status::Completed), Actor::Operator));
        let error = held
            .may_step(Position::Running(Stage::Training), Actor::Pipeline)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "a submission that is held cannot become running (training) by the service"
        );
    }

    #[test]
    fn codes_of_waiting_read_back() {
        for wait in Wait::ALL {
            assert_eq!(Wait::parse(wait.code()), Some(wait));
        }
        assert_eq!(Wait::parse("?"), None);
    }
}
