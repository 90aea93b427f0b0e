//! Where a text that is too long is cut.
//!
//! The lock cuts long documents and long `.txt` files with it. A cut never falls inside a character, and the
//! pieces joined are the text. Where a section ends depends on its words and on how paragraphs and lines lie between
//! them, and on nothing else of its white space: a copy of a file with other line ends, with a byte order mark or with
//! spaces at the ends of its lines has sections of the same words.

use crate::limits::{SECTION_BYTES_MAX, SECTION_BYTES_MIN, SECTION_FILE_BYTES_MAX};
use crate::normal::BYTE_ORDER_MARK;

/// The length of the first piece of `text`: all of it if it has at most `max_bytes`, else up to the last
/// paragraph end between `min_bytes` and `max_bytes`, or line end, or space, or character.
pub(super) fn piece_bytes(text: &str, min_bytes: usize, max_bytes: usize) -> usize {
    let bytes = text.as_bytes();
    if bytes.len() <= max_bytes {
        return bytes.len();
    }
    let ends: [fn(&[u8]) -> bool; 3] = [
        |before| before.ends_with(b"\n\n") || before.ends_with(b"\n\r\n"),
        |before| before.ends_with(b"\n"),
        |before| before.ends_with(b" "),
    ];
    let found = ends.iter().find_map(|is_end| {
        (min_bytes.max(1)..=max_bytes)
            .rev()
            .find(|length| is_end(&bytes[..*length]))
    });
    // Line ends and spaces are single bytes in UTF-8 and part of no other character.
    found.unwrap_or_else(|| text.floor_char_boundary(max_bytes).max(1))
}

/// The length of the first section of `text`, or none if that depends on text that is still to come; `is_all` says that
/// none is.
///
/// Counted are the bytes of the words, two bytes for the end of a paragraph, and one for any other white space between
/// words. A section ends at the last paragraph between [`SECTION_BYTES_MIN`] and [`SECTION_BYTES_MAX`] counted bytes, or
/// line, or word, or character.
pub(super) fn section_bytes(text: &str, is_all: bool) -> Option<usize> {
    let is_longer = text.len() > SECTION_FILE_BYTES_MAX;
    let text = &text[..text.floor_char_boundary(SECTION_FILE_BYTES_MAX)];
    // The last end of each kind that is long enough: of a paragraph, a line, a word.
    let mut ends = [None; 3];
    let best = |ends: [Option<usize>; 3]| ends.into_iter().flatten().next();
    let (mut at, mut counted_bytes) = (0, 0);
    while at < text.len() {
        let word = text[at..].find(is_gap).map_or(text.len(), |length| at + length);
        if counted_bytes + (word - at) > SECTION_BYTES_MAX {
            let in_word = text.floor_char_boundary(at + SECTION_BYTES_MAX.saturating_sub(counted_bytes));
            return Some(best(ends).unwrap_or(in_word.max(1)));
        }
        counted_bytes += word - at;
        let gap = Gap::after(text, word);
        if (is_longer || !is_all) && gap.end == text.len() {
            break;
        }
        // White space before the first word counts for nothing.
        if counted_bytes > 0 {
            counted_bytes += gap.counted_bytes();
        }
        if let Some(kind) = gap.kind()
            && (SECTION_BYTES_MIN..=SECTION_BYTES_MAX).contains(&counted_bytes)
        {
            ends[kind] = Some(gap.cut);
        }
        at = gap.end;
    }
    if is_longer {
        return Some(best(ends).unwrap_or(text.len()));
    }
    is_all.then_some(text.len())
}

fn is_gap(character: char) -> bool {
    character.is_whitespace() || character == BYTE_ORDER_MARK
}

/// What lies between two words: white space and byte order marks.
struct Gap {
    line_ends: usize,
    has_space: bool,
    /// Where a section may end: after the last line end, or after it all.
    cut: usize,
    end: usize,
}

impl Gap {
    fn after(text: &str, word: usize) -> Self {
        let mut gap = Self {
            line_ends: 0,
            has_space: false,
            cut: word,
            end: word,
        };
        let mut before = ' ';
        for character in text[word..].chars().take_while(|character| is_gap(*character)) {
            gap.end += character.len_utf8();
            gap.has_space |= character != BYTE_ORDER_MARK;
            let is_second_half = (before, character) == ('\r', '\n');
            gap.line_ends += usize::from(matches!(character, '\n' | '\r') && !is_second_half);
            if matches!(character, '\n' | '\r') || gap.line_ends == 0 {
                gap.cut = gap.end;
            }
            before = character;
        }
        gap
    }

    /// 0 for the end of a paragraph, 1 for that of a line, 2 for that of a word.
    fn kind(&self) -> Option<usize> {
        self.has_space.then_some(2_usize.saturating_sub(self.line_ends))
    }

    fn counted_bytes(&self) -> usize {
        usize::from(self.has_space) + usize::from(self.line_ends >= 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prefers_paragraph_then_line_then_space() {
        assert_eq!(piece_bytes("aaaa\n\nbb\nc ddddd", 3, 12), 6);
        assert_eq!(piece_bytes("aaaa\nbb c ddddd", 3, 12), 5);
        assert_eq!(piece_bytes("aaaa bb ddddddddd", 3, 12), 8);
        assert_eq!(piece_bytes("aaaaaaaaaaaaaaaaa", 3, 12), 12);
        assert_eq!(piece_bytes("aaaa\r\n\r\nbbb\ncccc", 3, 12), 8);
    }

    #[test]
    fn keeps_characters_whole() {
        assert_eq!(piece_bytes("\u{20ac}\u{20ac}\u{20ac}", 1, 7), 6);
    }

    proptest! {
        #[test]
        fn pieces_are_bounded_and_join_to_the_text(text in "[a \n\u{e9}\u{20ac}\u{1f600}]{0,200}", max in 8usize..40) {
            let (mut rest, mut joined) = (text.as_str(), String::new());
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(piece_bytes(rest, max / 2, max));
                prop_assert!((1..=max).contains(&piece.len()));
                joined.push_str(piece);
                rest = after;
            }
            prop_assert_eq!(joined, text);
        }
    }
}
