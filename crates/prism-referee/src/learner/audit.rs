//! What is asked about a step while the learner stands still, and where the answers go.
//!
//! Called by [`super`] after the claims of a step are accepted and the targets are drawn. The learner is frozen before the
//! auditor is thawed, and the auditor is frozen before the learner is thawed; an error at any of the four ends the run.

use std::{io::Write, time::Instant};

use prism_core::{failure::Failure, nats::Audited, outcome::Reason};

use super::{Books, Stream};
use crate::{
    account::Drawn,
    auditor::{Place, place_of},
    message::WeightSource,
    record::AuditedTarget,
    replay::Asked,
};

/// What is to be asked about one step, as places among its targets.
pub(super) struct Questions<'a> {
    pub(super) drawn: &'a [Drawn],
    pub(super) step0: &'a [usize],
    pub(super) kept: &'a [usize],
    /// The number of the first target of the step among those of the stream.
    pub(super) first_target: u64,
}

/// Answers by the place of their target within the step, in that order.
pub(super) struct Answers(Vec<(usize, Audited)>);

impl Answers {
    fn of(&self, index: usize) -> Option<Audited> {
        let at = self.0.binary_search_by_key(&index, |&(index, _)| index).ok()?;
        self.0.get(at).map(|&(_, audited)| audited)
    }
}

impl<W: Write> Books<'_, '_, W> {
    /// Asks about the drawn targets of the last step while the learner stands still.
    pub(super) fn ask(&mut self, stream: &Stream<'_>, wanted: &Questions<'_>) -> Result<Answers, Failure> {
        let step = &stream.step;
        let since = Instant::now();
        self.worker.freeze()?;
        let auditor = &mut self.answerers.auditor;
        auditor.worker.thaw()?;
        let loading = Instant::now();
        auditor.load(WeightSource::Segment, self.steps)?;
        let loaded_in = loading.elapsed();
        let smoothing = *self.account.smoothing();
        let mut indices: Vec<usize> = wanted
            .drawn
            .iter()
            .map(|drawn| drawn.index)
            .chain(wanted.step0.iter().copied())
            .chain(wanted.kept.iter().copied())
            .collect();
        indices.sort_unstable();
        indices.dedup();
        let mut questions: Vec<(Place, usize)> = indices
            .iter()
            .filter_map(|&index| Some((place_of(step, index)?, index)))
            .collect();
        questions.sort_unstable();
        let mut answers: Vec<(usize, Audited)> = Vec::with_capacity(questions.len());
        let mut witnessed = Vec::with_capacity(wanted.kept.len());
        for (place, index) in questions {
            // The auditor's clock is not the learner's, but it must not run without end either.
            let together = self.plan.answers_together();
            if self.frozen + since.elapsed() > together {
                return Err(Failure::new(
                    Reason::AuditorTimeout,
                    format!(
                        "the model's answers to single rows have taken more than {} s in all, as long as a whole run may train",
                        together.as_secs()
                    ),
                ));
            }
            let question = auditor.question(step, place);
            let asking = Instant::now();
            let audited = auditor.put(&question, &smoothing)?;
            if wanted.kept.contains(&index) {
                witnessed.push(Asked {
                    target: wanted.first_target + index as u64,
                    question,
                    answer: audited,
                    answered_in: asking.elapsed(),
                });
            }
            answers.push((index, audited));
        }
        auditor.worker.freeze()?;
        if !witnessed.is_empty() {
            let weights = auditor.segment_ref();
            self.witnesses
                .keep(weights, &stream.layout, loaded_in, witnessed)?;
        }
        self.worker.thaw()?;
        self.frozen += since.elapsed();
        answers.sort_unstable_by_key(|&(index, _)| index);
        Ok(Answers(answers))
    }

    /// Enters the answers into the account and the record.
    pub(super) fn book(&mut self, asked: &Questions<'_>, answers: &Answers) {
        for drawn in asked.drawn {
            let Some(audited) = answers.of(drawn.index) else {
                continue;
            };
            self.account.audit(drawn, audited);
            self.audits.push(AuditedTarget::new(
                asked.first_target + drawn.index as u64,
                audited,
            ));
        }
        for &index in asked.step0 {
            let Some(audited) = answers.of(index) else {
                continue;
            };
            self.step0.push(AuditedTarget::new(index as u64, audited));
        }
    }
}
