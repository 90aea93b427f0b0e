//! The code profile of a run: its code length cut into blocks of documents, small enough to keep beside each score.
//!
//! Made from a record by `prism_referee::profile`, kept by the store, read by [`super`] to tell whether two runs differ by
//! more than chance. It holds nothing of the text and no claim of a single document of a long stream; whoever shows it
//! before a round has closed shows the difficulty of its blocks.
//!
//! Document `d` of `D` belongs to block `d * K / D`, with `K` = [`BLOCKS_MAX`] or `D` where there are fewer: the same blocks
//! for every bundle on one stream, whatever its tokenizer and its shape of a step. For each block there is what the run
//! **saved** against the raw text, by its claims:
//!
//! ```text
//! saved  =  8 ln 2 * bytes read  -  smoothed claims,  in millionths of a nat
//! bpb    =  8 + ( bundle_bits + (correction - sum of saved) / ln 2 ) / stream_bytes
//! ```
//!
//! A byte that was not read costs 8 bits and saves nothing, so that runs which ended at different places can be compared
//! without knowing how long each document is. Savings are whole numbers: sums of them are exact in any order.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::advice::{Advice, Hint};
use crate::{estimate::Sum, hash::Sha256Hash, nats::NATS_PER_BIT, score::RAW_BITS_PER_BYTE};

/// Version of the format; another one is refused.
pub const VERSION: u32 = 1;
/// Most blocks of a profile.
pub const BLOCKS_MAX: usize = 2_000;
/// Most bytes of a profile as JSON.
pub const PROFILE_BYTES_MAX: usize = 64 * 1024;
/// Most that one block may have saved or lost: sums and differences over [`BLOCKS_MAX`] of them stay within an `i64`.
/// It is what 400 MB of text cost.
const SAVED_MICRONATS_MAX: i64 = 1 << 51;

/// Millionths of a nat in a nat.
pub(super) const MICRONATS_PER_NAT: f64 = 1e6;

/// Why there is no profile.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// More bytes than any profile has.
    #[error("a code profile has at most {PROFILE_BYTES_MAX} bytes; this one has {0}")]
    TooLarge(usize),
    /// Not the JSON of a profile.
    #[error("the code profile cannot be read: {0}")]
    Syntax(#[from] serde_json::Error),
    /// Another version.
    #[error("the code profile has version {0}; this version of PRISM reads version {VERSION}")]
    Version(u32),
    /// A value that no run gives.
    #[error("the code profile is damaged: {0}")]
    Damaged(&'static str),
}

impl Advice for ProfileError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::Version(..) => "make it again from the record".into(),
            _ => return None,
        })
    }
}

/// What a profile is of, apart from its blocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProfileHead {
    /// The corpus.
    pub corpus: Sha256Hash,
    /// Documents of the stream.
    pub documents: u64,
    /// Source bytes of the stream.
    pub stream_bytes: u64,
    /// What the bundle costs above its allowance, in bits.
    pub bundle_bits: u64,
    /// What the audits add to the claims, in nats: `sum d / pi`.
    pub correction_nats: f64,
    /// The standard error of that, in nats.
    pub se_nats: f64,
}

/// What was read of one document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DocumentCost {
    /// Its number within the stream.
    pub document: u64,
    /// Source bytes read.
    pub bytes: u64,
    /// Their smoothed claims, in nats.
    pub nats: f64,
}

/// A code length, block by block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Written", try_from = "Written")]
pub struct CodeProfile {
    head: ProfileHead,
    saved_micronats: Vec<i64>,
}

/// The JSON of a profile.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    corpus: Sha256Hash,
    documents: u64,
    stream_bytes: u64,
    bundle_bits: u64,
    correction_nats: f64,
    se_nats: f64,
    saved_micronats: Vec<i64>,
}

impl CodeProfile {
    /// Cuts the documents of a run into blocks. They come in ascending order; one of which nothing was read may be absent.
    pub fn of_documents(
        head: ProfileHead,
        documents: impl IntoIterator<Item = DocumentCost>,
    ) -> Result<Self, ProfileError> {
        let blocks = blocks_of(head.documents)?;
        let mut saved = vec![Sum::default(); blocks];
        let mut next = 0;
        let mut bytes_read = 0_u64;
        for cost in documents {
            if cost.document < next || cost.document >= head.documents {
                return Err(ProfileError::Damaged(
                    "documents that are not those of the stream, in their order",
                ));
            }
            next = cost.document + 1;
            bytes_read = bytes_read.saturating_add(cost.bytes);
            if bytes_read > head.stream_bytes {
                return Err(ProfileError::Damaged("more bytes read than the stream has"));
            }
            saved[block_of(cost.document, head.documents, blocks)]
                .add(RAW_BITS_PER_BYTE * NATS_PER_BIT * cost.bytes as f64 - cost.nats);
        }
        let saved = saved.iter().map(|sum| micronats(sum.value()));
        Self::new(head, saved.collect::<Result<_, _>>()?)
    }

    /// Checks the parts of a profile and puts them together.
    fn new(head: ProfileHead, saved_micronats: Vec<i64>) -> Result<Self, ProfileError> {
        if saved_micronats.len() != blocks_of(head.documents)? {
            return Err(ProfileError::Damaged("not as many blocks as its stream has"));
        }
        if head.stream_bytes == 0 {
            return Err(ProfileError::Damaged("a stream without bytes"));
        }
        if !head.correction_nats.is_finite() || !head.se_nats.is_finite() || head.se_nats < 0.0 {
            return Err(ProfileError::Damaged("a correction or error that is no number"));
        }
        let limit = SAVED_MICRONATS_MAX.unsigned_abs();
        if saved_micronats.iter().any(|saved| saved.unsigned_abs() > limit) {
            return Err(ProfileError::Damaged("a block that is larger than any"));
        }
        Ok(Self {
            head,
            saved_micronats,
        })
    }

    /// Parses the JSON of a profile; reads nothing of what is too large.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ProfileError> {
        if bytes.len() > PROFILE_BYTES_MAX {
            return Err(ProfileError::TooLarge(bytes.len()));
        }
        Self::try_from(serde_json::from_slice::<Written>(bytes)?)
    }

    /// The JSON: the same bytes for the same profile.
    #[allow(
        clippy::expect_used,
        reason = "no map, no non-string key, no float that is not finite: serialisation cannot fail"
    )]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a profile is always serialisable")
    }

    /// The hash of its JSON.
    pub fn sha256(&self) -> Sha256Hash {
        Sha256Hash::of(&self.to_json())
    }

    /// What it is of.
    pub fn head(&self) -> &ProfileHead {
        &self.head
    }

    /// What each block saved against the raw text, in millionths of a nat.
    pub fn saved_micronats(&self) -> &[i64] {
        &self.saved_micronats
    }

    /// Whether its blocks are those of the other one.
    pub fn same_stream(&self, other: &Self) -> bool {
        let of = |head: &ProfileHead| (head.corpus, head.documents, head.stream_bytes);
        of(&self.head) == of(&other.head)
    }

    /// The bits per byte that it adds up to.
    pub fn bpb(&self) -> f64 {
        let saved_nats = self.saved_micronats.iter().sum::<i64>() as f64 / MICRONATS_PER_NAT;
        let bits = self.head.bundle_bits as f64 + (self.head.correction_nats - saved_nats) / NATS_PER_BIT;
        RAW_BITS_PER_BYTE + bits / self.head.stream_bytes as f64
    }
}

/// How many blocks a stream of so many documents has.
fn blocks_of(documents: u64) -> Result<usize, ProfileError> {
    match usize::try_from(documents).map_or(BLOCKS_MAX, |documents| documents.min(BLOCKS_MAX)) {
        0 => Err(ProfileError::Damaged("a stream without documents")),
        blocks => Ok(blocks),
    }
}

/// The block of a document, which is one of `documents`.
fn block_of(document: u64, documents: u64, blocks: usize) -> usize {
    let block = u128::from(document) * blocks as u128 / u128::from(documents);
    // Smaller than `blocks`, because the document is smaller than `documents`.
    usize::try_from(block).unwrap_or(blocks - 1)
}

/// The nearest whole number of millionths of a nat.
fn micronats(nats: f64) -> Result<i64, ProfileError> {
    let rounded = libm::rint(nats * MICRONATS_PER_NAT);
    if rounded.abs() <= SAVED_MICRONATS_MAX as f64 {
        #[allow(clippy::cast_possible_truncation, reason = "whole and within the limit")]
        return Ok(rounded as i64);
    }
    Err(ProfileError::Damaged(
        "a block that is larger than any, or no number",
    ))
}

impl From<CodeProfile> for Written {
    fn from(profile: CodeProfile) -> Self {
        let head = profile.head;
        Self {
            version: VERSION,
            corpus: head.corpus,
            documents: head.documents,
            stream_bytes: head.stream_bytes,
            bundle_bits: head.bundle_bits,
            correction_nats: head.correction_nats,
            se_nats: head.se_nats,
            saved_micronats: profile.saved_micronats,
        }
    }
}

impl TryFrom<Written> for CodeProfile {
    type Error = ProfileError;

    fn try_from(written: Written) -> Result<Self, ProfileError> {
        if written.version != VERSION {
            return Err(ProfileError::Version(written.version));
        }
        let head = ProfileHead {
            corpus: written.corpus,
            documents: written.documents,
            stream_bytes: written.stream_bytes,
            bundle_bits: written.bundle_bits,
            correction_nats: written.correction_nats,
            se_nats: written.se_nats,
        };
        Self::new(head, written.saved_micronats)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(documents: u64) -> ProfileHead {
        ProfileHead {
            corpus: Sha256Hash([7; 32]),
            documents,
            stream_bytes: documents * 100,
            bundle_bits: 0,
            correction_nats: 0.0,
            se_nats: 0.0,
        }
    }

    fn costs(documents: std::ops::Range<u64>, bits_per_byte: f64) -> impl Iterator<Item = DocumentCost> {
        documents.map(move |document| DocumentCost {
            document,
            bytes: 100,
            nats: 100.0 * bits_per_byte * NATS_PER_BIT,
        })
    }

    #[test]
    fn blocks_cover_the_documents_evenly_and_add_up_to_the_code_length() {
        for documents in [1, 2, 1_999, 2_000, 2_001, 123_457] {
            let profile = CodeProfile::of_documents(head(documents), costs(0..documents, 2.0)).unwrap();
            let saved = profile.saved_micronats();
            assert_eq!(saved.len(), usize::try_from(documents).unwrap().min(BLOCKS_MAX));
            // 600 bits saved a document; no block has twice as many documents as another one, and one more at the most.
            let counts: Vec<f64> = saved
                .iter()
                .map(|&saved| saved as f64 / MICRONATS_PER_NAT / NATS_PER_BIT / 600.0)
                .collect();
            let (least, most) = (libm::rint(counts[0]), counts.iter().copied().fold(0.0, f64::max));
            assert!(
                least >= 1.0 && most <= least + 1.001,
                "{documents}: {least} to {most}"
            );
            assert!(
                (profile.bpb() - 2.0).abs() < 1e-7,
                "{documents}: {}",
                profile.bpb()
            );
        }
    }

    #[test]
    fn neighbours_are_in_one_block() {
        let first = CodeProfile::of_documents(head(10_000), costs(0..23, 2.0)).unwrap();
        let saved = first.saved_micronats();
        assert!(saved[..5].iter().all(|&saved| saved > 0) && saved[5..].iter().all(|&saved| saved == 0));
        // Five documents a block, and three in the last one of these.
        assert!(saved[..4].iter().all(|&saved| saved == saved_by(5)) && saved[4] == saved_by(3));
        let last = CodeProfile::of_documents(head(10_000), costs(9_999..10_000, 2.0)).unwrap();
        assert_eq!(last.saved_micronats()[BLOCKS_MAX - 1], saved_by(1));
    }

    /// What so many documents of [`costs`] at two bits a byte save, in millionths of a nat.
    fn saved_by(documents: u32) -> i64 {
        micronats(f64::from(documents) * 600.0 * NATS_PER_BIT).unwrap()
    }

    #[test]
    fn what_is_not_read_costs_eight_bits_and_the_rest_is_added() {
        let half = CodeProfile::of_documents(head(1_000), costs(0..500, 2.0)).unwrap();
        assert!((half.bpb() - 5.0).abs() < 1e-7);
        let charged = ProfileHead {
            bundle_bits: 50_000,
            correction_nats: 50_000.0 * NATS_PER_BIT,
            ..head(1_000)
        };
        let charged = CodeProfile::of_documents(charged, costs(0..500, 2.0)).unwrap();
        assert!((charged.bpb() - 6.0).abs() < 1e-7, "half a bit a byte each");
        let nothing = CodeProfile::of_documents(head(1_000), []).unwrap();
        assert_eq!(nothing.bpb(), 8.0);
    }

    #[test]
    fn the_largest_profile_is_small_and_reads_back() {
        let large = CodeProfile::new(head(1 << 40), vec![-SAVED_MICRONATS_MAX; BLOCKS_MAX]).unwrap();
        let json = large.to_json();
        assert!(json.len() <= PROFILE_BYTES_MAX * 3 / 4, "{} bytes", json.len());
        assert_eq!(CodeProfile::from_json(&json).unwrap(), large);
        assert!(large.bpb().is_finite());
        let exact = ProfileHead {
            correction_nats: 0.1 + 0.2,
            se_nats: f64::MIN_POSITIVE,
            ..head(40)
        };
        let exact = CodeProfile::of_documents(exact, costs(0..40, 1.234_567)).unwrap();
        assert_eq!(CodeProfile::from_json(&exact.to_json()).unwrap(), exact);
        assert_eq!(
            exact.sha256(),
            CodeProfile::from_json(&exact.to_json()).unwrap().sha256()
        );
    }

    #[test]
    fn documents_that_no_stream_has_are_refused() {
        let one = |document, bytes, nats| DocumentCost {
            document,
            bytes,
            nats,
        };
        let cases: &[&[DocumentCost]] = &[
            &[one(3, 10, 1.0), one(3, 10, 1.0)],
            &[one(3, 10, 1.0), one(2, 10, 1.0)],
            &[one(40, 10, 1.0)],
            &[one(u64::MAX, 10, 1.0)],
            &[one(0, 4_001, 1.0)],
            &[one(0, u64::MAX, 1.0), one(1, u64::MAX, 1.0)],
            &[one(0, 10, f64::NAN)],
            &[one(0, 10, f64::INFINITY)],
            &[one(0, 10, 1e300)],
        ];
        for &case in cases {
            let refused = CodeProfile::of_documents(head(40), case.iter().copied());
            assert!(matches!(refused, Err(ProfileError::Damaged(_))), "{case:?}");
        }
        assert!(CodeProfile::of_documents(head(0), []).is_err());
    }

    #[test]
    fn damaged_json_is_refused() {
        let good = CodeProfile::of_documents(head(3), costs(0..3, 2.0)).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&good.to_json()).unwrap();
        let with = |field: &str, new: serde_json::Value| {
            let mut value = value.clone();
            value[field] = new;
            CodeProfile::from_json(value.to_string().as_bytes()).unwrap_err()
        };
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert!(matches!(with("version", json("2")), ProfileError::Version(2)));
        for (field, new) in [
            ("documents", "0"),
            ("documents", "4"),
            ("stream_bytes", "0"),
            ("se_nats", "-1.0"),
            ("saved_micronats", "[]"),
            ("saved_micronats", "[1, 2]"),
            ("saved_micronats", "[1, 2, 9007199254740993]"),
            ("saved_micronats", "[1, 2, -9223372036854775808]"),
        ] {
            assert!(
                matches!(with(field, json(new)), ProfileError::Damaged(_)),
                "{field} {new}"
            );
        }
        for (field, new) in [
            ("se_nats", "null"),
            ("saved_micronats", "[1, 2, 0.5]"),
            ("more", "1"),
            ("corpus", "\"\""),
        ] {
            assert!(
                matches!(with(field, json(new)), ProfileError::Syntax(_)),
                "{field} {new}"
            );
        }
        let bomb = vec![b'['; PROFILE_BYTES_MAX + 1];
        assert!(matches!(
            CodeProfile::from_json(&bomb),
            Err(ProfileError::TooLarge(_))
        ));
    }
}
