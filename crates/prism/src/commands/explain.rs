//! `prism explain`: the page of a rule, or the list of all.
//!
//! The pages are the comments at the top of the rules' source files; nothing is written here twice.

use clap::Args;
use prism_gate::{Rule, libraries, render};
use prism_review::rules::{self as review, Weight};
use serde::Serialize;

use super::CommandResult;
use crate::failure::Failure;
use crate::output::Output;
use crate::show::{self};

/// Arguments of `prism explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The rule: its code (`PRS102`, `PRR103`) or its name (`prism:no-network`); or `libraries`, or a module (`torch.nn`): what
    /// may be used of it
    #[arg(value_name = "RULE", required_unless_present = "all")]
    rule: Option<String>,
    /// List all rules, a line each
    #[arg(long, conflicts_with = "rule")]
    all: bool,
}

/// A rule as programs read it.
#[derive(Serialize)]
struct Explained {
    code: &'static str,
    id: &'static str,
    title: &'static str,
    severity: &'static str,
    since: &'static str,
    page: String,
}

impl From<&'static Rule> for Explained {
    fn from(rule: &'static Rule) -> Self {
        Self {
            code: rule.code,
            id: rule.id,
            title: rule.title(),
            severity: rule.severity.as_str(),
            since: rule.since,
            page: rule.page(),
        }
    }
}

impl From<&'static review::Rule> for Explained {
    fn from(rule: &'static review::Rule) -> Self {
        Self {
            code: rule.code,
            id: rule.id,
            title: rule.title(),
            severity: match rule.weight {
                Weight::Severe => "severe",
                Weight::Ordinary => "ordinary",
            },
            since: rule.since,
            page: rule.page().to_owned(),
        }
    }
}

pub(crate) fn run(args: &ExplainArgs, output: Output) -> CommandResult {
    let Some(name) = &args.rule else {
        let rules: Vec<_> = prism_gate::list()
            .map(Explained::from)
            .chain(review::ALL.iter().map(Explained::from))
            .collect();
        return output.result(&rules, || list(&rules));
    };
    if let Some(rule) = review::find(name) {
        let explained = Explained::from(rule);
        return output.result(&explained, || rule.shown());
    }
    if name == "libraries" {
        let modules: Vec<_> = libraries::modules()
            .into_iter()
            .map(|module| module.name)
            .collect();
        return output.result(&modules, || may_be_imported(&modules));
    }
    if let Some(names) = libraries::names(name) {
        return output.result(&names, || may_be_used(name, &names));
    }
    let rule = prism_gate::find(name).ok_or_else(|| {
        let text = format!("there is no rule `{}`", show::line(name));
        Failure::usage("no_such_rule", &text).hint("see `prism explain --all`")
    })?;
    output.result(&Explained::from(rule), || render::page(rule))
}

fn may_be_imported(modules: &[&str]) -> String {
    format!(
        "# What you may use\n\nA bundle may import these modules, and of each what it documents: `prism explain torch.nn` lists the names.\n         Attributes of objects are free if a library documents them or your bundle defines them (`prism explain PRS116`).\n\n{}\n",
        modules.join("\n")
    )
}

fn may_be_used(module: &str, names: &[&str]) -> String {
    format!("# What you may use of `{module}`\n\n{}\n", names.join("\n"))
}

fn list(rules: &[Explained]) -> String {
    let rows: Vec<_> = rules
        .iter()
        .map(|rule| {
            [rule.code, rule.id, rule.severity, rule.title]
                .map(str::to_owned)
                .into()
        })
        .collect();
    let head = show::head("code|name|weight|what it is about");
    show::table(&head, &rows)
}
