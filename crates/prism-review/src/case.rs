//! What is reviewed: the Python files of a bundle in two forms, and what was found of it before.

use std::fmt::Write as _;

use prism_bundle::Bundle;
use prism_core::escape::is_harmful;
use prism_core::hash::Sha256Hash;
use prism_gate::bare::{FileViews, views};
use prism_gate::{GateError, Report};

/// Findings of the gate that the model is told.
const GATE_FACTS_MAX: usize = 20;

/// Which form of the files a call reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum View {
    /// Without words about the code.
    Bare,
    /// As submitted.
    Full,
}

/// A line as the model sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its text, with characters that show otherwise than they are written out.
    pub text: String,
    /// Whether a violation may be quoted from it.
    pub is_code: bool,
    /// The line of the submitted file, from 1; `None` for one that was planted.
    pub original: Option<u32>,
    /// Whether a statement may be planted before it.
    pub may_plant: bool,
}

/// A file as the model sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path in this view.
    pub path: String,
    /// Its path in the bundle.
    pub original: String,
    /// What the harness imports it as.
    pub entry_point: Option<&'static str>,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// Everything that a review is about.
#[derive(Clone, Debug)]
pub struct Case {
    /// The bundle.
    pub bundle_sha256: Sha256Hash,
    /// What gate and similarity found, a line each.
    pub facts: Vec<String>,
    files: Vec<FileViews>,
}

impl Case {
    /// Of a bundle that the gate has passed with this report. `facts` are what else is known; no text of the submission may
    /// stand in them.
    pub fn new(bundle: &Bundle, report: &Report, facts: &[String]) -> Result<Self, GateError> {
        let files = views(bundle)?;
        let mut all = vec![
            "static gate: passed; it found no import, call or attribute that is refused".to_owned(),
            "the model was not built and nothing was run before this review".to_owned(),
        ];
        // A warning's own words may quote names of the submission.
        all.extend(report.findings.iter().take(GATE_FACTS_MAX).map(|finding| {
            let number = files.iter().position(|file| file.path == finding.file);
            let place = number.map_or_else(String::new, |number| format!(" in file {}", number + 1));
            format!(
                "static gate: {} {} ({}){place}",
                finding.severity.as_str(),
                finding.rule.code,
                finding.rule.title(),
            )
        }));
        all.extend(facts.iter().cloned());
        Ok(Self {
            bundle_sha256: bundle.hash(),
            facts: all,
            files,
        })
    }

    /// The files in a view, entry points first.
    pub fn files(&self, view: View) -> Vec<File> {
        self.files
            .iter()
            .map(|file| match view {
                View::Full => File {
                    path: file.path.clone(),
                    original: file.path.clone(),
                    entry_point: file.entry_point,
                    lines: (1..)
                        .zip(&file.lines)
                        .map(|(number, line)| Line {
                            text: shown(&line.text),
                            is_code: line.is_code,
                            original: Some(number),
                            may_plant: false,
                        })
                        .collect(),
                },
                View::Bare => File {
                    path: file.bare_path.clone(),
                    original: file.path.clone(),
                    entry_point: file.entry_point,
                    lines: file
                        .bare
                        .iter()
                        .map(|line| Line {
                            text: shown(&line.text),
                            is_code: line.text.trim() != "pass",
                            original: Some(line.original),
                            may_plant: line.begins_statement,
                        })
                        .collect(),
                },
            })
            .collect()
    }

    /// The submitted line, for its author.
    pub fn original(&self, path: &str, line: u32) -> Option<String> {
        let file = self.files.iter().find(|file| file.path == path)?;
        let line = file.lines.get(usize::try_from(line).ok()?.checked_sub(1)?)?;
        Some(shown(&line.text))
    }

    /// Bytes of source in the submitted files.
    pub fn source_bytes(&self) -> usize {
        let lines = self.files.iter().flat_map(|file| &file.lines);
        lines.map(|line| line.text.len() + 1).sum()
    }
}

/// A line with everything written out that would not show as what it is: controls, marks of direction, what has no width.
fn shown(line: &str) -> String {
    if line
        .bytes()
        .all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))
    {
        return line.to_owned();
    }
    let mut out = String::with_capacity(line.len());
    for character in line.chars() {
        if character != '\t' && is_harmful(character) {
            let _ = write!(out, "<U+{:04X}>", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_written_out() {
        assert_eq!(shown("x = 1\t# ok"), "x = 1\t# ok");
        assert_eq!(shown("a\u{202e}b\u{200b}\u{7}é"), "a<U+202E>b<U+200B><U+0007>é");
        assert_eq!(shown("\u{e0041}"), "<U+E0041>");
    }
}
