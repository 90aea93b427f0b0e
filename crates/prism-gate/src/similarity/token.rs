//! The alphabet of normalised code, and its hashes.
//!
//! A token is a word of 64 bits and the line it came from. Which fingerprints a bundle has depends on the hashes: they are
//! spelled out here, depend on no library, and are the same on every machine.

/// One symbol of normalised code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) word: u64,
    /// Line in the file, from 1.
    pub(super) line: u32,
}

impl Token {
    pub(super) fn new(text: &str, line: u32) -> Self {
        let word = word(text);
        Self { word, line }
    }
}

/// A name of the bundle, a literal, a setting: whatever may be renamed or changed at no cost.
pub(super) const ATOM: u64 = word("an atom");
/// A call of something of the bundle's own.
pub(super) const CALL: u64 = word("a call");

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// FNV-1a of 64 bits over the bytes of a text.
pub(super) const fn word(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut hash = OFFSET;
    let mut at = 0;
    while at < bytes.len() {
        hash ^= bytes[at] as u64;
        hash = hash.wrapping_mul(PRIME);
        at += 1;
    }
    hash
}

/// The finaliser of `SplitMix64` (Steele, Lea, Flood 2014): every bit of the input moves every bit of the output.
pub(super) const fn mix(value: u64) -> u64 {
    let mut hash = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// The hash of a sequence of words, in their order.
pub(super) fn sequence(words: impl IntoIterator<Item = u64>) -> u64 {
    words.into_iter().fold(OFFSET, |hash, word| mix(hash ^ word))
}

/// Puts an atom at the end, unless one stands there: how many names or numbers follow one another says nothing.
pub(super) fn push_atom(out: &mut Vec<Token>, line: u32) {
    if out.last().is_none_or(|token| token.word != ATOM) {
        out.push(Token { word: ATOM, line });
    }
}

/// Puts code behind code.
pub(super) fn append(out: &mut Vec<Token>, tokens: &[Token]) {
    let joined = out.last().is_some_and(|token| token.word == ATOM)
        && tokens.first().is_some_and(|token| token.word == ATOM);
    out.extend_from_slice(&tokens[usize::from(joined)..]);
}

/// What pieces of code are sorted by where their order means nothing. The beginning weighs most, so that an edit deep
/// inside a piece seldom moves it.
pub(super) fn sort_key(tokens: &[Token]) -> (u64, u64) {
    let words = || tokens.iter().map(|token| token.word);
    (
        sequence(words().filter(|word| *word != ATOM).take(3)),
        sequence(words()),
    )
}

/// Puts pieces whose order means nothing into the order of their keys.
pub(super) fn append_sorted(out: &mut Vec<Token>, mut pieces: Vec<Vec<Token>>) {
    pieces.sort_by_key(|piece| sort_key(piece));
    for piece in &pieces {
        append(out, piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_are_the_published_ones() {
        assert_eq!(word(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(word("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(word("foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn a_sequence_knows_its_order() {
        assert_ne!(sequence([1, 2]), sequence([2, 1]));
        assert_ne!(sequence([0]), sequence([0, 0]));
    }
}
