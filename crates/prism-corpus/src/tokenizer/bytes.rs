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

#[cfg(test)]
mod tests {
    use super::super::{Tokenizer, TokenizerSpec};
    use super::*;

    #[test]
    fn a_byte_is_a_token() {
        let tokenizer = Tokenizer::load(&TokenizerSpec::Bytes).unwrap();
        assert_eq!((tokenizer.vocab_size(), tokenizer.end_of_text()), (257, 256));
        let mut out = Encoded::default();
        tokenizer.encode("longer than the next", &mut out).unwrap();
        tokenizer.encode("\u{e9}\0z", &mut out).unwrap();
        assert_eq!(
            (out.ids, out.byte_lengths),
            (vec![0xc3, 0xa9, 0, 122], vec![1; 4])
        );
    }
}
