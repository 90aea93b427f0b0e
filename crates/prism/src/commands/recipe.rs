//! `prism recipe`: every constant that a score depends on, with what it means.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use prism_core::recipe::Recipe;
use serde::Serialize;

use super::CommandResult;
use crate::failure::Failure;
use crate::output::Output;
use crate::recipes::{self, Explained};

/// `prism recipe ...`
#[derive(Debug, Subcommand)]
pub(crate) enum RecipeCommand {
    /// Show a recipe and explain every field
    Show(ShowArgs),
    /// Write a recipe to a file, to be changed
    Write(WriteArgs),
}

/// Arguments of `prism recipe show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// `demo`, `official` or the path of a file
    #[arg(default_value = recipes::DEFAULT, value_name = "NAME|FILE")]
    recipe: String,
}

/// Arguments of `prism recipe write`.
#[derive(Debug, Args)]
pub(crate) struct WriteArgs {
    /// The new file; one that exists is not overwritten
    #[arg(value_name = "FILE")]
    out: PathBuf,
    /// What to start from: `demo`, `official` or the path of a file
    #[arg(long, default_value = recipes::DEFAULT, value_name = "NAME|FILE")]
    from: String,
}

/// What `recipe show` prints.
#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    version: u32,
    sha256: String,
    fields: Vec<Explained>,
}

pub(crate) fn run(command: &RecipeCommand, output: Output) -> CommandResult {
    match command {
        RecipeCommand::Show(args) => show(args, output),
        RecipeCommand::Write(args) => write(args, output),
    }
}

fn head(recipe: &Recipe) -> String {
    format!(
        "# Recipe `{}`, version {}\n# sha256 {}\n\n",
        recipe.name,
        recipe.version,
        recipe.sha256()
    )
}

fn show(args: &ShowArgs, output: Output) -> CommandResult {
    let recipe = recipes::load(&args.recipe)?;
    let shown = Shown {
        name: &recipe.name,
        version: recipe.version,
        sha256: recipe.sha256().to_string(),
        fields: recipes::fields(&recipe),
    };
    output.result(&shown, || {
        crate::show::text(&(head(&recipe) + &recipes::explained_toml(&recipe)))
    })
}

fn write(args: &WriteArgs, output: Output) -> CommandResult {
    let recipe = recipes::load(&args.from)?;
    let text = recipes::explained_toml(&recipe);
    let shown = args.out.display();
    std::fs::File::create_new(&args.out)
        .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
        .map_err(|error| {
            Failure::usage("recipe_write", &format!("cannot write {shown}: {error}"))
                .hint("choose a new file")
        })?;
    output.result(&serde_json::json!({ "recipe": shown.to_string() }), || {
        format!("{shown}\n\nRuns under a changed recipe are rehearsals: `prism eval BUNDLE --data DIR --recipe {shown}`\n")
    })
}
