//! `prism data fetch`: the files of a dataset from the Hub.

use std::num::NonZero;
use std::path::PathBuf;

use clap::Args;
use prism_corpus::hub::{ENDPOINT, FetchOptions, Fetched, HubError, Patience, fetch};
use serde::Serialize;
use zeroize::Zeroizing;

use super::super::CommandResult;
use super::size;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::{limits, show, signals};

/// What one request asks for.
const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;

/// Arguments of `prism data fetch`.
#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    /// Owner and name of the dataset
    #[arg(long, default_value = "HuggingFaceFW/fineweb-edu", value_name = "NAME")]
    dataset: String,
    /// Which part of it, by the name on its card or by its folder
    #[arg(long, default_value = "sample-10BT", value_name = "NAME")]
    config: String,
    /// A commit; of a branch or tag the commit is looked up once and noted
    #[arg(long, default_value = "main", value_name = "COMMIT")]
    revision: String,
    /// How much text is wanted, unpacked, as `1GB`; whole files are fetched
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    bytes: u64,
    /// The column that holds the text
    #[arg(long, default_value = "text", value_name = "FIELD")]
    text_field: String,
    /// Connections at a time
    #[arg(long, default_value = "8", value_name = "N")]
    connections: NonZero<usize>,
    /// Where the files go; a fetch that was interrupted goes on there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// What is printed.
#[derive(Serialize)]
struct Shown<'f> {
    dir: String,
    #[serde(flatten)]
    fetched: &'f Fetched,
}

pub(super) fn run(args: &FetchArgs, output: Output) -> CommandResult {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let options = FetchOptions {
        endpoint: set("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned()),
        token: set("HF_TOKEN").map(|token| Zeroizing::new(token.trim().to_owned())),
        dataset: args.dataset.clone(),
        config: args.config.clone(),
        revision: args.revision.clone(),
        text_bytes: args.bytes,
        text_field: args.text_field.clone(),
        connections: args
            .connections
            .min(NonZero::new(64).unwrap_or(NonZero::<usize>::MIN)),
        segment_bytes: SEGMENT_BYTES,
        patience: Patience::default(),
    };
    limits::for_data()?;
    let stop = signals::stop_flag()?;
    let mut bar = Progress::bytes(output, "fetching");
    let mut file = String::new();
    let fetched = fetch(&options, &args.out, &mut |at| {
        if file != at.path {
            at.path.clone_into(&mut file);
            bar.message(show::line(at.path));
        }
        bar.set(at.file_done_bytes, at.file_bytes);
        signals::flow(&stop)
    })
    .map_err(|error| failure(&error))?;
    drop(bar);
    let shown = Shown {
        dir: args.out.display().to_string(),
        fetched: &fetched,
    };
    output.result(&shown, || {
        let packed_bytes = fetched.files.iter().map(|file| file.bytes).sum();
        show::pairs(&[
            ("fetched", shown.dir.clone()),
            (
                "dataset",
                format!("{} {}", show::line(&fetched.dataset), show::line(&fetched.config)),
            ),
            ("commit", fetched.commit.clone()),
            (
                "files",
                format!(
                    "{}, {} bytes",
                    show::count(fetched.files.len() as u64, "file", "files"),
                    show::grouped(packed_bytes)
                ),
            ),
            (
                "text",
                format!("about {} bytes", show::grouped(fetched.text_bytes)),
            ),
        ])
    })
}

fn failure(error: &HubError) -> Failure {
    match error {
        HubError::Cancelled => Failure::submission("cancelled", error),
        HubError::Io { .. } => Failure::machine("storage", error),
        HubError::Unreachable { .. } | HubError::Status { .. } | HubError::Busy { .. } => {
            Failure::machine("hub_unreachable", error)
        }
        _ => Failure::usage("data_fetch", error),
    }
}
