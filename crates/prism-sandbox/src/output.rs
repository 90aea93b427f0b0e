//! Captured output: kept within bounds, marked where cut, and made harmless before a person sees it.
//!
//! Filled by `watch.rs` from the payload's pipes. What the payload prints is hostile: it must never reach a terminal unescaped and never grow a buffer.

use std::collections::VecDeque;
use std::fmt::Write as _;

use crate::spec::OutputPolicy;

/// What the payload wrote, bounded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logs {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// Whether something is missing from `stdout`; the place is marked in it.
    pub stdout_truncated: bool,
    /// Whether something is missing from `stderr`; the place is marked in it.
    pub stderr_truncated: bool,
}

/// One captured stream. When it is too long the beginning and the end are kept: a traceback comes last.
#[derive(Debug)]
pub(crate) struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    head_bytes_max: usize,
    tail_bytes_max: usize,
    left_out_bytes: u64,
}

impl Capture {
    pub(crate) fn new(bytes_max: u64, policy: OutputPolicy) -> Self {
        let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        let tail_bytes_max = match policy {
            OutputPolicy::Kill => 0,
            OutputPolicy::Truncate => bytes_max / 2,
        };
        Self {
            head: Vec::new(),
            tail: VecDeque::new(),
            head_bytes_max: bytes_max - tail_bytes_max,
            tail_bytes_max,
            left_out_bytes: 0,
        }
    }

    /// Takes in what was read.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let (to_head, rest) = bytes.split_at(bytes.len().min(self.head_bytes_max - self.head.len()));
        self.head.extend_from_slice(to_head);
        // Of a piece longer than the tail only its end can stay.
        let (skipped, kept) = rest.split_at(rest.len().saturating_sub(self.tail_bytes_max));
        let pushed_out = (self.tail.len() + kept.len()).saturating_sub(self.tail_bytes_max);
        self.tail.drain(..pushed_out);
        self.tail.extend(kept);
        self.left_out_bytes += (skipped.len() + pushed_out) as u64;
    }

    /// Whether more was written than is kept.
    pub(crate) fn is_over(&self) -> bool {
        self.left_out_bytes > 0
    }

    /// The kept bytes, with a mark where some are missing.
    pub(crate) fn finish(&self) -> Vec<u8> {
        let mut bytes = self.head.clone();
        if self.is_over() {
            bytes.extend_from_slice(
                format!("\n[... {} bytes left out ...]\n", self.left_out_bytes).as_bytes(),
            );
        }
        bytes.extend(&self.tail);
        bytes
    }
}

/// Makes captured output safe to show on a terminal: newlines and tabs stay, every other control character (escape sequences, carriage returns,
/// bells), every character that reorders or hides text, and every byte that is not UTF-8 is spelled out.
pub fn escape_for_terminal(bytes: impl AsRef<[u8]>) -> String {
    let mut shown = String::with_capacity(bytes.as_ref().len());
    for chunk in bytes.as_ref().utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' | '\t' => shown.push(character),
                _ if is_harmful(character) => {
                    let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
                }
                _ => shown.push(character),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

/// Control characters, and the format characters that change the direction or visibility of what is around them.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_stream_keeps_its_two_ends_and_says_what_is_missing() {
        let mut capture = Capture::new(10, OutputPolicy::Truncate);
        capture.push(b"0123456");
        capture.push(b"789abcdefgh");
        assert!(capture.is_over());
        assert_eq!(capture.finish(), b"01234\n[... 8 bytes left out ...]\ndefgh");
    }

    #[test]
    fn a_stream_of_exactly_the_limit_is_whole() {
        for policy in [OutputPolicy::Kill, OutputPolicy::Truncate] {
            let mut capture = Capture::new(7, policy);
            capture.push(b"0123456");
            assert!(!capture.is_over());
            assert_eq!(capture.finish(), b"0123456");
            capture.push(b"7");
            assert!(capture.is_over());
        }
    }

    #[test]
    fn escapes_are_spelled_out_and_plain_text_is_not() {
        assert_eq!(
            escape_for_terminal(b"a\x1b]0;title\x07\r\nb\tc"),
            "a\\u{1b}]0;title\\u{7}\\u{d}\nb\tc"
        );
        assert_eq!(
            escape_for_terminal("gr\u{fc}n \u{202e}x\u{9b}1m"),
            "gr\u{fc}n \\u{202e}x\\u{9b}1m"
        );
        assert_eq!(escape_for_terminal(b"\xff\x9b"), "\\xff\\x9b");
    }

    proptest! {
        #[test]
        fn nothing_harmful_survives(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let shown = escape_for_terminal(&bytes);
            prop_assert!(shown.chars().all(|character| matches!(character, '\n' | '\t') || !is_harmful(character)));
        }

        #[test]
        fn a_capture_never_keeps_more_than_it_may(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20), limit in 0_u64..64) {
            let mut capture = Capture::new(limit, OutputPolicy::Truncate);
            for piece in &pieces {
                capture.push(piece);
            }
            let written: Vec<u8> = pieces.concat();
            prop_assert!(capture.head.len() + capture.tail.len() <= usize::try_from(limit).unwrap());
            prop_assert_eq!(capture.is_over(), written.len() as u64 > limit);
            prop_assert!(written.starts_with(&capture.head));
            prop_assert!(written.ends_with(&capture.tail.iter().copied().collect::<Vec<_>>()));
        }
    }
}
