//! Held-out measurements: what a run's weights and the random init pay on text that training never saw.
//!
//! A claimant scores the rows densely and is killed; only then fresh auditors, which stood frozen meanwhile and have
//! never received the rows, are asked about the drawn targets. Four accounts: the kept snapshot (see [`crate::kept`]) on
//! the secret split and on the train documents that were newest to it, whose difference is the memorisation gap; the
//! last weights and the random init on the secret split, whose difference is what training taught. The two halves have
//! an auditor each: questions hold the text before their targets, and who was asked about the secret split once knows
//! much of it the second time. (Only the random init is asked about second, where to know more earns nothing.) Called
//! once, after the learner is gone.

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

use prism_core::{failure::Failure, outcome::Reason};
use prism_shm::OwnSegment;

use crate::{
    account::{self, Account, Run},
    auditor::{Forwarder, gather, place_of, settle},
    connection::Cancel,
    draws::Purpose,
    kept::Drawn,
    lanes::{DocumentError, Documents, Lanes, Step, TokenDocument},
    layout::Layout,
    message::{Open, WeightSource},
    newest::newest_first,
    party::Party,
    plan::Plan,
    record::AuditedTarget,
    targets::{Section, TargetsWriter},
    verdict::{HeldOutMeasured, KeptMeasured, Measured},
    worker::Launcher,
};

/// The weights of a run that are measured.
pub struct Snapshots<'s> {
    /// What the run ended with.
    pub last: &'s OwnSegment,
    /// The one of the last tenth that the key drew, if one was kept.
    pub kept: Option<Drawn>,
}

/// The accounts and their audits, in the order of the record.
pub struct HeldOutRun {
    /// What the accounts came to.
    pub measured: HeldOutMeasured,
    /// Audits of the kept snapshot on the secret split.
    pub val_kept: Vec<AuditedTarget>,
    /// Audits of the kept snapshot on the train documents that were newest to it.
    pub train_kept: Vec<AuditedTarget>,
    /// Audits of the last weights on the secret split.
    pub val_trained: Vec<AuditedTarget>,
    /// Audits of the random init on the secret split.
    pub val_random_init: Vec<AuditedTarget>,
}

/// One pass: rows, the claims about them, and what was drawn.
struct Pass {
    source: WeightSource,
    steps: Vec<(Step, Vec<account::Drawn>, u64)>,
    account: Account,
    audits: Vec<AuditedTarget>,
}

/// Two passes and the auditor that will be asked about both.
struct Half {
    auditor: Forwarder,
    passes: [Pass; 2],
}

/// Everything the passes share.
struct Setting<'a, 'p, W: Write> {
    plan: &'a Plan<'p>,
    open: Open,
    targets: &'a mut TargetsWriter<W>,
    score_timeout: Duration,
}

/// Measures.
pub fn measure<W: Write>(
    plan: &Plan<'_>,
    launcher: &mut dyn Launcher,
    cancel: &Cancel,
    open: Open,
    layout: &Layout,
    snapshots: Snapshots<'_>,
    targets: &mut TargetsWriter<W>,
) -> Result<Option<HeldOutRun>, Failure> {
    let val = collect(plan.text.val().as_ref()).map_err(corpus)?;
    if val.is_empty() || plan.recipe.heldout.val_bytes == 0 {
        return Ok(None);
    }
    let kept = match snapshots.kept {
        Some(kept) => {
            let train = newest_documents(plan, &val, open, kept.step)?;
            (!train.is_empty()).then_some((kept, train))
        }
        None => None,
    };

    // All import torch at the same time; no secret exists for any of them yet.
    let mut start = |party| Forwarder::start(plan, launcher, party, cancel);
    let mut claimant = start(Party::Claimant)?;
    let mut auditor_of_last = start(Party::HeldOutAuditor)?;
    let mut auditor_of_kept = match kept {
        Some(_) => Some(start(Party::KeptAuditor)?),
        None => None,
    };
    let end = Instant::now() + plan.answers_together();
    let mut all: Vec<&mut Forwarder> = [&mut claimant, &mut auditor_of_last]
        .into_iter()
        .chain(&mut auditor_of_kept)
        .collect();
    for forwarder in &mut all {
        forwarder.built()?;
        forwarder.set_end(end);
    }
    settle(&mut all, open, Some(layout))?;
    // The auditors stay frozen until the claimant is dead.
    claimant.worker.thaw()?;

    let mut setting = Setting {
        plan,
        open,
        targets,
        score_timeout: Duration::from_secs(plan.recipe.sandbox.startup_seconds),
    };
    let mut kept_half = None;
    if let (Some(auditor), Some((kept, train))) = (auditor_of_kept, kept) {
        let half = setting.claim_kept(&mut claimant, auditor, &kept, [&val, &train])?;
        kept_half = Some((kept.step, half));
    }
    let last = (snapshots.last, layout.bytes());
    let last_half = setting.claim_last(&mut claimant, auditor_of_last, last, &val)?;
    claimant.worker.kill();
    drop(claimant);

    let kept = match kept_half {
        Some((step, half)) => Some((step, half.audit()?)),
        None => None,
    };
    Ok(Some(HeldOutRun::of(kept, last_half.audit()?)))
}

impl HeldOutRun {
    fn of(kept: Option<(u64, [Pass; 2])>, [trained, random]: [Pass; 2]) -> Self {
        let measured = HeldOutMeasured {
            kept: kept.as_ref().map(|(step, [val, train])| KeptMeasured {
                step: *step,
                val: Measured::of(&val.account),
                train: Measured::of(&train.account),
            }),
            val_trained: Measured::of(&trained.account),
            val_random_init: Measured::of(&random.account),
        };
        let (val_kept, train_kept) = match kept {
            Some((_, [val, train])) => (val.audits, train.audits),
            None => (Vec::new(), Vec::new()),
        };
        Self {
            measured,
            val_kept,
            train_kept,
            val_trained: trained.audits,
            val_random_init: random.audits,
        }
    }
}

impl Half {
    /// Lets the auditor answer everything that was drawn, then ends it.
    fn audit(mut self) -> Result<[Pass; 2], Failure> {
        self.auditor.worker.thaw()?;
        for (id, pass) in (0..).zip(&mut self.passes) {
            pass.audit(&mut self.auditor, id)?;
        }
        self.auditor.worker.kill();
        Ok(self.passes)
    }
}

impl<W: Write> Setting<'_, '_, W> {
    /// The claims under the kept snapshot, which `auditor` is given too: on held-out and on train documents.
    fn claim_kept(
        &mut self,
        claimant: &mut Forwarder,
        mut auditor: Forwarder,
        kept: &Drawn,
        [val, train]: [&[TokenDocument]; 2],
    ) -> Result<Half, Failure> {
        for forwarder in [&mut *claimant, &mut auditor] {
            forwarder
                .segment()
                .write(&kept.weights)
                .map_err(|error| copy_failed(&error))?;
        }
        let source = WeightSource::Segment;
        claimant.load(source, 0)?;
        let passes = [
            self.claim(claimant, val, source, Section::ValKept)?,
            self.claim(claimant, train, source, Section::TrainKept)?,
        ];
        Ok(Half { auditor, passes })
    }

    /// The claims about held-out documents under the last weights, so many bytes of a segment, and under the random init.
    fn claim_last(
        &mut self,
        claimant: &mut Forwarder,
        mut auditor: Forwarder,
        (last, bytes): (&OwnSegment, u64),
        val: &[TokenDocument],
    ) -> Result<Half, Failure> {
        for forwarder in [&mut *claimant, &mut auditor] {
            forwarder
                .segment()
                .copy_from(last, bytes)
                .map_err(|error| copy_failed(&error))?;
        }
        claimant.load(WeightSource::Segment, 1)?;
        let trained = self.claim(claimant, val, WeightSource::Segment, Section::ValTrained)?;
        claimant.load(WeightSource::RandomInit, 2)?;
        let random = self.claim(claimant, val, WeightSource::RandomInit, Section::ValRandomInit)?;
        Ok(Half {
            auditor,
            passes: [trained, random],
        })
    }

    /// Has the claimant score every row, writes the claims, draws.
    fn claim(
        &mut self,
        claimant: &mut Forwarder,
        documents: &[TokenDocument],
        source: WeightSource,
        section: Section,
    ) -> Result<Pass, Failure> {
        let purpose = match section {
            Section::Stream => Purpose::Stream,
            Section::ValKept => Purpose::ValKept,
            Section::TrainKept => Purpose::TrainKept,
            Section::ValTrained => Purpose::ValTrained,
            Section::ValRandomInit => Purpose::ValRandomInit,
        };
        let (
            plan,
            Open {
                batch_size, seq_len, ..
            },
        ) = (self.plan, self.open);
        let mut account = Account::new(plan.recipe, plan.tokenizer.vocab_size, &plan.key, purpose);
        let mut lanes = Lanes::new(
            documents.to_vec(),
            batch_size,
            seq_len,
            plan.tokenizer.end_of_text,
        );
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
            steps,
            account,
            audits: Vec::new(),
        })
    }
}

impl Pass {
    /// Asks the fresh auditor about everything that was drawn, one step after the other.
    fn audit(&mut self, auditor: &mut Forwarder, id: u64) -> Result<(), Failure> {
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

fn copy_failed(error: &io::Error) -> Failure {
    Failure::internal("a snapshot cannot be copied", error)
}

fn corpus(error: DocumentError) -> Failure {
    Failure::new(Reason::CorpusInvalid, error.0)
}

fn collect(documents: &dyn Documents) -> Result<Vec<TokenDocument>, DocumentError> {
    (0..documents.count())
        .map(|place| documents.document(place))
        .collect()
}

/// The train documents that were newest to the kept snapshot, newest first, cut so that they are as many bytes as the
/// held-out ones: both measurements start cold, on rows of the same shape, over the same length of text. It had seen
/// `steps` steps.
fn newest_documents(
    plan: &Plan<'_>,
    val: &[TokenDocument],
    open: Open,
    steps: u64,
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
    let stream = plan.text.stream();
    let numbers = newest_first(&stream, open.batch_size, open.seq_len, steps);
    let mut chosen = Vec::new();
    let mut bytes = 0;
    for number in numbers {
        if bytes >= wanted {
            break;
        }
        let document = stream.document(number).map_err(corpus)?;
        bytes += bytes_of(&document);
        chosen.push(document);
    }
    // Documents without a byte are no text that could be compared.
    if bytes == 0 {
        chosen.clear();
    }
    Ok(chosen)
}
