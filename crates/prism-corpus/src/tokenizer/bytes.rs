//! The byte tokenizer: id = byte, 256 ends a text.
//!
//! [`super::Tokenizer`] calls it. It has no state and cannot fail.

use super::Encoded;

pub(super) const END_OF_TEXT: u32 = 256;
pub(super) const VOCAB_SIZE: u32 = 257;

pub(super) fn encode(document: &str, out: &mut Encoded) {
    out.ids.extend(document.bytes().map(u32::from));
    out.byte_lengths.resize(out.ids.len(), 1);
}
