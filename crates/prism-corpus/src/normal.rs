//! What two texts have in common that differ in white space alone.
//!
//! The lock decides splits and duplicates by it, so that a copy of a held-out text with other line ends, a byte order
//! mark, another indentation or other line breaks is no new text. It must never touch the bytes that a corpus keeps: a
//! normal form is hashed and forgotten.

/// Some tools put it at the start of a text; joined files hold it further on.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

/// Writes the normal form of a text into `form`: its words with one space between them, without byte order marks. A
/// word is what has no Unicode white space in it. The form of a text without words is empty.
pub(crate) fn normal_form(text: &str, form: &mut String) {
    form.clear();
    for word in text.split_whitespace() {
        let mut pieces = word.split(BYTE_ORDER_MARK).filter(|piece| !piece.is_empty());
        let Some(first) = pieces.next() else {
            continue;
        };
        if !form.is_empty() {
            form.push(' ');
        }
        form.push_str(first);
        pieces.for_each(|piece| form.push_str(piece));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn form(text: &str) -> String {
        let mut form = "left over".to_owned();
        normal_form(text, &mut form);
        form
    }

    #[test]
    fn white_space_and_byte_order_marks_make_no_difference() {
        let texts = [
            "one two\nthree",
            "\u{feff}one two\nthree",
            "\u{feff}\u{feff} one two\nthree",
            " \n\u{feff}one two\nthree",
            "one two\r\nthree\r\n",
            "one two\rthree\r",
            "\t one  two \n\n\u{a0}three \u{3000}",
            "one\ntwo three",
            "one two\n\u{feff}three\u{feff}",
            "one two\u{2028}three\u{85}",
        ];
        for text in texts {
            assert_eq!(form(text), "one two three", "{text:?}");
        }
        for text in ["", " \r\n\t", "\u{feff}", "\u{feff} \u{feff}\n"] {
            assert_eq!(form(text), "", "{text:?}");
        }
    }

    #[test]
    fn other_differences_stay() {
        for text in [
            "onetwo three",
            "One two three",
            "one two three.",
            "one two\u{200b} three",
        ] {
            assert_ne!(form(text), "one two three", "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_normal_form_is_its_own(text in "[ab\u{20ac} \t\r\n\u{feff}\u{a0}]{0,60}") {
            let once = form(&text);
            prop_assert_eq!(form(&once), once.clone());
            prop_assert!(once.len() <= text.len());
        }
    }
}
