//! From the queue to a process and back: starts attempts on free slots, looks after those that run.
//!
//! One thread. Every turn it looks at the live attempts of the store and at what the executor has, and does the next thing for
//! each. So a restart is nothing special: what ran goes on and is looked at, what a row knows and nobody runs is lost, and what
//! no row knows is ended.

use std::{
    collections::{HashSet, hash_map::Entry},
    sync::PoisonError,
};

use prism_core::advice::Advice as _;
use prism_core::{
    failure::Failure,
    hex,
    outcome::{Reason, Status},
    recipe::Recipe,
    submission::{Actor, Position, Stage, Wait},
    time::Timestamp,
};
use prism_engine::{
    attempt::Attempt as AttemptFile,
    executor::{Seen, Unit},
    round::{CONFIRMATION_AUDITS, RunKind},
    slot::Slot,
};
use prism_server::challenge::Progress;
use prism_store::{
    attempts::{self, Attempt, Kind, NewAttempt, Of, State},
    budgets,
    queue::{self, Line},
    rounds,
    submissions::{self, Step, Submission},
};

use crate::{
    orders,
    problem::{Result, ServiceProblem},
    random,
    rounds::end_with_round,
    service::Service,
    silence::{self, Heard},
    similar::UPLOAD_BYTES_MAX,
};

/// Tries of a submission that end by the operator's fault, before a person has to look.
pub(crate) const RETRIES_MAX: u32 = 3;
/// Pauses before those tries, in seconds.
const PAUSES_SECONDS: [i64; 3] = [10, 60, 300];
/// Failures of the operator's in a row, of whatever submissions, after which the queue rests.
const FAILURES_IN_A_ROW_MAX: u32 = 4;
/// How long it rests, in seconds.
const REST_SECONDS: i64 = 300;
/// Submissions that are looked at for one whose budget allows a run.
const CANDIDATES: u32 = 50;
const SECONDS_PER_DAY: i64 = 86_400;
/// Between two removals of blobs that nobody names, in seconds.
const SWEEP_SECONDS: i64 = 3600;
/// Between two looks at a machine that cannot run submissions.
const MACHINE_REST: std::time::Duration = std::time::Duration::from_secs(5);

impl Service {
    /// Looks at everything that runs, then starts what may start.
    pub(crate) fn run_submissions(&self) -> Result<()> {
        let live = self.store.read(attempts::live)?;
        self.forget_others(&live);
        // What goes wrong with one keeps nobody else waiting; it is told and tried again.
        let mut trouble = self.end_strangers(&live).err();
        let mut busy = HashSet::new();
        for attempt in live {
            let goes_on = self.look_after(&attempt).unwrap_or_else(|problem| {
                trouble.get_or_insert(problem);
                true
            });
            if goes_on && let Some(slot) = slot_of(&attempt) {
                busy.insert(slot);
            }
        }
        for (number, slot) in self.settings.slots.iter().enumerate() {
            if !busy.contains(&number) && !self.is_stopping() && !self.fill(number, slot)? {
                break;
            }
        }
        trouble.map_or(Ok(()), Err)
    }

    /// Whether this machine can run anything. Until it can the queue says why it waits.
    pub(crate) fn look_at_machine(&self) -> Result<()> {
        self.sweep_blobs()?;
        let is_known_good = matches!(self.state().machine, Some(Ok(())));
        if is_known_good {
            return Ok(());
        }
        let round = self.store.read(rounds::current)?;
        let round = round.map(|round| self.engine_round(&round)).transpose()?;
        let found = (self.settings.preflight)(round.as_ref());
        let is_new = {
            let mut state = self.state();
            let is_new = state.machine_was.as_ref() != Some(&found);
            state.machine_was = Some(found.clone());
            is_new
        };
        if let (Err(failure), true) = (&found, is_new) {
            tracing::warn!(reason = failure.reason.code(), detail = %failure.told(), "this machine cannot run submissions");
        }
        self.state().machine = Some(found);
        if is_new {
            self.touch();
        } else {
            // It was tried a moment ago. Whoever resumes the queue has it tried again at once.
            self.rest(MACHINE_REST, |state| state.machine.is_none());
        }
        Ok(())
    }

    /// Removes blobs that nobody names, once an hour.
    fn sweep_blobs(&self) -> Result<()> {
        let now = self.now();
        let is_due = {
            let mut state = self.state();
            // Also after a clock was set back.
            let is_due = state
                .swept_at
                .is_none_or(|at| (now.seconds() - at.seconds()).abs() >= SWEEP_SECONDS);
            if is_due {
                state.swept_at = Some(now);
            }
            is_due
        };
        if is_due {
            self.store.sweep(now)?;
        }
        Ok(())
    }

    /// Ends what no live attempt knows: of a submission that was cancelled, of a row that was never written.
    fn end_strangers(&self, live: &[Attempt]) -> Result<()> {
        let known: HashSet<&str> = live
            .iter()
            .filter_map(|attempt| attempt.handle.as_deref())
            .collect();
        let mut trouble = None;
        for handle in self.executor.handles()? {
            if !known.contains(handle.as_str())
                && let Err(failure) = self.executor.remove(&handle)
            {
                trouble.get_or_insert(failure);
            }
        }
        trouble.map_or(Ok(()), |failure| Err(failure.into()))
    }

    /// Whether it goes on.
    fn look_after(&self, attempt: &Attempt) -> Result<bool> {
        let Some(handle) = attempt.handle.as_deref() else {
            self.lose(attempt, "it was stored without a handle")?;
            return Ok(false);
        };
        match self.executor.look(handle)? {
            Seen::Running(progress) => {
                if self.is_overdue(attempt, &progress)? {
                    self.executor.remove(handle)?;
                    self.lose(attempt, "it said nothing for too long and was ended")?;
                    self.forget_progress(attempt);
                    return Ok(false);
                }
                if let Some(submission) = &attempt.submission {
                    let known = Progress {
                        covered_bytes: progress.covered_bytes,
                        stream_bytes: progress.stream_bytes,
                        mean_bpb: progress.mean_bpb,
                        steps: progress.steps,
                    };
                    let mut state = self.state();
                    state.progress.insert(submission.clone(), known);
                    if progress.waits_for_machine {
                        state.waits_for_machine.insert(submission.clone());
                    } else {
                        state.waits_for_machine.remove(submission);
                    }
                }
                if attempt.state == State::Created {
                    let (id, now) = (attempt.id, self.now());
                    self.store.write(move |tx| attempts::started(tx, id, None, now))?;
                }
                Ok(true)
            }
            Seen::Over(left) => {
                self.take(attempt, &left)?;
                self.executor.remove(handle)?;
                self.forget_progress(attempt);
                Ok(false)
            }
            Seen::Gone => {
                self.lose(attempt, "whoever ran it is gone and left no result")?;
                self.forget_progress(attempt);
                Ok(false)
            }
        }
    }

    /// Whether it has been silent for longer than any part of a run may take.
    fn is_overdue(&self, attempt: &Attempt, progress: &prism_engine::event_file::Progress) -> Result<bool> {
        let now = self.now();
        let silent_seconds = match self.state().heard.entry(attempt.id) {
            Entry::Occupied(mut known) => known.get_mut().again(progress, now),
            Entry::Vacant(place) => {
                place.insert(Heard::new(progress, now));
                0
            }
        };
        // Long before that nothing needs to be read.
        if silent_seconds < silence::REST_SECONDS {
            return Ok(false);
        }
        let round = self.store.read(|tx| rounds::get(tx, &attempt.round_id))?;
        let recipe = Recipe::parse(&round.recipe_toml)
            .map_err(|error| ServiceProblem::Refused(format!("the recipe of the round: {}", error.told())))?;
        Ok(silent_seconds > silence::limit_seconds(&recipe))
    }

    /// What was known of runs that are not live any more, as of submissions that were cancelled.
    fn forget_others(&self, live: &[Attempt]) {
        let mut state = self.state();
        let is_live = |id: &String| live.iter().any(|attempt| attempt.submission.as_ref() == Some(id));
        state.progress.retain(|id, _| is_live(id));
        state.waits_for_machine.retain(is_live);
        state
            .heard
            .retain(|id, _| live.iter().any(|attempt| attempt.id == *id));
    }

    fn forget_progress(&self, attempt: &Attempt) {
        let mut state = self.state();
        state.heard.remove(&attempt.id);
        if let Some(submission) = &attempt.submission {
            state.progress.remove(submission);
            state.waits_for_machine.remove(submission);
        }
    }

    /// An attempt that nobody runs. One that never started is no failure of anything.
    fn lose(&self, attempt: &Attempt, why: &'static str) -> Result<()> {
        let (id, now) = (attempt.id, self.now());
        let has_started = attempt.state == State::Started;
        let failure = Failure::new(Reason::Lost, why);
        let of = attempt.submission.clone();
        self.store.write(move |tx| {
            if !attempts::lost(tx, id, why, now)? {
                return Ok(());
            }
            match of {
                Some(submission) => try_again(tx, &submission, &failure, has_started, now),
                None => orders::noise_run_again(tx),
            }
        })?;
        Ok(())
    }

    /// Gives a slot something to do. `false` where there is nothing for any slot.
    fn fill(&self, number: usize, slot: &Slot) -> Result<bool> {
        let now = self.now();
        if let Some((why, sentence)) = self.halted(now) {
            self.store
                .write(move |tx| queue::wait_all(tx, Line::Runs, why, Some(&sentence), now))?;
            return Ok(false);
        }
        let Some(next) = self.next_to_run(now)? else {
            return self.fill_with_noise(number, slot);
        };
        let kind = match next.position.stage() {
            Some(Stage::Confirming) => Kind::Confirm,
            _ => Kind::Main,
        };
        let round = self.store.read(|tx| rounds::get(tx, &next.round_id))?;
        match kind {
            // What has a score is confirmed also when its round has closed meanwhile: a place is never had for less.
            Kind::Confirm => {}
            Kind::Main | Kind::Noise if round.is_open() => {}
            Kind::Main | Kind::Noise => return self.end_with_its_round(&next),
        }
        let seed = match kind {
            Kind::Main => self
                .store
                .read(|tx| Ok(rounds::secret(tx, &next.round_id)?.seed))?,
            Kind::Confirm | Kind::Noise => random::seed()?,
        };
        let bundle = match self.store.blobs().read(&next.zip_sha256, UPLOAD_BYTES_MAX) {
            Ok(bundle) => bundle,
            Err(problem) => {
                self.hold(&next, &problem.to_string())?;
                return Ok(true);
            }
        };
        let of = match kind {
            Kind::Main | Kind::Noise => Of::Main(next.id.clone()),
            Kind::Confirm => Of::Confirm(next.id.clone()),
        };
        self.begin(number, slot, of, &round, seed, bundle)?;
        Ok(true)
    }

    /// Stores an attempt, then starts it; neither where the operator has paused the queue meanwhile.
    pub(crate) fn begin(
        &self,
        number: usize,
        slot: &Slot,
        of: Of,
        round: &rounds::Round,
        seed: u64,
        bundle: Vec<u8>,
    ) -> Result<()> {
        let nonce: [u8; 16] = random::bytes()?;
        let handle = format!("a{}-s{number}", hex::encode(&nonce));
        let (submission, kind) = match &of {
            Of::Main(id) => (id.clone(), RunKind::Main),
            Of::Confirm(id) => (id.clone(), RunKind::Confirmation),
            Of::Noise { .. } => ("reference".to_owned(), RunKind::Noise),
        };
        let factor = match kind {
            RunKind::Confirmation => CONFIRMATION_AUDITS,
            RunKind::Main | RunKind::Noise => 1.0,
        };
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small whole constant"
        )]
        let new = NewAttempt {
            of,
            nonce,
            executor: self.executor.name().to_owned(),
            handle: Some(handle.clone()),
            seed,
            audit_rate_factor: factor as u32,
        };
        let counted_against = self.engine_round(round)?;
        let now = self.now();
        let runs = match kind {
            RunKind::Main => Some(Stage::Training),
            RunKind::Confirmation => Some(Stage::Confirming),
            RunKind::Noise => None,
        };
        let name = submission.clone();
        let begun = self.store.write(move |tx| {
            // The operator may have said so since the queue was read: after the answer to `pause` nothing begins.
            let is_wanted = !orders::is_paused(tx)? && (runs.is_some() || orders::noise_runs_left(tx)? > 0);
            if !is_wanted {
                return Ok(None);
            }
            let attempt = attempts::begin(tx, &new, now)?;
            if let Some(stage) = runs {
                let sentence = match stage {
                    Stage::Confirming => "it is measured a second time, before it takes first place",
                    _ => "it is measured",
                };
                let step = Step::new(Position::Running(stage), Actor::Pipeline, sentence);
                submissions::step(tx, &name, &step, now)?;
            } else {
                orders::noise_run_begins(tx)?;
            }
            Ok(Some(attempt))
        })?;
        let Some(attempt) = begun else {
            return Ok(());
        };
        let unit = Unit {
            attempt: AttemptFile {
                version: AttemptFile::VERSION,
                submission,
                nonce: hex::encode(&nonce),
                corpus: round.corpus_path.clone().into(),
                round: counted_against,
                kind,
                seed,
                slot: slot.clone(),
                cache: Some(self.settings.cache_dir.clone()),
            },
            bundle,
        };
        match self.executor.start(&handle, &unit) {
            Ok(()) => {
                let (id, now) = (attempt.id, self.now());
                self.store.write(move |tx| attempts::started(tx, id, None, now))?;
            }
            Err(failure) => self.fail(&attempt, &failure)?,
        }
        Ok(())
    }

    /// Why nothing may start now.
    pub(crate) fn halted(&self, now: Timestamp) -> Option<(Wait, String)> {
        let mut state = self.state();
        if let Some((until, failure)) = &state.breaker {
            // A clock that was set back far must not keep the queue at rest.
            if now < *until && until.seconds() - now.seconds() <= REST_SECONDS {
                let sentence = format!(
                    "the last runs all failed by the fault of this machine ({})",
                    failure.reason
                );
                return Some((Wait::Breaker, sentence));
            }
            state.breaker = None;
        }
        if state.paused {
            return Some((Wait::Paused, "the operator has paused the queue".to_owned()));
        }
        match &state.machine {
            Some(Ok(())) => None,
            Some(Err(failure)) => Some((
                Wait::NoExecutor,
                format!("this machine cannot run submissions ({})", failure.reason),
            )),
            None => Some((
                Wait::NoExecutor,
                "it is being tried whether this machine can run submissions".to_owned(),
            )),
        }
    }

    /// The first of the queue whose hotkey has a run left today; the others are told until when they wait.
    fn next_to_run(&self, now: Timestamp) -> Result<Option<Submission>> {
        let few = self
            .store
            .read(|tx| queue::next_few(tx, Line::Runs, now, CANDIDATES))?;
        for candidate in few {
            if candidate.position.stage() == Some(Stage::Confirming) {
                return Ok(Some(candidate));
            }
            let (used, allowed) = self.store.read(|tx| {
                let mut used = budgets::of(tx, &candidate.hotkey, now.day())?.scored_runs;
                // Those that run now will count too.
                for live in attempts::live(tx)? {
                    if let (Kind::Main, Some(id)) = (live.kind, &live.submission)
                        && submissions::get(tx, id)?.hotkey == candidate.hotkey
                    {
                        used += 1;
                    }
                }
                Ok((used, rounds::get(tx, &candidate.round_id)?.scored_runs_per_day))
            })?;
            if used < allowed {
                return Ok(Some(candidate));
            }
            let tomorrow = Timestamp::from_seconds((now.day() + 1) * SECONDS_PER_DAY);
            let sentence =
                format!("{used} of {allowed} scored runs of today are used; it goes on tomorrow (UTC)");
            let id = candidate.id.clone();
            self.store.write(move |tx| {
                submissions::wait(tx, &id, Wait::Budget, Some(&sentence), Some(tomorrow), now)
            })?;
        }
        Ok(None)
    }

    /// Its round has closed before it ran: it was tried again meanwhile, or released.
    fn end_with_its_round(&self, submission: &Submission) -> Result<bool> {
        let (id, now) = (submission.id.clone(), self.now());
        self.store.write(move |tx| end_with_round(tx, &id, now))?;
        Ok(true)
    }

    /// The end of an attempt that is not the miner's fault: tried again after a pause, at most so often, then held.
    pub(crate) fn fail(&self, attempt: &Attempt, failure: &Failure) -> Result<()> {
        let now = self.now();
        tracing::warn!(
            attempt = attempt.id,
            submission = attempt.submission.as_deref().unwrap_or("reference"),
            reason = failure.reason.code(),
            detail = %failure.told(),
            "an attempt failed by our fault"
        );
        {
            let mut state = self.state();
            // One submission that fails again and again says nothing of the machine.
            if state.failed_last != attempt.submission || attempt.submission.is_none() {
                state.failures_in_a_row += 1;
            }
            state.failed_last.clone_from(&attempt.submission);
            if state.failures_in_a_row >= FAILURES_IN_A_ROW_MAX {
                state.breaker = Some((now.plus_seconds(REST_SECONDS), failure.clone()));
                state.failures_in_a_row = 0;
            }
            // What is wrong with the machine may have changed since it was tried.
            state.machine = None;
        }
        let (id, nonce) = (attempt.id, attempt.nonce);
        let (of, failure) = (attempt.submission.clone(), failure.clone());
        self.store.write(move |tx| {
            // Sentences are public; what the operator needs may name paths of this machine.
            let detail = serde_json::json!({ "detail": failure.told() }).to_string();
            let end = attempts::End {
                reason: failure.reason,
                sentence: "it failed by the fault of the challenge".to_owned(),
                wall_seconds: None,
                evidence_json: Some(detail),
                evidence: None,
            };
            match (attempts::ended(tx, id, &nonce, &end, now)?, of) {
                (attempts::Taken::Taken, Some(submission)) => try_again(tx, &submission, &failure, true, now),
                (attempts::Taken::Taken, None) if failure.reason.retryable() => orders::noise_run_again(tx),
                (attempts::Taken::Taken, None) | (attempts::Taken::Late, _) => Ok(()),
            }
        })?;
        Ok(())
    }

    pub(crate) fn similar_lock(&self) -> std::sync::MutexGuard<'_, crate::similar::Similar> {
        self.similar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts a submission back into the queue, or holds it.
fn try_again(
    tx: &prism_store::Write,
    id: &str,
    failure: &Failure,
    is_counted: bool,
    now: Timestamp,
) -> prism_store::Result<()> {
    let this = submissions::get(tx, id)?;
    let Position::Running(stage) = this.position else {
        return Ok(());
    };
    let retries = if is_counted {
        submissions::count_retry(tx, id)?
    } else {
        this.retries
    };
    if retries > RETRIES_MAX || !failure.reason.retryable() {
        let (reason, sentence) = if failure.reason.retryable() {
            (
                Reason::RetriesSpent,
                format!(
                    "{retries} attempts failed by the fault of the challenge, the last one as `{}`: the operator looks at it, and it \
                     costs you no run",
                    failure.reason
                ),
            )
        } else {
            (
                failure.reason,
                "something is wrong with the challenge: the operator looks at it, and it costs you no run"
                    .to_owned(),
            )
        };
        let step = Step {
            reason: Some(reason),
            ..Step::new(Position::Ended(Status::Held), Actor::Pipeline, &sentence)
        };
        submissions::step(tx, id, &step, now)?;
        return Ok(());
    }
    let waits = match stage {
        Stage::Confirming => Stage::Confirming,
        _ => Stage::Queued,
    };
    let sentence = format!(
        "it is tried again, free: the last attempt ended as `{}`",
        failure.reason
    );
    let step = Step {
        reason: Some(failure.reason),
        ..Step::new(Position::Pending(waits), Actor::Pipeline, &sentence)
    };
    submissions::step(tx, id, &step, now)?;
    if is_counted {
        let pause = PAUSES_SECONDS
            .get(retries.saturating_sub(1) as usize)
            .copied()
            .unwrap_or(REST_SECONDS);
        let not_before = now.plus_seconds(pause);
        submissions::wait(tx, id, Wait::Retry, Some(&sentence), Some(not_before), now)?;
    }
    Ok(())
}

/// The number of the slot that an attempt was given: part of its handle.
fn slot_of(attempt: &Attempt) -> Option<usize> {
    attempt.handle.as_deref()?.rsplit_once("-s")?.1.parse().ok()
}

/// A problem of the engine that is worth a failure of an attempt.
pub(crate) fn as_failure(problem: ServiceProblem) -> Failure {
    match problem {
        ServiceProblem::Engine(failure) => failure,
        ServiceProblem::Store(_)
        | ServiceProblem::Refused(_)
        | ServiceProblem::Random(_)
        | ServiceProblem::Io { .. } => Failure::new(Reason::Internal, problem.to_string()),
    }
}
