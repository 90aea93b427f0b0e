//! `prism config check`: every setting of the service, its value and where it came from. Secrets are not shown.

use clap::Subcommand;
use prism_service::config::{self, KEYS, Origin};
use serde_json::json;

use super::CommandResult;
use super::operate::{self, PlaceArgs};
use crate::output::Output;
use crate::show::{self};

/// Subcommands of `prism config`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show every setting, its value and where it came from
    Check {
        #[command(flatten)]
        place: PlaceArgs,
    },
}

pub(crate) fn run(command: &ConfigCommand, output: Output) -> CommandResult {
    let ConfigCommand::Check { place } = command;
    let settings = place.settings()?;
    let checked = place.checked()?;
    let token = config::token(&operate::variable)?;
    let token = token.map(|(_, origin)| origin);
    let reviewer = operate::access(&checked)?.map(|(_, origin)| origin);
    let value = json!({
        "settings": settings,
        "dir": checked.dir,
        "token": { "set": token.is_some(), "from": token },
        "reviewer_key": { "set": reviewer.is_ok(), "from": reviewer.as_ref().ok(), "missing": reviewer.as_ref().err() },
    });
    output.result(&value, || {
        let mut rows: Vec<Vec<String>> = KEYS
            .iter()
            .filter_map(|key| {
                let value = settings.values().get(key.name)?;
                let origin = match &value.origin {
                    Origin::Default => "default".to_owned(),
                    Origin::File => "file".to_owned(),
                    Origin::Variable(name) => name.clone(),
                    Origin::Flag => "flag".to_owned(),
                };
                Some(vec![key.name.to_owned(), show::line(&value.value), origin])
            })
            .collect();
        let (shown, origin) = match &token {
            Some(origin) => ("(set)", show::line(origin)),
            None => ("(none)", "default".to_owned()),
        };
        rows.push(vec!["token".to_owned(), shown.to_owned(), origin]);
        rows.push(match &reviewer {
            Ok(origin) => vec![
                "reviewer's key".to_owned(),
                "(set)".to_owned(),
                show::line(origin),
            ],
            Err(why) => vec!["reviewer's key".to_owned(), "(none)".to_owned(), show::line(why)],
        });
        show::table(&show::head("setting|value|from"), &rows)
    })
}
