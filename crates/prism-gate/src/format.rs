//! From what is wrong with the files of a bundle to a finding with a place.
//!
//! A bundle that breaks a rule of its format never reaches the checker. Whoever shows findings comes here with the
//! error, so that a file that is not UTF-8 looks no different from one that does not parse. Pure.

use std::borrow::Cow;

use prism_bundle::{BundleError, ContentError, PackError, Shown};
use prism_core::advice::Advice;

use crate::finding::{Finding, Place, Severity};
use crate::rule::Rule;
use crate::rules;

/// The manifest, at the root of a bundle.
const MANIFEST_FILE: &str = "prism.yaml";

/// The finding that stands for an error of the bundle's format. `entries` are the files as far as they are known: they
/// give the line and column of a byte, and nothing else.
pub fn of_bundle_error(error: &BundleError, entries: &[(String, Vec<u8>)]) -> Finding {
    let (rule, file, place) = match error {
        BundleError::Content(content) => of_content(content, entries),
        BundleError::Manifest(manifest) => {
            let number = |value| u32::try_from(value).unwrap_or(u32::MAX);
            let place = Place::at(number(manifest.line), number(manifest.column));
            (&rules::contract::RULE, MANIFEST_FILE.to_owned(), place)
        }
        BundleError::ManifestMisnamed { path } => {
            let path = whole(path, entries).to_owned();
            (&rules::contract::RULE, path, Place::START)
        }
        BundleError::MissingEntrypoint { .. }
        | BundleError::SameEntrypoint { .. }
        | BundleError::MissingTokenizer
        | BundleError::UndeclaredTokenizer => {
            let declared = entries.iter().any(|(path, _)| path == MANIFEST_FILE);
            let file = if declared { MANIFEST_FILE } else { "" };
            (&rules::contract::RULE, file.to_owned(), Place::START)
        }
        BundleError::Path(_) => {
            // Such an error quotes the path; one that had to be escaped is nowhere to be found.
            let quoted = |path: &str| error.to_string().contains(&format!("`{path}`"));
            let named = entries.iter().find(|(path, _)| quoted(path));
            let file = named.map(|(path, _)| path.clone()).unwrap_or_default();
            (&rules::elsewhere::BUNDLE, file, Place::START)
        }
        _ => (&rules::elsewhere::BUNDLE, String::new(), Place::START),
    };
    let message = match error {
        BundleError::Manifest(manifest) => manifest.problem.to_string(),
        _ => error.to_string(),
    };
    finding(rule, file, place, message, error)
}

/// The finding that stands for a directory that holds what no bundle may hold.
pub fn of_pack_error(error: &PackError) -> Finding {
    let rule = &rules::elsewhere::BUNDLE;
    finding(rule, String::new(), Place::START, error.to_string(), error)
}

fn finding(rule: &'static Rule, file: String, place: Place, message: String, error: &dyn Advice) -> Finding {
    let hint = error.hint().map(Cow::into_owned);
    Finding {
        rule,
        severity: Severity::Error,
        file,
        place,
        message,
        hint: hint.unwrap_or_else(|| format!("see `prism explain {}`", rule.code)),
        traceback: None,
    }
}

fn of_content(error: &ContentError, entries: &[(String, Vec<u8>)]) -> (&'static Rule, String, Place) {
    let (path, place) = match error {
        ContentError::FileTooLarge { path, .. } => {
            let path = whole(path, entries).to_owned();
            return (&rules::elsewhere::BUNDLE, path, Place::START);
        }
        ContentError::NotUtf8 { path, offset_bytes } | ContentError::NulByte { path, offset_bytes } => {
            let path = whole(path, entries);
            let entry = entries.iter().find(|(known, _)| known == path);
            let place = entry.map(|(_, content)| place_of(content, *offset_bytes));
            (path, place.unwrap_or(Place::START))
        }
        ContentError::SourceEncoding { path, line, .. } => {
            let line = u32::try_from(*line).unwrap_or(u32::MAX);
            (whole(path, entries), Place::at(line, 1))
        }
    };
    let is_python = path.strip_suffix(".py").is_some();
    let rule = if is_python {
        &rules::syntax::RULE
    } else {
        &rules::elsewhere::BUNDLE
    };
    (rule, path.to_owned(), place)
}

/// The path itself: an error has it escaped, and cut where it is long. Of several that look alike, the first.
fn whole<'a>(shown: &'a Shown, entries: &'a [(String, Vec<u8>)]) -> &'a str {
    let mut paths = entries.iter().map(|(path, _)| path.as_str());
    paths
        .find(|path| Shown::text(path) == *shown)
        .unwrap_or(shown.as_str())
}

/// Line and column of one byte; all before it is text.
fn place_of(content: &[u8], offset_bytes: usize) -> Place {
    let before = String::from_utf8_lossy(content.get(..offset_bytes).unwrap_or(content));
    let text = before.strip_prefix('\u{feff}').unwrap_or(&before);
    let ends = text.matches('\n').count() + text.matches('\r').count() - text.matches("\r\n").count();
    let line = text.rsplit(['\n', '\r']).next().unwrap_or_default();
    let number = |value| u32::try_from(value).unwrap_or(u32::MAX);
    let mut place = Place::at(number(ends + 1), number(line.chars().count() + 1));
    place.start_byte = number(offset_bytes);
    place.end_byte = number(offset_bytes + 1);
    place.end_column = place.column.saturating_add(1);
    place
}

#[cfg(test)]
mod tests {
    use prism_bundle::Bundle;

    use super::*;

    /// Rule, file, line and column of what is wrong with a bundle that differs from an honest one in these files.
    fn found(files: &[(&str, &[u8])]) -> String {
        let mut entries = vec![
            (
                "architecture.py".to_owned(),
                b"def build_model(ctx): ...\n".to_vec(),
            ),
            ("training.py".to_owned(), b"def train(ctx): ...\n".to_vec()),
        ];
        for (path, content) in files {
            entries.retain(|(known, _)| known != path);
            entries.push(((*path).to_owned(), content.to_vec()));
        }
        let error = Bundle::from_entries(entries.clone()).unwrap_err();
        let finding = of_bundle_error(&error, &entries);
        assert!(
            !finding.message.is_empty() && !finding.hint.is_empty(),
            "{finding:?}"
        );
        assert!(
            !finding.message.starts_with("prism.yaml, line"),
            "the place is not said twice: {finding:?}"
        );
        format!(
            "{} {}:{}:{}",
            finding.rule.code, finding.file, finding.place.line, finding.place.column
        )
    }

    #[test]
    fn a_wrong_byte_has_its_line_and_column() {
        assert_eq!(
            found(&[("training.py", b"a = 1\r\nb = '\xc3\xa4\xff'\n")]),
            "PRS001 training.py:2:7"
        );
        assert_eq!(found(&[("training.py", b"a = 1\rb\0")]), "PRS001 training.py:2:2");
        assert_eq!(
            found(&[("training.py", b"\xef\xbb\xbfa\xff")]),
            "PRS001 training.py:1:2"
        );
        assert_eq!(
            found(&[("training.py", b"\n# coding: latin-1\n")]),
            "PRS001 training.py:2:1"
        );
        assert_eq!(found(&[("notes.md", b"\xff")]), "PRS003 notes.md:1:1");
        let long = format!("{}.py", "x".repeat(150));
        assert_eq!(found(&[(&long, b"\n\xff")]), format!("PRS001 {long}:2:1"));
    }

    #[test]
    fn what_is_wrong_with_the_files_is_a_finding_too() {
        let long = vec![b'x'; 1 << 20];
        assert_eq!(found(&[("helper.py", &long)]), "PRS003 helper.py:1:1");
        assert_eq!(found(&[("torch.py", b"")]), "PRS003 torch.py:1:1");
        assert_eq!(found(&[("a\n.py", b"")]), "PRS003 :1:1");
        let manifest = found(&[(
            "prism.yaml",
            b"name: x\nentrypoints:\n  architecture: nowhere.py\n",
        )]);
        assert_eq!(manifest, "PRS301 prism.yaml:1:1");
        let manifest = found(&[("prism.yaml", b"name: x\nentrypoint: y\n")]);
        assert_eq!(manifest, "PRS301 prism.yaml:2:1");
    }
}
