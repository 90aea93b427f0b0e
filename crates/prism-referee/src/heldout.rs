//! Held-out measurements: what the trained model and the random init pay on text that training never saw.
//!
//! A claimant scores the rows densely and is killed; only then a fresh auditor, which stood frozen meanwhile and has
//! never received the rows, is asked about the drawn targets. Three accounts: trained on the secret split, trained on
//! the newest train documents, random init on the secret split. Called once, after the learner is gone.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use prism_core::outcome::Reason;
use prism_shm::OwnSegment;

use crate::{
    account::{Account, Drawn, Run},
    auditor::{Forwarder, gather, place_of},
    connection::Cancel,
    draws::Purpose,
    lanes::{DocumentError, Documents, Lanes, Step, TokenDocument},
    layout::Layout,
    message::{Open, Role, WeightSource},
    plan::Plan,
    record::AuditedTarget,
    targets::{Section, TargetsWriter},
    verdict::{HeldOutMeasured, Measured},
    worker::{Failure, Launcher, Output},
};

/// The three accounts and their audits, in the order of the record.
pub struct HeldOutRun {
    /// What the accounts came to.
    pub measured: HeldOutMeasured,
    /// Audits of the trained model on the secret split.
    pub val_trained: Vec<AuditedTarget>,
    /// Audits of the trained model on the newest train documents.
    pub gap_trained: Vec<AuditedTarget>,
    /// Audits of the random init on the secret split.
    pub val_random_init: Vec<AuditedTarget>,
}

/// One pass: rows, the claims about them, and what was drawn.
struct Pass {
    source: WeightSource,
    section: Section,
    steps: Vec<(Step, Vec<Drawn>, u64)>,
    account: Account,
    audits: Vec<AuditedTarget>,
}

/// Everything the passes share.
struct Setting<'a, 'p, W: Write> {
    plan: &'a Plan<'p>,
    open: Open,
    targets: &'a mut TargetsWriter<W>,
    score_timeout: Duration,
}

/// Measures. `final_weights` holds the snapshot that the run ended with; `newest` are the stream's documents in the
/// order in which they were finished.
#[allow(
    clippy::too_many_arguments,
    reason = "one call, from the session, which owns all of these"
)]
pub fn measure<W: Write>(
    plan: &Plan<'_>,
    launcher: &mut dyn Launcher,
    cancel: &Cancel,
    open: Open,
    layout: &Layout,
    final_weights: &OwnSegment,
    newest: &[u64],
    targets: &mut TargetsWriter<W>,
) -> Result<Option<HeldOutRun>, Failure> {
    let val = collect(plan.text.val().as_mut()).map_err(corpus)?;
    if val.is_empty() || plan.recipe.heldout.val_bytes == 0 {
        return Ok(None);
    }
    let gap = newest_documents(plan, &val, newest)?;

    // Both import torch at the same time; no secret exists for either yet.
    let mut claimant = Forwarder::start(plan, launcher, Role::Claimant, Output::Withheld, cancel)?;
    let mut auditor = Forwarder::start(plan, launcher, Role::Auditor, Output::Withheld, cancel)?;
    for forwarder in [&mut claimant, &mut auditor] {
        forwarder.same_model(open, layout)?;
        forwarder
            .segment()
            .copy_from(final_weights, layout.bytes())
            .map_err(|error| Failure::internal("a snapshot cannot be copied", &error))?;
    }
    let end = Instant::now() + plan.answers_together();
    claimant.set_end(end);
    auditor.set_end(end);
    auditor.worker.freeze()?;

    let recipe = plan.recipe;
    let mut setting = Setting {
        plan,
        open,
        targets,
        score_timeout: Duration::from_secs(recipe.sandbox.startup_seconds),
    };
    claimant.load(WeightSource::Segment, 0)?;
    let mut trained = setting.claim(
        &mut claimant,
        &val,
        WeightSource::Segment,
        Section::ValTrained,
        Purpose::ValTrained,
    )?;
    let mut on_train = if gap.is_empty() {
        None
    } else {
        Some(setting.claim(
            &mut claimant,
            &gap,
            WeightSource::Segment,
            Section::GapTrained,
            Purpose::GapTrained,
        )?)
    };
    claimant.load(WeightSource::RandomInit, 1)?;
    let mut random = setting.claim(
        &mut claimant,
        &val,
        WeightSource::RandomInit,
        Section::ValRandomInit,
        Purpose::ValRandomInit,
    )?;
    claimant.worker.kill();
    drop(claimant);

    auditor.worker.thaw()?;
    for (id, pass) in [Some(&mut trained), on_train.as_mut(), Some(&mut random)]
        .into_iter()
        .flatten()
        .enumerate()
    {
        pass.audit(&mut auditor, id as u64)?;
    }
    auditor.worker.kill();

    Ok(Some(HeldOutRun {
        measured: HeldOutMeasured {
            val_trained: Measured::of(&trained.account),
            gap_trained: on_train.as_ref().map(|pass| Measured::of(&pass.account)),
            val_random_init: Measured::of(&random.account),
        },
        val_trained: trained.audits,
        gap_trained: on_train.map(|pass| pass.audits).unwrap_or_default(),
        val_random_init: random.audits,
    }))
}

impl<W: Write> Setting<'_, '_, W> {
    /// Has the claimant score every row, writes the claims, draws.
    fn claim(
        &mut self,
        claimant: &mut Forwarder,
        documents: &[TokenDocument],
        source: WeightSource,
        section: Section,
        purpose: Purpose,
    ) -> Result<Pass, Failure> {
        let (
            plan,
            Open {
                batch_size, seq_len, ..
            },
        ) = (self.plan, self.open);
        let mut account = Account::new(plan.recipe, plan.tokenizer.vocab_size, &plan.key, purpose);
        let owned: Vec<TokenDocument> = documents.to_vec();
        let mut lanes = Lanes::new(owned.into_iter(), batch_size, seq_len, plan.tokenizer.end_of_text);
        let mut steps = Vec::new();
        let mut step = Step::default();
        let (mut dense, mut claims, mut byte_lengths) = (Vec::new(), Vec::new(), Vec::new());
        while lanes.next_step(&mut step).map_err(corpus)? {
            claimant.score(&step, batch_size, self.score_timeout, &mut dense)?;
            gather(&step, seq_len, &dense, &mut claims, &mut byte_lengths);
            let runs: Vec<Run> = step.segments.iter().map(Run::from).collect();
            self.targets
                .step(section, &runs, &claims, &byte_lengths)
                .map_err(|error| {
                    Failure::new(Reason::Storage, format!("the record cannot be written: {error}"))
                })?;
            let first_target = account.targets();
            let drawn = account.step(runs, &claims, &byte_lengths);
            steps.push((std::mem::take(&mut step), drawn, first_target));
        }
        Ok(Pass {
            source,
            section,
            steps,
            account,
            audits: Vec::new(),
        })
    }
}

impl Pass {
    /// Asks the fresh auditor about everything that was drawn, one step after the other.
    fn audit(&mut self, auditor: &mut Forwarder, id: u64) -> Result<(), Failure> {
        debug_assert!(self.section != Section::Stream);
        auditor.load(self.source, id)?;
        let smoothing = *self.account.smoothing();
        for (step, drawn, first_target) in &self.steps {
            let mut questions: Vec<_> = drawn
                .iter()
                .filter_map(|drawn| Some((place_of(step, drawn.index)?, drawn)))
                .collect();
            questions.sort_unstable_by_key(|&(place, _)| place);
            let mut answers = Vec::with_capacity(questions.len());
            for (place, drawn) in questions {
                answers.push((drawn, auditor.ask(step, place, &smoothing)?));
            }
            answers.sort_unstable_by_key(|(drawn, _)| drawn.index);
            for (drawn, audited) in answers {
                self.account.audit(drawn, audited);
                self.audits
                    .push(AuditedTarget::new(first_target + drawn.index as u64, audited));
            }
        }
        Ok(())
    }
}

fn corpus(error: DocumentError) -> Failure {
    Failure::new(Reason::CorpusInvalid, error.0)
}

fn collect(documents: &mut dyn Documents) -> Result<Vec<TokenDocument>, DocumentError> {
    let mut all = Vec::new();
    while let Some(document) = documents.next_document()? {
        all.push(document);
    }
    Ok(all)
}

/// The newest finished train documents, newest first, cut so that they are as many bytes as the held-out ones: both
/// measurements start cold, on rows of the same shape, over the same length of text.
fn newest_documents(
    plan: &Plan<'_>,
    val: &[TokenDocument],
    newest: &[u64],
) -> Result<Vec<TokenDocument>, Failure> {
    let bytes_of = |document: &TokenDocument| {
        document
            .byte_lengths
            .iter()
            .map(|&len| u64::from(len))
            .sum::<u64>()
    };
    let wanted = val
        .iter()
        .map(bytes_of)
        .sum::<u64>()
        .min(plan.recipe.heldout.gap_bytes);
    let mut documents = Vec::new();
    let mut bytes = 0;
    for &number in newest.iter().rev() {
        if bytes >= wanted {
            break;
        }
        for document in plan.text.stream_documents(&[number]).map_err(corpus)? {
            bytes += bytes_of(&document);
            documents.push(document);
        }
    }
    Ok(documents)
}
