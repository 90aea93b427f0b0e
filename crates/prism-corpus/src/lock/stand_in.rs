//! Files that stand where text should be: what a download leaves that brought something else.
//!
//! The intake asks about each file before it reads it. Looks at the first bytes alone, and never decides what text is.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use prism_core::io_error::IoError;

use super::LockError;
use super::inputs::InputKind;

/// How a pointer of Git LFS begins.
const LFS_POINTER: &str = "version https://git-lfs.github.com/spec/";
/// How a page begins, in small letters.
const HTML: [&str; 2] = ["<!doctype html", "<html"];
/// So many bytes are looked at.
const FIRST_BYTES: u64 = 256;

/// What a file is instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StandIn {
    /// A few lines that name a file of Git LFS.
    #[error("a Git LFS pointer, which only names the file")]
    LfsPointer,
    /// A page, as of a login or an error.
    #[error("an HTML page")]
    HtmlPage,
}

impl StandIn {
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::LfsPointer => "run `git lfs pull` where it was cloned, or fetch it with `prism data fetch`",
            Self::HtmlPage => {
                "open it in a browser to see what it says, then download the file itself: on the Hub its address has `/resolve/` \
                 where that of its page has `/blob/`"
            }
        }
    }
}

/// Refuses a file that is none of its kind. A page is text, where text is asked for.
pub(super) fn refuse(path: &Path, kind: InputKind) -> Result<(), LockError> {
    let mut first = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FIRST_BYTES).read_to_end(&mut first))
        .map_err(|source: io::Error| IoError::new("read", path, source))?;
    match found(&first) {
        Some(StandIn::HtmlPage) if kind == InputKind::Text => Ok(()),
        Some(what) => Err(LockError::StandIn {
            path: path.to_owned(),
            what,
        }),
        None => Ok(()),
    }
}

fn found(first: &[u8]) -> Option<StandIn> {
    if first.starts_with(LFS_POINTER.as_bytes()) {
        return Some(StandIn::LfsPointer);
    }
    let text = String::from_utf8_lossy(first).to_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    HTML.iter()
        .any(|beginning| text.starts_with(beginning))
        .then_some(StandIn::HtmlPage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_and_pages_are_told_from_text() {
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
        assert_eq!(found(pointer), Some(StandIn::LfsPointer));
        for page in [
            "<!DOCTYPE html>\n<html>",
            "\u{feff}\n <HTML lang=en>",
            "<!doctype HTML>",
        ] {
            assert_eq!(found(page.as_bytes()), Some(StandIn::HtmlPage), "{page}");
        }
        for other in [
            "",
            "PAR1",
            "version 2 of a poem",
            "an <html> tag",
            "{\"text\": \"<html>\"}",
            "\u{1f}\u{8b}",
        ] {
            assert_eq!(found(other.as_bytes()), None, "{other}");
        }
    }
}
