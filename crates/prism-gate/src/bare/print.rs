//! A module without words: from its tokens, by its tree.

use ruff_python_ast::statement_visitor::{self, StatementVisitor};
use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{Expr, ModModule, Stmt};
use ruff_python_parser::Parsed;
use ruff_text_size::{Ranged, TextRange};
use rustc_hash::FxHashSet;

use super::BareLine;
use super::names::Neutral;
use crate::source::Source;

/// Spaces of one level.
const INDENT: usize = 4;
/// From this length on a text says how long it is, in characters.
const LONG_TEXT_CHARS: usize = 64;

/// What was printed.
#[derive(Default)]
pub(super) struct Printed {
    pub(super) lines: Vec<BareLine>,
    /// The lines of the source that hold code: more than blanks, comments and statements that are nothing but a text.
    pub(super) code: FxHashSet<u32>,
}

/// Prints it. A statement that is nothing but a text becomes `pass`.
pub(super) fn print(source: &Source<'_>, parsed: &Parsed<ModModule>, neutral: &mut Neutral) -> Printed {
    let mut docstrings = Docstrings(Vec::new());
    docstrings.visit_body(&parsed.syntax().body);
    let mut docstrings = docstrings.0.into_iter().peekable();
    let mut printer = Printer {
        source,
        neutral,
        printed: Printed::default(),
        line: String::new(),
        original: 0,
        level: 0,
        is_continued: false,
        in_fstring: 0,
        last: None,
    };
    for token in parsed.tokens() {
        let range = token.range();
        while docstrings.next_if(|text| text.end() <= range.start()).is_some() {}
        match docstrings.peek() {
            Some(text) if text.contains_range(range) && !range.is_empty() => {
                if text.start() == range.start() {
                    printer.put(TokenKind::Pass, "pass", range);
                }
            }
            _ => printer.token(token.kind(), range),
        }
    }
    printer.end_line();
    printer.printed
}

/// Statements that are a text and nothing else, in the order of the source.
struct Docstrings(Vec<TextRange>);

impl<'a> StatementVisitor<'a> for Docstrings {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        if let Stmt::Expr(expr) = stmt
            && let Expr::StringLiteral(_) | Expr::BytesLiteral(_) = &*expr.value
        {
            self.0.push(stmt.range());
        }
        statement_visitor::walk_stmt(self, stmt);
    }
}

struct Printer<'p, 's> {
    source: &'p Source<'s>,
    neutral: &'p mut Neutral,
    printed: Printed,
    line: String,
    /// Where the line came from, from 1.
    original: u32,
    level: usize,
    /// The line goes on a statement that began above it.
    is_continued: bool,
    /// Formatted strings that are open.
    in_fstring: usize,
    /// The token before, within a statement.
    last: Option<TokenKind>,
}

impl Printer<'_, '_> {
    fn token(&mut self, kind: TokenKind, range: TextRange) {
        let slice = self.source.slice(range);
        let quote = |depth: usize| if depth > 0 { '\'' } else { '"' };
        if !kind.is_trivia()
            && !matches!(
                kind,
                TokenKind::Newline | TokenKind::Indent | TokenKind::Dedent | TokenKind::EndOfFile
            )
        {
            let lines = self.source.line(range.start())..=self.source.line(range.end());
            self.printed.code.extend(lines);
        }
        match kind {
            TokenKind::Comment | TokenKind::EndOfFile | TokenKind::IpyEscapeCommand => {}
            TokenKind::Indent => self.level += 1,
            TokenKind::Dedent => self.level = self.level.saturating_sub(1),
            TokenKind::Newline => {
                self.end_line();
                self.is_continued = false;
                self.last = None;
            }
            TokenKind::NonLogicalNewline => {
                if self.in_fstring == 0 && !self.line.is_empty() {
                    self.end_line();
                    self.is_continued = true;
                }
            }
            TokenKind::String => {
                let quote = quote(self.in_fstring);
                let (prefix, _) = slice.split_once(['"', '\'']).unwrap_or_default();
                let prefix = if prefix.contains(['b', 'B']) { "b" } else { "" };
                let text = self.neutral_text(slice);
                self.put(kind, &format!("{prefix}{quote}{text}{quote}"), range);
            }
            TokenKind::FStringStart | TokenKind::TStringStart => {
                let letter = if kind == TokenKind::FStringStart { 'f' } else { 't' };
                self.put(kind, &format!("{letter}{}", quote(self.in_fstring)), range);
                self.in_fstring += 1;
            }
            TokenKind::FStringMiddle | TokenKind::TStringMiddle => {
                let text = if self.last == Some(TokenKind::Colon) && is_format(slice) {
                    slice.to_owned()
                } else {
                    self.neutral_text(slice)
                };
                self.put(kind, &text, range);
            }
            TokenKind::FStringEnd | TokenKind::TStringEnd => {
                self.in_fstring = self.in_fstring.saturating_sub(1);
                self.put(kind, &quote(self.in_fstring).to_string(), range);
            }
            TokenKind::Name => {
                let is_attribute = self.last == Some(TokenKind::Dot);
                let name = self.neutral.name(slice, is_attribute).to_owned();
                self.put(kind, &name, range);
            }
            _ => self.put(kind, slice, range),
        }
    }

    fn neutral_text(&mut self, slice: &str) -> String {
        let number = self.neutral.text(slice);
        let chars = slice.chars().count();
        if chars > LONG_TEXT_CHARS {
            format!("text {number} of {chars} characters")
        } else {
            format!("text {number}")
        }
    }

    fn put(&mut self, kind: TokenKind, text: &str, range: TextRange) {
        if self.line.is_empty() {
            self.original = self.source.line(range.start());
            let levels = self.level + if self.is_continued { 2 } else { 0 };
            self.line.push_str(&" ".repeat(INDENT * levels));
        } else if self.last.is_some_and(|last| self.is_apart(last, kind)) {
            self.line.push(' ');
        }
        self.line.push_str(text);
        self.last = Some(kind);
    }

    fn end_line(&mut self) {
        if !self.line.is_empty() {
            let begins_statement = self.level == 0 && !self.is_continued;
            self.printed.lines.push(BareLine {
                text: std::mem::take(&mut self.line),
                original: self.original,
                begins_statement,
            });
        }
    }

    /// Whether a space stands between two tokens.
    fn is_apart(&self, last: TokenKind, next: TokenKind) -> bool {
        use TokenKind as T;
        if self.in_fstring > 0 || matches!(next, T::FStringEnd | T::TStringEnd) {
            return (is_word(last) && is_word(next))
                || (last == T::Lbrace && next == T::Lbrace)
                || (last == T::Rbrace && next == T::Rbrace);
        }
        match (last, next) {
            (_, T::Comma | T::Colon | T::Semi | T::Rpar | T::Rsqb | T::Rbrace)
            | (T::Lpar | T::Lsqb | T::Lbrace | T::Tilde | T::Dot, _) => {
                next == T::Import || (last == T::Lbrace && next == T::Lbrace)
            }
            (_, T::Dot) => matches!(last, T::Int | T::From | T::Import) || !is_value(last),
            (_, T::Lpar | T::Lsqb) => !is_value(last),
            (T::At, T::Name) => !self.line.trim_start().eq("@"),
            _ => true,
        }
    }
}

/// Letters, digits or a text: two of them side by side would become one.
fn is_word(kind: TokenKind) -> bool {
    use TokenKind::{Complex, Float, Int, Name, String};
    kind.is_keyword() || matches!(kind, Name | Int | Float | Complex | String)
}

/// Something that can be called, indexed or asked for an attribute.
fn is_value(kind: TokenKind) -> bool {
    use TokenKind::{Case, FStringEnd, Float, Int, Match, Name, Rbrace, Rpar, Rsqb, String, Type};
    let is_closed = matches!(kind, Rpar | Rsqb | Rbrace | FStringEnd);
    is_closed || matches!(kind, Name | String | Int | Float | Type | Match | Case)
}

/// How a number is written, as `.3f`.
fn is_format(text: &str) -> bool {
    text.len() <= 8
        && text.chars().filter(char::is_ascii_alphabetic).count() <= 1
        && text.chars().all(|character| character.is_ascii_graphic())
}
