//! What is kept of a document to find those that are nearly the same: one key for each band of its `MinHash` signature.
//!
//! One hash for each shingle decides one of 128 bins and competes for its minimum; an empty bin takes that of another one
//! that the two documents agree on (Li, Owen, Zhang: One Permutation Hashing, 2012; Shrivastava: Optimal Densification for
//! Fast and Accurate Minwise Hashing, 2017). Two documents agree in a bin with a probability that is their Jaccard
//! similarity. Four bins make a band: with similarity s one of 32 bands agrees with 1 - (1 - s^4)^32, which is 0.9998 at
//! 0.7 and 0.05 at 0.2.

use super::shingles::{for_each, mix};

pub(crate) const BANDS: usize = 32;
pub(super) const ROWS: usize = 4;
const BINS: usize = BANDS * ROWS;
/// Bits of a shingle's hash that choose its bin.
const BIN_BITS: u32 = BINS.trailing_zeros();
const EMPTY: u64 = u64::MAX;

/// The keys of a document's bands; none for a text without words.
pub(crate) fn bands(text: &str) -> Option<[u64; BANDS]> {
    let mut bins = [EMPTY; BINS];
    for_each(text, |hash| {
        // A hash of 64 bits is never EMPTY once the bits of its bin are gone.
        let bin = (hash >> (64 - BIN_BITS)) as usize;
        bins[bin] = bins[bin].min(hash & (u64::MAX >> BIN_BITS));
    });
    if bins.iter().all(|bin| *bin == EMPTY) {
        return None;
    }
    let filled = densified(&bins);
    let mut keys = [0; BANDS];
    for (band, key) in keys.iter_mut().enumerate() {
        // The number of the band keeps equal bins of different bands apart; tables are per band, so it is not needed,
        // but a key says all by itself.
        *key = filled[band * ROWS..(band + 1) * ROWS]
            .iter()
            .fold(mix(band as u64 + 1), |key, bin| mix(key ^ bin).wrapping_add(*bin));
    }
    Some(keys)
}

/// An empty bin asks others, in an order that depends on its number alone, until one is full.
fn densified(bins: &[u64; BINS]) -> [u64; BINS] {
    let mut filled = *bins;
    for (number, bin) in filled.iter_mut().enumerate() {
        let mut attempt = 0u64;
        while *bin == EMPTY {
            attempt += 1;
            let other = mix(((number as u64) << 32) | attempt) >> (64 - BIN_BITS);
            *bin = bins[other as usize];
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_shingles_give_equal_keys_and_others_do_not() {
        let text = |from: usize| {
            let words = (from..from + 300).map(|i| format!("word{i} "));
            words.collect::<Vec<_>>().concat()
        };
        let one = bands(&text(0)).unwrap();
        assert_eq!(bands(&text(0).to_uppercase()), Some(one));
        let other = bands(&text(1000)).unwrap();
        assert_eq!(one.iter().zip(&other).filter(|(a, b)| a == b).count(), 0);
        assert_eq!(bands(" -- "), None);
        assert_eq!(bands("one"), bands("ONE!"));
        assert_ne!(bands("one"), bands("two"));
    }

    #[test]
    fn bins_agree_as_often_as_shingles_are_shared() {
        // Two thirds of the words of each are the other's: shingles share 196 of 396.
        let text = |from: usize| {
            (from..from + 300)
                .map(|i| format!("w{i} "))
                .collect::<Vec<_>>()
                .concat()
        };
        let (mut agree, mut bins) = (0usize, 0usize);
        for start in 0..200 {
            let one = bands(&text(start * 1000)).unwrap();
            let other = bands(&text(start * 1000 + 100)).unwrap();
            agree += one.iter().zip(&other).filter(|(a, b)| a == b).count();
            bins += BANDS;
        }
        // A band agrees with s^4, which is 0.06 at 0.495.
        let rate = agree as f64 / bins as f64;
        assert!((0.04..0.08).contains(&rate), "{rate}");
    }
}
