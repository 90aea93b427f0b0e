//! A run as a page sees it: plain data, whoever has read it from where.
//!
//! The engine fills it from a run's directory, a server from what it keeps. What a run has not left is absent and is left
//! out of the page. Texts may be a submission's: every one is escaped where it is drawn.

use prism_core::outcome::{Fault, Reason, Status};
use prism_referee::record::Record;

use crate::{about::About, audits::AuditGrid, curve::PublishedCurve, manifest::Manifest};

/// What a run has left.
#[derive(Clone, Debug)]
pub struct Run {
    /// What people call it.
    pub name: String,
    /// What it is of, where that is known.
    pub about: Option<About>,
    /// How far it is.
    pub state: State,
    /// The manifest, of a completed run.
    pub manifest: Option<Manifest>,
    /// The record, of a completed run.
    pub record: Option<Record>,
    /// The learning curve, whole or up to where the run is.
    pub curve: Option<PublishedCurve>,
    /// Claims against audits.
    pub audits: Audits,
    /// The miner's own curves, thinned.
    pub metrics: Vec<Metric>,
    /// What the processes wrote.
    pub logs: Vec<Log>,
    /// What was there and could not be read.
    pub problems: Vec<String>,
}

impl Run {
    /// A run that has left nothing but how far it is.
    pub fn of(name: String, state: State) -> Self {
        Self {
            name,
            about: None,
            state,
            manifest: None,
            record: None,
            curve: None,
            audits: Audits::Absent,
            metrics: Vec::new(),
            logs: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// How it ended, if it has.
    pub fn ending(&self) -> Option<&Ending> {
        match &self.state {
            State::Finished(ending) => Some(ending),
            State::Running(_) | State::Died(_) => None,
        }
    }
}

/// How far a run is.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// It is over.
    Finished(Box<Ending>),
    /// It goes on.
    Running(SoFar),
    /// It has no result, and nobody is at it any more.
    Died(SoFar),
}

/// How a run ended, and what it came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// What became of the submission.
    pub status: Status,
    /// Who is at fault, if anyone.
    pub fault: Option<Fault>,
    /// The stable reason.
    pub reason: Reason,
    /// What happened, where, and what to do next.
    pub detail: String,
    /// The miner's own traceback, where there is one.
    pub traceback: Option<String>,
    /// Bits per byte of the stream.
    pub bpb: Option<f64>,
    /// Its standard error.
    pub bpb_se: Option<f64>,
    /// Why a completed run takes no rank, by code.
    pub no_rank: Option<String>,
    /// What is ranked; absent where no rank is taken.
    pub bpb_ranked: Option<f64>,
    /// Bound of what may be hidden, in bits per byte, where it is worth telling.
    pub hidden_bpb: Option<f64>,
    /// The score, higher is better; absent where no rank is taken.
    pub final_score: Option<f64>,
    /// How far audits and claims differ: root mean square, in nats.
    pub claims_rms_nats: Option<f64>,
    /// Flags of the verdict, by code.
    pub flags: Vec<String>,
    /// Why the run does not count; absent of one that does.
    pub rehearsal: Option<Vec<WhyNot>>,
    /// Source bytes whose claims were accepted.
    pub covered_bytes: u64,
    /// Audits of the stream.
    pub audits: u64,
    /// Wall time of the whole evaluation, in seconds.
    pub wall_seconds: f64,
    /// The run's id.
    pub run_id: Option<String>,
}

impl Ending {
    /// An ending without a measurement.
    pub fn new(reason: Reason, detail: String) -> Self {
        Self {
            status: reason.status(),
            fault: reason.fault(),
            reason,
            detail,
            traceback: None,
            bpb: None,
            bpb_se: None,
            no_rank: None,
            bpb_ranked: None,
            hidden_bpb: None,
            final_score: None,
            claims_rms_nats: None,
            flags: Vec::new(),
            rehearsal: None,
            covered_bytes: 0,
            audits: 0,
            wall_seconds: 0.0,
            run_id: None,
        }
    }
}

/// Why a run does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyNot {
    /// The stable code.
    pub code: String,
    /// What it means, words between backticks being code.
    pub meaning: &'static str,
}

/// How far a run is, or came, that has no result.
#[derive(Clone, Debug, PartialEq)]
pub struct SoFar {
    /// The run's id.
    pub run_id: Option<String>,
    /// Bytes of the stream; 0 where it has not been opened.
    pub stream_bytes: u64,
    /// Source bytes accepted so far.
    pub covered_bytes: u64,
    /// Estimated bits per byte of everything accepted so far.
    pub mean_bpb: Option<f64>,
    /// From its first to its last event.
    pub seconds: f64,
    /// Targets read a second.
    pub tokens_per_second: Option<f64>,
}

/// The audits of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Audits {
    /// There are none, or nobody has looked for them.
    Absent,
    /// They stay secret until the round closes.
    Withheld,
    /// As a picture.
    Drawn(AuditGrid),
}

/// One of the miner's own curves, thinned.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// The miner's name for it.
    pub name: String,
    /// Source bytes accepted, and the value.
    pub points: Vec<(u64, f64)>,
}

/// One captured log.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// The name of its file.
    pub name: String,
    /// Its text, harmless on a terminal; its middle may be left out.
    pub text: String,
}
