//! The building blocks that everybody uses, and that therefore are nobody's: their k-grams are subtracted.
//!
//! Sources under `standard/`, the scaffold and the other examples. All k-grams count here, not only winnowed ones.

use std::sync::OnceLock;

use rustc_hash::FxHashSet;

use super::analysis::{Pieces, grams};
use super::token;
use super::winnow::{self, GRAM_TOKENS, PIECE_TOKENS_MIN, WINDOW_GRAMS};
use crate::source::{Role, Source};

/// Raised when the normalisation changes: fingerprints of two versions cannot be compared.
pub(super) const METHOD_VERSION: u64 = 1;

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!($path))),*]
    };
}

/// Each group is read as if it were a bundle of its own.
const GROUPS: &[&[(&str, &str)]] = &[
    files!["standard/norms.py"],
    files!["standard/rotary.py"],
    files!["standard/mlp.py"],
    files!["standard/attention.py"],
    files!["standard/block.py"],
    files!["standard/gpt.py"],
    files!["standard/optimizer.py"],
    files!["standard/muon.py"],
    files!["standard/schedule.py"],
    files!["standard/training.py"],
    files![
        "../../../../examples/scaffold/architecture.py",
        "../../../../examples/scaffold/training.py",
    ],
    files![
        "../../../../examples/transformer-small/architecture.py",
        "../../../../examples/transformer-small/training.py",
    ],
    files![
        "../../../../examples/recurrent-small/architecture.py",
        "../../../../examples/recurrent-small/training.py",
    ],
    files![
        "../../../../examples/ema-predictor/architecture.py",
        "../../../../examples/ema-predictor/training.py",
    ],
    files![
        "../../../../examples/legacy-interface/architecture.py",
        "../../../../examples/legacy-interface/training.py",
    ],
    files![
        "../../../../examples/legacy-parallel/architecture.py",
        "../../../../examples/legacy-parallel/training.py",
    ],
    files![
        "../../../../examples/bundle-tokenizer/architecture.py",
        "../../../../examples/bundle-tokenizer/training.py",
    ],
    files![
        "../../../../examples/gpt2-tokenizer/architecture.py",
        "../../../../examples/gpt2-tokenizer/training.py",
    ],
    files![
        "../../../../examples/cheat-leak/architecture.py",
        "../../../../examples/cheat-leak/training.py",
    ],
];

/// The k-grams of the building blocks.
pub(super) struct Standard {
    hashes: FxHashSet<u64>,
    /// Stands for the whole method: normalisation, winnowing and building blocks.
    pub(super) method: u64,
}

impl Standard {
    pub(super) fn contains(&self, hash: u64) -> bool {
        self.hashes.contains(&hash)
    }
}

/// The building blocks, read at the first call. Must be called on a large stack.
pub(super) fn standard() -> &'static Standard {
    static STANDARD: OnceLock<Standard> = OnceLock::new();
    STANDARD.get_or_init(|| {
        // These are files of this repository; a test shows that each can be read.
        let mut sorted: Vec<u64> = GROUPS
            .iter()
            .flat_map(|group| hashes(group).unwrap_or_default())
            .collect();
        sorted.sort_unstable();
        sorted.dedup();
        let parameters = [
            METHOD_VERSION,
            GRAM_TOKENS as u64,
            WINDOW_GRAMS as u64,
            PIECE_TOKENS_MIN as u64,
        ];
        Standard {
            method: token::sequence(parameters.into_iter().chain(sorted.iter().copied())),
            hashes: sorted.into_iter().collect(),
        }
    })
}

fn hashes(group: &[(&str, &str)]) -> Result<Vec<u64>, super::SimilarityError> {
    let sources: Vec<Source<'_>> = group
        .iter()
        .map(|(path, text)| {
            let name = path.rsplit('/').next().unwrap_or(path);
            Source::new(name, text, Role::Helper)
        })
        .collect();
    let grams = grams(&sources, Pieces::All, winnow::all)?;
    Ok(grams.into_iter().map(|(_, gram)| gram.hash).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_building_block_can_be_read() {
        for group in GROUPS {
            let found = crate::check::on_a_large_stack(|| hashes(group)).unwrap().unwrap();
            assert!(found.len() >= 3, "{:?} has {} k-grams", group[0].0, found.len());
        }
    }
}
