//! `prism review eval`: a corpus of hostile and honest bundles, read by the configured model.
//!
//! Prints what was counted and claims nothing else. A hostile bundle that is held is not run either, so that both are shown.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use prism_review::Client;
use prism_review::decision::{Outcome, Purpose, ReviewVerdict};
use prism_review::judge::Vote;
use prism_review::run::Run;
use serde::{Deserialize, Serialize};

use crate::commands::CommandResult;
use crate::failure::Failure;
use crate::output::Output;
use crate::show::{self};

/// Largest `cases.toml`, in bytes.
const CASES_BYTES_MAX: u64 = 1024 * 1024;
/// The row of honest bundles.
const HONEST: &str = "honest";

/// A corpus.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    /// Folders of honest bundles, seen from the corpus.
    honest_folders: Vec<PathBuf>,
    /// Bundles in them that are not.
    honest_except: Vec<String>,
    /// Bundles under `hostile/` that must be rejected.
    hostile: Vec<Hostile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hostile {
    name: String,
    rule: String,
    #[allow(dead_code, reason = "for people")]
    tries: String,
}

/// What was counted of a rule, or of the honest bundles.
#[derive(Clone, Debug, Default, Serialize)]
struct Row {
    bundles: usize,
    rejected: usize,
    /// Of these, with a charge by the rule that the bundle breaks.
    by_its_rule: usize,
    held: usize,
    passed: usize,
    /// Reviews in which both readings voted, and those in which they voted alike.
    both_voted: usize,
    agreed: usize,
}

#[derive(Debug, Serialize)]
struct Report {
    model: String,
    second_model: String,
    rules_version: u32,
    rules: BTreeMap<String, Row>,
    calls: usize,
    no_votes: usize,
    planted: usize,
    planted_missed: usize,
    input_tokens: u64,
    output_tokens: u64,
    cost_usd: f64,
    seconds: f64,
    /// Not what was expected: the bundle and what it came to.
    surprises: Vec<(String, &'static str)>,
}

pub(super) fn run(client: &Client, corpus: &Path, limit: Option<usize>, output: Output) -> CommandResult {
    let cases = read(corpus)?;
    let limit = limit.unwrap_or(usize::MAX);
    let mut bundles: Vec<(String, String, PathBuf)> = cases
        .hostile
        .iter()
        .take(limit)
        .map(|case| {
            let path = corpus.join("hostile").join(&case.name);
            (case.rule.clone(), case.name.clone(), path)
        })
        .collect();
    bundles.extend(
        honest(corpus, &cases)?
            .into_iter()
            .take(limit)
            .map(|(name, path)| (HONEST.to_owned(), name, path)),
    );
    let mut report = Report {
        model: client.settings().model.clone(),
        second_model: client.settings().second_model.clone(),
        rules_version: prism_review::rules::VERSION,
        rules: BTreeMap::new(),
        calls: 0,
        no_votes: 0,
        planted: 0,
        planted_missed: 0,
        input_tokens: 0,
        output_tokens: 0,
        cost_usd: 0.0,
        seconds: 0.0,
        surprises: Vec::new(),
    };
    for (rule, name, path) in &bundles {
        let bundle = super::read(path)?;
        let case = super::case(&bundle)?.map_err(|code| {
            let text = format!("{}: the gate refuses it ({code})", show::line(name));
            Failure::usage("corpus_invalid", &text).hint("a case must pass the gate")
        })?;
        let reviewed = super::review(client, &case)?;
        let word = super::verdict_word(&reviewed);
        output.note(format_args!("{}: {word}", show::line(name)));
        report.add(rule, name, &reviewed);
    }
    output.result(&report, || report.told())
}

fn read(corpus: &Path) -> Result<Cases, Failure> {
    use std::io::Read as _;
    let path = corpus.join("cases.toml");
    let unreadable = |error: &dyn std::fmt::Display| {
        let text = format!("{}: {error}", path.display());
        Failure::usage("corpus_unreadable", &text)
    };
    let mut text = String::new();
    fs::File::open(&path)
        .and_then(|file| file.take(CASES_BYTES_MAX).read_to_string(&mut text))
        .map_err(|error| unreadable(&error))?;
    toml::from_str(&text).map_err(|error| unreadable(&error))
}

fn honest(corpus: &Path, cases: &Cases) -> Result<Vec<(String, PathBuf)>, Failure> {
    let mut found = Vec::new();
    for folder in &cases.honest_folders {
        let folder = corpus.join(folder);
        let entries = fs::read_dir(&folder).map_err(|error| {
            Failure::usage("corpus_unreadable", &format!("{}: {error}", folder.display()))
        })?;
        for entry in entries.flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() && !cases.honest_except.contains(&name) {
                found.push((name, path));
            }
        }
    }
    found.sort();
    Ok(found)
}

impl Report {
    fn add(&mut self, rule: &str, name: &str, run: &Run) {
        let row = self.rules.entry(rule.to_owned()).or_default();
        row.bundles += 1;
        match &run.verdict {
            Ok(ReviewVerdict::Passed) => row.passed += 1,
            Ok(ReviewVerdict::Rejected { charges }) => {
                row.rejected += 1;
                row.by_its_rule += usize::from(charges.iter().any(|charge| charge.rule == rule));
            }
            Ok(ReviewVerdict::Held { .. }) | Err(_) => row.held += 1,
        }
        let allows = |purpose: Purpose| {
            run.calls
                .iter()
                .filter(|(of, _)| *of == purpose)
                .find_map(|(_, called)| match &called.outcome {
                    Outcome::Vote(vote) => Some(*vote == Vote::Allow),
                    Outcome::NoVote { .. } | Outcome::Unreachable { .. } | Outcome::Setup { .. } => None,
                })
        };
        if let (Some(bare), Some(full)) = (allows(Purpose::Bare), allows(Purpose::Full)) {
            row.both_voted += 1;
            row.agreed += usize::from(bare == full);
        }
        let expected = if rule == HONEST { "passed" } else { "rejected" };
        let word = super::verdict_word(run);
        if word != expected {
            self.surprises.push((name.to_owned(), word));
        }
        for (_, called) in &run.calls {
            self.calls += 1;
            self.no_votes += usize::from(matches!(called.outcome, Outcome::NoVote { .. }));
            self.planted += usize::from(called.planted);
            self.planted_missed += usize::from(matches!(
                called.outcome,
                Outcome::NoVote {
                    why: prism_review::judge::NoVote::PlantMissed
                }
            ));
            self.input_tokens += called.usage.input_tokens.unwrap_or(0);
            self.output_tokens += called.usage.output_tokens.unwrap_or(0);
            self.cost_usd += called.cost_usd;
            self.seconds += called.seconds;
        }
    }

    fn told(&self) -> String {
        let head = show::head("rule|bundles>|rejected>|by its rule>|held>|passed>|readings agree>");
        let rows: Vec<Vec<String>> = self
            .rules
            .iter()
            .map(|(rule, row)| {
                vec![
                    show::line(rule),
                    row.bundles.to_string(),
                    row.rejected.to_string(),
                    row.by_its_rule.to_string(),
                    row.held.to_string(),
                    row.passed.to_string(),
                    format!("{} of {}", row.agreed, row.both_voted),
                ]
            })
            .collect();
        let mut text = show::table(&head, &rows);
        let _ = write!(
            text,
            "\n{} by {}: {} calls, {} without a vote, {} of {} planted violations missed, {} + {} tokens, {:.2} USD, {:.0} s",
            show::count(
                self.rules.values().map(|row| row.bundles as u64).sum(),
                "bundle",
                "bundles"
            ),
            show::line(&self.model),
            self.calls,
            self.no_votes,
            self.planted_missed,
            self.planted,
            self.input_tokens,
            self.output_tokens,
            self.cost_usd,
            self.seconds
        );
        for (name, word) in &self.surprises {
            let _ = write!(text, "\n{word}: {}", show::line(name));
        }
        text
    }
}
