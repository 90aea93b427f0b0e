//! `prism appeal`: what the reviewer charges one's own submission with, and the appeal against that, once.

use clap::Args;
use prism_client::owner::Reviewed;
use prism_client::wire::Id;

use super::CommandResult;
use super::remote::keys::KeyArgs;
use super::remote::{self, ServiceArgs, shown};
use crate::failure::Exit;
use crate::output::Output;
use crate::show;

/// Arguments of `prism appeal`.
#[derive(Debug, Args)]
pub(crate) struct AppealArgs {
    /// The id of the submission; only its owner sees its review and appeals
    #[arg(value_name = "ID")]
    id: String,
    /// Why the reviewer is wrong, for the person who decides; without it the charges are shown
    #[arg(long, value_name = "WORDS")]
    text: Option<String>,
    #[command(flatten)]
    service: ServiceArgs,
    #[command(flatten)]
    key: KeyArgs,
}

pub(crate) fn run(args: &AppealArgs, output: Output) -> CommandResult {
    let client = args.service.client()?;
    let id = Id::parse(&args.id)?;
    let key = args.key.load(output)?;
    if let Some(text) = &args.text {
        let again = &mut remote::again(output);
        let got = client.appeal(&key, &id, text, remote::now_seconds(), again)?;
        return output.result(&got.raw, || shown::text(&got.value));
    }
    let got = client.review(&key, &id, remote::now_seconds())?;
    output.result(&got.raw, || told(&got.value))?;
    if got.value.may_appeal {
        output.note("note: if that is wrong, say why, once: `prism appeal ID --text WORDS`");
    }
    Ok(Exit::Ok)
}

fn told(reviewed: &Reviewed) -> String {
    let mut lines = vec![format!(
        "review {}, model {}: {}",
        show::line(&reviewed.mode),
        show::line(reviewed.model.as_deref().unwrap_or("none")),
        show::line(reviewed.verdict.as_deref().unwrap_or("no verdict yet"))
    )];
    for charge in &reviewed.charges {
        lines.push(format!(
            "{}:{}: {} {}",
            show::line(&charge.path),
            charge.line,
            show::line(&charge.rule),
            show::line(charge.title.as_deref().unwrap_or_default())
        ));
        lines.push(format!("  | {}", show::line(&charge.quote)));
        lines.push(format!("  = {}", show::line(&charge.why)));
    }
    if let Some(at) = &reviewed.appealed_at {
        lines.push(format!("appealed at {}", show::line(at)));
    }
    lines.join("\n")
}
