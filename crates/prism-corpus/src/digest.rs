//! The keyed digest of a document: what decides its split, its place and whether it is a duplicate.
//!
//! `lock` calls it for the normal form of every document, `synth` for its bytes; the rule in the manifest says which. It
//! must never look at anything but the salt and the bytes, so that the split of a document does not depend on other
//! documents, file names or order of reading.

use crate::manifest::Split;

/// Domain separation: a digest of this crate is no digest of any other.
const CONTEXT: &str = "prism-corpus 2026 document digest v1";

/// 128 bits that stand for a document: duplicates have equal ones, and the corpus is ordered by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DocumentId([u8; 16]);

/// The digest function of one salt.
pub(crate) struct Digester {
    key: [u8; 32],
    val_permille: u64,
    test_permille: u64,
}

impl Digester {
    /// Of splits that have thousandths of the documents; with none of them everything is `train`.
    pub(crate) fn new(salt: &str, val_permille: u32, test_permille: u32) -> Self {
        Self {
            key: blake3::derive_key(CONTEXT, salt.as_bytes()),
            val_permille: u64::from(val_permille),
            test_permille: u64::from(test_permille),
        }
    }

    /// The id and the split of a document. They come from different bits of the digest, so each split is itself
    /// in an order that says nothing about the text.
    pub(crate) fn digest(&self, document: &[u8]) -> (DocumentId, Split) {
        let hash = *blake3::keyed_hash(&self.key, document).as_bytes();
        let mut id = [0u8; 16];
        id.copy_from_slice(&hash[..16]);
        let mut draw = [0u8; 8];
        draw.copy_from_slice(&hash[16..24]);
        (DocumentId(id), self.split_of(u64::from_le_bytes(draw)))
    }

    /// 64 bits that stand for the bytes of one of several documents with the same id.
    pub(crate) fn tag(&self, document: &[u8]) -> u64 {
        let hash = *blake3::keyed_hash(&self.key, document).as_bytes();
        let mut tag = [0u8; 8];
        tag.copy_from_slice(&hash[..8]);
        u64::from_le_bytes(tag)
    }

    fn split_of(&self, draw: u64) -> Split {
        // The high half of the product is a uniform number below 1000, without the bias of a remainder.
        let permille = u64::try_from((u128::from(draw) * 1000) >> 64).unwrap_or(u64::MAX);
        if permille < self.val_permille {
            Split::Val
        } else if permille < self.val_permille + self.test_permille {
            Split::Test
        } else {
            Split::Train
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_shares_follow_the_rule() {
        let digester = Digester::new("salt", 100, 200);
        let mut counts = [0usize; 3];
        for i in 0..20_000u32 {
            let (_, split) = digester.digest(&i.to_le_bytes());
            counts[split.index()] += 1;
        }
        assert!(
            (13_600..14_400).contains(&counts[Split::Train.index()]),
            "{counts:?}"
        );
        assert!((1_800..2_200).contains(&counts[Split::Val.index()]), "{counts:?}");
        assert!(
            (3_700..4_300).contains(&counts[Split::Test.index()]),
            "{counts:?}"
        );
    }

    #[test]
    fn the_ends_of_the_draw_belong_to_the_outer_splits() {
        let digester = Digester::new("salt", 1, 1);
        assert_eq!(digester.split_of(0), Split::Val);
        assert_eq!(digester.split_of(u64::MAX), Split::Train);
        assert_eq!(Digester::new("salt", 0, 0).split_of(0), Split::Train);
    }

    #[test]
    fn the_salt_changes_the_id() {
        let (first, _) = Digester::new("salt", 1, 1).digest(b"text");
        let (second, _) = Digester::new("other", 1, 1).digest(b"text");
        assert_ne!(first, second);
    }
}
