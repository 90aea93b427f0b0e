//! The content of a file: text, and the same text to everyone who reads it.
//!
//! `bundle` calls [`check`] for every file. Python lets a source file name its own encoding; a reviewer or a static
//! check that reads UTF-8 would then judge another program than the one that runs, so only UTF-8 may be declared.
//! This module does not parse Python.

use prism_core::advice::{Advice, Hint};

use crate::limits;
use crate::path::BundlePath;
use crate::shown::Shown;

/// Why a file's content was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum ContentError {
    #[error("`{path}` has {bytes} bytes; at most {limit_bytes} are allowed")]
    FileTooLarge {
        path: Shown,
        bytes: u64,
        limit_bytes: u64,
    },
    #[error("`{path}` is not UTF-8 text (first wrong byte at offset {offset_bytes})")]
    NotUtf8 { path: Shown, offset_bytes: usize },
    /// A NUL byte, which ends text for some readers and not for others.
    #[error("`{path}` contains a NUL byte at offset {offset_bytes}")]
    NulByte { path: Shown, offset_bytes: usize },
    #[error("`{path}` declares the source encoding `{encoding}` in line {line}; only utf-8 is allowed")]
    SourceEncoding {
        path: Shown,
        encoding: Shown,
        /// In which line, counted from one.
        line: usize,
    },
}

impl Advice for ContentError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::NotUtf8 { .. } => "save it as UTF-8".into(),
            Self::NulByte { .. } => "remove it".into(),
            _ => return None,
        })
    }
}

/// Refuses a size over the limit for files of this path; an archive's declared sizes are checked before unpacking.
pub(crate) fn check_size(path: &BundlePath, bytes: u64) -> Result<(), ContentError> {
    let limit_bytes = limits::max_file_bytes(path.as_str());
    if bytes > limit_bytes {
        return Err(ContentError::FileTooLarge {
            path: path.shown(),
            bytes,
            limit_bytes,
        });
    }
    Ok(())
}

/// Takes plain UTF-8 text within its limit and refuses everything else.
pub(crate) fn check(path: &BundlePath, content: Vec<u8>) -> Result<String, ContentError> {
    check_size(path, content.len() as u64)?;
    let text = String::from_utf8(content).map_err(|error| ContentError::NotUtf8 {
        path: path.shown(),
        offset_bytes: error.utf8_error().valid_up_to(),
    })?;
    if let Some(offset_bytes) = text.find('\0') {
        return Err(ContentError::NulByte {
            path: path.shown(),
            offset_bytes,
        });
    }
    if path.is_python()
        && let Some((line, encoding)) = declared_encoding(&text)
        && !is_utf8_name(encoding)
    {
        return Err(ContentError::SourceEncoding {
            path: path.shown(),
            encoding: Shown::text(encoding),
            line,
        });
    }
    Ok(text)
}

/// The encoding that Python would take from the first two lines, and the line it stands in.
///
/// Python looks at the second line only where the first is blank or a comment. This looks at it in any case, which
/// can refuse a file that Python would read as UTF-8, and never accepts one that Python would read otherwise.
fn declared_encoding(text: &str) -> Option<(usize, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    lines(text)
        .take(2)
        .enumerate()
        .find_map(|(index, line)| encoding_in(line).map(|name| (index + 1, name)))
}

/// Splits at any of Python's three line ends.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n')
        .flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

/// `coding:` or `coding=` in a comment that stands alone in its line, and the name behind it.
fn encoding_in(line: &str) -> Option<&str> {
    let comment = line.trim_start_matches([' ', '\t', '\u{c}']).strip_prefix('#')?;
    comment.match_indices("coding").find_map(|(start, word)| {
        let rest = comment[start + word.len()..]
            .strip_prefix([':', '='])?
            .trim_start_matches([' ', '\t']);
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
            .unwrap_or(rest.len());
        (end > 0).then_some(&rest[..end])
    })
}

fn is_utf8_name(encoding: &str) -> bool {
    matches!(
        encoding.to_ascii_lowercase().replace('_', "-").as_str(),
        "utf-8" | "utf8" | "utf-8-sig"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(path: &str, content: &[u8]) -> &'static str {
        check(&BundlePath::parse(path).unwrap(), content.to_vec())
            .map_or_else(|error| crate::cause(&error), |_| "ok")
    }

    #[test]
    fn accepts_utf8() {
        for content in [
            "",
            "x = 'é'\n",
            "\u{feff}x = 1\n",
            "# -*- coding: utf-8 -*-\n",
            "#!/usr/bin/python\n# vim: set fileencoding=UTF_8 :\n",
            "x = 1\ny = 2\n# coding: latin-1 is only a declaration in the first two lines\n",
            "encoding = 'latin-1'  # coding\n",
        ] {
            assert_eq!(code("a.py", content.as_bytes()), "ok", "{content:?}");
        }
        assert_eq!(code("a.md", b"# coding: latin-1\n"), "ok");
    }

    #[test]
    fn refuses_what_is_not_text() {
        assert_eq!(code("a.md", b"abc\xff"), "NotUtf8");
        assert_eq!(code("a.json", "\u{d7ff}x\0".as_bytes()), "NulByte");
        assert_eq!(code("a.txt", b"\xed\xa0\x80"), "NotUtf8");
    }

    #[test]
    fn refuses_other_source_encodings() {
        for content in [
            "# coding: latin-1\n",
            "#coding=utf-7\n",
            "  \t\u{c}# vim: fileencoding=rot13\n",
            "#!/usr/bin/python\r# -*- coding: cp1252 -*-\r",
            "\n# coding: raw_unicode_escape",
            "\u{feff}# coding: latin-1\n",
            "# coding coding: idna\n",
        ] {
            assert_eq!(code("a.py", content.as_bytes()), "SourceEncoding", "{content:?}");
        }
    }

    #[test]
    fn refuses_each_file_over_its_limit() {
        let over = |path: &str| {
            let limit_bytes = usize::try_from(limits::max_file_bytes(path)).unwrap();
            (
                code(path, &vec![b' '; limit_bytes]),
                code(path, &vec![b' '; limit_bytes + 1]),
            )
        };
        for path in [
            "a.py",
            "tokenizer.json",
            "prism.yaml",
            "a.txt",
            "lib/tokenizer.json",
        ] {
            assert_eq!(over(path), ("ok", "FileTooLarge"), "{path}");
        }
        assert_eq!(limits::max_file_bytes("a.py"), 262_144);
        assert_eq!(limits::max_file_bytes("tokenizer.json"), 4_194_304);
    }
}
