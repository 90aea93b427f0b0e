//! The one function behind `prism eval`, the demo, the red team and a service: a request in, events out, an outcome.
//!
//! Three steps, each with a typed result: `admit` (bundle, gate, tokenizer), `prepare` (text and machine), `measure` (compiler, run
//! directory, measurement, files). `counts` says whether it counts.
//! Whatever happens it returns an [`Outcome`]; once there is a run directory, `result.json` in it says the same. Never runs a
//! line of the submission outside a sandbox; never believes what a submission reports.

use std::{
    any::Any,
    fs,
    panic::{self, AssertUnwindSafe},
    time::Instant,
};

use prism_core::{escape::escape_for_terminal, failure::Failure, outcome::Reason};
use prism_referee::connection::Cancel;
use prism_sandbox::Helper;

use crate::{
    admit, caller_limits, counts,
    event::EvalEvent,
    machine_lock::WhenBusy,
    measure,
    outcome::{Ending, Outcome, Score},
    prepare,
    request::EvalRequest,
    run::Run,
    run_dir::{RECORD_FILE, TARGETS_FILE},
    state::RunOutput,
};

/// What this process brings along.
#[derive(Clone, Debug)]
pub struct Host {
    /// The executable that becomes a sandbox's init.
    pub helper: Helper,
    /// What to do where somebody else has the machine.
    pub when_busy: WhenBusy,
}

/// Evaluates one submission.
pub fn evaluate(
    request: &EvalRequest,
    host: &Host,
    cancel: &Cancel,
    events: &mut dyn FnMut(EvalEvent),
) -> Outcome {
    let started = Instant::now();
    let mut state = RunOutput::default();
    let recorder = state.recorder.clone();
    // A defect of ours must still end in an outcome: a service goes on with the next submission. Nothing of the run is
    // used afterwards but what the state holds, and each of its fields is complete at any time.
    let ending = panic::catch_unwind(AssertUnwindSafe(|| {
        let mut tell = |event: EvalEvent| {
            recorder.event(&event);
            events(event);
        };
        let result = run(&mut Run {
            request,
            host,
            cancel,
            events: &mut tell,
            state: &mut state,
            started,
        });
        result.map_or_else(Ending::Failed, |score| Ending::Scored(Box::new(score)))
    }))
    .unwrap_or_else(|payload| Ending::Failed(defect(payload.as_ref())));
    let mut outcome = match ending {
        Ending::Scored(score) => Outcome::scored(*score),
        Ending::Failed(failure) => {
            let failure = recorder.blame(failure);
            if let Some(dir) = &state.dir {
                // Half a record is none.
                for name in [TARGETS_FILE, RECORD_FILE] {
                    let _ = fs::remove_file(dir.file(name));
                }
            }
            // Both may quote the submission, and somebody will print them.
            Outcome::of(Failure {
                reason: failure.reason,
                detail: escape_for_terminal(&failure.detail),
                hint: failure
                    .hint
                    .map(|hint| escape_for_terminal(hint.as_bytes()).into()),
                traceback: failure.traceback.map(escape_for_terminal),
            })
        }
    };
    outcome.findings.clone_from(&state.findings);
    outcome.covered_bytes = state.covered_bytes;
    outcome.rehearsal_reasons = state
        .rehearsal
        .iter()
        .map(|reason| reason.code().to_owned())
        .collect();
    outcome.rehearsal = !state.rehearsal.is_empty();
    outcome.run_id.clone_from(&state.run_id);
    outcome.about.clone_from(&state.about);
    outcome.submission_id = request.submission_id.clone().or_else(|| state.run_id.clone());
    outcome.wall_seconds = started.elapsed().as_secs_f64();
    if let Some(dir) = &state.dir {
        outcome.run_dir = Some(dir.path().to_owned());
        recorder.event(&finished(&outcome));
        if let Err(failure) = recorder.end() {
            outcome = lost(&outcome, failure);
        }
        // Last of all: its presence says that the run is over. Where the disk has refused before, that has been said.
        if let Err(error) = state.close(dir, &outcome)
            && outcome.reason != Reason::Storage
        {
            outcome = lost(&outcome, crate::recorder::refused(&error.to_string()));
        }
    }
    events(finished(&outcome));
    outcome
}

fn finished(outcome: &Outcome) -> EvalEvent {
    EvalEvent::Finished {
        status: outcome.status,
        reason: outcome.reason,
    }
}

/// What becomes of a run whose files cannot be written.
fn lost(outcome: &Outcome, failure: Failure) -> Outcome {
    let mut lost = Outcome::of(failure);
    lost.run_dir.clone_from(&outcome.run_dir);
    lost.run_id.clone_from(&outcome.run_id);
    lost.about.clone_from(&outcome.about);
    lost.submission_id.clone_from(&outcome.submission_id);
    lost.wall_seconds = outcome.wall_seconds;
    lost
}

/// The failure that a panic becomes.
fn defect(payload: &(dyn Any + Send)) -> Failure {
    let said = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("no reason was given");
    Failure::new(
        Reason::Internal,
        format!("a defect in PRISM ended the run: {said}"),
    )
    .with_hint("report it with the lines that were printed")
}

fn run(run: &mut Run<'_>) -> Result<Score, Failure> {
    let recipe = &run.request.recipe;
    recipe
        .check()
        .map_err(|error| Failure::new(Reason::RecipeInvalid, error.to_string()))?;
    // Before anything can meet one of them.
    caller_limits::provide(recipe)?;
    run.rehearse(counts::by_request(run.request));
    let admitted = admit::admit(run)?;
    let prepared = prepare::prepare(admitted, run)?;
    measure::measure(&prepared, run)
}

#[cfg(test)]
mod tests;
