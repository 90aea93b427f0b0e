//! Text of an adversary, made safe to print.
//!
//! Error messages name the path or the key that is wrong, and both come from a hostile archive. [`Shown`] is the only
//! form in which such text enters an error: control characters are escaped, so that a message cannot move the cursor
//! of the terminal that it is printed on, and long text is cut.

use std::fmt;

use prism_core::escape::{is_harmful, spelled};

/// Most characters that are shown of a piece of foreign text.
const SHOWN_CHARS_MAX: usize = 120;

/// Escaped and shortened text, fit for a terminal, a log line or JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    /// Escapes text.
    pub fn text(text: &str) -> Self {
        let mut shown = String::new();
        for (index, character) in text.chars().enumerate() {
            if index == SHOWN_CHARS_MAX {
                shown.push_str("...");
                break;
            }
            match character {
                '\n' => shown.push_str("\\n"),
                '\t' => shown.push_str("\\t"),
                _ if is_harmful(character) => shown.push_str(&spelled(character)),
                _ => shown.push(character),
            }
        }
        Self(shown)
    }

    /// Escapes bytes that may not be text; what is not UTF-8 is shown as the replacement character.
    pub fn bytes(bytes: &[u8]) -> Self {
        let cut = &bytes[..bytes.len().min(4 * SHOWN_CHARS_MAX)];
        Self::text(&String::from_utf8_lossy(cut))
    }

    /// The escaped text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_terminal_controls() {
        assert_eq!(
            Shown::text("a\u{1b}[2J\n\u{202e}b").as_str(),
            "a\\u{1b}[2J\\n\\u{202e}b"
        );
        assert_eq!(Shown::text("it's \"it\"").as_str(), "it's \"it\"");
    }

    #[test]
    fn cuts_long_text() {
        let shown = Shown::bytes(&vec![b'a'; 1_000_000]);
        assert_eq!(shown.as_str().len(), SHOWN_CHARS_MAX + 3);
    }

    #[test]
    fn replaces_what_is_not_text() {
        assert_eq!(Shown::bytes(b"a\xffb").as_str(), "a\u{fffd}b");
    }
}
