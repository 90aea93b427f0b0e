//! Text of strangers, made safe to show: on a terminal, in a log, in a report, to a reviewer.
//!
//! The one table of characters that must not come through is [`is_harmful`]; whoever shows foreign text asks it, or one of the
//! functions above it. They only spell out; where the text lands in HTML or JSON, that escape comes on top.

use std::fmt::Write as _;

/// Foreign text safe to show on a terminal: newlines and tabs stay, everything [harmful](is_harmful) and every byte that is
/// not UTF-8 is spelled out.
pub fn escape_for_terminal(bytes: impl AsRef<[u8]>) -> String {
    let mut shown = String::with_capacity(bytes.as_ref().len());
    for chunk in bytes.as_ref().utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' | '\t' => shown.push(character),
                _ => push(&mut shown, character),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

/// The same as one line: a newline is spelled out and a tab is a space.
pub fn escape_line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push(' '),
            _ => push(&mut shown, character),
        }
    }
    shown
}

fn push(shown: &mut String, character: char) {
    if is_harmful(character) {
        shown.push_str(&spelled(character));
    } else {
        shown.push(character);
    }
}

/// A character by its number, as `\u{1b}`.
pub fn spelled(character: char) -> String {
    format!("\\u{{{:x}}}", u32::from(character))
}

/// Control characters, and those that change the direction or visibility of what is around them or cannot be seen.
pub fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_are_spelled_out_and_plain_text_is_not() {
        assert_eq!(
            escape_for_terminal(b"a\x1b]0;title\x07\r\nb\tc"),
            "a\\u{1b}]0;title\\u{7}\\u{d}\nb\tc"
        );
        assert_eq!(
            escape_for_terminal("gr\u{fc}n \u{202e}x\u{9b}1m"),
            "gr\u{fc}n \\u{202e}x\\u{9b}1m"
        );
        assert_eq!(escape_for_terminal(b"\xff\x9b"), "\\xff\\x9b");
        assert_eq!(escape_line("a\tb\n\u{3164}"), "a b\\n\\u{3164}");
        // What only hides, where a name could be written in it that looks like another.
        assert_eq!(escape_for_terminal("a\u{fe00}\u{115f}"), "a\\u{fe00}\\u{115f}");
    }

    proptest! {
        #[test]
        fn nothing_harmful_survives(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let shown = escape_for_terminal(&bytes);
            prop_assert!(shown.chars().all(|character| matches!(character, '\n' | '\t') || !is_harmful(character)));
        }
    }
}
