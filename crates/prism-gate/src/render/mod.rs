//! A report in the forms in which people and programs read it.
//!
//! Called by `prism check` and by a service. All pure: a report and the texts that it is about in, a string out. Nothing
//! here knows a terminal, and nothing of a submission comes out unescaped: every form says at its top which characters
//! mean something to its reader.

mod github;
mod human;
mod json;
mod page;
mod sarif;
mod text;

use std::borrow::Cow;
use std::collections::BTreeMap;

use prism_bundle::Bundle;

pub use github::github;
pub use human::human;
pub use json::json;
pub use page::page;
pub use sarif::sarif;

use crate::finding::{Finding, Report, Severity};

/// What was checked, as far as the forms tell it.
#[derive(Clone, Debug, Default)]
pub struct Subject<'a> {
    /// What stands before the path of a file where the reader's tools look for it: the bundle's directory and `/`, or
    /// nothing.
    pub prefix: String,
    /// The files, for the lines under a finding.
    pub texts: Texts<'a>,
    /// The hash of the bundle, if the files make one.
    pub bundle_sha256: Option<String>,
    /// The version of the program that checked.
    pub version: &'a str,
    /// What came of building the model.
    pub instantiation: Instantiation,
}

impl Subject<'_> {
    /// Where a finding's file lies for the reader; nothing where it is about the whole bundle.
    fn path(&self, finding: &Finding) -> Option<String> {
        (!finding.file.is_empty()).then(|| format!("{}{}", self.prefix, finding.file))
    }
}

/// What came of building the model once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Instantiation {
    /// The static gate had refused the bundle already.
    #[default]
    Skipped,
    /// Nobody wanted it. Then CPython's own compiler was not asked either.
    NotWanted,
    /// It was tried; its findings are among the others.
    Done {
        /// Parameters of the model, if it came so far.
        parameters: Option<u64>,
    },
    /// This machine could not.
    Unavailable {
        /// The stable reason.
        reason: String,
        /// What is missing.
        detail: String,
    },
}

/// The texts of a bundle's files.
#[derive(Clone, Debug, Default)]
pub struct Texts<'a>(BTreeMap<&'a str, Cow<'a, str>>);

impl<'a> Texts<'a> {
    /// Those of a bundle.
    pub fn of_bundle(bundle: &'a Bundle) -> Self {
        let texts = bundle.files().map(|(path, text)| (path.as_str(), text.into()));
        Self(texts.collect())
    }

    /// Those of files that do not make a bundle; what is no text is replaced.
    pub fn of_entries(entries: &'a [(String, Vec<u8>)]) -> Self {
        let texts = entries
            .iter()
            .map(|(path, content)| (path.as_str(), String::from_utf8_lossy(content)));
        Self(texts.collect())
    }

    fn get(&self, file: &str) -> Option<&str> {
        self.0.get(file).map(AsRef::as_ref)
    }

    /// How many of the files are Python.
    fn python_files(&self) -> usize {
        self.0
            .keys()
            .filter(|path| path.strip_suffix(".py").is_some())
            .count()
    }
}

/// Whether terminals' colours are written. The caller decides, who knows where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Text alone.
    Plain,
    /// With escape sequences for colours.
    Coloured,
}

/// `1 error`, `2 errors`.
fn counted(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// What is said where nothing was started: the gate's parser takes some files that CPython refuses.
const NOT_COMPILED: &str = "CPython's own compiler was not asked, and the model was not built";

/// The sentence at the end.
fn summary(report: &Report, subject: &Subject<'_>) -> String {
    let errors = report.count(Severity::Error);
    let warnings = report.count(Severity::Warning);
    let files = counted(subject.texts.python_files(), "Python file");
    let omitted = match report.omitted {
        0 => String::new(),
        more => format!("; {} not shown", counted(more, "finding")),
    };
    match (errors, warnings) {
        (0, 0) => format!("{files}: nothing to complain about{omitted}"),
        (0, _) => format!("{files}: {}, no errors{omitted}", counted(warnings, "warning")),
        (_, 0) => format!("{files}: {}{omitted}", counted(errors, "error")),
        _ => format!(
            "{files}: {}, {}{omitted}",
            counted(errors, "error"),
            counted(warnings, "warning")
        ),
    }
}

#[cfg(test)]
mod tests;
