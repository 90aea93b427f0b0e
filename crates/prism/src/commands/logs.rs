//! `prism logs`: what the run of one's own submission has printed.
//!
//! The text is the submission's. It is escaped for a terminal like everything of it; `--json` has it as it came.

use clap::Args;
use prism_client::Client;
use prism_client::wire::Id;
use prism_key::Keypair;
use serde_json::json;

use super::CommandResult;
use super::remote::keys::KeyArgs;
use super::remote::{self, ServiceArgs};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::show;

/// Parts that are read at most: the service keeps a bounded log.
const PARTS_MAX: usize = 1000;

/// Arguments of `prism logs`.
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// The id of the submission; only its owner reads its logs
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    service: ServiceArgs,
    #[command(flatten)]
    key: KeyArgs,
    /// Show the traceback that its run ended with instead
    #[arg(long)]
    traceback: bool,
}

pub(crate) fn run(args: &LogsArgs, output: Output) -> CommandResult {
    let client = args.service.client()?;
    let id = Id::parse(&args.id)?;
    let key = args.key.load(output)?;
    if args.traceback {
        let traceback = client.traceback(&key, &id, remote::now_seconds())?;
        return output.result(&json!({"traceback": traceback}), || match &traceback {
            Some(traceback) => show::text(traceback),
            None => "there is no traceback".to_owned(),
        });
    }
    let (text, is_cut) = read(&client, &key, &id)?;
    output.result(&json!({"text": text, "beginning_is_gone": is_cut}), || {
        show::text(&text)
    })?;
    if is_cut {
        output.note("note: older lines are gone: the service keeps the end of a long log");
    }
    Ok(Exit::Ok)
}

/// All that there is of a log, and whether its beginning is gone.
fn read(client: &Client, key: &Keypair, id: &Id) -> Result<(String, bool), Failure> {
    let mut text = String::new();
    let mut is_cut = false;
    let mut since = 0;
    for _ in 0..PARTS_MAX {
        let part = client.logs(key, id, Some(since), remote::now_seconds())?;
        is_cut |= part.since > since;
        text.push_str(&part.text);
        match part.next {
            Some(next) if next > since && !part.text.is_empty() => since = next,
            Some(_) | None => break,
        }
    }
    Ok((text, is_cut))
}
