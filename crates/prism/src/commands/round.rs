//! `prism round`: open, close, list, show, reveal, noise. Asks the service that runs.

use std::path::PathBuf;

use clap::Subcommand;
use prism_bundle::{Bundle, pack};
use prism_core::advice::Advice;
use prism_scratch::{Purpose, Scratch};
use prism_service::{Operation, RoundSpec};
use serde_json::Value;

use super::CommandResult;
use super::operate::{PlaceArgs, absolute, shown};
use crate::failure::Failure;
use crate::output::Output;
use crate::recipes;

/// Subcommands of `prism round`.
#[derive(Debug, Subcommand)]
pub(crate) enum RoundCommand {
    /// Open a round: from now on submissions go to it
    Open {
        /// What people call it
        #[arg(long)]
        name: String,
        /// The constants: a built-in recipe or the path of a file
        #[arg(long, value_name = "NAME|FILE")]
        recipe: String,
        /// A locked corpus on this machine
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// How ranks become weights, as `rank-geometric(ratio=0.5, top=20)`
        #[arg(long)]
        policy: Option<String>,
        /// Scored runs that a hotkey may have in a day
        #[arg(long, default_value_t = 4, value_name = "N")]
        scored_runs: u32,
        /// Uploads that a hotkey may have in a day
        #[arg(long, default_value_t = 40, value_name = "N")]
        uploads: u32,
        /// The bundle that the noise floor is measured with: a directory or a zip
        #[arg(long, value_name = "BUNDLE")]
        reference: Option<PathBuf>,
        /// Publish the sources when the round closes
        #[arg(long)]
        publish_sources: bool,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Close a round: what still waits ends with it, free, and its secrets may be revealed
    Close {
        /// Its name or id
        #[arg(value_name = "ROUND")]
        round: String,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// List the rounds
    List {
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Show one round
    Show {
        /// Its name or id
        #[arg(value_name = "ROUND")]
        round: String,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Show the seed of a round that has closed, so that anybody can check its commitment
    Reveal {
        /// Its name or id
        #[arg(value_name = "ROUND")]
        round: String,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Measure the round's reference bundle under fresh seeds: how far scores scatter
    Noise {
        /// How many runs
        #[arg(long, default_value_t = 5, value_name = "N")]
        seeds: u32,
        #[command(flatten)]
        place: PlaceArgs,
    },
}

pub(crate) fn run(command: RoundCommand, output: Output) -> CommandResult {
    // Of a reference that is a directory: gone when the service has read it.
    let mut temp = None;
    let (place, operation) = match command {
        RoundCommand::Open {
            name,
            recipe,
            data,
            policy,
            scored_runs,
            uploads,
            reference,
            publish_sources,
            place,
        } => {
            let recipe = recipes::load(&recipe).map_err(Failure::recipe_invalid)?;
            let data = absolute(&data)?;
            let reference = match reference {
                Some(path) => Some(zipped(&path, &mut temp)?),
                None => None,
            };
            let spec = RoundSpec {
                name,
                recipe_toml: recipe.to_toml(),
                corpus: data,
                policy,
                scored_runs_per_day: scored_runs,
                uploads_per_day: uploads,
                reference,
                publish_sources,
            };
            (place, Operation::RoundOpen(spec))
        }
        RoundCommand::Close { round, place } => (place, Operation::RoundClose { round }),
        RoundCommand::List { place } => (place, Operation::RoundList),
        RoundCommand::Show { round, place } => return show(&round, &place, output),
        RoundCommand::Reveal { round, place } => (place, Operation::RoundReveal { round }),
        RoundCommand::Noise { seeds, place } => (place, Operation::RoundNoise { seeds }),
    };
    let answer = place.ask(&operation)?;
    drop(temp);
    output.result(&answer, || shown(&answer))
}

fn show(round: &str, place: &PlaceArgs, output: Output) -> CommandResult {
    let answer = place.ask(&Operation::RoundList)?;
    let found = answer["rounds"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|found| found["name"] == round || found["id"] == round)
        .cloned();
    let found: Value = found.ok_or_else(|| {
        Failure::usage(
            "no_round",
            &format!("there is no round `{}`", crate::show::line(round)),
        )
        .hint("see `prism round list`")
    })?;
    output.result(&found, || shown(&found))
}

/// The path of a zip that the service can read.
fn zipped(path: &std::path::Path, temp: &mut Option<Scratch>) -> Result<PathBuf, Failure> {
    if !path.is_dir() {
        return absolute(path);
    }
    let invalid = |error: &dyn Advice| Failure::usage("bundle_invalid", error).about("the reference bundle");
    let entries = pack::read_dir(path).map_err(|error| invalid(&error))?;
    let bundle = Bundle::from_entries(entries).map_err(|error| invalid(&error))?;
    let place = Scratch::new(&std::env::temp_dir(), Purpose::Demo)
        .map_err(|error| Failure::machine("storage", &error))?;
    let file = place.path().join("reference.zip");
    std::fs::write(&file, bundle.to_zip()).map_err(|error| Failure::machine("storage", &error))?;
    *temp = Some(place);
    Ok(file)
}
