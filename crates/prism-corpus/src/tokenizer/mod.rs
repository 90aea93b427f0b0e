//! The tokenizers of the referee: document in, token ids and the bytes that each stands for out.
//!
//! The referee loads one a run and encodes every document of the stream with it. It must never lose, add or change
//! a byte: what the tokens stand for is compared with the document, each time. The end-of-text token is never put
//! out here; text that spells it is ordinary text.

mod bytes;

/// Which tokenizer a run uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenizerSpec {
    /// One token a byte.
    Bytes,
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
pub enum TokenizerError {}

/// Why a document cannot be encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {}

/// A loaded tokenizer.
#[derive(Debug)]
pub struct Tokenizer {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Bytes,
}

impl Tokenizer {
    /// Loads a tokenizer.
    pub fn load(spec: &TokenizerSpec) -> Result<Self, TokenizerError> {
        Ok(match spec {
            TokenizerSpec::Bytes => Self { kind: Kind::Bytes },
        })
    }

    /// The declared width of the vocabulary: ids and logits are below it.
    pub fn vocab_size(&self) -> u32 {
        match self.kind {
            Kind::Bytes => bytes::VOCAB_SIZE,
        }
    }

    /// The token that the referee puts after each document.
    pub fn end_of_text(&self) -> u32 {
        match self.kind {
            Kind::Bytes => bytes::END_OF_TEXT,
        }
    }

    /// Replaces `out` by the tokens of the document, without the end-of-text token.
    pub fn encode(&self, document: &str, out: &mut Encoded) -> Result<(), EncodeError> {
        out.clear();
        match self.kind {
            Kind::Bytes => bytes::encode(document, out),
        }
        Ok(())
    }
}
