//! # Code that looks like something else
//!
//! ## What it does
//!
//! Warns of what a reader of the source cannot see or must misread:
//!
//! - characters without a width, characters that turn the direction of writing, control characters, and line ends that
//!   editors show in different ways, also in comments and strings;
//! - names with letters that look like Latin ones but are not (`а` of the Cyrillic script), that mix scripts, or that
//!   Python reads as other letters than they show (`ｅval` is `eval`);
//! - escapes for plain letters and digits in strings, such as `"\x65val"`;
//! - code of more than 500 columns in one line, text in quotes and comments not counted.
//!
//! Greek letters beside Latin ones, as in `Δx` or `σ_t`, are fine, and so are texts and comments in any language.
//!
//! ## Why is this a warning?
//!
//! The gate itself is not deceived: it reads what Python reads. People are, and a submission is read by people.
//!
//! ## Example
//!
//! ```python
//! mode = "\x74\x72\x61\x69\x6e"
//! ```
//!
//! Use instead:
//!
//! ```python
//! mode = "train"
//! ```

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{Expr, FStringPart, InterpolatedStringElement};
use ruff_text_size::{Ranged, TextRange, TextSize};

use crate::check::Checker;
use crate::limits::LINE_CHARS_MAX;
use crate::rule::{Rule, RuleSet};

pub(crate) static RULE: Rule = Rule::warning("PRS202", "prism:obfuscation", include_str!("obfuscation.rs"));

pub(crate) static SET: RuleSet = RuleSet {
    reason: "is hard to read",
    module: Some(module),
    expression: Some(expression),
    ..RuleSet::of(&RULE)
};

/// Letters of other scripts that look like `ABCEHIJKMOPSTXYZ acehijlopqsuvwxyz` and a few more.
const LOOK_ALIKES: &str = "АВЕКМНОРСТУХЅІЈԌԚԜаеорсухѕіјһԁԛԝӏѵ\
                           ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοօսոցհԱՏՕᎪᎬᎻᏀᏢᏟᎢᎡᏙᎳ";

fn module(checker: &mut Checker<'_, '_>) {
    // Most files are plain ASCII in short lines, where there is nothing to look for.
    let text = checker.source().text;
    if !is_plain(text) {
        characters(checker);
        names(checker);
    }
    if has_a_long_line(text) {
        lines(checker);
    }
}

/// Whether a text is printable ASCII with ordinary line ends. In chunks without a branch a byte, so that it is fast.
fn is_plain(text: &str) -> bool {
    let is_odd = |byte: u8| {
        u8::from(byte.wrapping_sub(b' ') > b'~' - b' ') & u8::from(byte != b'\n') & u8::from(byte != b'\t')
    };
    text.as_bytes().chunks(256).all(|chunk| {
        let odd = chunk.iter().fold(0_u8, |odd, byte| odd | is_odd(*byte));
        odd == 0
    })
}

/// Whether a line has more than [`LINE_CHARS_MAX`] bytes. Looks at few of them: from each line end it leaps.
fn has_a_long_line(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while rest.len() > LINE_CHARS_MAX {
        match rest[..=LINE_CHARS_MAX].iter().rposition(|byte| *byte == b'\n') {
            Some(end) => rest = &rest[end + 1..],
            None => return true,
        }
    }
    false
}

/// What is wrong with a character wherever it stands. `None` is the edge of the text.
fn flaw(character: char, before: Option<char>, after: Option<char>) -> Option<&'static str> {
    match character {
        // Joiners have a place in other scripts and in emoji.
        '\u{200c}' | '\u{200d}'
            if [before, after]
                .iter()
                .all(|side| side.is_some_and(|side| !side.is_ascii())) =>
        {
            None
        }
        '\u{ad}'
        | '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200d}'
        | '\u{2060}'..='\u{2064}'
        | '\u{206a}'..='\u{206f}'
        | '\u{3164}'
        | '\u{ffa0}'
        | '\u{e0000}'..='\u{e01ef}' => Some("has no width"),
        '\u{feff}' if before.is_some() => Some("has no width"),
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Some("turns the direction of writing")
        }
        '\r' if after != Some('\n') => Some("is a line end that many editors do not show"),
        '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some("looks like a line end"),
        '\u{1}'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => Some("is a control character"),
        _ => None,
    }
}

fn characters(checker: &mut Checker<'_, '_>) {
    let source = checker.source();
    let mut found: Vec<(TextRange, char, &'static str)> = Vec::new();
    let mut before = None;
    let mut rest = source.text.char_indices().peekable();
    while let Some((offset, character)) = rest.next() {
        let after = rest.peek().map(|(_, after)| *after);
        if let Some(what) = flaw(character, before, after) {
            let range = TextRange::at(text_size(offset), TextSize::of(character));
            match found.last_mut() {
                // A run of them is one finding.
                Some((last, ..)) if last.end() == range.start() => *last = last.cover(range),
                _ => found.push((range, character, what)),
            }
        }
        before = Some(character);
    }
    for (range, character, what) in found {
        let message = format!("U+{:04X} {what}", u32::from(character));
        checker.report(
            &RULE,
            range,
            message,
            "remove it, or write it as an escape in a string",
        );
    }
}

fn text_size(offset: usize) -> TextSize {
    TextSize::try_from(offset).unwrap_or_default()
}

fn names(checker: &mut Checker<'_, '_>) {
    let source = checker.source();
    let Ok(parsed) = &checker.trees[checker.module] else {
        return;
    };
    for token in parsed.tokens() {
        if token.kind() != TokenKind::Name {
            continue;
        }
        let name = source.slice(token);
        if let Some(what) = disguise(name) {
            let message = format!("the name `{name}` {what}");
            checker.report(
                &RULE,
                token.range(),
                message,
                "write names in the letters of one script",
            );
        }
    }
}

/// What is wrong with a name, if anything is.
fn disguise(name: &str) -> Option<&'static str> {
    if name.is_ascii() {
        return None;
    }
    if name.chars().any(is_read_as_another) {
        return Some("is read by Python as other letters than it shows");
    }
    let letters = || name.chars().filter(|character| character.is_alphabetic());
    let looks_alike = |character| LOOK_ALIKES.contains(character);
    let has_latin = letters().any(|character| character.is_ascii());
    if letters().any(looks_alike) && (has_latin || letters().all(looks_alike)) {
        return Some("holds letters that look like Latin ones");
    }
    (has_latin && letters().any(is_of_another_script)).then_some("mixes scripts")
}

/// Forms of ASCII letters, digits and `_` that compatibility normalisation turns into those.
fn is_read_as_another(character: char) -> bool {
    matches!(character,
        '\u{aa}' | '\u{ba}' | '\u{17f}' | '\u{2b0}'..='\u{2b8}' | '\u{2e1}'..='\u{2e3}' | '\u{1d2c}'..='\u{1d6a}'
        | '\u{203f}' | '\u{2040}' | '\u{2054}' | '\u{2071}' | '\u{207f}' | '\u{2090}'..='\u{209c}' | '\u{2102}'..='\u{2149}'
        | '\u{2160}'..='\u{217f}' | '\u{fb00}'..='\u{fb06}' | '\u{fe33}' | '\u{fe34}' | '\u{fe4d}'..='\u{fe4f}'
        | '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff3f}' | '\u{ff41}'..='\u{ff5a}'
        | '\u{1d400}'..='\u{1d6a3}' | '\u{1d7ce}'..='\u{1d7ff}' | '\u{1fbf0}'..='\u{1fbf9}')
}

/// Letters of scripts that nobody mixes with Latin within a name. Greek is not among them.
fn is_of_another_script(character: char) -> bool {
    matches!(character,
        '\u{400}'..='\u{6ff}' | '\u{700}'..='\u{8ff}' | '\u{10a0}'..='\u{10ff}' | '\u{13a0}'..='\u{13ff}'
        | '\u{ab70}'..='\u{abbf}' | '\u{2c80}'..='\u{2cff}' | '\u{a4d0}'..='\u{a4ff}' | '\u{10400}'..='\u{1044f}')
}

/// Lines with too much code. A bracket that runs over many lines is judged line by line.
fn lines(checker: &mut Checker<'_, '_>) {
    let source = checker.source();
    let Ok(parsed) = &checker.trees[checker.module] else {
        return;
    };
    let mut start = TextSize::default();
    // Columns of the line that are text in quotes, and where its code ends.
    let (mut quoted, mut code_end) = (TextSize::default(), TextSize::default());
    let mut long: Vec<TextRange> = Vec::new();
    for token in parsed.tokens() {
        let (kind, range) = (token.kind(), token.range());
        match kind {
            TokenKind::Newline | TokenKind::NonLogicalNewline | TokenKind::EndOfFile => {
                let columns = code_end
                    .to_usize()
                    .saturating_sub(start.to_usize() + quoted.to_usize());
                if columns > LINE_CHARS_MAX {
                    long.push(TextRange::new(start, code_end));
                }
                start = range.end();
                (quoted, code_end) = (TextSize::default(), start);
            }
            TokenKind::String | TokenKind::FStringMiddle | TokenKind::TStringMiddle => {
                quoted += range.len();
                code_end = range.end();
            }
            TokenKind::Comment | TokenKind::Indent | TokenKind::Dedent => {}
            _ => code_end = range.end(),
        }
    }
    for range in long {
        let columns = source.slice(range).chars().count();
        if columns > LINE_CHARS_MAX {
            let message = format!(
                "this line of code has {columns} columns; more than {LINE_CHARS_MAX} are hard to read"
            );
            checker.report(&RULE, range, message, "break it into several lines");
        }
    }
}

/// Escapes for what could be written as it is.
fn expression<'a>(checker: &mut Checker<'_, 'a>, expr: &'a Expr) {
    let mut parts: Vec<TextRange> = Vec::new();
    match expr {
        Expr::StringLiteral(literal) => {
            parts.extend(
                literal
                    .value
                    .iter()
                    .filter(|part| !part.flags.prefix().is_raw())
                    .map(Ranged::range),
            );
        }
        Expr::BytesLiteral(literal) => {
            parts.extend(
                literal
                    .value
                    .iter()
                    .filter(|part| !part.flags.prefix().is_raw())
                    .map(Ranged::range),
            );
        }
        Expr::FString(literal) => {
            for part in &literal.value {
                match part {
                    FStringPart::Literal(part) if !part.flags.prefix().is_raw() => parts.push(part.range),
                    FStringPart::FString(part) if !part.flags.prefix().is_raw() => {
                        parts.extend(part.elements.iter().filter_map(|element| match element {
                            InterpolatedStringElement::Literal(literal) => Some(literal.range),
                            InterpolatedStringElement::Interpolation(_) => None,
                        }));
                    }
                    _ => {}
                }
            }
        }
        _ => return,
    }
    let source = checker.source();
    for range in parts {
        if let Some((offset, length, shown)) = hidden_letter(source.slice(range)) {
            let at = TextRange::at(range.start() + text_size(offset), text_size(length));
            let message = format!("the escape stands for a plain `{shown}`");
            checker.report(&RULE, at, message, "write the letter itself");
        }
    }
}

/// The first escape that stands for a letter, a digit or `_`: where, how long, what.
fn hidden_letter(text: &str) -> Option<(usize, usize, char)> {
    let mut offset = 0;
    while let Some(found) = text.get(offset..)?.find('\\') {
        let start = offset + found;
        let rest = &text[start + 1..];
        let (length, value) = escape(rest);
        if let Some(letter) = value.filter(|value| value.is_ascii_alphanumeric() || *value == '_') {
            return Some((start, 1 + length, letter));
        }
        offset = start + 1 + length.max(rest.chars().next().map_or(1, char::len_utf8));
    }
    None
}

/// How long an escape is after its backslash, and what it stands for, where that is a number or the name of a letter.
fn escape(rest: &str) -> (usize, Option<char>) {
    let number = |skipped: usize, digits: usize, radix: u32| {
        let text: &str = rest.get(skipped..).unwrap_or_default();
        let length = text
            .chars()
            .take(digits)
            .take_while(|digit| digit.is_digit(radix))
            .count();
        let value = u32::from_str_radix(&text[..length], radix)
            .ok()
            .and_then(char::from_u32);
        (skipped + length, value)
    };
    match rest.chars().next() {
        Some('x') => number(1, 2, 16),
        Some('u') => number(1, 4, 16),
        Some('U') => number(1, 8, 16),
        Some('0'..='7') => number(0, 3, 8),
        Some('N') => {
            let name = rest
                .get(2..)
                .and_then(|name| name.split('}').next())
                .unwrap_or_default();
            let upper = name.to_ascii_uppercase();
            let hides = ["LATIN SMALL LETTER ", "LATIN CAPITAL LETTER "]
                .iter()
                .find_map(|prefix| upper.strip_prefix(prefix))
                .filter(|letter| letter.len() == 1)
                .and_then(|letter| letter.chars().next())
                .or_else(|| upper.starts_with("DIGIT ").then_some('0'))
                .or_else(|| matches!(&*upper, "LOW LINE" | "SPACING UNDERSCORE").then_some('_'));
            (1, hides)
        }
        Some(other) => (other.len_utf8(), None),
        None => (0, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_as_python_reads_them() {
        let found = |text| hidden_letter(text).map(|(_, _, letter)| letter);
        assert_eq!(found(r"\x65val"), Some('e'));
        assert_eq!(found(r"a\\x65"), None);
        assert_eq!(found(r"\u0065"), Some('e'));
        assert_eq!(found(r"\U00000065"), Some('e'));
        assert_eq!(found(r"\145"), Some('e'));
        assert_eq!(found(r"\N{LATIN SMALL LETTER E}"), Some('E'));
        assert_eq!(
            found(r"\N{LATIN SMALL LETTER E WITH ACUTE}\033[1m\n\xe9\x00é\é\"),
            None
        );
    }

    #[test]
    fn greek_is_welcome() {
        for name in ["Δx", "σ_t", "λ", "величина", "größe", "变量", "x"] {
            assert_eq!(disguise(name), None, "{name}");
        }
        for name in ["ｅval", "𝐞val", "еval", "сору", "dатa", "sуs", "ﬁle"] {
            assert!(disguise(name).is_some(), "{name}");
        }
    }
}
