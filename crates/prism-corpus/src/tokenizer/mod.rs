//! The tokenizers of the referee: document in, token ids and the bytes that each stands for out.
//!
//! The referee loads one a run and encodes every document of the stream with it. It must never lose, add or change
//! a byte: what the tokens stand for is compared with the document, each time. The end-of-text token is never put
//! out here; text that spells it is ordinary text.

mod bundle;
mod bytes;
mod gpt2;
mod split;
mod table;

use bundle::Bundle;
use prism_core::advice::{Advice, Hint};

pub use bundle::{BundleTokenizerError, END_OF_TEXT_NAMES, JsonPlace, SPLIT_PATTERNS};
use gpt2::Gpt2;

/// Which tokenizer a run uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenizerSpec {
    /// One token a byte.
    Bytes,
    /// The tokenizer of GPT-2.
    Gpt2,
    /// The bytes of a bundle's `tokenizer.json`.
    Bundle(Vec<u8>),
}

/// The tokens of one document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encoded {
    /// Token ids, all below the vocabulary's width.
    pub ids: Vec<u32>,
    /// How many bytes of the document each token stands for, at least one.
    pub byte_lengths: Vec<u16>,
}

impl Encoded {
    /// Drops the tokens and keeps the memory.
    pub fn clear(&mut self) {
        self.ids.clear();
        self.byte_lengths.clear();
    }
}

/// Why a tokenizer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// The data of a built-in tokenizer does not load: a defect of this program.
    #[error("the built-in tokenizer does not load: {0}")]
    Builtin(String),
    /// The bundle's tokenizer is refused.
    #[error("`tokenizer.json` is refused: {0}")]
    Bundle(#[from] BundleTokenizerError),
}

impl Advice for TokenizerError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::Bundle(error) => return error.hint(),
            Self::Builtin(..) => "report this as a defect".into(),
        })
    }
}

/// Why a document cannot be encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The tokens do not stand for the bytes of the document, and there are no byte tokens to fall back on.
    #[error(
        "the tokenizer does not keep a document of {document_bytes} bytes as it is, and its vocabulary lacks some of the 256 single-byte tokens that would"
    )]
    NotLossless {
        /// Length of the document.
        document_bytes: usize,
    },
    /// The tokenizer of the bundle gives up.
    #[error("the tokenizer of the bundle cannot encode a document: {0}")]
    Tokenizer(String),
}

impl Advice for EncodeError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::NotLossless { .. } => "add them to its vocabulary".into(),
            Self::Tokenizer(_) => return None,
        })
    }
}

/// A loaded tokenizer.
#[derive(Debug)]
pub struct Tokenizer {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Bytes,
    Gpt2(Box<Gpt2>),
    Bundle(Box<Bundle>),
}

impl Tokenizer {
    /// Loads a tokenizer.
    pub fn load(spec: &TokenizerSpec) -> Result<Self, TokenizerError> {
        let kind = match spec {
            TokenizerSpec::Bytes => Kind::Bytes,
            TokenizerSpec::Gpt2 => Kind::Gpt2(Box::new(Gpt2::load()?)),
            TokenizerSpec::Bundle(json) => Kind::Bundle(Box::new(Bundle::load(json)?)),
        };
        Ok(Self { kind })
    }

    /// The declared width of the vocabulary: ids and logits are below it.
    pub fn vocab_size(&self) -> u32 {
        match &self.kind {
            Kind::Bytes => bytes::VOCAB_SIZE,
            Kind::Gpt2(_) => gpt2::VOCAB_SIZE,
            Kind::Bundle(bundle) => bundle.vocab_size,
        }
    }

    /// The token that the referee puts after each document.
    pub fn end_of_text(&self) -> u32 {
        match &self.kind {
            Kind::Bytes => bytes::END_OF_TEXT,
            Kind::Gpt2(_) => gpt2::END_OF_TEXT,
            Kind::Bundle(bundle) => bundle.end_of_text,
        }
    }

    /// Replaces `out` by the tokens of the document, without the end-of-text token. The bytes of the tokens,
    /// joined, are the document; where those of the tokenizer are not, it is encoded by single bytes.
    pub fn encode(&self, document: &str, out: &mut Encoded) -> Result<(), EncodeError> {
        out.clear();
        let table = match &self.kind {
            Kind::Bytes => {
                bytes::encode(document, out);
                return Ok(());
            }
            Kind::Gpt2(gpt2) => {
                gpt2.encode(document, out);
                &gpt2.table
            }
            Kind::Bundle(bundle) => {
                bundle.encode(document, out)?;
                &bundle.table
            }
        };
        let bytes = document.as_bytes();
        if table.account(bytes, out) || table.encode_bytes(bytes, out) {
            return Ok(());
        }
        out.clear();
        Err(EncodeError::NotLossless {
            document_bytes: document.len(),
        })
    }
}
