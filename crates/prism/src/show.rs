//! Small pieces of text for people: sizes, times, tables.
//!
//! Pure functions, used by every command. Values that a submission had a hand in are escaped by [`line`].

use std::fmt::Write as _;

use prism_core::rank::NoRank;
use prism_report::figures::figure;
pub(crate) use prism_report::figures::{bytes, grouped};

/// One line of untrusted text, safe on a terminal.
pub(crate) use prism_core::escape::escape_line as line;

/// Several lines of untrusted text, safe on a terminal.
pub(crate) fn text(text: &str) -> String {
    prism_core::escape::escape_for_terminal(text)
}

/// Several lines of untrusted text, each behind a bar: none of them is taken for a line of ours, or for a command by a program
/// that reads along.
pub(crate) fn quoted(text: &str) -> String {
    format!("| {}", self::text(text).replace('\n', "\n| "))
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

/// A figure that may not be there.
pub(crate) fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

/// A code length with its standard error and, of a run that takes a rank, what is ranked.
pub(crate) fn estimate(bpb: f64, se: f64, ranked: Option<f64>) -> String {
    let ranked = ranked.map_or_else(|| "no rank".to_owned(), |ranked| format!("ranked {ranked:.4}"));
    format!("{} ({ranked})", with_error(bpb, se))
}

/// Why a completed run takes no rank; `rms_nats` says how far its claims are from its audits.
pub(crate) fn no_rank(code: &str, rms_nats: Option<f64>) -> String {
    let why = NoRank::parse(code).map_or("for a reason that this version does not know", NoRank::explain);
    let rms = match (NoRank::parse(code), rms_nats) {
        (Some(NoRank::ClaimsUntrue), Some(rms)) => {
            format!(" ({} nats, root mean square)", figure(rms))
        }
        _ => String::new(),
    };
    format!("none ({}): {why}{rms}", line(code))
}

/// Which way a column leans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lean {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// The head of a table: names between bars, `>` behind those of numbers.
pub(crate) fn head(names: &str) -> Vec<(&str, Lean)> {
    let lean = |name| match str::strip_suffix(name, '>') {
        Some(name) => (name, Lean::Right),
        None => (name, Lean::Left),
    };
    names.split('|').map(lean).collect()
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

/// Cuts the cells of a table whose lines would be longer than `columns`: one character at a time off the widest column
/// that is wider than its least width.
pub(crate) fn fit(head: &[(&str, Lean)], rows: &mut [Vec<String>], least: &[usize], columns: usize) {
    let width = |text: &str| text.chars().count();
    let mut widths: Vec<usize> = (0..head.len())
        .map(|i| {
            let cells = rows.iter().filter_map(|row| row.get(i)).map(|cell| width(cell));
            cells.chain([width(head[i].0)]).max().unwrap_or(0)
        })
        .collect();
    let floor = |i: usize| least.get(i).copied().unwrap_or(0).max(width(head[i].0));
    while widths.iter().sum::<usize>() + 2 * head.len().saturating_sub(1) > columns {
        let widest = (0..widths.len())
            .filter(|&i| widths[i] > floor(i))
            .max_by_key(|&i| widths[i]);
        let Some(widest) = widest else { break };
        widths[widest] -= 1;
    }
    for row in rows {
        for (cell, &most) in row.iter_mut().zip(&widths) {
            if width(cell) > most {
                let kept: String = cell.chars().take(most.saturating_sub(1)).collect();
                *cell = format!("{kept}…");
            }
        }
    }
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
    fn no_line_of_untrusted_text_begins_like_one_of_ours() {
        assert_eq!(
            quoted("Error: x\n::error file=a::b\ncompleted\r\n"),
            "| Error: x\n| ::error file=a::b\n| completed\\u{d}\n| "
        );
    }

    #[test]
    fn a_table_is_cut_where_it_is_widest() {
        let head = [("a", Lean::Left), ("b", Lean::Left), ("c", Lean::Right)];
        let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned(), "12.3456".to_owned()];
        let mut rows = [row("short", &"y".repeat(30)), row(&"x".repeat(50), "é")];
        fit(&head, &mut rows, &[4, 4, 7], 40);
        let shown = anstream::adapter::strip_str(&table(&head, &rows)).to_string();
        assert!(shown.lines().all(|line| line.chars().count() <= 40), "{shown}");
        assert!(
            shown.contains("short") && shown.contains("xx…") && shown.contains("12.3456"),
            "{shown}"
        );
        let before = rows.clone();
        fit(&head, &mut rows, &[4, 4, 7], 5);
        assert!(
            rows[0][2] == before[0][2] && rows[1][0].chars().count() == 4,
            "no column goes below its least width"
        );
    }

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
