//! The two processes that answer about the stream: the auditor, and the one that is asked again.
//!
//! Started with the learner and settled before the first batch leaves the referee: both have built the model, made
//! their first forwards, been sealed and been frozen. From there on neither can ask the kernel for what anybody else
//! may have left in it, and each runs only while the learner stands still or is dead. Used by the session.

use crate::{
    auditor::{Forwarder, settle},
    connection::Cancel,
    layout::Layout,
    message::Open,
    party::Party,
    plan::Plan,
    worker::Launcher,
};
use prism_core::failure::Failure;

/// Both of them.
pub struct Answerers {
    /// Answers while the stream is read.
    pub auditor: Forwarder,
    /// Answers once more when the learner is dead. It has held no snapshot before.
    pub replay: Forwarder,
}

impl Answerers {
    /// Starts both; they are importing torch when this returns.
    pub fn start(plan: &Plan<'_>, launcher: &mut dyn Launcher, cancel: &Cancel) -> Result<Self, Failure> {
        Ok(Self {
            auditor: Forwarder::start(plan, launcher, Party::Auditor, cancel)?,
            replay: Forwarder::start(plan, launcher, Party::Replay, cancel)?,
        })
    }

    /// Waits until `build_model` has returned in both.
    pub fn built(&mut self) -> Result<(), Failure> {
        self.auditor.built()?;
        self.replay.built()
    }

    /// Tells both the shape of a step, waits for their layouts, seals and freezes them. Returns the layout of the model.
    pub fn settle(&mut self, open: Open) -> Result<Layout, Failure> {
        settle(&mut [&mut self.auditor, &mut self.replay], open, None)
    }
}
