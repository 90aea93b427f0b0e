//! `prism review`: what the reviewer says of a bundle, as a service would hear it before a run.
//!
//! A miner's rehearsal with an endpoint of their own, and the operator's check of a set-up. The static gate comes first, as in a
//! service: nothing is asked about a bundle that it refuses.

mod eval;
mod sarif;

use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use prism_bundle::{Bundle, pack};
use prism_core::hash::Sha256Hash;
use prism_gate::Options;
use prism_review::decision::{Held, Outcome, Purpose, ReviewVerdict};
use prism_review::run::{self, Run};
use prism_review::{Called, Case, Client, Structured};
use prism_service::config::Config;
use serde_json::{Value, json};

use super::CommandResult;
use super::operate::{self, PlaceArgs};
use crate::cli::Format;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::show;

/// Arguments of `prism review`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "The key comes from PRISM_REVIEW_API_KEY, OPENROUTER_API_KEY or the file that `review.key_file` names. Formats: `text`, \
`json` and `sarif`. Exit codes: 0 it passes, 1 it is rejected or a person would have to decide, 2 usage, 3 the endpoint cannot be asked."
)]
pub(crate) struct ReviewArgs {
    #[command(subcommand)]
    command: Option<ReviewCommand>,
    /// The bundle: a directory or a `.zip` with `architecture.py` and `training.py`
    #[arg(value_name = "BUNDLE", required = true)]
    bundle: Option<PathBuf>,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

/// Subcommands of `prism review`.
#[derive(Debug, Subcommand)]
enum ReviewCommand {
    /// Read a whole corpus and count: detections, false alarms, agreement of the two readings, cost and seconds
    Eval {
        /// A directory with `cases.toml`
        #[arg(long, value_name = "DIR", default_value = "redteam/review")]
        corpus: PathBuf,
        /// Read so many of each kind at most
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
        #[command(flatten)]
        endpoint: EndpointArgs,
    },
}

/// Whom to ask.
#[derive(Debug, Args)]
struct EndpointArgs {
    /// An OpenAI-compatible endpoint, instead of the configured one
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// The model that reads
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// The model that must try to refute what is charged; the same where it is left out
    #[arg(long, value_name = "MODEL")]
    second_model: Option<String>,
    /// How the form of the answer is asked for
    #[arg(long, value_enum, value_name = "HOW")]
    structured: Option<StructuredArg>,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StructuredArg {
    /// By a JSON schema
    Schema,
    /// By one tool that must be called
    Tool,
}

impl From<StructuredArg> for Structured {
    fn from(arg: StructuredArg) -> Self {
        match arg {
            StructuredArg::Schema => Self::Schema,
            StructuredArg::Tool => Self::Tool,
        }
    }
}

impl EndpointArgs {
    fn client(&self) -> Result<Client, Failure> {
        let mut settings = self.place.settings()?;
        if let Some(url) = &self.base_url {
            settings.set("review.base_url", url.clone());
        }
        if let Some(model) = &self.model {
            settings.set("review.model", model.clone());
            settings.set(
                "review.second_model",
                self.second_model.clone().unwrap_or_default(),
            );
        } else if let Some(second) = &self.second_model {
            settings.set("review.second_model", second.clone());
        }
        let config: Config = settings.checked()?;
        let variable = |name: &str| {
            // What was typed goes before the gateway of BASE.
            let is_gateway = matches!(name, "PRISM_LLM_GATEWAY_URL" | "BASE_LLM_GATEWAY_URL");
            operate::variable(name).filter(|_| self.base_url.is_none() || !is_gateway)
        };
        let access = prism_service::config::access(&config.reviewer, &variable)?;
        let (access, _) = access.map_err(|why| Failure::usage("review_absent", &why))?;
        let mut wanted = config.reviewer.settings;
        if let Some(structured) = self.structured {
            wanted.structured = structured.into();
        }
        Ok(Client::new(access, wanted))
    }
}

pub(crate) fn run(args: &ReviewArgs, output: Output) -> CommandResult {
    match (&args.command, &args.bundle) {
        (
            Some(ReviewCommand::Eval {
                corpus,
                limit,
                endpoint,
            }),
            _,
        ) => {
            let client = endpoint.client()?;
            eval::run(&client, corpus, *limit, output)
        }
        (None, Some(path)) => one(path, &args.endpoint, output),
        (None, None) => Err(Failure::usage("usage", &"name a bundle, or `eval`")),
    }
}

fn one(path: &Path, endpoint: &EndpointArgs, output: Output) -> CommandResult {
    let client = endpoint.client()?;
    let bundle = read(path)?;
    let case = match case(&bundle)? {
        Ok(case) => case,
        Err(code) => {
            let text = format!("the gate refuses the source ({code}), so that nobody would review it");
            let shown = show::line(&path.display().to_string());
            return Err(Failure::submission("gate_rejected", &text)
                .hint(format!("`prism check {shown}` says what and why")));
        }
    };
    let reviewed = review(&client, &case)?;
    let value = value(&client, &reviewed);
    if output.format() == Format::Sarif {
        crate::output::raw(&sarif::of(&reviewed, path).to_string())?;
    } else {
        output.result(&value, || told(&client, &reviewed))?;
    }
    Ok(match &reviewed.verdict {
        Ok(ReviewVerdict::Passed) => Exit::Ok,
        Ok(ReviewVerdict::Held {
            why: Held::Unreachable | Held::Setup { .. },
            ..
        }) => Exit::Machine,
        Ok(ReviewVerdict::Rejected { .. } | ReviewVerdict::Held { .. }) | Err(_) => Exit::Submission,
    })
}

/// The bundle at a path.
fn read(path: &Path) -> Result<Bundle, Failure> {
    let unreadable = |error: &prism_bundle::PackError| {
        let shown = show::line(&path.display().to_string());
        Failure::usage("bundle_unreadable", error).about(&format!("the bundle {shown} cannot be read"))
    };
    let invalid = |error: prism_bundle::BundleError| Failure::usage("bundle_invalid", &error);
    if path.is_dir() {
        let entries = pack::read_dir(path).map_err(|error| unreadable(&error))?;
        Bundle::from_entries(entries).map_err(invalid)
    } else {
        let bytes = pack::read_archive(path).map_err(|error| unreadable(&error))?;
        Bundle::from_zip(&bytes).map_err(invalid)
    }
}

/// What is to be reviewed, or the code of a rule of the gate that refuses it.
fn case(bundle: &Bundle) -> Result<Result<Case, &'static str>, Failure> {
    let gate = |error: prism_gate::GateError| Failure::machine("internal", &error.to_string());
    let report = prism_gate::check(bundle, &Options::default()).map_err(gate)?;
    if let Some(refused) = report
        .findings
        .iter()
        .find(|finding| finding.severity == prism_gate::Severity::Error)
    {
        return Ok(Err(refused.rule.code));
    }
    let facts = ["similarity: it was compared with nothing".to_owned()];
    Ok(Ok(Case::new(bundle, &report, &facts).map_err(gate)?))
}

fn review(client: &Client, case: &Case) -> Result<Run, Failure> {
    let mut failed = None;
    let mut random = || match prism_key::random::nonce() {
        Ok(nonce) => Sha256Hash::of(nonce.as_bytes()).0,
        Err(error) => {
            failed = Some(error);
            [0; 32]
        }
    };
    let reviewed = run::review(client, case, &mut random, &mut |seconds| {
        thread::sleep(Duration::from_secs(seconds));
    });
    match failed {
        Some(error) => Err(Failure::machine("random", &io::Error::other(error.to_string()))),
        None => Ok(reviewed),
    }
}

fn verdict_word(run: &Run) -> &'static str {
    match &run.verdict {
        Ok(ReviewVerdict::Passed) => "passed",
        Ok(ReviewVerdict::Rejected { .. }) => "rejected",
        Ok(ReviewVerdict::Held { .. }) | Err(_) => "held",
    }
}

fn why_held(run: &Run) -> Option<String> {
    match &run.verdict {
        Ok(ReviewVerdict::Passed | ReviewVerdict::Rejected { .. }) => None,
        Err(why) => Some(why.clone()),
        Ok(ReviewVerdict::Held { why, .. }) => Some(match why {
            Held::Disputed => "the bare code is rejected and the submitted one is not: the words around it change the verdict".to_owned(),
            Held::Refuted => "it was rejected, and the second reviewer did not let the charges stand".to_owned(),
            Held::NoVerdict => "two readings were no vote".to_owned(),
            Held::Unreachable => "the endpoint cannot be asked".to_owned(),
            Held::Setup { status } => format!("the endpoint answers {status}: look at base URL, model and key"),
        }),
    }
}

fn outcome_word(called: &Called) -> String {
    match &called.outcome {
        Outcome::Vote(vote) => match vote {
            prism_review::judge::Vote::Allow => "allow".to_owned(),
            prism_review::judge::Vote::Reject { charges } => format!("reject ({})", charges.len()),
            prism_review::judge::Vote::Stands { numbers } => format!("stands ({})", numbers.len()),
            prism_review::judge::Vote::Refuted => "refuted".to_owned(),
        },
        Outcome::NoVote { why } => format!("no vote: {}", why.as_str()),
        Outcome::Unreachable { why, .. } => why.sentence().to_owned(),
        Outcome::Setup { status } => format!("status {status}"),
    }
}

fn purpose_word(purpose: Purpose) -> &'static str {
    purpose.as_str()
}

fn value(client: &Client, run: &Run) -> Value {
    let calls: Vec<Value> = run
        .calls
        .iter()
        .map(|(purpose, called)| {
            json!({
                "purpose": purpose_word(*purpose), "outcome": outcome_word(called), "seconds": called.seconds,
                "cost_usd": called.cost_usd, "usage": called.usage, "planted": called.planted, "answer": called.raw,
            })
        })
        .collect();
    let charges = match &run.verdict {
        Ok(ReviewVerdict::Rejected { charges } | ReviewVerdict::Held { charges, .. }) => json!(charges),
        Ok(ReviewVerdict::Passed) | Err(_) => json!([]),
    };
    json!({
        "verdict": verdict_word(run), "why_held": why_held(run), "charges": charges, "calls": calls,
        "model": client.settings().model, "second_model": client.settings().second_model,
        "rules_version": prism_review::rules::VERSION,
        "cost_usd": run.calls.iter().map(|(_, called)| called.cost_usd).sum::<f64>(),
        "seconds": run.calls.iter().map(|(_, called)| called.seconds).sum::<f64>(),
    })
}

fn told(client: &Client, run: &Run) -> String {
    let mut lines = vec![format!(
        "{} by {}",
        verdict_word(run),
        show::line(&client.settings().model)
    )];
    lines.extend(why_held(run));
    if let Ok(ReviewVerdict::Rejected { charges } | ReviewVerdict::Held { charges, .. }) = &run.verdict {
        for charge in charges {
            let title = prism_review::rules::find(&charge.rule).map_or("", prism_review::rules::Rule::title);
            lines.push(format!(
                "{}:{}: {} {title}",
                show::line(&charge.path),
                charge.line,
                charge.rule
            ));
            lines.push(format!("  | {}", show::line(&charge.quote)));
            lines.push(format!("  = {}", show::line(&charge.why)));
        }
    }
    for (purpose, called) in &run.calls {
        lines.push(format!(
            "{}: {}, {:.1} s, {:.4} USD",
            purpose_word(*purpose),
            outcome_word(called),
            called.seconds,
            called.cost_usd
        ));
    }
    lines.join("\n")
}
