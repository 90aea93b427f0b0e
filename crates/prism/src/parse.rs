//! From the words that were typed to a [`Cli`], or to an exit.
//!
//! Help and version go to stdout. An error of usage goes to stderr for people; a program that asked for JSON gets the
//! object that its command always prints, so that `eval --json` prints an outcome here too.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use prism_core::{advice::joined, outcome::Reason};
use prism_engine::outcome::Outcome;

use crate::cli::{Cli, Format};
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Parses, or prints what there is to print and says how to exit.
pub(crate) fn parse(arguments: &[OsString]) -> Result<Cli, ExitCode> {
    Cli::try_parse_from(arguments).map_err(|error| {
        let is_answer = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
        if is_answer || !wants_json(arguments) {
            // A closed stream is no error.
            let _ = error.print();
            return if is_answer {
                Exit::Ok.into()
            } else {
                Exit::Usage.into()
            };
        }
        usage_as_json(arguments, &error).into()
    })
}

fn usage_as_json(arguments: &[OsString], error: &clap::Error) -> Exit {
    let output = Output::new(Format::Json);
    let (detail, hint) = sentences(&error.to_string());
    if is_eval(arguments) {
        let outcome = Outcome::failed(Reason::Usage, joined(detail, hint.as_deref()));
        // The exit code says the rest if it cannot be printed.
        let _ = output.result(&outcome, String::new);
        return Exit::Usage;
    }
    let failure = Failure {
        exit: Exit::Usage,
        code: "usage".into(),
        detail,
        hint,
    };
    output.failure(&failure)
}

/// Clap's text as one sentence, and its advice.
fn sentences(text: &str) -> (String, Option<String>) {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut detail = lines.next().unwrap_or("the command line is not valid").to_owned();
    let mut hint = None;
    for line in lines {
        if let Some(tip) = line.strip_prefix("tip: ") {
            hint = Some(tip.to_owned());
        } else if line.starts_with("For more information") {
            hint.get_or_insert_with(|| "see `--help`".to_owned());
        } else if !line.starts_with("Usage:") {
            detail.push(' ');
            detail.push_str(line);
        }
    }
    (detail, hint)
}

/// Whether these words ask for JSON. Looked at only where clap gave up, so it must guess as clap would have read them.
fn wants_json(arguments: &[OsString]) -> bool {
    let words = options(arguments);
    words
        .iter()
        .any(|&word| word == "--json" || word == "--format=json")
        || words.windows(2).any(|pair| pair == ["--format", "json"])
}

fn is_eval(arguments: &[OsString]) -> bool {
    let words = options(arguments);
    let mut before = "";
    for &word in &words {
        if !word.starts_with('-') && before != "--format" {
            return word == "eval";
        }
        before = word;
    }
    false
}

/// The words before `--`, without the name of the program; what is not UTF-8 is no option of ours.
fn options(arguments: &[OsString]) -> Vec<&str> {
    arguments
        .iter()
        .skip(1)
        .map(|word| word.to_str().unwrap_or_default())
        .take_while(|&word| word != "--")
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn json_is_recognised_where_clap_gives_up() {
        assert!(wants_json(&words("prism eval --json --nonsense")));
        assert!(wants_json(&words("prism eval --format json")));
        assert!(wants_json(&words("prism --format=json eval")));
        assert!(!wants_json(&words("prism eval -- --json")));
        assert!(!wants_json(&words("prism eval --format text")));
        assert!(is_eval(&words("prism --format json eval x")));
        assert!(!is_eval(&words("prism --json runs eval")));
    }

    #[test]
    fn the_text_of_clap_becomes_a_sentence_and_advice() {
        let error = Cli::try_parse_from(words("prism eval x --daat y")).unwrap_err();
        let (detail, hint) = sentences(&error.to_string());
        assert_eq!(detail, "unexpected argument '--daat' found");
        assert_eq!(hint.as_deref(), Some("a similar argument exists: '--data'"));
    }
}
