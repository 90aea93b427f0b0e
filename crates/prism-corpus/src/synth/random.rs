//! Random numbers of the synthetic corpus: the same on every machine.
//!
//! The grammar draws its lexicon and facts from one stream, each document its text from its own. Nothing here may
//! depend on floating point or on the standard library's random state.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

const CONTEXT: &str = "prism-corpus 2026 synthetic grammar v1";

/// The stream that the lexicon and the facts are drawn from; documents use the streams from 1 on.
pub(super) const WORLD_STREAM: u64 = 0;

#[derive(Clone)]
pub(super) struct Random(ChaCha8Rng);

impl Random {
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::from_seed(blake3::derive_key(CONTEXT, &seed.to_le_bytes()));
        rng.set_stream(stream);
        Self(rng)
    }

    /// A uniform number below `bound`, which is at least 1.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        // The high half of a product is uniform once the few low halves that would favour some values are refused.
        let refused_below = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.0.next_u64()) * u128::from(bound);
            let high = u64::try_from(product >> 64).unwrap_or(0);
            let low = product - (u128::from(high) << 64);
            if low >= u128::from(refused_below) {
                return high;
            }
        }
    }

    /// A uniform index of a slice of this length, which is at least 1.
    pub(super) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }
}
