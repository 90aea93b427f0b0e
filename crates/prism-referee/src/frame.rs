//! Frames: the outermost layer of the protocol (`protocol/PROTOCOL.md`).
//!
//! Knows the header, the kinds and their limits; knows nothing of what a body means. Used by [`crate::connection`]
//! and [`crate::message`]. A header from a worker is hostile: length and kind are checked before anything is
//! allocated.

use thiserror::Error;

/// Version of the protocol.
pub const VERSION: u8 = 2;
/// Bytes of a header.
pub const HEADER_BYTES: usize = 8;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $limit:expr;)*) => {
        /// What a frame is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])* $variant = $code,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The kind with this number.
            pub fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }

            /// The longest body of this kind, in bytes.
            pub fn max_body_bytes(self) -> usize {
                match self { $(Self::$variant => $limit,)* }
            }

            /// Its name in the protocol's document.
            pub fn name(self) -> String {
                match self { $(Self::$variant => stringify!($variant).to_uppercase(),)* }
            }
        }
    };
}

/// Largest `B` and `T` that any recipe allows; the limits of the frames follow from them.
const BATCH_MAX: usize = 1024;
const SEQ_LEN_MAX: usize = 4096;
const VOCAB_MAX: usize = 131_072;
const BATCH_BYTES_MAX: usize = 33_554_456;
const SCORE_BYTES_MAX: usize = 33_554_448;
const CLAIMS_BYTES_MAX: usize = 12 + 4 * BATCH_MAX * SEQ_LEN_MAX;

kinds! {
    /// Torch is imported.
    Hello = 0x01, 258;
    /// What the worker is and may know.
    Config = 0x02, 65_536;
    /// `build_model` has returned.
    Built = 0x03, 0;
    /// `B` and `T` of the run.
    Shape = 0x04, 8;
    /// The tensors of a snapshot.
    Layout = 0x05, 8_388_608;
    /// The worker gives up.
    Failed = 0x06, 65_536;
    /// A warning for the report.
    Note = 0x07, 1_026;
    /// First call of `ctx.stream`.
    Open = 0x10, 9;
    /// Its answer.
    Opened = 0x11, 8;
    /// A snapshot lies in the segment.
    Ready = 0x12, 8;
    /// The rows of a step.
    Batch = 0x13, BATCH_BYTES_MAX;
    /// What the learner claims that they cost.
    Claims = 0x14, CLAIMS_BYTES_MAX;
    /// The claims are accepted.
    Resume = 0x15, 8;
    /// There is no further batch.
    End = 0x16, 1;
    /// The miner's own metrics.
    Log = 0x17, 4_096;
    /// `train` has returned.
    Done = 0x18, 1;
    /// Use these weights.
    Load = 0x20, 9;
    /// They are in use.
    Loaded = 0x21, 8;
    /// One row, cut before its target.
    Question = 0x22, 20 + 4 * SEQ_LEN_MAX;
    /// The logits at its end.
    Answer = 0x23, 12 + 4 * VOCAB_MAX;
    /// Held-out rows.
    Score = 0x24, SCORE_BYTES_MAX;
    /// What the claimant claims that they cost.
    Scores = 0x25, CLAIMS_BYTES_MAX;
}

/// A checked header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What follows.
    pub kind: Kind,
    /// How long it is, in bytes.
    pub body_bytes: usize,
}

/// Why a frame is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum FrameError {
    #[error("a frame of protocol version {0}; this referee speaks version {VERSION}")]
    Version(u8),
    #[error("a frame of unknown kind {0:#04x}")]
    UnknownKind(u8),
    #[error("a frame whose reserved field is not zero")]
    Reserved,
    #[error("a {name} frame of {body_bytes} bytes; at most {max_body_bytes} are allowed", name = kind.name())]
    TooLong {
        kind: Kind,
        /// Its length, in bytes.
        body_bytes: usize,
        /// The limit, in bytes.
        max_body_bytes: usize,
    },
    #[error("a {name} frame that ends too early", name = .0.name())]
    Truncated(Kind),
    #[error("a {name} frame with {left_bytes} bytes left over", name = kind.name())]
    Trailing {
        kind: Kind,
        /// How many bytes are left over.
        left_bytes: usize,
    },
    #[error("a {name} frame with a bad {field}", name = kind.name())]
    Field { kind: Kind, field: &'static str },
    #[error("a {got} frame where {expected} was due", got = got.name())]
    Unexpected { got: Kind, expected: String },
}

impl Header {
    /// Parses eight bytes.
    pub fn parse(bytes: [u8; HEADER_BYTES]) -> Result<Self, FrameError> {
        let [l0, l1, l2, l3, version, code, z0, z1] = bytes;
        if version != VERSION {
            return Err(FrameError::Version(version));
        }
        let kind = Kind::from_code(code).ok_or(FrameError::UnknownKind(code))?;
        if (z0, z1) != (0, 0) {
            return Err(FrameError::Reserved);
        }
        let max_body_bytes = kind.max_body_bytes();
        let body_bytes = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        if body_bytes > max_body_bytes {
            return Err(FrameError::TooLong {
                kind,
                body_bytes,
                max_body_bytes,
            });
        }
        Ok(Self { kind, body_bytes })
    }

    /// The eight bytes of a header. `body_bytes` is the referee's own and within the limit.
    pub fn encode(self) -> [u8; HEADER_BYTES] {
        let len = u32::try_from(self.body_bytes).unwrap_or(u32::MAX).to_le_bytes();
        [len[0], len[1], len[2], len[3], VERSION, self.kind as u8, 0, 0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_round_trip_at_both_sides_of_the_limit() {
        for &kind in Kind::ALL {
            assert_eq!(Kind::from_code(kind as u8), Some(kind));
            let max = kind.max_body_bytes();
            let header = Header {
                kind,
                body_bytes: max,
            };
            assert_eq!(Header::parse(header.encode()), Ok(header));
            let long = Header {
                kind,
                body_bytes: max + 1,
            }
            .encode();
            assert_eq!(
                Header::parse(long),
                Err(FrameError::TooLong {
                    kind,
                    body_bytes: max + 1,
                    max_body_bytes: max
                })
            );
        }
    }

    #[test]
    fn hostile_headers_are_refused_before_anything_is_allocated() {
        let good = Header {
            kind: Kind::Hello,
            body_bytes: 3,
        }
        .encode();
        let with = |at: usize, value: u8| {
            let mut bytes = good;
            bytes[at] = value;
            Header::parse(bytes)
        };
        for other in [0, VERSION - 1, VERSION + 1] {
            assert_eq!(with(4, other), Err(FrameError::Version(other)));
        }
        assert_eq!(with(5, 0xff), Err(FrameError::UnknownKind(0xff)));
        assert_eq!(with(6, 1), Err(FrameError::Reserved));
        assert_eq!(with(7, 1), Err(FrameError::Reserved));
        assert!(matches!(with(3, 0xff), Err(FrameError::TooLong { .. })));
    }
}
