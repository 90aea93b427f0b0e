//! Where a text that is too long is cut.
//!
//! The lock cuts long documents and long `.txt` files with it. A cut never falls inside a character, and the
//! pieces joined are the text.

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
