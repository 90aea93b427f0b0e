//! Flags that change a constant of the recipe, and what they make of the run.
//!
//! A flag that says what the recipe says already changes nothing. Anything else is named in the output and makes the
//! run a rehearsal.

use std::fmt::Display;

use prism_core::recipe::{Device, Recipe};

use super::{EvalArgs, RehearsalReason};
use crate::failure::Failure;

/// Cap of the GPU allocator where `--device cuda` meets a recipe for the processor: most cards have as much.
const GPU_MEMORY_BYTES_DEFAULT: u64 = 8_000_000_000;

/// The recipe of a run, and what its flags do to it.
#[derive(Debug)]
pub(super) struct ChosenRecipe {
    pub(super) recipe: Recipe,
    /// What the flags alone make of the run.
    pub(super) rehearsal: Vec<RehearsalReason>,
    /// Every change of a constant, for people.
    pub(super) changes: Vec<String>,
    /// Whether the recipe was the official one before.
    is_of_official: bool,
}

impl ChosenRecipe {
    /// Why the run does not count, in one line: the constants that a flag changes stand for the flag, and for the recipe
    /// that is then another one.
    pub(super) fn words(&self, reasons: &[RehearsalReason]) -> Option<String> {
        let is_changed_by_flags_alone = !self.changes.is_empty() && self.is_of_official;
        let reasons = reasons.iter().flat_map(|&reason| match reason {
            RehearsalReason::Flag if !self.changes.is_empty() => self.changes.clone(),
            RehearsalReason::Recipe if is_changed_by_flags_alone => Vec::new(),
            reason => vec![reason.explain().to_owned()],
        });
        let reasons: Vec<_> = reasons.collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

/// Applies the flags and checks what comes out.
pub(super) fn apply(args: &EvalArgs, recipe: Recipe) -> Result<ChosenRecipe, Failure> {
    let is_of_official = recipe.sha256() == Recipe::official().sha256();
    let mut rehearsal = Vec::new();
    let (recipe, changes) = change(args, recipe);
    recipe.check().map_err(|error| Failure::usage("usage", &error))?;
    if !changes.is_empty() {
        rehearsal.push(RehearsalReason::Flag);
    }
    if args.no_gate {
        rehearsal.push(RehearsalReason::NoGate);
    }
    Ok(ChosenRecipe {
        recipe,
        rehearsal,
        changes,
        is_of_official,
    })
}

fn change(args: &EvalArgs, mut recipe: Recipe) -> (Recipe, Vec<String>) {
    let mut changes = Vec::new();
    let name = recipe.name.clone();
    let device = args.device.map(Device::from);
    let before = recipe.compute.clone();
    if let Some(device) = device
        && set_device(&mut recipe, device)
    {
        changes.push(says(
            &name,
            "compute.device",
            before.device.as_str(),
            device.as_str(),
        ));
        changes.push(says(
            &name,
            "compute.gpu_memory_bytes",
            before.gpu_memory_bytes,
            recipe.compute.gpu_memory_bytes,
        ));
    }
    set(
        &mut changes,
        &name,
        "compute.threads",
        &mut recipe.compute.threads,
        args.threads,
    );
    set(
        &mut changes,
        &name,
        "stream.max_bytes",
        &mut recipe.stream.max_bytes,
        args.max_bytes,
    );
    set(
        &mut changes,
        &name,
        "audit.rate_per_byte",
        &mut recipe.audit.rate_per_byte,
        args.audit_rate,
    );
    set(
        &mut changes,
        &name,
        "budget.time_limit_seconds",
        &mut recipe.budget.time_limit_seconds,
        args.time_limit,
    );
    (recipe, changes)
}

/// Takes the model to another device than the recipe names; false where it names this one.
pub(in crate::commands) fn set_device(recipe: &mut Recipe, device: Device) -> bool {
    if device == recipe.compute.device {
        return false;
    }
    recipe.compute.device = device;
    recipe.compute.gpu_memory_bytes = match device {
        Device::Cpu => 0,
        Device::Cuda => GPU_MEMORY_BYTES_DEFAULT,
    };
    true
}

fn set<T: PartialEq + Display + Copy>(
    changes: &mut Vec<String>,
    name: &str,
    field: &str,
    place: &mut T,
    wanted: Option<T>,
) {
    if let Some(wanted) = wanted.filter(|wanted| wanted != place) {
        changes.push(says(name, field, *place, wanted));
        *place = wanted;
    }
}

fn says(name: &str, field: &str, before: impl Display, after: impl Display) -> String {
    format!(
        "`{field}` is {after} (recipe `{}`: {before})",
        crate::show::line(name)
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use prism_engine::request::{EvalRequest, RunPlace};

    use super::*;
    use crate::cli::{Cli, Command};

    fn plan(flags: &str, recipe: Recipe) -> Result<ChosenRecipe, Failure> {
        let words = format!("prism eval bundle --data corpus {flags}");
        let Command::Eval(args) = Cli::try_parse_from(words.split_whitespace()).unwrap().command else {
            panic!("not eval");
        };
        apply(&args, recipe)
    }

    #[test]
    fn the_official_recipe_alone_is_no_rehearsal() {
        let plan = |flags| plan(flags, Recipe::official()).unwrap();
        assert!(plan("").rehearsal.is_empty());
        let same =
            plan("--device cuda --threads 8 --time-limit 14400 --max-bytes 1000000000 --audit-rate 4e-6");
        assert_eq!((same.rehearsal, same.changes.len()), (vec![], 0));
        assert_eq!(plan("--no-gate").rehearsal, [RehearsalReason::NoGate]);
    }

    #[test]
    fn each_flag_changes_its_constant_and_says_so() {
        for flag in [
            "--threads 3",
            "--max-bytes 60000",
            "--audit-rate 0.5",
            "--time-limit 7",
            "--device cuda",
        ] {
            let plan = plan(flag, Recipe::demo()).unwrap();
            assert_eq!(plan.rehearsal, [RehearsalReason::Flag], "{flag}");
            assert_ne!(plan.recipe, Recipe::demo(), "{flag}");
            assert!(!plan.changes.is_empty(), "{flag}");
        }
        let official = plan("--device cpu", Recipe::official()).unwrap();
        assert_eq!(official.rehearsal, [RehearsalReason::Flag]);
        assert_eq!(official.recipe.compute.gpu_memory_bytes, 0);
    }

    #[test]
    fn one_line_says_why_a_run_does_not_count() {
        let why = |flags, recipe: Recipe| {
            let plan = plan(flags, recipe).unwrap();
            let place = RunPlace::Under("runs".into());
            let request = EvalRequest {
                rehearsal: plan.rehearsal.clone(),
                ..EvalRequest::by_hand("bundle".into(), "corpus".into(), plan.recipe.clone(), place)
            };
            plan.words(&request.why_rehearsal())
        };
        let other = "the recipe is not the round's (by hand: `official`)";
        assert_eq!(why("", Recipe::demo()).as_deref(), Some(other));
        let all = why("--threads 3 --no-gate", Recipe::demo()).unwrap();
        assert_eq!(
            all,
            format!("{other}; `compute.threads` is 3 (recipe `demo`: 2); the static gate was skipped")
        );
        assert_eq!(
            why("--threads 3", Recipe::official()).as_deref(),
            Some("`compute.threads` is 3 (recipe `official`: 8)")
        );
        assert_eq!(why("", Recipe::official()), None);
    }

    #[test]
    fn a_value_out_of_range_is_refused_by_its_field() {
        for (flag, field) in [
            ("--threads 0", "compute.threads"),
            ("--max-bytes 0", "stream.max_bytes"),
            ("--max-bytes 51199", "stream.max_bytes"),
            ("--audit-rate 1.5", "audit.rate_per_byte"),
            ("--audit-rate NaN", "audit.rate_per_byte"),
            ("--time-limit 0", "budget.time_limit_seconds"),
        ] {
            assert!(
                plan(flag, Recipe::demo()).unwrap_err().detail.contains(field),
                "{flag}"
            );
        }
    }
}
