//! `prism admin`: what the operator decides, asked of the service that runs over its socket.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use prism_service::{Operation, Shared, Then};

use super::CommandResult;
use super::operate::{PlaceArgs, absolute, shown};
use crate::output::Output;

/// Subcommands of `prism admin`.
#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// How everything stands: the round, the queue, what is wrong
    Doctor {
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// List what is held and why
    Held {
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Let a held submission go on
    Release {
        /// Its id
        #[arg(value_name = "ID")]
        submission: String,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Reject one that is held or waits
    Reject {
        /// Its id
        #[arg(value_name = "ID")]
        submission: String,
        /// Why: the owner sees it
        #[arg(long)]
        why: String,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Run one again that has ended without a score
    Requeue {
        /// Its id
        #[arg(value_name = "ID")]
        submission: String,
        /// Give back what it has cost of the owner's budget
        #[arg(long)]
        free: bool,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Withdraw a score for a fault of the challenge
    Invalidate {
        /// Its id
        #[arg(value_name = "ID")]
        submission: String,
        /// Why: everybody sees it
        #[arg(long)]
        why: String,
        /// Also all scores that share this with it
        #[arg(long, value_enum, value_name = "WHAT")]
        same: Option<SameArg>,
        /// Score the records again with this version; what that does not give runs again, free
        #[arg(long, conflicts_with = "requeue")]
        rescore: bool,
        /// Run what is withdrawn again, free
        #[arg(long)]
        requeue: bool,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Show the reviewer: mode, model, budgets, what is wrong; or everything of one submission's reviews
    Review {
        /// The id of a submission
        #[arg(value_name = "ID", conflicts_with = "retry")]
        id: Option<String>,
        /// Have everything read again that is held because the reviewer was away, wrongly set up, out of budget or undecided
        #[arg(long)]
        retry: bool,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Start no new run; what runs goes on
    Pause {
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Go on after a pause, or try a machine again that could not run submissions
    Resume {
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Show the weights under another policy beside the present ones
    Weights {
        /// The policy, as `winner-take-all`
        #[arg(long, value_name = "POLICY")]
        simulate: String,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Copy store and blobs while everything goes on
    Backup {
        /// A new directory
        #[arg(value_name = "DIR")]
        to: PathBuf,
        #[command(flatten)]
        place: PlaceArgs,
    },
}

/// What the scores have in common that share a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SameArg {
    /// Measured by the same version of PRISM, in the same round
    Engine,
    /// Of rounds with the same corpus
    Corpus,
    /// Of rounds with the same version of the gate
    Rules,
}

impl From<SameArg> for Shared {
    fn from(arg: SameArg) -> Self {
        match arg {
            SameArg::Engine => Self::Engine,
            SameArg::Corpus => Self::Corpus,
            SameArg::Rules => Self::Rules,
        }
    }
}

pub(crate) fn run(command: AdminCommand, output: Output) -> CommandResult {
    let (place, operation) = match command {
        AdminCommand::Doctor { place } => (place, Operation::Status),
        AdminCommand::Held { place } => (place, Operation::Held),
        AdminCommand::Release { submission, place } => (place, Operation::Release { submission }),
        AdminCommand::Reject {
            submission,
            why,
            place,
        } => (place, Operation::Reject { submission, why }),
        AdminCommand::Requeue {
            submission,
            free,
            place,
        } => (place, Operation::Requeue { submission, free }),
        AdminCommand::Invalidate {
            submission,
            why,
            same,
            rescore,
            requeue,
            place,
        } => {
            let same = same.map(Into::into);
            let then = match (rescore, requeue) {
                (true, _) => Then::Rescore,
                (false, true) => Then::Requeue,
                (false, false) => Then::Nothing,
            };
            let operation = Operation::Invalidate {
                submission,
                why,
                same,
                then,
            };
            (place, operation)
        }
        AdminCommand::Review { id, retry, place } => {
            let operation = match id {
                Some(submission) => Operation::Reviews { submission },
                None if retry => Operation::ReviewRetry,
                None => Operation::Review,
            };
            (place, operation)
        }
        AdminCommand::Pause { place } => (place, Operation::Pause),
        AdminCommand::Resume { place } => (place, Operation::Resume),
        AdminCommand::Weights { simulate, place } => (place, Operation::Simulate { policy: simulate }),
        AdminCommand::Backup { to, place } => (place, Operation::Backup { to: absolute(&to)? }),
    };
    let answer = place.ask(&operation)?;
    output.result(&answer, || shown(&answer))
}
