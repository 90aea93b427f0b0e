//! The keyed draws: which targets are audited.
//!
//! `ChaCha20` under a key that is 32 fresh random bytes per attempt, committed to by its hash before step 0 and never
//! sent to a sandbox. One independent stream per purpose. Called only *after* the claims of a step are in; replayed
//! by `prism verify`. The generator is used as a pseudo-random function: the same key gives the same draws.

use prism_core::hash::Sha256Hash;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};

/// The audit key of one attempt.
#[derive(Clone, PartialEq, Eq)]
pub struct AuditKey([u8; 32]);

impl AuditKey {
    /// A key from 32 secret random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The commitment that is published before step 0: SHA-256 of a fixed label and the key.
    pub fn commitment(&self) -> Sha256Hash {
        let mut bytes = b"prism audit key v1\0".to_vec();
        bytes.extend_from_slice(&self.0);
        Sha256Hash::of(&bytes)
    }

    /// The key in hexadecimal, for the record (which stays secret until the round closes).
    pub fn to_hex(&self) -> String {
        Sha256Hash(self.0).to_string()
    }

    /// Parses 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        Sha256Hash::parse(text).map(|hash| Self(hash.0))
    }
}

/// A key must never reach a log by accident.
impl std::fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuditKey(secret)")
    }
}

/// What a stream of draws is for; the number is part of the record's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// The stream itself.
    Stream = 0,
    /// Audits of step 0.
    Step0 = 1,
    /// The weights that are left at the end, on the held-out split.
    ValTrained = 2,
    /// The kept snapshot on the train documents that were newest to it.
    TrainKept = 3,
    /// Random init on the held-out split.
    ValRandomInit = 4,
    /// Targets of the stream that are asked about again in a fresh process.
    Repeat = 5,
    /// The kept snapshot on the held-out split.
    ValKept = 6,
    /// Which snapshot of the last tenth is the kept one.
    KeptSnapshot = 7,
}

/// One stream of draws.
pub struct Draws {
    rng: ChaCha20Rng,
}

impl Draws {
    /// The stream of `purpose` under `key`, from its start.
    pub fn new(key: &AuditKey, purpose: Purpose) -> Self {
        let mut rng = ChaCha20Rng::from_seed(key.0);
        rng.set_stream(purpose as u64);
        Self { rng }
    }

    /// Draws for one target: true with `probability`.
    pub fn hit(&mut self, probability: f64) -> bool {
        // 53 uniform bits: exactly the doubles k / 2^53.
        let unit = (self.rng.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64);
        unit < probability
    }

    /// `count` distinct numbers below `n` (all of them if `n` is smaller), ascending. Floyd's method.
    pub fn distinct(&mut self, count: usize, n: usize) -> Vec<usize> {
        let mut chosen = std::collections::BTreeSet::new();
        for limit in n.saturating_sub(count)..n {
            let candidate = self.below(limit as u64 + 1);
            if !chosen.insert(candidate) {
                chosen.insert(limit);
            }
        }
        chosen.into_iter().collect()
    }

    /// A uniform number below `n`, which is not 0, by rejection, so that no remainder is favoured.
    pub fn below(&mut self, n: u64) -> usize {
        let zone = u64::MAX - u64::MAX % n;
        loop {
            let bits = self.rng.next_u64();
            if bits < zone {
                return usize::try_from(bits % n).unwrap_or(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> AuditKey {
        AuditKey::new([7; 32])
    }

    #[test]
    fn draws_repeat_under_a_key_and_differ_between_purposes_and_keys() {
        let bits = |key: &AuditKey, purpose| {
            let mut draws = Draws::new(key, purpose);
            (0..256).map(|_| draws.hit(0.5)).collect::<Vec<_>>()
        };
        let first = bits(&key(), Purpose::Stream);
        assert_eq!(first, bits(&key(), Purpose::Stream));
        assert_ne!(first, bits(&key(), Purpose::Step0));
        assert_ne!(first, bits(&AuditKey::new([8; 32]), Purpose::Stream));
    }

    #[test]
    fn rates_are_met() {
        let mut draws = Draws::new(&key(), Purpose::Stream);
        let hits = (0..200_000).filter(|_| draws.hit(0.01)).count();
        assert!((1_800..2_200).contains(&hits), "{hits}");
        assert!((0..1000).all(|_| draws.hit(1.0)));
        assert!(!(0..1000).any(|_| draws.hit(0.0)));
    }

    #[test]
    fn distinct_numbers_are_distinct_and_cover_small_sets() {
        let mut draws = Draws::new(&key(), Purpose::Step0);
        assert_eq!(draws.distinct(64, 5), vec![0, 1, 2, 3, 4]);
        let some = draws.distinct(64, 10_000);
        assert_eq!(some.len(), 64);
        assert!(some.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(draws.distinct(3, 0).is_empty());
    }

    #[test]
    fn the_key_is_committed_to_and_never_printed() {
        assert_eq!(AuditKey::from_hex(&key().to_hex()), Some(key()));
        assert_ne!(key().commitment(), AuditKey::new([8; 32]).commitment());
        assert!(!format!("{:?}", key()).contains("07"));
    }
}
