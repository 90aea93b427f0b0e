//! Splits text into the pieces that the GPT-2 tokenizer merges within.
//!
//! [`super::gpt2`] is the caller. This is the pattern
//! `'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s` by hand, several times faster than a
//! regular expression; property tests hold it to the crate that runs the expression.

use regex_syntax::hir::{Class, HirKind};

/// What the pattern tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Other,
    Letter,
    Number,
    Space,
}

/// The kind of each character.
pub(super) struct Splitter {
    kinds: Vec<Kind>,
    ascii: [Kind; 128],
}

impl Splitter {
    /// Takes the classes from the crate that the regular expressions take them from. `None` if it does not know
    /// them, which a test excludes.
    pub(super) fn new() -> Option<Self> {
        let mut kinds = vec![Kind::Other; char::MAX as usize + 1];
        for (pattern, kind) in [
            (r"\p{L}", Kind::Letter),
            (r"\p{N}", Kind::Number),
            (r"\s", Kind::Space),
        ] {
            let hir = regex_syntax::parse(pattern).ok()?;
            let HirKind::Class(Class::Unicode(class)) = hir.kind() else {
                return None;
            };
            for range in class.ranges() {
                kinds[range.start() as usize..=range.end() as usize].fill(kind);
            }
        }
        let mut ascii = [Kind::Other; 128];
        ascii.copy_from_slice(&kinds[..128]);
        Some(Self { kinds, ascii })
    }

    /// The kind of the character at a boundary before the end, and the boundary after it.
    fn at(&self, text: &str, position: usize) -> (Kind, usize) {
        let byte = text.as_bytes()[position];
        if let Some(kind) = self.ascii.get(usize::from(byte)) {
            return (*kind, position + 1);
        }
        let character = text[position..].chars().next().unwrap_or('\0');
        (self.kinds[character as usize], position + character.len_utf8())
    }

    /// The end of the run of this kind that starts here.
    fn run(&self, text: &str, from: usize, kind: Kind) -> usize {
        let mut end = from;
        while end < text.len() {
            let (next, after) = self.at(text, end);
            if next != kind {
                break;
            }
            end = after;
        }
        end
    }

    /// The end of the first piece of a text that is not empty.
    pub(super) fn first_piece(&self, text: &str) -> usize {
        let bytes = text.as_bytes();
        match bytes {
            [b'\'', b's' | b'd' | b'm' | b't', ..] => return 2,
            [b'\'', b'l', b'l', ..] | [b'\'', b'v' | b'r', b'e', ..] => return 3,
            _ => {}
        }
        let start = usize::from(bytes[0] == b' ');
        if start < bytes.len() {
            let (kind, after) = self.at(text, start);
            if kind != Kind::Space {
                return self.run(text, after, kind);
            }
        }
        // White space: all of it at the end of the text, else all but the last character, which goes with what
        // follows if it is a space and stands alone if not.
        let end = self.run(text, 0, Kind::Space);
        let last = text[..end]
            .char_indices()
            .next_back()
            .map_or(0, |(position, _)| position);
        if end == bytes.len() || last == 0 {
            end
        } else {
            last
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<&str> {
        let splitter = Splitter::new().unwrap();
        let (mut rest, mut pieces) = (text, Vec::new());
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(splitter.first_piece(rest));
            pieces.push(piece);
            rest = after;
        }
        pieces
    }

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(pieces("I've it's 12's"), ["I", "'ve", " it", "'s", " 12", "'s"]);
        assert_eq!(
            pieces("a  b\n\nc \n d  "),
            ["a", " ", " b", "\n", "\n", "c", " \n", " d", "  "]
        );
        assert_eq!(pieces("\t\tx \u{a0}y"), ["\t", "\t", "x", " ", "\u{a0}", "y"]);
        assert_eq!(pieces("''s '' l'l"), ["''", "s", " ''", " l", "'", "l"]);
        assert_eq!(
            pieces("na\u{ef}ve \u{bd}\u{4e00}!?"),
            ["na\u{ef}ve", " \u{bd}", "\u{4e00}", "!?"]
        );
        assert_eq!(
            pieces("e\u{301} \u{1f600}\u{fe0f}"),
            ["e", "\u{301}", " \u{1f600}\u{fe0f}"]
        );
    }
}
