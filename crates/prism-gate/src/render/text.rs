//! Text of a submission on a terminal: escaped, and as wide as it says.
//!
//! Used by the forms for people. A character is either shown as it is, with the width that terminals give it, or
//! spelled out; nothing that moves the cursor, changes colours, hides or reorders what is around it comes through.

pub(super) use prism_core::escape::escape_line as line;
use prism_core::escape::{is_harmful, spelled};
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

/// The lines of a file as the parser counts them: `\n`, `\r\n` and `\r` end one. The byte-order mark is no part of the
/// first.
pub(super) fn lines(text: &str) -> Vec<&str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.split('\n')
        .flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
        .collect()
}
