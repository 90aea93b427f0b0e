//! What the steps of one evaluation share: the request, who listens, and what is known so far.

use std::time::Instant;

use prism_core::{failure::Failure, outcome::Reason};
use prism_referee::connection::Cancel;

use crate::{
    evaluate::Host,
    event::{EvalEvent, EvalStage},
    gate::GateDecision,
    request::{EvalRequest, RehearsalReason},
    state::RunOutput,
};

/// One evaluation while it goes on.
pub(crate) struct Run<'a> {
    pub(crate) request: &'a EvalRequest,
    pub(crate) host: &'a Host,
    pub(crate) cancel: &'a Cancel,
    pub(crate) events: &'a mut dyn FnMut(EvalEvent),
    pub(crate) state: &'a mut RunOutput,
    pub(crate) started: Instant,
}

impl Run<'_> {
    /// Tells that a part begins; ends the run where somebody has asked for that.
    pub(crate) fn stage(&mut self, stage: EvalStage, message: &str) -> Result<(), Failure> {
        (self.events)(EvalEvent::Stage {
            stage,
            message: message.into(),
        });
        if self.cancel.is_cancelled() {
            Err(Failure::new(Reason::Cancelled, "the run was cancelled"))
        } else {
            Ok(())
        }
    }

    /// Notes why the run does not count.
    pub(crate) fn rehearse(&mut self, reasons: Vec<RehearsalReason>) {
        for reason in reasons {
            self.state.rehearse(reason);
        }
    }

    /// Tells what the gate says; ends the run where it refuses.
    pub(crate) fn heed(&mut self, said: GateDecision) -> Result<(), Failure> {
        if let Some(event) = said.event() {
            (self.events)(event);
        }
        match said.refusal {
            None => Ok(()),
            Some(detail) => {
                self.state.findings = said.findings;
                Err(Failure::new(Reason::GateRejected, detail))
            }
        }
    }
}
