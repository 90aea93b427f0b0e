//! The scan before the parser: how deep may its tree become?
//!
//! The parser recurses for each nested bracket and each link of a chain of operators, calls or attributes. This scan
//! runs the lexer alone, which does not recurse, and refuses what would go deeper than [`NESTING_MAX`]. It counts too
//! much rather than too little: a chain ends at a comma of its bracket or at the end of its line.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, lexer};
use ruff_text_size::{TextRange, TextSize};

use crate::limits::NESTING_MAX;

/// Where the text goes deeper than it may, if it does.
pub(crate) fn too_deep(text: &str) -> Option<TextRange> {
    if links_at_most(text) <= NESTING_MAX || !exceeds(text) {
        return None;
    }
    // The lexer does not tell its position, so the shortest prefix that is too deep is searched for.
    let (mut shallow, mut deep) = (0, text.len());
    while deep - shallow > 1 {
        let middle = shallow + (deep - shallow) / 2;
        match text.get(..middle) {
            Some(prefix) if !exceeds(prefix) => shallow = middle,
            Some(_) => deep = middle,
            // Within a character: as good as its beginning.
            None => deep -= 1,
        }
    }
    let end = TextSize::try_from(deep).unwrap_or_default();
    Some(TextRange::new(
        end.checked_sub(TextSize::from(1)).unwrap_or_default(),
        end,
    ))
}

/// An upper bound of the links in a text, strings and comments counted as if they were code: most files need no more.
///
/// Operators and brackets count, and so does every word, because the keywords that link are words.
fn links_at_most(text: &str) -> usize {
    // Blocks without a branch a byte, so that the compiler counts many at once; a block has fewer than 256 of each.
    const BLOCK_BYTES: usize = 128;
    let bytes = text.as_bytes();
    // A link is an operator, or the first letter of a word.
    let first = bytes.first().map_or(0, |&byte| is_operator(byte) | is_word(byte));
    let rest = bytes.get(1..).unwrap_or_default();
    let blocks = rest.chunks(BLOCK_BYTES).zip(bytes.chunks(BLOCK_BYTES));
    let later = blocks.map(|(block, before)| {
        let pairs = block.iter().zip(before);
        let links = pairs.fold(0_u8, |links, (&byte, &before)| {
            links.wrapping_add(is_operator(byte) | (is_word(byte) & (is_word(before) ^ 1)))
        });
        usize::from(links)
    });
    usize::from(first) + later.sum::<usize>()
}

/// 1 for a letter, a digit or a part of a character beyond ASCII.
fn is_word(byte: u8) -> u8 {
    let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let is_digit = byte.wrapping_sub(b'0') < 10;
    u8::from(is_letter) | u8::from(is_digit) | u8::from(byte == b'_') | u8::from(byte >= 0x80)
}

/// 1 for punctuation that may link.
fn is_operator(byte: u8) -> u8 {
    let is_printable = byte.wrapping_sub(b'!') < 94;
    let is_other = byte == b',' || byte == b'#' || byte == b'\\';
    u8::from(is_printable) & (is_word(byte) ^ 1) & (u8::from(is_other) ^ 1)
}

fn exceeds(text: &str) -> bool {
    let mut lexer = lexer::lex(text, Mode::Module);
    // The links of the chain that each open bracket stands in.
    let mut outer: Vec<usize> = Vec::new();
    let mut links = 0;
    let mut total = 0;
    loop {
        match lexer.next_token() {
            TokenKind::EndOfFile => return false,
            kind if opens(kind) => {
                total += 1;
                outer.push(links + 1);
                links = 0;
            }
            kind if closes(kind) => {
                total -= links;
                links = outer.pop().unwrap_or_default();
            }
            TokenKind::Comma => {
                total -= links;
                links = 0;
            }
            TokenKind::Newline | TokenKind::Semi => {
                outer.clear();
                (links, total) = (0, 0);
            }
            kind if makes_a_link(kind) => {
                links += 1;
                total += 1;
            }
            _ => {}
        }
        if total > NESTING_MAX {
            return true;
        }
    }
}

fn opens(kind: TokenKind) -> bool {
    use TokenKind::{FStringStart, Lbrace, Lpar, Lsqb, TStringStart};
    matches!(kind, Lpar | Lsqb | Lbrace | FStringStart | TStringStart)
}

fn closes(kind: TokenKind) -> bool {
    use TokenKind::{FStringEnd, Rbrace, Rpar, Rsqb, TStringEnd};
    matches!(kind, Rpar | Rsqb | Rbrace | FStringEnd | TStringEnd)
}

/// Whether a token may put what stands beside it one level down.
fn makes_a_link(kind: TokenKind) -> bool {
    use TokenKind::{And, At, Await, Colon, Dot, Else, Equal, For, If, In, Is, Lambda, Not, Or, Yield};
    if matches!(kind, Colon | Equal) {
        return false;
    }
    kind.is_operator()
        || matches!(
            kind,
            At | Dot | If | Else | Lambda | Not | And | Or | In | Is | Await | Yield | For
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_and_every_beginning_of_a_word_counts() {
        for (text, links) in [
            ("", 0),
            ("a", 1),
            ("ab cd", 2),
            ("(not x)", 4),
            ("a.b, # \\", 3),
            ("\u{e9}_1 +", 2),
        ] {
            assert_eq!(links_at_most(text), links, "{text}");
        }
        assert_eq!(links_at_most(&"a+".repeat(5_000)), 10_000);
    }

    #[test]
    fn the_limit_lies_where_it_says() {
        for (open, close) in [("(", ")"), ("[", "]"), ("{", "}")] {
            let nested = |depth: usize| format!("x = {}0{}\n", open.repeat(depth), close.repeat(depth));
            assert_eq!(too_deep(&nested(NESTING_MAX)), None);
            assert!(too_deep(&nested(NESTING_MAX + 1)).is_some());
        }
        for link in [
            "-",
            "not ",
            "x.",
            "x+",
            "x if x else ",
            "lambda: ",
            "await ",
            "x**",
            "x or ",
        ] {
            assert!(
                too_deep(&format!("y = {}x\n", link.repeat(NESTING_MAX + 1))).is_some(),
                "{link}"
            );
        }
        assert!(too_deep(&format!("x{}\n", "()".repeat(NESTING_MAX + 1))).is_some());
        assert!(too_deep(&format!("x{}\n", "[0]".repeat(NESTING_MAX + 1))).is_some());
    }

    #[test]
    fn long_is_not_deep() {
        let table = format!("x = [{}]\n", "-1.5 + 2, ".repeat(5_000));
        assert_eq!(too_deep(&table), None);
        assert_eq!(too_deep(&"x = a.b(c)[0] + 1\n".repeat(5_000)), None);
        assert_eq!(
            too_deep(&format!("x = '{}'  # {}\n", "(".repeat(5_000), "[".repeat(5_000))),
            None
        );
    }

    #[test]
    fn the_place_is_where_it_becomes_too_deep() {
        let text = format!("a = 1\nb = {}", "(".repeat(100_000));
        let range = too_deep(&text).unwrap();
        assert_eq!(range.start().to_usize(), "a = 1\nb = ".len() + NESTING_MAX);
    }

    #[test]
    fn brackets_within_f_strings_count() {
        let text = format!(
            "x = f'{{{}0{}}}'\n",
            "(".repeat(NESTING_MAX),
            ")".repeat(NESTING_MAX)
        );
        assert!(too_deep(&text).is_some());
    }
}
