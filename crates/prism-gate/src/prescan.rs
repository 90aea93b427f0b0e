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
    let mut links = 0;
    let mut before = 0;
    for &byte in text.as_bytes() {
        let class = CLASSES[usize::from(byte)];
        // A link is an operator, or the first letter of a word.
        links += usize::from(class == OPERATOR) + usize::from(class > before && class == WORD);
        before = class;
    }
    links
}

const OTHER: u8 = 0;
const OPERATOR: u8 = 1;
const WORD: u8 = 2;

/// What each byte is to [`links_at_most`].
static CLASSES: [u8; 256] = {
    let mut classes = [OTHER; 256];
    let mut character = 0_u8;
    loop {
        classes[character as usize] =
            if character.is_ascii_alphanumeric() || character == b'_' || character >= 0x80 {
                WORD
            } else if character.is_ascii_punctuation() && !matches!(character, b',' | b'#' | b'\\') {
                OPERATOR
            } else {
                OTHER
            };
        if character == u8::MAX {
            break;
        }
        character += 1;
    }
    classes
};

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
