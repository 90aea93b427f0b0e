//! How results and errors leave the process.
//!
//! Results go to stdout: text for people, or exactly one JSON object. Everything else goes to stderr. A reader that
//! has gone away is no error. Colours follow the terminal and `NO_COLOR`; text that a submission had a hand in must
//! pass through [`prism_core::escape::escape_for_terminal`] before it comes here.

use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;

use crate::cli::Format;
use crate::commands::CommandResult;
use crate::failure::{Exit, Failure};

/// The two streams of one command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    format: Format,
}

/// The error object of `--json`.
#[derive(Serialize)]
struct ErrorObject<'a> {
    error: &'a str,
    detail: &'a str,
    hint: Option<&'a str>,
}

impl Output {
    /// For a command that was asked for this format.
    pub(crate) fn new(format: Format) -> Self {
        Self { format }
    }

    /// What was asked for.
    pub(crate) fn format(self) -> Format {
        self.format
    }

    /// Whether a program reads the result.
    pub(crate) fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// Prints a result: `value` for programs, `text` for people. That alone is no failure of the command.
    pub(crate) fn result(self, value: &impl Serialize, text: impl FnOnce() -> String) -> CommandResult {
        if self.is_json() {
            let json = serde_json::to_string_pretty(value).map_err(|error| {
                Failure::machine("internal", &format!("cannot serialise the result: {error}"))
            })?;
            print(&mut io::stdout().lock(), &json)?;
        } else {
            print(&mut anstream::stdout().lock(), &text())?;
        }
        Ok(Exit::Ok)
    }

    /// Says something to people; a program is not bothered.
    pub(crate) fn note(self, text: impl Display) {
        if !self.is_json() {
            say(format_args!("{text}"));
        }
    }

    /// Prints a failure and returns its exit.
    pub(crate) fn failure(self, failure: &Failure) -> Exit {
        if self.is_json() {
            let object = ErrorObject {
                error: &failure.code,
                detail: &failure.detail,
                hint: failure.hint.as_deref(),
            };
            // An error that cannot be printed still has its exit code.
            let _ = self.result(&object, String::new);
        } else {
            say_error(&failure.detail, failure.hint.as_deref());
        }
        failure.exit
    }
}

/// Prints data that has only one form.
pub(crate) fn raw(text: &str) -> Result<(), Failure> {
    print(&mut io::stdout().lock(), text)
}

/// Prints text for people that may have colours in it; they are taken out where nobody would see them.
pub(crate) fn coloured(text: &str) -> Result<(), Failure> {
    print(&mut anstream::stdout().lock(), text)
}

/// Says something that must not be overlooked, whoever reads.
pub(crate) fn warn(text: impl Display) {
    let style = anstyle::Style::new()
        .bold()
        .fg_color(Some(anstyle::AnsiColor::Yellow.into()));
    say(format_args!("{style}warning:{style:#} {text}"));
}

/// Prints an error and its advice to stderr.
pub(crate) fn say_error(detail: &str, hint: Option<&str>) {
    let red = anstyle::Style::new()
        .bold()
        .fg_color(Some(anstyle::AnsiColor::Red.into()));
    let cyan = anstyle::Style::new()
        .bold()
        .fg_color(Some(anstyle::AnsiColor::Cyan.into()));
    // Names of files and words of libraries end up here: they may hold anything.
    let safe = prism_core::escape::escape_for_terminal;
    say(format_args!("{red}error:{red:#} {}", safe(detail)));
    if let Some(hint) = hint {
        say(format_args!("\n{cyan}hint:{cyan:#} {}", safe(hint)));
    }
}

/// A line to stderr. Nobody is told where stderr is gone: there is nobody to tell.
fn say(text: std::fmt::Arguments<'_>) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

fn print(out: &mut impl Write, text: &str) -> Result<(), Failure> {
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    match write!(out, "{text}{newline}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::machine(
            "stdout",
            &format!("cannot write to stdout: {error}"),
        )),
        _ => Ok(()),
    }
}
