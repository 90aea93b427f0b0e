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
    let mut say = |line: String| page.out.push_str(&(line + "\n"));
    match subject.instantiation {
        Instantiation::Done {
            parameters: Some(parameters),
        } => say(format!("the model was built: {} parameters", grouped(parameters))),
        Instantiation::NotWanted => say(format!("{NOT_COMPILED}: leave out `--no-instantiate` for both")),
        Instantiation::Skipped | Instantiation::Done { .. } | Instantiation::Unavailable { .. } => {}
    }
    if let Some(finding) = report.findings.first() {
        let code = finding.rule.code;
        say(format!(
            "`prism explain {code}` says why and what to write instead"
        ));
    }
    page.out
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string().into_bytes();
    let groups: Vec<_> = digits.rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
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
        let head = self.paint(colour, &head);
        let mut message = finding.message.lines().map(text::line);
        let said = format!("{}: {}", finding.rule.id, message.next().unwrap_or_default());
        let _ = writeln!(self.out, "{head} {}", self.paint(BOLD, &said));
        for line in message.take(TRACEBACK_LINES_MAX) {
            // Behind a bar, so that no line of a submission's own words begins like one of ours, or like a command.
            let _ = writeln!(self.out, "  | {line}");
        }
        let width = finding.place.end_line.to_string().len();
        let (arrow, place) = (self.paint(BLUE, "-->"), text::line(&self.place(finding)));
        let _ = writeln!(self.out, "{:width$}{arrow} {place}", "");
        self.snippet(finding, width, colour);
        if let Some(traceback) = &finding.traceback {
            let frames = traceback::frames(traceback, &finding.message);
            for line in frames.lines().take(TRACEBACK_LINES_MAX) {
                self.bar(width, &text::line(line));
            }
            self.bar(width, "");
        }
        let (sign, help) = (self.paint(BLUE, "="), self.paint(CYAN, "help"));
        let mut hint = finding.hint.lines().map(text::line);
        let first = hint.next().unwrap_or_default();
        let _ = writeln!(self.out, "{:width$} {sign} {help}: {first}", "");
        for line in hint {
            let _ = writeln!(self.out, "{:width$}         {line}", "");
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
        let texts = &self.subject.texts;
        let lines = self.lines.entry(file);
        let lines = lines.or_insert_with(|| texts.get(file).map(text::lines).unwrap_or_default());
        lines.get((number as usize).checked_sub(1)?).copied()
    }

    /// A line of source, and the mark under it from one column to before another, both from 1.
    fn marked(&mut self, width: usize, number: u32, line: &str, from: u32, to: u32, colour: &str) {
        let (shown, mark) = cut_and_mark(line, from as usize, to as usize);
        let number = self.paint(BLUE, &format!("{number:width$} |"));
        let _ = writeln!(self.out, "{}", format!("{number} {shown}").trim_end());
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
    for (at, character) in line.chars().enumerate().skip(skipped) {
        if column >= LINE_COLUMNS {
            shown.push_str("...");
            break;
        }
        let cell = Cell::new(character, column);
        shown.push_str(&cell.shown);
        let is_marked = (from..to.max(from + 1)).contains(&at);
        if is_marked || !marked {
            mark.push_str(&if is_marked { "^" } else { " " }.repeat(cell.columns));
        }
        marked |= is_marked && cell.columns > 0;
        column += cell.columns;
    }
    if !marked {
        // At the end of the line, or under a character that takes no column.
        mark.push('^');
    }
    (shown, mark)
}
