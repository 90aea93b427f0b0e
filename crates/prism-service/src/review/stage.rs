//! One submission's review, as far as it goes now.

use std::sync::Arc;

use prism_bundle::Bundle;
use prism_core::outcome::{Reason, Status};
use prism_core::submission::{Actor, Position, Stage, Wait};
use prism_gate::Options;
use prism_gate::similarity::{Fingerprints, Match};
use prism_review::decision::{self, Held, Next, Outcome, Past, Purpose, ReviewVerdict, Unreachable};
use prism_review::{Called, Case, Client, prompt, rules, run};
use prism_store::reviews::{self, Done, Question, Spent};
use prism_store::rounds;
use prism_store::submissions::{self, Step, Submission};
use serde_json::{Value, json};

use super::{ReviewMode, Reviewer, held_sentence, setup_sentence};
use crate::problem::{Result, ServiceProblem};
use crate::random;
use crate::service::Service;
use crate::similar::UPLOAD_BYTES_MAX;

/// What a review comes to, for the submission.
struct Ending {
    /// `passed`, `rejected` or `held`.
    verdict: &'static str,
    reason: Option<Reason>,
    sentence: String,
    /// For the owner and the operator; holds quotes.
    json: Value,
    copied_from: Option<i64>,
}

impl Service {
    /// Reviews one, until it ends or has to wait.
    pub(super) fn review(&self, submission: &Submission) -> Result<()> {
        if submission.position != Position::Pending(Stage::Review) {
            return Ok(());
        }
        // What the round says counts, whatever this service is set to.
        let round = self
            .store
            .read(|tx| rounds::get(tx, &submission.round_id))?
            .review_mode;
        let mode = ReviewMode::parse(&round).unwrap_or(ReviewMode::Enforce);
        if mode == ReviewMode::Off {
            return self.to_queue(submission, "it waits for a slot (the review is off)", None);
        }
        let Some(reviewer) = &self.settings.reviewer else {
            return self.end_review(submission, mode, None, &held(Reason::ReviewAbsent));
        };
        let bytes = self
            .store
            .blobs()
            .read(&submission.zip_sha256, UPLOAD_BYTES_MAX)?;
        let bundle = Bundle::from_zip(&bytes)
            .map_err(|error| ServiceProblem::Refused(format!("the bundle cannot be read again: {error}")))?;
        let report = prism_gate::check(&bundle, &Options::default())
            .map_err(|error| ServiceProblem::Refused(format!("the gate cannot work: {error}")))?;
        if report.has_errors() {
            return Err(ServiceProblem::Refused(
                "the gate refuses now what it let pass before: `prism admin reject` it, or requeue it"
                    .to_owned(),
            ));
        }
        let facts = self.facts(submission, &bundle)?;
        let case = Case::new(&bundle, &report, &facts)
            .map_err(|error| ServiceProblem::Refused(format!("the gate cannot work: {error}")))?;
        let case = Arc::new(case);
        let settings = reviewer.client.settings();
        let question = Question {
            bundle_sha256: case.bundle_sha256,
            prompt_sha256: prompt::sha256(&case),
            rules_version: rules::VERSION,
            rules_sha256: rules::sha256(),
            model: settings.model.clone(),
            second_model: settings.second_model.clone(),
        };
        let (review, known) = self.opened(submission, mode, &question, &facts)?;
        if let Some(known) = known {
            return self.end_review(submission, mode, Some(review), &known);
        }
        self.go_on(submission, mode, reviewer, review, &case)
    }

    /// What similarity says, in words without a text of the submission.
    fn facts(&self, submission: &Submission, bundle: &Bundle) -> Result<Vec<String>> {
        // Those that a review began with stay: it is one question from its first call to its last.
        if let Some(open) = self.store.read(|tx| reviews::open(tx, &submission.id))?
            && let Ok(facts) = serde_json::from_str(&open.facts_json)
        {
            return Ok(facts);
        }
        let Ok(fingerprints) = Fingerprints::of(bundle) else {
            return Ok(vec![
                "similarity: it could not be compared with earlier submissions".to_owned(),
            ]);
        };
        let mut similar = self.similar_lock();
        let matches = similar.of_others(
            &self.store,
            &fingerprints,
            Some(&submission.hotkey),
            submission.seq,
        )?;
        let of = |share: fn(&Match) -> f64| 100.0 * matches.iter().map(share).fold(0.0, f64::max);
        Ok(vec![format!(
            "similarity: at most {:.0} % of its code stands in an earlier submission of somebody else, and at most {:.0} % of \
             the code of such a one in it",
            of(|found| found.of_later),
            of(|found| found.of_earlier)
        )])
    }

    /// The review that goes on, or a new one, and the verdict where the same question has one.
    fn opened(
        &self,
        submission: &Submission,
        mode: ReviewMode,
        question: &Question,
        facts: &[String],
    ) -> Result<(i64, Option<Ending>)> {
        let (id, now) = (submission.id.clone(), self.now());
        let question = question.clone();
        let facts_json = json!(facts).to_string();
        let (review, known) = self.store.write(move |tx| {
            if let Some(open) = reviews::open(tx, &id)? {
                if open.question == question {
                    return Ok((open.id, None));
                }
                // It was begun with another model or other rules.
                let why = json!({ "superseded": true }).to_string();
                reviews::end(tx, open.id, "held", &why, None, now)?;
            }
            let known = reviews::known(tx, &question)?;
            let review = reviews::begin(tx, &id, mode.as_str(), &question, &facts_json, now)?;
            Ok((review, known))
        })?;
        let known = known.and_then(|known| {
            let ended = known.ended?;
            let json: Value = serde_json::from_str(&ended.verdict_json).ok()?;
            let verdict: ReviewVerdict = serde_json::from_value(json).ok()?;
            let mut ending = ending(verdict);
            ending.copied_from = Some(known.id);
            Some(ending)
        });
        Ok((review, known))
    }

    fn go_on(
        &self,
        submission: &Submission,
        mode: ReviewMode,
        reviewer: &Reviewer,
        review: i64,
        case: &Arc<Case>,
    ) -> Result<()> {
        loop {
            let past = self.past(review)?;
            let (purpose, charges) = match decision::next(&past) {
                Next::End(verdict) => {
                    return self.end_review(submission, mode, Some(review), &ending(verdict));
                }
                Next::Call { purpose, charges, .. } => (purpose, charges),
            };
            let one_in = reviewer.client.settings().plant_one_in;
            let draw = run::draw(&past, purpose, one_in, random::bytes()?);
            let prompt = Client::prompt(case, purpose, &charges, &draw);
            if let Some(why) = reviewer.client.too_large(case, &prompt) {
                let mut ending = held(Reason::ReviewTooLarge);
                ending.sentence = format!("{why}: the operator decides, and it costs you no run");
                return self.end_review(submission, mode, Some(review), &ending);
            }
            let now = self.now();
            let admitted = self.state().review.breaker.admit(now);
            if let Err(until) = admitted {
                return self.wait_for_reviewer(submission, Wait::Breaker, until);
            }
            let settings = reviewer.client.settings();
            let cost = settings.cost_estimate_usd(prompt.tokens_estimate());
            let (limits, planted) = (reviewer.limits, prompt.planted);
            let begun = self.store.write(move |tx| {
                reviews::begin_call(tx, review, purpose.as_str(), planted, cost, &limits, now)
            });
            let call = match begun {
                Ok(Ok(call)) => call,
                Ok(Err(spent)) => {
                    self.state().review.breaker.given_up();
                    let mut ending = held(Reason::ReviewBudget);
                    ending.json["spent"] = json!(match spent {
                        Spent::Calls => "calls of the day",
                        Spent::Money => "US dollars of the day",
                        Spent::Hotkey => "calls of the hotkey",
                    });
                    return self.end_review(submission, mode, Some(review), &ending);
                }
                Err(problem) => {
                    self.state().review.breaker.given_up();
                    return Err(problem.into());
                }
            };
            let called = match self.ask(&reviewer.client, case, purpose, prompt) {
                Ok(Some(called)) => called,
                Ok(None) => return Ok(()),
                Err(problem) => {
                    self.state().review.breaker.given_up();
                    return Err(problem);
                }
            };
            self.tell_breaker(&called.outcome);
            let retry_after = if let Outcome::Unreachable {
                retry_after_seconds, ..
            } = &called.outcome
            {
                Some(*retry_after_seconds)
            } else {
                None
            };
            self.store_call(call, &called)?;
            if let Some(retry_after) = retry_after {
                let past = self.past(review)?;
                if let Next::Call { failures, .. } = decision::next(&past) {
                    let pause = decision::pause_seconds(failures, retry_after, random::seed()?);
                    let until = self.now().plus_seconds(i64::try_from(pause).unwrap_or(i64::MAX));
                    return self.wait_for_reviewer(submission, Wait::Retry, until);
                }
            }
            // Its owner may have cancelled it meanwhile.
            let stands = self
                .store
                .read(|tx| submissions::get(tx, &submission.id))?
                .position;
            if stands != Position::Pending(Stage::Review) {
                return self.close_review(review, "held", &json!({ "cancelled": true }), None);
            }
        }
    }

    /// All calls of a review. One that was begun and never ended was interrupted: nobody else has this review in hand.
    fn past(&self, review: i64) -> Result<Vec<Past>> {
        let calls = self.store.read(|tx| reviews::calls(tx, review))?;
        let mut past = Vec::new();
        for call in calls {
            let purpose = [Purpose::Bare, Purpose::Full, Purpose::Refute]
                .into_iter()
                .find(|purpose| purpose.as_str() == call.purpose)
                .ok_or_else(|| broken(review))?;
            let outcome = if let Some(done) = &call.done {
                serde_json::from_str(&done.outcome_json).map_err(|_| broken(review))?
            } else {
                let called = Called {
                    outcome: Outcome::Unreachable {
                        why: Unreachable::Interrupted,
                        retry_after_seconds: None,
                    },
                    usage: prism_review::wire::Usage::default(),
                    // What it took nobody knows: it counts with what it may have cost.
                    cost_usd: call.cost_usd,
                    seconds: 0.0,
                    raw: None,
                    planted: call.planted,
                };
                self.store_call(call.id, &called)?;
                called.outcome
            };
            past.push(Past { purpose, outcome });
        }
        Ok(past)
    }

    fn store_call(&self, call: i64, called: &Called) -> Result<()> {
        let done = Done {
            at: self.now(),
            seconds: called.seconds,
            outcome: match &called.outcome {
                Outcome::Vote(_) => "vote".to_owned(),
                Outcome::NoVote { why } => format!("no_vote:{}", why.as_str()),
                Outcome::Unreachable { .. } => "unreachable".to_owned(),
                Outcome::Setup { status } => format!("setup:{status}"),
            },
            outcome_json: json!(called.outcome).to_string(),
            model: called.usage.model.clone(),
            provider: called.usage.provider.clone(),
            input_tokens: called.usage.input_tokens,
            output_tokens: called.usage.output_tokens,
            cost_usd: called.cost_usd,
            raw: called.raw.clone(),
        };
        tracing::info!(
            call,
            outcome = %done.outcome,
            seconds = done.seconds,
            input_tokens = done.input_tokens,
            output_tokens = done.output_tokens,
            cost_usd = done.cost_usd,
            "a call of the review has ended"
        );
        self.store.write(move |tx| reviews::end_call(tx, call, &done))?;
        Ok(())
    }

    fn wait_for_reviewer(
        &self,
        submission: &Submission,
        wait: Wait,
        until: prism_core::time::Timestamp,
    ) -> Result<()> {
        let sentence = "the reviewer cannot be asked just now; it is asked again by itself";
        let (id, now) = (submission.id.clone(), self.now());
        self.store.write(move |tx| {
            if submissions::get(tx, &id)?.position == Position::Pending(Stage::Review) {
                submissions::wait(tx, &id, wait, Some(sentence), Some(until), now)?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Ends a review and moves the submission, in one transaction.
    fn end_review(
        &self,
        submission: &Submission,
        mode: ReviewMode,
        review: Option<i64>,
        ending: &Ending,
    ) -> Result<()> {
        let settings = self
            .settings
            .reviewer
            .as_ref()
            .map(|reviewer| reviewer.client.settings());
        let evidence = json!({ "review": {
            "mode": mode.as_str(),
            "model": settings.map(|settings| &settings.model),
            "second_model": settings.map(|settings| &settings.second_model),
            "rules_version": rules::VERSION,
            "verdict": ending.verdict,
            "reason": ending.reason.map(Reason::code),
            "places": places(&ending.json),
        }})
        .to_string();
        let (to, reason, sentence) = match (mode, ending.verdict) {
            (ReviewMode::Advisory | ReviewMode::Off, verdict) => (
                Position::Pending(Stage::Queued),
                None,
                match verdict {
                    "passed" => {
                        "the reviewer lets it pass; it waits for a slot (the review is advisory)".to_owned()
                    }
                    "rejected" => format!(
                        "it waits for a slot, since the review is advisory; {}",
                        ending.sentence
                    ),
                    _ => "the reviewer came to no verdict; it waits for a slot, since the review is advisory"
                        .to_owned(),
                },
            ),
            (ReviewMode::Enforce, "passed") => (
                Position::Pending(Stage::Queued),
                None,
                "the reviewer lets it pass; it waits for a slot".to_owned(),
            ),
            (ReviewMode::Enforce, "rejected") => (
                Position::Ended(Status::Rejected),
                Some(Reason::ReviewRejected),
                ending.sentence.clone(),
            ),
            (ReviewMode::Enforce, _) => (
                Position::Ended(Status::Held),
                Some(ending.reason.unwrap_or(Reason::ReviewNoVerdict)),
                ending.sentence.clone(),
            ),
        };
        let (id, now) = (submission.id.clone(), self.now());
        let (verdict, json, copied_from) = (ending.verdict, ending.json.to_string(), ending.copied_from);
        self.store.write(move |tx| {
            if let Some(review) = review {
                reviews::end(tx, review, verdict, &json, copied_from, now)?;
            }
            if submissions::get(tx, &id)?.position == Position::Pending(Stage::Review) {
                let step = Step {
                    reason,
                    evidence_json: Some(&evidence),
                    ..Step::new(to, Actor::Pipeline, &sentence)
                };
                submissions::step(tx, &id, &step, now)?;
            }
            Ok(())
        })?;
        Ok(())
    }

    fn to_queue(
        &self,
        submission: &Submission,
        sentence: &'static str,
        evidence: Option<String>,
    ) -> Result<()> {
        let (id, now) = (submission.id.clone(), self.now());
        self.store.write(move |tx| {
            let step = Step {
                evidence_json: evidence.as_deref(),
                ..Step::new(Position::Pending(Stage::Queued), Actor::Pipeline, sentence)
            };
            submissions::step(tx, &id, &step, now)
        })?;
        Ok(())
    }

    fn close_review(
        &self,
        review: i64,
        verdict: &'static str,
        json: &Value,
        copied_from: Option<i64>,
    ) -> Result<()> {
        let (json, now) = (json.to_string(), self.now());
        self.store
            .write(move |tx| reviews::end(tx, review, verdict, &json, copied_from, now))?;
        Ok(())
    }
}

fn broken(review: i64) -> ServiceProblem {
    ServiceProblem::Refused(format!("the calls of the review {review} cannot be read"))
}

fn ending(verdict: ReviewVerdict) -> Ending {
    let json = json!(verdict);
    match verdict {
        ReviewVerdict::Passed => Ending {
            verdict: "passed",
            reason: None,
            sentence: String::new(),
            json,
            copied_from: None,
        },
        ReviewVerdict::Rejected { charges } => {
            let first = charges.first().map_or_else(String::new, |charge| {
                let title = rules::find(&charge.rule).map_or("", rules::Rule::title);
                format!("{} ({title}) at {}:{}", charge.rule, charge.path, charge.line)
            });
            let more = match charges.len().saturating_sub(1) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            Ending {
                verdict: "rejected",
                reason: Some(Reason::ReviewRejected),
                sentence: format!(
                    "the reviewer found {first}{more}; `prism appeal ID` shows its owner the lines and why, and takes an appeal"
                ),
                json,
                copied_from: None,
            }
        }
        ReviewVerdict::Held { why, .. } => {
            let reason = match why {
                Held::Disputed | Held::Refuted => Reason::ReviewDisputed,
                Held::NoVerdict => Reason::ReviewNoVerdict,
                Held::Unreachable => Reason::ReviewUnreachable,
                Held::Setup { .. } => Reason::ReviewSetup,
            };
            let mut ending = held(reason);
            ending.json = json;
            if let Held::Setup { status } = why {
                ending.json["mend"] = json!(setup_sentence(status));
            }
            ending
        }
    }
}

fn held(reason: Reason) -> Ending {
    Ending {
        verdict: "held",
        reason: Some(reason),
        sentence: held_sentence(reason).to_owned(),
        json: json!({ "verdict": "held", "reason": reason.code(), "charges": [] }),
        copied_from: None,
    }
}

/// Rule, file and line of each charge that stands: what everybody may see. Nothing of the source, and nothing of what was held.
fn places(json: &Value) -> Vec<Value> {
    if json["verdict"] != "rejected" {
        return Vec::new();
    }
    let charges = json["charges"].as_array().map(Vec::as_slice).unwrap_or_default();
    charges
        .iter()
        .map(|charge| json!({ "rule": charge["rule"], "file": charge["path"], "line": charge["line"] }))
        .collect()
}
