//! `prism cancel`: stops one's own submission.

use clap::Args;
use prism_client::wire::Id;

use super::CommandResult;
use super::remote::keys::KeyArgs;
use super::remote::{self, ServiceArgs, shown};
use crate::output::Output;

/// Arguments of `prism cancel`.
#[derive(Debug, Args)]
pub(crate) struct CancelArgs {
    /// The id of the submission; only its owner cancels it
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    service: ServiceArgs,
    #[command(flatten)]
    key: KeyArgs,
}

pub(crate) fn run(args: &CancelArgs, output: Output) -> CommandResult {
    let client = args.service.client()?;
    let id = Id::parse(&args.id)?;
    let key = args.key.load(output)?;
    let got = client.cancel(&key, &id, remote::now_seconds(), &mut remote::again(output))?;
    output.result(&got.raw, || shown::text(&got.value))
}
