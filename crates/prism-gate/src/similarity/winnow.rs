//! Winnowing: which of a sequence's k-grams stand for it.
//!
//! Schleimer, Wilkerson and Aiken, "Winnowing: Local Algorithms for Document Fingerprinting", SIGMOD 2003: of every
//! window of `w` successive k-grams the one with the smallest hash is kept, the rightmost of equals. Whatever two
//! sequences share over `w + k - 1` tokens is then found in both, and nothing shorter than `k` tokens ever is.

use super::token::{self, Token};

/// Tokens of one k-gram.
pub(super) const GRAM_TOKENS: usize = 7;
/// Successive k-grams of which one is kept.
pub(super) const WINDOW_GRAMS: usize = 2;
/// The shortest piece of code that has a fingerprint; one below a k-gram is taken whole.
pub(super) const PIECE_TOKENS_MIN: usize = 6;

/// A k-gram that stands for its neighbourhood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Gram {
    pub(super) hash: u64,
    pub(super) first_line: u32,
    pub(super) last_line: u32,
}

/// Every k-gram of a piece of code.
pub(super) fn all(tokens: &[Token]) -> Vec<Gram> {
    if tokens.len() < PIECE_TOKENS_MIN {
        return Vec::new();
    }
    tokens.windows(GRAM_TOKENS.min(tokens.len())).map(gram).collect()
}

/// The k-grams of a piece of code that stand for it.
pub(super) fn winnowed(tokens: &[Token]) -> Vec<Gram> {
    let grams = all(tokens);
    let mut kept: Vec<Gram> = Vec::new();
    let mut last = None;
    for start in 0..=grams.len().saturating_sub(WINDOW_GRAMS) {
        let window = &grams[start..grams.len().min(start + WINDOW_GRAMS)];
        let smallest = window
            .iter()
            .enumerate()
            .min_by_key(|(at, gram)| (gram.hash, std::cmp::Reverse(*at)));
        if let Some((at, gram)) = smallest
            && last != Some(start + at)
        {
            last = Some(start + at);
            kept.push(*gram);
        }
    }
    kept
}

fn gram(tokens: &[Token]) -> Gram {
    let lines = || tokens.iter().map(|token| token.line);
    Gram {
        hash: token::sequence(tokens.iter().map(|token| token.word)),
        first_line: lines().min().unwrap_or(1),
        last_line: lines().max().unwrap_or(1),
    }
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
            let one: Vec<u64> = winnowed(&with(5_000_000)).iter().map(|gram| gram.hash).collect();
            let found = winnowed(&with(9_000_000))
                .iter()
                .any(|gram| one.contains(&gram.hash));
            assert!(found, "seed {seed}");
        }
    }

    #[test]
    fn few_tokens_are_taken_whole_and_fewer_not_at_all() {
        assert_eq!(winnowed(&text(0..PIECE_TOKENS_MIN as u64 - 1)), []);
        let whole = winnowed(&text(0..PIECE_TOKENS_MIN as u64));
        assert_eq!(whole.len(), 1);
        assert_eq!(
            (whole[0].first_line, whole[0].last_line as usize),
            (1, PIECE_TOKENS_MIN)
        );
    }
}
