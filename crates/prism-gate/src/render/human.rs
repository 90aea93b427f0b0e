//! For people: the finding, the line that it is about with a mark under the place, and the way out.
//!
//! Everything of a submission goes through `text`, which spells out what a terminal would act on. Long lines are cut
//! around the place, long spans to their first and last line.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use prism_core::traceback;

use super::text::{self, Cell};
use super::{Instantiation, NOT_COMPILED, Style, Subject, summary};
use crate::finding::{Finding, Place, Report, Severity};

/// Characters that are shown of a line before the place.
const BEFORE_CHARS: usize = 50;
/// Columns that a line may take.
const LINE_COLUMNS: usize = 100;
/// Lines that are shown of what an exception said.
const TRACEBACK_LINES_MAX: usize = 30;

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const BLUE: &str = "\x1b[1;34m";
const CYAN: &str = "\x1b[1;36m";
const BOLD: &str = "\x1b[1m";
const RESET: &str = "\x1b[0m";

/// A report for people.
pub fn human(report: &Report, subject: &Subject<'_>, style: Style) -> String {
    let mut page = Page {
        subject,
        style,
        lines: BTreeMap::new(),
        out: String::new(),
    };
    for finding in &report.findings {
        page.finding(finding);
    }
    page.out.push_str(&page.paint(BOLD, &summary(report, subject)));
    page.out.push('\n');
    match &subject.instantiation {
        Instantiation::Done {
            parameters: Some(parameters),
        } => drop(writeln!(
            page.out,
            "the model was built: {} parameters",
            grouped(*parameters)
        )),
        Instantiation::NotWanted => drop(writeln!(
            page.out,
            "{NOT_COMPILED}: leave out `--no-instantiate` for both"
        )),
        Instantiation::Skipped | Instantiation::Done { .. } | Instantiation::Unavailable { .. } => {}
    }
    if let Some(finding) = report.findings.first() {
        let _ = writeln!(
            page.out,
            "`prism explain {}` says why and what to write instead",
            finding.rule.code
        );
    }
    page.out
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

struct Page<'a> {
    subject: &'a Subject<'a>,
    style: Style,
    /// The lines of the files that were needed so far.
    lines: BTreeMap<&'a str, Vec<&'a str>>,
    out: String,
}

impl<'a> Page<'a> {
    fn paint(&self, colour: &str, text: &str) -> String {
        match self.style {
            Style::Plain => text.to_owned(),
            Style::Coloured => format!("{colour}{text}{RESET}"),
        }
    }

    fn finding(&mut self, finding: &'a Finding) {
        let colour = match finding.severity {
            Severity::Error => RED,
            Severity::Warning => YELLOW,
        };
        let head = format!("{}[{}]", finding.severity.as_str(), finding.rule.code);
        let mut message = finding.message.lines();
        let said = format!(
            "{}: {}",
            finding.rule.id,
            text::line(message.next().unwrap_or_default())
        );
        let _ = writeln!(
            self.out,
            "{} {}",
            self.paint(colour, &head),
            self.paint(BOLD, &said)
        );
        for line in message.take(TRACEBACK_LINES_MAX) {
            // Behind a bar, so that no line of a submission's own words begins like one of ours, or like a command.
            let _ = writeln!(self.out, "  | {}", text::line(line));
        }
        let width = finding.place.end_line.to_string().len();
        let place = self.place(finding);
        let _ = writeln!(
            self.out,
            "{:width$}{} {}",
            "",
            self.paint(BLUE, "-->"),
            text::line(&place)
        );
        self.snippet(finding, width, colour);
        if let Some(traceback) = &finding.traceback {
            for line in traceback::frames(traceback, &finding.message)
                .lines()
                .take(TRACEBACK_LINES_MAX)
            {
                self.bar(width, &text::line(line));
            }
            self.bar(width, "");
        }
        let help = self.paint(CYAN, "help");
        let mut hint = finding.hint.lines();
        let _ = writeln!(
            self.out,
            "{:width$} {} {help}: {}",
            "",
            self.paint(BLUE, "="),
            text::line(hint.next().unwrap_or_default())
        );
        for line in hint {
            let _ = writeln!(self.out, "{:width$}         {}", "", text::line(line));
        }
        self.out.push('\n');
    }

    fn place(&self, finding: &Finding) -> String {
        match self.subject.path(finding) {
            Some(path) if self.subject.texts.get(&finding.file).is_some() => {
                format!("{path}:{}:{}", finding.place.line, finding.place.column)
            }
            Some(path) => path,
            None => "the bundle".to_owned(),
        }
    }

    /// A line beside which there is no number.
    fn bar(&mut self, width: usize, text: &str) {
        let bar = self.paint(BLUE, "|");
        let _ = writeln!(self.out, "{}", format!("{:width$} {bar} {text}", "").trim_end());
    }

    fn numbered(&mut self, width: usize, number: u32, text: &str) {
        let number = self.paint(BLUE, &format!("{number:width$} |"));
        let _ = writeln!(self.out, "{}", format!("{number} {text}").trim_end());
    }

    fn snippet(&mut self, finding: &'a Finding, width: usize, colour: &str) {
        let Place {
            line,
            column,
            mut end_line,
            mut end_column,
            ..
        } = finding.place;
        let (Some(first), Some(last)) = (self.line(&finding.file, line), self.line(&finding.file, end_line))
        else {
            return;
        };
        if end_line == line + 1 && end_column <= 1 {
            // Only the end of the line belongs to it.
            (end_line, end_column) = (line, u32::MAX);
        }
        self.bar(width, "");
        if end_line == line {
            self.marked(width, line, first, column, end_column, colour);
        } else {
            self.marked(width, line, first, column, u32::MAX, colour);
            if end_line > line + 1 {
                let dots = self.paint(BLUE, "...");
                let _ = writeln!(self.out, "{dots}");
            }
            let indent = last.chars().take_while(|c| c.is_whitespace()).count();
            let from = u32::try_from(indent + 1).unwrap_or(1).min(end_column);
            self.marked(width, end_line, last, from, end_column, colour);
        }
        self.bar(width, "");
    }

    fn line(&mut self, file: &'a str, number: u32) -> Option<&'a str> {
        let subject = self.subject;
        let lines = match self.lines.entry(file) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(text::lines(subject.texts.get(file)?))
            }
        };
        lines.get((number as usize).checked_sub(1)?).copied()
    }

    /// A line of source, and the mark under it from one column to before another, both from 1.
    fn marked(&mut self, width: usize, number: u32, line: &str, from: u32, to: u32, colour: &str) {
        let (shown, mark) = cut_and_mark(line, from as usize, to as usize);
        self.numbered(width, number, &shown);
        let start = mark.len() - mark.trim_start().len();
        let mark = format!("{}{}", &mark[..start], self.paint(colour, &mark[start..]));
        self.bar(width, &mark);
    }
}

/// What is shown of a line, and spaces and carets that are to stand under it.
fn cut_and_mark(line: &str, from: usize, to: usize) -> (String, String) {
    let (from, to) = (
        from.saturating_sub(1).min(line.chars().count()),
        to.saturating_sub(1),
    );
    let skipped = from.saturating_sub(BEFORE_CHARS);
    let (mut shown, mut mark) = (String::new(), String::new());
    let mut column = 0;
    if skipped > 0 {
        shown.push_str("...");
        mark.push_str("   ");
        column = 3;
    }
    let mut marked = false;
    let mut is_cut = false;
    for (at, character) in line.chars().enumerate().skip(skipped) {
        if column >= LINE_COLUMNS {
            is_cut = true;
            break;
        }
        let cell = Cell::new(character, column);
        shown.push_str(&cell.shown);
        let is_marked = (from..to.max(from + 1)).contains(&at);
        let sign = if is_marked { "^" } else { " " };
        if is_marked || !marked {
            mark.push_str(&sign.repeat(cell.columns));
        }
        marked |= is_marked && cell.columns > 0;
        column += cell.columns;
    }
    if is_cut {
        shown.push_str("...");
    }
    if !marked {
        // At the end of the line, or under a character that takes no column.
        mark.push('^');
    }
    (shown, mark)
}
