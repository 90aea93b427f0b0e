//! `prism data commit` and `prism data reveal`: what is fixed about a corpus before a round, and its opening after it.

use std::path::PathBuf;

use clap::Args;
use prism_corpus::reveal::{Commitment, RevealError, commitment, reveal as reveal_corpus};
use serde::Serialize;

use super::super::CommandResult;
use super::{open, publish_failure};
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::{limits, show};

/// Arguments of `prism data commit`.
#[derive(Debug, Args)]
pub(crate) struct CommitArgs {
    /// A locked corpus
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// Arguments of `prism data reveal`.
#[derive(Debug, Args)]
pub(crate) struct RevealArgs {
    /// A corpus with a secret salt
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Where its copy for everybody goes: a new or empty directory
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// What is printed.
#[derive(Serialize)]
struct Shown {
    dir: String,
    #[serde(flatten)]
    commitment: Commitment,
}

/// Runs `prism data commit`.
pub(super) fn commit(args: &CommitArgs, output: Output) -> CommandResult {
    let corpus = open(&args.dir, output)?;
    shown(args.dir.display().to_string(), commitment(&corpus), output)
}

/// Runs `prism data reveal`.
pub(super) fn reveal(args: &RevealArgs, output: Output) -> CommandResult {
    limits::for_data()?;
    let progress = Progress::spinner(output, "revealing");
    let commitment = reveal_corpus(&args.dir, &args.out).map_err(|error| match &error {
        RevealError::Publish(inner) => publish_failure(inner, 0),
        RevealError::Salt(_) | RevealError::OtherSalt { .. } => Failure::usage("salt", &error),
        _ => Failure::usage("corpus_invalid", &error),
    })?;
    drop(progress);
    shown(args.out.display().to_string(), commitment, output)
}

fn shown(dir: String, commitment: Commitment, output: Output) -> CommandResult {
    let shown = Shown { dir, commitment };
    output.result(&shown, || {
        let Commitment {
            corpus_sha256,
            salt_sha256,
            stream_bytes,
            stream_documents,
        } = &shown.commitment;
        show::pairs(&[
            ("corpus", shown.dir.clone()),
            ("commitment", corpus_sha256.clone()),
            (
                "salt",
                salt_sha256
                    .as_ref()
                    .map_or_else(|| "public".to_owned(), |hash| format!("secret, SHA-256 {hash}")),
            ),
            (
                "stream",
                format!(
                    "{} bytes in {}",
                    show::grouped(*stream_bytes),
                    show::count(*stream_documents, "document", "documents")
                ),
            ),
        ])
    })
}
