//! Captured output: kept within bounds, marked where cut, and made harmless before a person sees it.
//!
//! Filled by `watch.rs` from the payload's pipes. What the payload prints is hostile: it must never reach a terminal unescaped and never grow a buffer.

use std::collections::VecDeque;

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

    /// What came after the first `bytes` bytes, as far as it is of the beginning that is kept. It only ever grows.
    pub(crate) fn beginning_from(&self, bytes: usize) -> Vec<u8> {
        self.head.get(bytes..).unwrap_or_default().to_vec()
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
        assert_eq!(capture.beginning_from(3), b"34", "of the beginning alone");
        assert_eq!(capture.beginning_from(99), b"");
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

    proptest! {
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
