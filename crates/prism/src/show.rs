//! Small pieces of text for people: sizes, times, tables.
//!
//! Pure functions, used by every command. Values that a submission had a hand in are escaped by [`line`].

use std::fmt::Write as _;

pub(crate) use prism_engine::report::figures::{bytes, grouped};

/// One line of untrusted text, safe on a terminal.
pub(crate) fn line(text: &str) -> String {
    prism_sandbox::escape_for_terminal(text)
        .replace('\n', "\\n")
        .replace('\t', " ")
}

/// Several lines of untrusted text, safe on a terminal.
pub(crate) fn text(text: &str) -> String {
    prism_sandbox::escape_for_terminal(text)
}

/// One item a line.
pub(crate) fn lines(items: impl IntoIterator<Item = String>) -> String {
    let mut out = String::new();
    for item in items {
        out.push_str(&item);
        out.push('\n');
    }
    out
}

/// A number of things, in English.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// A value with its standard error.
pub(crate) fn with_error(value: f64, error: f64) -> String {
    format!("{value:.4} ± {error:.4}")
}

/// Which way a column leans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lean {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table with a bold head; columns are as wide as their widest cell.
pub(crate) fn table(head: &[(&str, Lean)], rows: &[Vec<String>]) -> String {
    let width = |text: &str| text.chars().count();
    let widths: Vec<usize> = head
        .iter()
        .enumerate()
        .map(|(i, (name, _))| {
            rows.iter()
                .filter_map(|row| row.get(i))
                .map(|cell| width(cell))
                .chain([width(name)])
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    let bold = anstyle::Style::new().bold();
    let names: Vec<String> = head.iter().map(|(name, _)| (*name).to_owned()).collect();
    for (number, row) in std::iter::once(&names).chain(rows).enumerate() {
        let mut text = String::new();
        for (i, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths.get(i).copied().unwrap_or(0).saturating_sub(width(cell)));
            let gap = if i == 0 { "" } else { "  " };
            match head.get(i) {
                Some((_, Lean::Right)) => drop(write!(text, "{gap}{pad}{cell}")),
                _ => drop(write!(text, "{gap}{cell}{pad}")),
            }
        }
        let text = text.trim_end();
        match number {
            0 => drop(writeln!(out, "{bold}{text}{bold:#}")),
            _ => drop(writeln!(out, "{text}")),
        }
    }
    out
}

/// Names and values, the names in one column.
pub(crate) fn pairs(rows: &[(&str, String)]) -> String {
    let width = rows
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    let mut out = String::new();
    for (name, value) in rows {
        let _ = writeln!(out, "{name:width$}  {value}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_untrusted_text_stays_on_its_line() {
        let rows = [
            vec!["a".to_owned(), "1".into()],
            vec![line("é\x1b[2J\nb"), "10".into()],
        ];
        let text = anstream::adapter::strip_str(&table(&[("name", Lean::Left), ("n", Lean::Right)], &rows))
            .to_string();
        assert_eq!(
            text,
            "name            n\na               1\né\\u{1b}[2J\\nb  10\n"
        );
    }
}
