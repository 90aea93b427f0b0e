//! What a run has to be to count: the round that it belongs to, and what it is to it.
//!
//! Made by whoever asks for an evaluation: the command line takes [`Round::by_hand`], the service a round that an operator
//! has opened. `counts` holds a run against it, in one place. Nothing here depends on which recipe is built in.

use std::path::Path;

use prism_core::{failure::Failure, hash::Sha256Hash, outcome::Reason, recipe::Recipe};
use prism_corpus::Split;
use prism_referee::connection::Cancel;
use serde::{Deserialize, Serialize};

use crate::prepare;

/// How many times as many targets of a confirmation run are audited.
pub const CONFIRMATION_AUDITS: f64 = 10.0;

/// What all runs of a round have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// The constants, whole.
    pub recipe: Recipe,
    /// The corpus, by the hash of its manifest. `None`: whichever is named, in a run by hand.
    pub corpus: Option<Sha256Hash>,
    /// The locked Python runtime, by its label in records. `None`: that of this version.
    pub runtime_lock: Option<String>,
    /// Version of the gate's rules.
    pub gate_version: u32,
    /// The forced seed of its main runs. `None`: any, in a run by hand.
    pub seed: Option<u64>,
}

/// What a run is to its round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// The run that gives a submission its score.
    Main,
    /// The run again, before it takes first place: a seed of its own, ten times the audits.
    Confirmation,
    /// The reference bundle under a seed of its own: how far scores scatter.
    Noise,
}

impl Round {
    /// Of a run by hand: under the official recipe, on whatever corpus is named.
    pub fn by_hand() -> Self {
        Self {
            recipe: Recipe::official(),
            corpus: None,
            runtime_lock: None,
            gate_version: prism_gate::VERSION,
            seed: None,
        }
    }

    /// The constants of a run of this kind.
    pub fn recipe_of(&self, kind: RunKind) -> Recipe {
        let mut recipe = self.recipe.clone();
        match kind {
            RunKind::Main | RunKind::Noise => {}
            RunKind::Confirmation => {
                let audit = &mut recipe.audit;
                audit.rate_per_byte = (audit.rate_per_byte * CONFIRMATION_AUDITS).min(1.0);
            }
        }
        recipe
    }

    /// Why no run of this program with the runtime that it finds could count for this round.
    pub fn why_not_here(&self) -> Result<Option<String>, Failure> {
        if self.gate_version != prism_gate::VERSION {
            return Ok(Some(format!(
                "the round was opened with version {} of the gate and this `prism` has version {}: close the round, or run the \
                 `prism` that opened it",
                self.gate_version,
                prism_gate::VERSION
            )));
        }
        let Some(wanted) = &self.runtime_lock else {
            return Ok(None);
        };
        let runtime = prism_runtime::locate(&prepare::settings()?)
            .map_err(|error| Failure::of(Reason::RuntimeMissing, &error))?;
        let found = runtime.origin.label();
        Ok((found != *wanted).then(|| {
            format!(
                "the round was opened with the Python runtime `{wanted}` and this `prism` has `{found}`: close the round, or run \
                 the `prism` that opened it"
            )
        }))
    }

    /// The seed that a run of this kind must have; `None` where it is drawn for it.
    pub(crate) fn seed_of(&self, kind: RunKind) -> Option<u64> {
        match kind {
            RunKind::Main => self.seed,
            RunKind::Confirmation | RunKind::Noise => None,
        }
    }
}

/// What there is to know of a round before it opens.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The hash that names the corpus.
    pub corpus: Sha256Hash,
    /// The corpus's own name.
    pub corpus_name: String,
    /// Bytes of the stream.
    pub stream_bytes: u64,
    /// The locked Python runtime, by its label in records.
    pub runtime_lock: String,
    /// Why no run of it could count, each a sentence; empty where runs can.
    pub why_never: Vec<String>,
}

/// Reads the corpus, all of it, finds the runtime, and says whether runs of such a round can count at all.
pub fn facts(corpus: &Path, recipe: &Recipe) -> Result<Facts, Failure> {
    let opened = prepare::open_corpus(corpus, &Cancel::new(), &mut |_| ())?;
    let stream = opened
        .split(Split::Train)
        .prefix(recipe.stream.max_bytes)
        .map_err(|error| Failure::new(Reason::CorpusInvalid, error.to_string()))?;
    let runtime = prism_runtime::locate(&prepare::settings()?)
        .map_err(|error| Failure::of(Reason::RuntimeMissing, &error))?;
    Ok(Facts {
        corpus: prepare::corpus_hash(&opened)?,
        corpus_name: opened.manifest().name.clone(),
        stream_bytes: stream.bytes,
        runtime_lock: runtime.origin.label(),
        why_never: why_never(recipe, stream.bytes),
    })
}

/// Why no run under this recipe on so many bytes could count, whatever the machine is.
fn why_never(recipe: &Recipe, stream_bytes: u64) -> Vec<String> {
    let mut reasons = Vec::new();
    let allowance_bpb = 8.0 * recipe.bundle.allowance_bytes as f64 / stream_bytes as f64;
    // NaN, of an empty stream, is above every bound.
    let is_worth_little = allowance_bpb <= recipe.bundle.max_allowance_bpb;
    if !is_worth_little {
        reasons.push(format!(
            "the stream has {stream_bytes} bytes, on which the free allowance of a bundle is worth {allowance_bpb:.4} bits per \
             byte and may be worth {}: take more text, or a recipe with a smaller `bundle.allowance_bytes`",
            recipe.bundle.max_allowance_bpb
        ));
    }
    let expected_audits = recipe.audit.rate_per_byte * stream_bytes as f64;
    if expected_audits < recipe.audit.min_audits as f64 {
        reasons.push(format!(
            "some {expected_audits:.0} targets would be audited and a run needs {}: take more text, or a recipe with a larger \
             `audit.rate_per_byte`",
            recipe.audit.min_audits
        ));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confirmation_differs_in_its_audits_alone() {
        let round = Round::by_hand();
        assert_eq!(round.recipe_of(RunKind::Main), round.recipe);
        assert_eq!(round.recipe_of(RunKind::Noise), round.recipe);
        let mut recipe = round.recipe_of(RunKind::Confirmation);
        assert_eq!(
            recipe.audit.rate_per_byte,
            round.recipe.audit.rate_per_byte * CONFIRMATION_AUDITS
        );
        assert!(recipe.check().is_ok());
        recipe.audit.rate_per_byte = round.recipe.audit.rate_per_byte;
        assert_eq!(recipe, round.recipe);
    }

    #[test]
    fn no_rate_grows_beyond_certainty() {
        let mut round = Round::by_hand();
        round.recipe.audit.rate_per_byte = 0.5;
        let recipe = round.recipe_of(RunKind::Confirmation);
        assert_eq!(recipe.audit.rate_per_byte, 1.0);
        assert!(recipe.check().is_ok());
    }

    #[test]
    fn a_round_that_could_never_count_is_known_beforehand() {
        assert_eq!(why_never(&Recipe::small(), 1_000_000), Vec::<String>::new());
        assert_eq!(
            why_never(&Recipe::official(), 1_000_000_000),
            Vec::<String>::new()
        );
        assert_eq!(why_never(&Recipe::demo(), 1_000_000).len(), 1, "its allowance");
        assert_eq!(why_never(&Recipe::small(), 300_000).len(), 2);
        assert_eq!(why_never(&Recipe::small(), 0).len(), 2);
    }

    #[test]
    fn a_round_reads_back() {
        let mut round = Round::by_hand();
        round.corpus = Some(Sha256Hash::of(b"corpus"));
        round.seed = Some(u64::MAX);
        let json = serde_json::to_string(&round).unwrap();
        assert_eq!(serde_json::from_str::<Round>(&json).unwrap(), round);
        assert!(serde_json::from_str::<Round>(&json.replace("\"seed\"", "\"other\"")).is_err());
    }
}
