//! # Packed data in the source
//!
//! ## What it does
//!
//! Looks at every literal (strings, bytes, f-strings, docstrings, numbers, alone or in lists, dicts and calls) and
//! measures how many bytes of it no reader can read. From 2 KiB on it warns, from 16 KiB on it refuses. The literals of
//! one statement count together, and those of the whole bundle do too, so cutting the data into pieces changes nothing.
//! It does not matter whether anything decodes them.
//!
//! So are lists of hundreds of `True` and `False`, of names or of empty brackets, which hold which of them comes where, and
//! parameters, functions, attributes and other long names that are no words.
//!
//! Unreadable are: letters that make no word (most of their pairs are rare in words), mixtures of digits and cases such
//! as base64 and hexadecimal, digits in strings, bytes that are no text, and characters of other scripts that follow one
//! another as if drawn by lot. One unreadable byte is free for each 16 readable ones of the same statement. Of numbers the
//! significant digits count; numbers that go on as they began (`0, 1, 2`, `0.0, 0.0`) are free, and so are the first
//! 2 KiB of digits, which is room for a table of several hundred numbers.
//!
//! Not counted are prose in any language, lists of words, addresses, and comments: nothing can read a comment at run
//! time, because files cannot be opened.
//!
//! ## Why is this refused?
//!
//! The score prices what the code brings along, and weights in disguise would be worth more than their price. Besides,
//! nobody can review a program whose meaning lies in data. A model learns from the stream.
//!
//! ## Example
//!
//! ```python
//! WEIGHTS = base64.b85decode("V4WE28AJY<`o|eWO1m^q{y_)`oi!r5ex{cHS?nFh>#e_r<F5o5...")
//! ```
//!
//! Use instead:
//!
//! ```python
//! frequencies = 1.0 / 10000 ** (torch.arange(0, width, 2) / width)  # what has a formula is computed
//! table = nn.Parameter(torch.zeros(256, width))  # what has none is learnt
//! ```

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{self as ast, Expr, Number, Stmt};
use ruff_text_size::{Ranged, TextRange};

use rustc_hash::FxHashSet;

use crate::check::Checker;
use crate::finding::Severity;
use crate::limits::{BLOB_ERROR_BYTES, BLOB_FREE_DIGITS, BLOB_FREE_SHARE, BLOB_WARNING_BYTES};
use crate::reading::packed;
use crate::rule::{Rule, RuleSet};
use crate::source::Source;

pub(crate) static RULE: Rule = Rule::error("PRS201", "prism:opaque-blob", include_str!("opaque_blob.rs"));

pub(crate) static SET: RuleSet = RuleSet {
    reason: "looks like packed data",
    bundle: Some(bundle),
    ..RuleSet::of(&RULE)
};

const HINT: &str =
    "compute what has a formula, learn what has none, and put a tokenizer into `tokenizer.json`";

/// What one statement holds, without the statements in it.
struct Group {
    module: usize,
    /// From its first literal to its last.
    range: Option<TextRange>,
    text: String,
    /// Bytes of the literal that was added last.
    last_bytes: usize,
    digits: usize,
    /// What its lists of symbols hold: their elements, or the bits that these say, if that is more. Each costs a byte of
    /// source at least.
    symbols: usize,
    /// Its own size, when it is complete.
    bytes: usize,
}

/// Reads all literals of all modules.
struct Reader<'a> {
    source: &'a Source<'a>,
    module: usize,
    open: Vec<Group>,
    done: Vec<Group>,
    /// Characters of other scripts in statements that have few of them.
    foreign: String,
    /// Names that the program could read as text.
    names: String,
    /// Other long names that were met: each is charged once.
    met: FxHashSet<&'a str>,
    /// The last number and its distance from the one before.
    before: (f64, f64),
}

impl<'a> Reader<'a> {
    fn add(&mut self, range: TextRange, text: &str, joined: bool) {
        let Some(group) = self.open.last_mut() else {
            return;
        };
        group.range = Some(group.range.map_or(range, |before| before.cover(range)));
        // Single letters in a list are one text; words in a list are not.
        if !joined && group.last_bytes > 2 {
            group.text.push(' ');
        }
        group.text.push_str(text);
        group.last_bytes = text.len();
    }

    fn number(&mut self, literal: &ast::ExprNumberLiteral) {
        let value = match &literal.value {
            Number::Int(number) => number.as_u64().map_or(f64::NAN, |number| number as f64),
            Number::Float(number) => *number,
            Number::Complex { imag, .. } => *imag,
        };
        let distance = value - self.before.0;
        let goes_on = (distance - self.before.1).abs() <= 1e-9 * value.abs();
        self.before = (value, distance);
        let Some(group) = self.open.last_mut().filter(|_| !goes_on) else {
            return;
        };
        group.range = Some(
            group
                .range
                .map_or(literal.range, |before| before.cover(literal.range)),
        );
        group.digits += significant_digits(self.source.slice(literal));
    }

    /// `[True, False, ...]`, `[A, C, B, ...]`, `[(), [], ...]`: elements that hold nothing but which of them they are.
    fn symbols(&mut self, range: TextRange, elements: &[Expr]) {
        if elements.len() < SYMBOLS_MIN {
            return;
        }
        let symbols: Option<Vec<&str>> = elements
            .iter()
            .map(|element| is_a_symbol(element).then(|| self.source.slice(element)))
            .collect();
        let Some(group) = self.open.last_mut() else {
            return;
        };
        if let Some(symbols) = symbols {
            group.range = Some(group.range.map_or(range, |before| before.cover(range)));
            group.symbols += packed::bits(&symbols).max(symbols.len());
        }
    }

    /// An attribute, a variable, a member or an annotation: an object of the bundle may collect them.
    fn meet(&mut self, name: &'a str) {
        if name.len() >= NAME_CHARS_MIN && self.met.insert(name) {
            self.names.push_str(name);
            self.names.push(' ');
        }
    }

    fn close(&mut self) {
        let Some(mut group) = self.open.pop() else {
            return;
        };
        let unreadable = packed::unreadable_bytes(&group.text);
        group.bytes = charged(unreadable, group.text.len()) + group.symbols;
        let mut foreign = String::new();
        packed::foreign(&group.text, &mut foreign);
        if packed::is_drawn_by_lot(&foreign) {
            group.bytes += foreign.len();
        } else {
            self.foreign.push_str(&foreign);
        }
        group.text = String::new();
        if group.range.is_some() {
            self.done.push(group);
        }
    }
}

/// What is left of the unreadable bytes of a text after those that ordinary text has too.
fn charged(unreadable: usize, bytes: usize) -> usize {
    unreadable.saturating_sub(bytes.saturating_sub(unreadable) / BLOB_FREE_SHARE)
}

/// The digits of a number without its sign, prefix, point and the zeros at either end.
fn significant_digits(text: &str) -> usize {
    let lower = text.to_ascii_lowercase();
    let digits = ["0x", "0o", "0b"]
        .iter()
        .find_map(|prefix| lower.strip_prefix(prefix));
    let digits: String = digits
        .unwrap_or(&lower)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    digits.trim_matches('0').len()
}

impl<'a> Visitor<'a> for Reader<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        self.open.push(Group {
            module: self.module,
            range: None,
            text: String::new(),
            last_bytes: 0,
            digits: 0,
            symbols: 0,
            bytes: 0,
        });
        let name = match stmt {
            Stmt::FunctionDef(function) => Some(&function.name),
            Stmt::ClassDef(class) => Some(&class.name),
            _ => None,
        };
        if let Some(name) = name {
            self.names.push_str(name);
            self.names.push(' ');
        }
        visitor::walk_stmt(self, stmt);
        self.close();
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => self.meet(name.id.as_str()),
            Expr::Attribute(attribute) => {
                self.meet(attribute.attr.as_str());
                visitor::walk_expr(self, expr);
            }
            Expr::NumberLiteral(literal) => self.number(literal),
            Expr::StringLiteral(literal) => {
                for (number, part) in literal.value.iter().enumerate() {
                    self.add(part.range, &part.value, number > 0);
                }
            }
            Expr::BytesLiteral(literal) => {
                for (number, part) in literal.value.iter().enumerate() {
                    let text: String = part.value.iter().map(|byte| as_text(*byte)).collect();
                    self.add(part.range, &text, number > 0);
                }
            }
            Expr::BinOp(sum) if sum.op == ast::Operator::Add => {
                self.visit_expr(&sum.left);
                // What is added to a text goes on with it.
                if let Some(group) = self.open.last_mut()
                    && matches!(&*sum.right, Expr::StringLiteral(_) | Expr::BytesLiteral(_))
                {
                    group.last_bytes = 0;
                }
                self.visit_expr(&sum.right);
            }
            _ => {
                if let Expr::Tuple(ast::ExprTuple { elts, .. })
                | Expr::List(ast::ExprList { elts, .. })
                | Expr::Set(ast::ExprSet { elts, .. }) = expr
                {
                    self.symbols(expr.range(), elts);
                }
                visitor::walk_expr(self, expr);
            }
        }
    }

    fn visit_parameters(&mut self, parameters: &'a ast::Parameters) {
        for parameter in parameters {
            self.names.push_str(parameter.name());
            self.names.push(' ');
        }
        visitor::walk_parameters(self, parameters);
    }

    fn visit_string_literal(&mut self, literal: &'a ast::StringLiteral) {
        self.add(literal.range, &literal.value, true);
    }

    fn visit_interpolated_string_element(&mut self, element: &'a ast::InterpolatedStringElement) {
        match element {
            ast::InterpolatedStringElement::Literal(literal) => self.add(literal.range, &literal.value, true),
            ast::InterpolatedStringElement::Interpolation(_) => {
                visitor::walk_interpolated_string_element(self, element);
            }
        }
    }

    fn visit_keyword(&mut self, keyword: &'a ast::Keyword) {
        if let Some(name) = &keyword.arg {
            self.names.push_str(name);
            self.names.push(' ');
        }
        visitor::walk_keyword(self, keyword);
    }
}

/// Shorter names are not charged where they are only mentioned.
const NAME_CHARS_MIN: usize = 16;

/// Fewer elements are no data.
const SYMBOLS_MIN: usize = 256;

/// Whether an element of a list says nothing but which it is.
fn is_a_symbol(element: &Expr) -> bool {
    match element {
        Expr::BooleanLiteral(_)
        | Expr::NoneLiteral(_)
        | Expr::EllipsisLiteral(_)
        | Expr::Lambda(_)
        | Expr::Name(_) => true,
        Expr::List(list) => list.elts.len() < 2 && list.elts.iter().all(is_a_symbol),
        Expr::Tuple(tuple) => tuple.elts.len() < 3 && tuple.elts.iter().all(is_a_symbol),
        Expr::Dict(dict) => dict.items.is_empty(),
        Expr::Set(set) => set.elts.len() < 2 && set.elts.iter().all(is_a_symbol),
        Expr::StringLiteral(text) => text.value.len() < 3,
        Expr::BytesLiteral(text) => text.value.iter().map(|part| part.value.len()).sum::<usize>() < 3,
        Expr::Attribute(attribute) => is_a_symbol(&attribute.value),
        Expr::UnaryOp(unary) => is_a_symbol(&unary.operand),
        Expr::Call(call) => call.arguments.args.is_empty() && is_a_symbol(&call.func),
        _ => false,
    }
}

fn as_text(byte: u8) -> char {
    match byte {
        b'\t' | b'\n' | b'\r' | b' '..=b'~' => char::from(byte),
        _ => packed::NO_TEXT,
    }
}

/// An upper bound of what the literals and names of a bundle can hold, read off the tokens.
fn bytes_at_most(checker: &Checker<'_, '_>) -> usize {
    let mut bytes = 0;
    for parsed in checker.trees.iter().flatten() {
        let mut name_bytes = 0;
        let mut is_defined = false;
        for token in parsed.tokens() {
            let length = token.range().len().to_usize();
            match token.kind() {
                TokenKind::String
                | TokenKind::FStringMiddle
                | TokenKind::TStringMiddle
                | TokenKind::Int
                | TokenKind::Float
                | TokenKind::Complex => bytes += length,
                TokenKind::Name if is_defined || length >= NAME_CHARS_MIN => bytes += length + 1,
                // The name of an argument or a parameter, or one symbol of a list.
                TokenKind::Comma | TokenKind::Equal => bytes += name_bytes + 1,
                _ => {}
            }
            name_bytes = if token.kind() == TokenKind::Name {
                length
            } else {
                0
            };
            is_defined = matches!(token.kind(), TokenKind::Def | TokenKind::Class);
        }
    }
    bytes
}

fn bundle(checker: &mut Checker<'_, '_>) {
    if bytes_at_most(checker) < BLOB_WARNING_BYTES {
        return;
    }
    let home = checker.module;
    let mut groups: Vec<Group> = Vec::new();
    let (mut foreign, mut names) = (String::new(), String::new());
    let mut met = FxHashSet::default();
    for (module, tree) in checker.trees.iter().enumerate() {
        let Ok(parsed) = tree else {
            continue;
        };
        let mut reader = Reader {
            source: &checker.sources[module],
            module,
            open: Vec::new(),
            done: groups,
            foreign,
            names,
            met,
            before: (f64::NAN, f64::NAN),
        };
        reader.visit_body(&parsed.syntax().body);
        (groups, foreign, names, met) = (reader.done, reader.foreign, reader.names, reader.met);
    }
    judge(checker, groups, &foreign, &names);
    checker.module = home;
}

fn judge(checker: &mut Checker<'_, '_>, mut groups: Vec<Group>, foreign: &str, names: &str) {
    let mut total: usize = groups.iter().map(|group| group.bytes).sum();
    let digits: usize = groups.iter().map(|group| group.digits).sum();
    total += digits.saturating_sub(BLOB_FREE_DIGITS) + charged(packed::unreadable_bytes(names), names.len());
    if packed::is_drawn_by_lot(foreign) {
        total += foreign.len();
    }
    for group in &mut groups {
        group.bytes += group.digits.saturating_sub(BLOB_FREE_DIGITS);
    }
    let largest = groups
        .iter()
        .map(|group| group.bytes + group.digits)
        .max()
        .unwrap_or_default();
    let alone = groups.iter().map(|group| group.bytes).max().unwrap_or_default();
    // The sum is worth a word only where it weighs more than each part.
    let mut names_the_sum =
        total >= BLOB_WARNING_BYTES && (alone < BLOB_WARNING_BYTES || weight(total) > weight(alone));
    for group in groups {
        let Some(range) = group.range else {
            continue;
        };
        checker.module = group.module;
        if names_the_sum && group.bytes + group.digits == largest {
            names_the_sum = false;
            let message = format!(
                "the literals of this bundle hold {total} bytes that look like packed data; those here are the largest part"
            );
            checker.report_as(&RULE, weight(total), range, message, HINT);
        } else if group.bytes >= BLOB_WARNING_BYTES {
            let message = format!("{} bytes of the literals here look like packed data", group.bytes);
            checker.report_as(&RULE, weight(group.bytes), range, message, HINT);
        }
    }
}

fn weight(bytes: usize) -> Severity {
    if bytes >= BLOB_ERROR_BYTES {
        Severity::Error
    } else {
        Severity::Warning
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_significant_digits_count() {
        for (text, digits) in [
            ("0", 0),
            ("1000", 1),
            ("0.0012", 2),
            ("1e-4", 3),
            ("0xff_00", 2),
            ("3.14159", 6),
            ("1_024", 4),
        ] {
            assert_eq!(significant_digits(text), digits, "{text}");
        }
    }
}
