//! Winnowing: which of a sequence's k-grams stand for it.
//!
//! Schleimer, Wilkerson and Aiken, "Winnowing: Local Algorithms for Document Fingerprinting", SIGMOD 2003: of every
//! window of `w` successive k-grams the one with the smallest hash is kept, the rightmost of equals. Whatever two
//! sequences share over `w + k - 1` tokens is then found in both, and nothing shorter than `k` tokens ever is.

use super::token::{self, Token};

/// Tokens of one k-gram.
const GRAM_TOKENS: usize = 7;
/// Successive k-grams of which one is kept.
const WINDOW_GRAMS: usize = 2;
/// The shortest piece of code that has a fingerprint; one below a k-gram is taken whole.
const PIECE_TOKENS_MIN: usize = 6;

/// A k-gram: its hash, its first and its last line.
pub(super) type Gram = (u64, u32, u32);

/// Every k-gram of a piece of code.
pub(super) fn all(tokens: &[Token]) -> Vec<Gram> {
    if tokens.len() < PIECE_TOKENS_MIN {
        return Vec::new();
    }
    tokens.windows(GRAM_TOKENS.min(tokens.len())).map(gram).collect()
}

/// The k-grams of a piece of code that stand for it; one may be told twice.
pub(super) fn winnowed(tokens: &[Token]) -> Vec<Gram> {
    let grams = all(tokens);
    let windows = grams.windows(WINDOW_GRAMS.min(grams.len()).max(1));
    windows
        .filter_map(|window| window.iter().rev().min_by_key(|(hash, ..)| *hash).copied())
        .collect()
}

fn gram(tokens: &[Token]) -> Gram {
    let lines = || tokens.iter().map(|token| token.line);
    let hash = token::sequence(tokens.iter().map(|token| token.word));
    (hash, lines().min().unwrap_or(1), lines().max().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: impl IntoIterator<Item = u64>) -> Vec<Token> {
        words
            .into_iter()
            .zip(1..)
            .map(|(word, line)| Token { word, line })
            .collect()
    }

    #[test]
    fn what_is_shared_over_a_window_and_a_gram_is_found() {
        let guaranteed = GRAM_TOKENS + WINDOW_GRAMS - 1;
        for seed in 0..200 {
            let shared: Vec<u64> = (0..guaranteed as u64)
                .map(|at| token::mix(seed * 1_000 + at))
                .collect();
            let with = |salt: u64| {
                let around = |from: u64| (0..20).map(move |at| token::mix(salt * 77 + from + at + seed * 31));
                text(around(0).chain(shared.iter().copied()).chain(around(500)))
            };
            let one: Vec<u64> = winnowed(&with(5_000_000))
                .iter()
                .map(|(hash, ..)| *hash)
                .collect();
            let found = winnowed(&with(9_000_000))
                .iter()
                .any(|(hash, ..)| one.contains(hash));
            assert!(found, "seed {seed}");
        }
    }

    #[test]
    fn few_tokens_are_taken_whole_and_fewer_not_at_all() {
        assert_eq!(winnowed(&text(0..PIECE_TOKENS_MIN as u64 - 1)), []);
        let whole = winnowed(&text(0..PIECE_TOKENS_MIN as u64));
        assert_eq!(whole.len(), 1);
        let (_, first, last) = whole[0];
        assert_eq!((first, last as usize), (1, PIECE_TOKENS_MIN));
    }
}
