//! What is shown of reviews: to everybody, to the owner, to the operator; and what these two may do about one.

use prism_core::outcome::{Reason, Status};
use prism_core::submission::{Actor, Position, Stage};
use prism_review::rules;
use prism_server::challenge::ReviewView;
use prism_store::StoreError;
use prism_store::reviews::{self, APPEAL_CHARS_MAX};
use prism_store::submissions::{self, Filter, Step, Submission};
use serde_json::{Value, json};

use super::{ReviewMode, setup_sentence};
use crate::problem::{Result, ServiceProblem};
use crate::service::Service;

/// Submissions that are read again at once.
const RETRIED_MAX: u32 = 1000;

impl Service {
    /// Mode, model and rules, for everybody.
    pub(crate) fn review_view(&self) -> ReviewView {
        let client = self.settings.reviewer.as_ref().map(|reviewer| &reviewer.client);
        let mode = self.settings.review;
        let is_on = mode != ReviewMode::Off;
        ReviewView {
            mode: mode.as_str().to_owned(),
            model: client
                .filter(|_| is_on)
                .map(|client| client.settings().model.clone()),
            second_model: client
                .filter(|_| is_on)
                .map(|client| client.settings().second_model.clone()),
            rules_version: rules::VERSION,
        }
    }

    /// The rules, for everybody.
    pub(crate) fn review_rules(&self) -> Value {
        let view = self.review_view();
        let all: Vec<Value> = rules::ALL
            .iter()
            .map(|rule| {
                json!({
                    "code": rule.code, "id": rule.id, "weight": rule.weight, "title": rule.title(), "page": rule.page(),
                })
            })
            .collect();
        json!({
            "mode": view.mode, "model": view.model, "second_model": view.second_model,
            "version": rules::VERSION, "sha256": rules::sha256().to_string(), "rules": all,
        })
    }

    /// What is wrong with the reviewer, or what everybody must know of it: a code and a sentence.
    pub(crate) fn review_alarm(&self) -> Option<(&'static str, String)> {
        let of = |code, sentence: &str| Some((code, sentence.to_owned()));
        match (self.settings.review, &self.settings.reviewer) {
            (ReviewMode::Off, _) => of("review_off", "submissions are not reviewed"),
            (ReviewMode::Enforce, None) => of(
                "review_absent",
                "there is no reviewer: every submission is held until the operator decides",
            ),
            (ReviewMode::Advisory, None) => of(
                "review_absent",
                "there is no reviewer, and the review is advisory: submissions are not reviewed",
            ),
            (mode, Some(_)) => {
                let breaker = self.state().review.breaker;
                if breaker.setup().is_some() {
                    // What exactly is for the operator, since this page is public.
                    of(
                        "review_setup",
                        "the reviewer is not set up well; the operator's log says why",
                    )
                } else if breaker.is_open() {
                    of(
                        "review_breaker",
                        "the reviewer cannot be asked just now; submissions wait for it",
                    )
                } else if mode == ReviewMode::Advisory {
                    of(
                        "review_advisory",
                        "the review is advisory: the reviewer stops no submission",
                    )
                } else {
                    None
                }
            }
        }
    }

    /// How the reviewer stands, for the operator.
    pub(crate) fn review_overview(&self) -> Result<Value> {
        let now = self.now();
        let (day, depth) = self
            .store
            .read(|tx| Ok((reviews::spent(tx, now.day())?, prism_store::queue::depth(tx)?)))?;
        let view = self.review_view();
        let reviewer = self.settings.reviewer.as_ref();
        let state = self.state();
        let breaker = state.review.breaker;
        let in_hand = state.review.in_hand.len();
        drop(state);
        #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
        let miss_rate = (day.planted > 0).then(|| day.missed as f64 / day.planted as f64);
        Ok(json!({
            "mode": view.mode,
            "model": view.model,
            "second_model": view.second_model,
            "host": reviewer.map(|reviewer| reviewer.client.host()),
            "rules_version": rules::VERSION,
            "instructions_sha256": prism_review::prompt::instructions_sha256().to_string(),
            "waiting": depth.reviews,
            "calls_now": in_hand,
            "breaker": if breaker.is_open() { "open" } else { "closed" },
            "mend": breaker.setup().map(setup_sentence),
            "today": {
                "calls": day.calls,
                "calls_max": reviewer.map(|reviewer| reviewer.limits.calls),
                "usd": day.usd,
                "usd_max": reviewer.map(|reviewer| reviewer.limits.usd),
                "calls_of_a_hotkey_max": reviewer.map(|reviewer| reviewer.limits.calls_of_hotkey),
                "input_tokens": day.input_tokens,
                "output_tokens": day.output_tokens,
                "planted": day.planted,
                "planted_missed": day.missed,
                "miss_rate": miss_rate,
            },
        }))
    }

    /// Everything of a submission's reviews, for the operator.
    pub(crate) fn reviews_of(&self, id: &str) -> Result<Value> {
        let (submission, all, appeal) = self.store.read(|tx| {
            let submission = submissions::get(tx, id)?;
            let mut all = Vec::new();
            for review in reviews::of(tx, id)? {
                let calls = reviews::calls(tx, review.id)?;
                all.push((review, calls));
            }
            Ok((submission, all, reviews::appeal_of(tx, id)?))
        })?;
        let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
        let all: Vec<Value> = all
            .into_iter()
            .map(|(review, calls)| {
                let calls: Vec<Value> = calls
                    .into_iter()
                    .map(|call| {
                        let done = call.done.as_ref();
                        json!({
                            "purpose": call.purpose, "begun_at": call.begun_at.to_string(), "planted": call.planted,
                            "cost_usd": call.cost_usd, "outcome": done.map(|done| &done.outcome),
                            "seconds": done.map(|done| done.seconds), "model": done.map(|done| &done.model),
                            "provider": done.map(|done| &done.provider),
                            "input_tokens": done.map(|done| done.input_tokens),
                            "output_tokens": done.map(|done| done.output_tokens),
                            "answer": done.map(|done| &done.raw),
                        })
                    })
                    .collect();
                json!({
                    "mode": review.mode, "model": review.question.model, "second_model": review.question.second_model,
                    "rules_version": review.question.rules_version,
                    "rules_sha256": review.question.rules_sha256.to_string(),
                    "prompt_sha256": review.question.prompt_sha256.to_string(),
                    "bundle_sha256": review.question.bundle_sha256.to_string(),
                    "begun_at": review.begun_at.to_string(),
                    "ended_at": review.ended.as_ref().map(|ended| ended.at.to_string()),
                    "copied": review.ended.as_ref().is_some_and(|ended| ended.copied_from.is_some()),
                    "verdict": review.ended.as_ref().map(|ended| parsed(&ended.verdict_json)),
                    "calls": calls,
                })
            })
            .collect();
        Ok(json!({
            "id": submission.id, "position": submission.position.to_string(),
            "reason": submission.reason.map(Reason::code), "sentence": submission.sentence,
            "reviews": all,
            "appeal": appeal.map(|appeal| json!({ "at": appeal.at.to_string(), "text": appeal.text })),
        }))
    }

    /// Reads again what is held for a reason of the reviewer's, not of the submission's. How many.
    pub(crate) fn retry_reviews(&self) -> Result<Value> {
        self.state().review.breaker.worked();
        let filter = Filter {
            status: Some(Status::Held.as_str().to_owned()),
            ..Filter::default()
        };
        let now = self.now();
        let retried = self.store.write(move |tx| {
            let held = submissions::list(tx, &filter, None, RETRIED_MAX)?.submissions;
            let mut retried = Vec::new();
            for submission in held.into_iter().rev().filter(is_the_reviewers) {
                let step = Step::new(
                    Position::Pending(Stage::Review),
                    Actor::Operator,
                    "the operator has it read again",
                );
                submissions::step(tx, &submission.id, &step, now)?;
                retried.push(submission.id);
            }
            Ok(retried)
        })?;
        self.touch();
        Ok(json!({ "retried": retried }))
    }

    /// What the owner may see of a rejection, or of what is held.
    pub(crate) fn review_of_owner(&self, id: &str) -> Result<Option<Value>> {
        let (submission, review, appeal) = self.store.read(|tx| {
            Ok((
                submissions::find(tx, id)?,
                reviews::last(tx, id)?,
                reviews::appeal_of(tx, id)?,
            ))
        })?;
        let Some(submission) = submission else {
            return Ok(None);
        };
        let mut charges = Vec::new();
        if let Some(ended) = review.as_ref().and_then(|review| review.ended.as_ref())
            && ended.verdict == "rejected"
            && let Ok(verdict) = serde_json::from_str::<Value>(&ended.verdict_json)
        {
            charges = verdict["charges"].as_array().cloned().unwrap_or_default();
            for charge in &mut charges {
                let title = charge["rule"]
                    .as_str()
                    .and_then(rules::find)
                    .map(rules::Rule::title);
                charge["title"] = json!(title);
            }
        }
        Ok(Some(json!({
            "id": submission.id,
            "mode": submission.review.mode,
            "model": submission.review.model,
            "rules_version": submission.review.rules_version,
            "verdict": submission.review.verdict,
            "charges": charges,
            "may_appeal": submission.reason == Some(Reason::ReviewRejected)
                && submission.position == Position::Ended(Status::Rejected) && appeal.is_none(),
            "appealed_at": appeal.map(|appeal| appeal.at.to_string()),
        })))
    }

    /// Takes the appeal of an owner who has been verified.
    pub(crate) fn take_appeal(&self, id: &str, text: &str) -> Result<()> {
        let text = text.trim().to_owned();
        let chars = text.chars().count();
        if !(1..=APPEAL_CHARS_MAX).contains(&chars) {
            return Err(ServiceProblem::Refused(format!(
                "an appeal has 1 to {APPEAL_CHARS_MAX} characters, this one has {chars}"
            )));
        }
        let (id, now) = (id.to_owned(), self.now());
        self.store.write(move |tx| {
            let this = submissions::get(tx, &id)?;
            if this.position != Position::Ended(Status::Rejected)
                || this.reason != Some(Reason::ReviewRejected)
            {
                return Err(StoreError::NotAllowed(format!(
                    "it is {} and was not rejected by the reviewer: there is nothing to appeal against",
                    this.position
                )));
            }
            reviews::appeal(tx, &id, &text, now)?;
            let step = Step {
                reason: Some(Reason::ReviewAppealed),
                ..Step::new(
                    Position::Ended(Status::Held),
                    Actor::Owner,
                    "its owner has appealed against the reviewer: the operator decides",
                )
            };
            submissions::step(tx, &id, &step, now)?;
            Ok(())
        })?;
        self.touch();
        Ok(())
    }
}

/// Whether it is held because of the reviewer and not because of what it says.
fn is_the_reviewers(held: &Submission) -> bool {
    matches!(
        held.reason,
        Some(
            Reason::ReviewAbsent
                | Reason::ReviewUnreachable
                | Reason::ReviewSetup
                | Reason::ReviewBudget
                | Reason::ReviewNoVerdict
        )
    )
}
