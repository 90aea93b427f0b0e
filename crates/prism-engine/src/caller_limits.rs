//! The limits that this process was started with, held against a recipe.
//!
//! Called before anything of a run, a check or an installation starts, by [`crate::evaluate`], [`crate::instantiate`] and the
//! command line. A limit that is too low around us would hold inside the sandbox as well, and look there like the
//! submission's own doing. So it is the operator's failure here, with both numbers. Raises soft limits, never hard ones.

use prism_core::{failure::Failure, outcome::Reason, recipe::Recipe};
use prism_sandbox::{Amount, CallerLimit, CallerNeeds};

use crate::{launcher, prepare::TARGET_BYTES};

/// What a segment holds beside the snapshot, rounded up.
const SEGMENT_HEAD_BYTES: u64 = 1024 * 1024;

/// Raises the soft limits of this process to what a run under the recipe needs.
///
/// # Errors
/// The hard limits that are too low, all at once, as [`Reason::Resources`].
pub fn provide(recipe: &Recipe) -> Result<(), Failure> {
    needs(recipe)
        .provide()
        .map_err(|error| Failure::of(Reason::Resources, &error))
}

/// What the sandboxes of a run need, and the files that this process itself writes: snapshots, and the claims of every
/// target.
fn needs(recipe: &Recipe) -> CallerNeeds {
    let snapshot_bytes = recipe.caps.max_snapshot_bytes;
    let repeats = u64::from(recipe.audit.repeats);
    let file_bytes = [
        snapshot_bytes.saturating_add(SEGMENT_HEAD_BYTES),
        snapshot_bytes.saturating_mul(repeats),
        recipe.stream.max_bytes.saturating_mul(TARGET_BYTES),
    ];
    file_bytes
        .into_iter()
        .fold(launcher::caller_needs(recipe), |needs, bytes| {
            needs.and(CallerLimit::FileSize, Amount::AtMost(bytes))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_that_a_recipe_gives_its_processes_is_asked_of_the_caller() {
        let mut recipe = Recipe::demo();
        let before = needs(&recipe);
        // More of any of them is more that is needed.
        let grown: [fn(&mut Recipe); 8] = [
            |recipe| recipe.sandbox.learner_memory_bytes *= 2,
            |recipe| recipe.sandbox.auditor_memory_bytes *= 8,
            |recipe| recipe.sandbox.max_processes *= 2,
            |recipe| recipe.sandbox.max_open_files *= 2,
            |recipe| recipe.sandbox.scratch_bytes *= 16,
            |recipe| recipe.budget.time_limit_seconds *= 2,
            |recipe| recipe.compute.threads *= 2,
            |recipe| recipe.caps.max_snapshot_bytes *= 1_000,
        ];
        for (index, grow) in grown.into_iter().enumerate() {
            grow(&mut recipe);
            assert_ne!(needs(&recipe), before, "{index}");
            assert_eq!(needs(&recipe), needs(&recipe).with(before.clone()), "{index}");
            recipe = Recipe::demo();
        }
    }
}
