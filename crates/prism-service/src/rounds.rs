//! Rounds: opened, closed, revealed. What is fixed when one opens is what every run of it is held against.

use std::path::Path;

use prism_bundle::Bundle;
use prism_core::advice::Advice as _;
use prism_core::{
    hash::Sha256Hash,
    outcome::{Reason, Status},
    recipe::Recipe,
    submission::{Actor, Position, Stage},
    time::Timestamp,
    weights::policy::Policy,
};
use prism_engine::round::{self as engine_round, Facts};
use prism_store::{
    ids,
    rounds::{self, NewRound, Round, Secret},
    submissions::{self, Step},
};

use crate::{
    admin::RoundSpec,
    problem::{Result, ServiceProblem},
    random,
    review::ReviewMode,
    service::Service,
    similar::UPLOAD_BYTES_MAX,
};

impl Service {
    /// Opens a round. One that could never count is refused, with the reason.
    pub(crate) fn open_round(&self, spec: &RoundSpec) -> Result<Round> {
        let refused = |why: String| ServiceProblem::Refused(why);
        let recipe = Recipe::parse(&spec.recipe_toml).map_err(|error| refused(error.told()))?;
        let policy: Policy = match &spec.policy {
            Some(text) => text
                .parse()
                .map_err(|error: prism_core::weights::policy::PolicyError| refused(error.to_string()))?,
            None => Policy::default(),
        };
        let corpus = std::fs::canonicalize(&spec.corpus).map_err(|source| ServiceProblem::Io {
            what: format!("the corpus {} cannot be opened", spec.corpus.display()),
            source,
        })?;
        let Facts {
            corpus: corpus_sha256,
            runtime_lock,
            why_never,
            ..
        } = engine_round::facts(&corpus, &recipe)?;
        if !why_never.is_empty() {
            return Err(refused(format!(
                "no run of this round could count: {}",
                why_never.join("; ")
            )));
        }
        let reference = match &spec.reference {
            Some(path) => Some(self.reference(path)?),
            None => None,
        };
        let new = NewRound {
            id: ids::uuid_v4(random::bytes()?),
            name: spec.name.clone(),
            recipe_sha256: recipe.sha256(),
            recipe_toml: spec.recipe_toml.clone(),
            corpus_path: corpus.display().to_string(),
            corpus_sha256,
            runtime_lock,
            gate_version: prism_gate::VERSION.to_string(),
            review_version: match (self.settings.review, &self.settings.reviewer) {
                (ReviewMode::Off, _) => "none".to_owned(),
                (ReviewMode::Enforce | ReviewMode::Advisory, None) => "absent".to_owned(),
                (ReviewMode::Enforce | ReviewMode::Advisory, Some(_)) => {
                    prism_review::rules::VERSION.to_string()
                }
            },
            review_mode: self.settings.review.as_str().to_owned(),
            secret: Secret {
                seed: random::seed()?,
                salt: random::bytes()?,
            },
            scored_runs_per_day: spec.scored_runs_per_day,
            uploads_per_day: spec.uploads_per_day,
            weight_policy: policy.to_string(),
            reference,
            publish_sources: spec.publish_sources,
        };
        let now = self.now();
        let round = self.store.write(move |tx| rounds::open(tx, &new, now))?;
        tracing::info!(round = %round.name, recipe = %recipe.name, "a round is open");
        // Whether this machine can run it is another question now.
        self.state().machine = None;
        self.touch();
        Ok(round)
    }

    /// Closes a round. What still waits ends with it, free.
    pub(crate) fn close_round(&self, name: &str) -> Result<Round> {
        let (name, now) = (name.to_owned(), self.now());
        let round = self.store.write(move |tx| {
            let id = match rounds::by_name(tx, &name)? {
                Some(round) => round.id,
                None => name,
            };
            let round = rounds::close(tx, &id, now)?;
            for waiting in submissions::unfinished(tx)? {
                // What has a score is confirmed all the same, and what runs goes on.
                if let Position::Pending(stage) = waiting.position
                    && waiting.round_id == round.id
                    && stage != Stage::Confirming
                {
                    end_with_round(tx, &waiting.id, now)?;
                }
            }
            Ok(round)
        })?;
        // Whether this machine can run it is another question now.
        self.state().machine = None;
        self.touch();
        Ok(round)
    }

    fn reference(&self, path: &Path) -> Result<Sha256Hash> {
        let bytes = std::fs::read(path).map_err(|source| ServiceProblem::Io {
            what: format!("the reference bundle {} cannot be read", path.display()),
            source,
        })?;
        if bytes.len() as u64 > UPLOAD_BYTES_MAX {
            return Err(ServiceProblem::Refused(
                "the reference bundle is too large".to_owned(),
            ));
        }
        Bundle::from_zip(&bytes).map_err(|error| {
            ServiceProblem::Refused(format!("the reference bundle is none: {}", error.told()))
        })?;
        Ok(self.store.blobs().put(&bytes)?)
    }

    /// What a run of this round is held against.
    pub(crate) fn engine_round(&self, round: &Round) -> Result<prism_engine::round::Round> {
        let recipe = Recipe::parse(&round.recipe_toml)
            .map_err(|error| ServiceProblem::Refused(format!("the recipe of the round: {}", error.told())))?;
        let gate_version = round
            .gate_version
            .parse()
            .map_err(|_| ServiceProblem::Refused("the gate version of the round is no number".to_owned()))?;
        Ok(prism_engine::round::Round {
            recipe,
            corpus: Some(round.corpus_sha256),
            runtime_lock: Some(round.runtime_lock.clone()),
            gate_version,
            seed: Some(self.store.read(|tx| rounds::secret(tx, &round.id))?.seed),
        })
    }
}

/// Ends a submission whose round has closed before it ran.
pub(crate) fn end_with_round(tx: &prism_store::Write, id: &str, now: Timestamp) -> prism_store::Result<()> {
    let step = Step {
        reason: Some(Reason::RoundClosed),
        ..Step::new(
            Position::Ended(Status::Cancelled),
            Actor::Pipeline,
            "its round closed before it ran; send it to the next one, free",
        )
    };
    submissions::step(tx, id, &step, now)?;
    Ok(())
}
