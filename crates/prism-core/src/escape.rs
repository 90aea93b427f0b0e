//! Foreign bytes as text that is safe to show: on a terminal, in a log, in a report.
//!
//! Used by whoever shows what a submission has written. It only spells out; where the text lands in HTML or JSON, that
//! escape comes on top.

use std::fmt::Write as _;

/// Foreign text safe to show on a terminal: newlines and tabs stay, every other control character (escape sequences,
/// carriage returns, bells), every character that reorders or hides text, and every byte that is not UTF-8 is spelled out.
pub fn escape_for_terminal(bytes: impl AsRef<[u8]>) -> String {
    let mut shown = String::with_capacity(bytes.as_ref().len());
    for chunk in bytes.as_ref().utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' | '\t' => shown.push(character),
                _ if is_harmful(character) => {
                    let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
                }
                _ => shown.push(character),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

/// Control characters, and the format characters that change the direction or visibility of what is around them.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
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
    }

    proptest! {
        #[test]
        fn nothing_harmful_survives(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let shown = escape_for_terminal(&bytes);
            prop_assert!(shown.chars().all(|character| matches!(character, '\n' | '\t') || !is_harmful(character)));
        }
    }
}
