//! `prism status`: how a submission stands, or how it goes on until it is over.

use clap::Args;
use prism_client::wire::Id;

use super::CommandResult;
use super::remote::{ServiceArgs, follow, shown};
use crate::output::Output;

/// Arguments of `prism status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// The id of the submission; `prism submit` prints it
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    service: ServiceArgs,
    /// Follow it to its end, over dropped connections and restarts of the service
    #[arg(long)]
    watch: bool,
}

pub(crate) fn run(args: &StatusArgs, output: Output) -> CommandResult {
    let client = args.service.client()?;
    let id = Id::parse(&args.id)?;
    // First once, also to watch: an address that is wrong is told at once and not waited for.
    let mut got = client.status(&id)?;
    if args.watch {
        if !got.value.is_over() {
            got = follow::to_its_end(&client, &id, output)?;
        }
        output.result(&got.raw, || shown::text(&got.value))?;
        return Ok(shown::exit(&got.value));
    }
    output.result(&got.raw, || shown::text(&got.value))
}
