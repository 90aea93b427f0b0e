//! The 256 characters that stand for the bytes in a byte-level vocabulary.
//!
//! [`super`] turns tokens into bytes with it. Printable bytes stand for themselves, the others follow from U+0100 on.

/// The character of each byte.
pub(super) fn alphabet() -> [char; 256] {
    let mut next = 0x100u32;
    std::array::from_fn(|byte| {
        let byte = u8::try_from(byte).unwrap_or(0);
        if matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff) {
            return char::from(byte);
        }
        let character = char::from_u32(next).unwrap_or(char::REPLACEMENT_CHARACTER);
        next += 1;
        character
    })
}

/// The byte of each character of the alphabet, by code point.
pub(super) struct Inverse {
    bytes: [Option<u8>; 0x144],
}

impl Inverse {
    pub(super) fn new() -> Self {
        let mut bytes = [None; 0x144];
        for (byte, character) in (0..=255).zip(alphabet()) {
            bytes[character as usize] = Some(byte);
        }
        Self { bytes }
    }

    /// The bytes that a token stands for; `None` if one of its characters is not of the alphabet.
    pub(super) fn bytes_of(&self, token: &str) -> Option<Vec<u8>> {
        token
            .chars()
            .map(|character| self.bytes.get(character as usize).copied().flatten())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_is_the_published_one() {
        let alphabet = alphabet();
        assert_eq!(
            (alphabet[0], alphabet[b' ' as usize], alphabet[b'\n' as usize]),
            ('\u{100}', 'Ġ', 'Ċ')
        );
        assert_eq!(
            (alphabet[b'a' as usize], alphabet[0xad], alphabet[0xff]),
            ('a', '\u{143}', 'ÿ')
        );
        let inverse = Inverse::new();
        for (byte, character) in (0u8..=255).zip(alphabet) {
            assert_eq!(inverse.bytes_of(&character.to_string()), Some(vec![byte]));
        }
        assert_eq!(inverse.bytes_of("Ġa"), Some(b" a".to_vec()));
        for foreign in [" ", "\u{a0}", "\u{144}", "\u{1f600}"] {
            assert_eq!(inverse.bytes_of(foreign), None);
        }
    }
}
