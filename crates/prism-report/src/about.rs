//! What a run is of, in words for people: its name, when it began, the recipe, the corpus.
//!
//! Made once by the engine; the event file, the outcome and the manifest carry the same words. Never part of a record or
//! a score.

use serde::{Deserialize, Serialize};

/// What a run is of. Every text is harmless on a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The name that was given for the submission, else its bundle's own, else that of the bundle's directory.
    pub name: String,
    /// When it began, in UTC: `2026-01-31T12:00:00Z`.
    pub started_at: String,
    /// Name of the recipe.
    pub recipe: String,
    /// Its version.
    pub recipe_version: u32,
    /// Name of the corpus.
    pub corpus: String,
    /// The forced seed.
    pub seed: u64,
    /// Where the model runs: `cpu` or `cuda`.
    pub device: String,
}
