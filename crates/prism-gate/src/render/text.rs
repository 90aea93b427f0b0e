//! Text of a submission on a terminal: escaped, and as wide as it says.
//!
//! Used by the forms for people. A character is either shown as it is, with the width that terminals give it, or
//! spelled out; nothing that moves the cursor, changes colours, hides or reorders what is around it comes through.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

/// Columns between two tab stops.
const TAB_COLUMNS: usize = 4;

/// One character as it is shown.
pub(super) struct Cell {
    pub(super) shown: String,
    /// How many columns it takes; none for a mark that sits on the character before it.
    pub(super) columns: usize,
}

impl Cell {
    /// A character in this column, from 0.
    pub(super) fn new(character: char, column: usize) -> Self {
        if character == '\t' {
            let columns = TAB_COLUMNS - column % TAB_COLUMNS;
            return Self {
                shown: " ".repeat(columns),
                columns,
            };
        }
        if is_harmful(character) {
            let shown = spelled(character);
            let columns = shown.len();
            return Self { shown, columns };
        }
        Self {
            shown: character.into(),
            columns: character.width().unwrap_or(0),
        }
    }
}

/// One line of foreign text: whatever could end the line is spelled out too.
pub(super) fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\t' => out.push(' '),
            _ if is_harmful(character) => out.push_str(&spelled(character)),
            _ => out.push(character),
        }
    }
    out
}

/// The lines of a file as the parser counts them: `\n`, `\r\n` and `\r` end one. The byte-order mark is no part of the
/// first.
pub(super) fn lines(text: &str) -> Vec<&str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.split('\n')
        .flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
        .collect()
}

fn spelled(character: char) -> String {
    let mut out = String::new();
    let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
    out
}

/// Control characters, and those that change the direction or visibility of what is around them or cannot be seen.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}
