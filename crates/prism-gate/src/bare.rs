//! The files of a bundle for a reader who must not be talked to: as they are, and bare.
//!
//! Bare is code without words about it: no comments, no docstrings, and strings, file names and the bundle's own names
//! replaced by neutral ones. What belongs to Python or PyTorch keeps its name, by fixed tables: asking instead what the
//! bundle defines would let one dead definition of `grad` hide every gradient. Names of the bundle are found in its syntax
//! tree, text is taken from its tokens, so that lines keep their order and each knows the line that it came from.
//!
//! Called by the review. Like the rest of the gate it runs nothing and reads nothing but the bundle; a file that does not
//! parse, which the gate refuses before, is printed as far as its tokens go.

mod names;
mod print;

use prism_bundle::Bundle;
use ruff_python_ast::token::TokenKind;
use ruff_source_file::UniversalNewlines;
use ruff_text_size::{Ranged, TextRange};

use self::names::Neutral;
use crate::check::{GateError, on_a_large_stack, parse};
use crate::source::{Role, Source};

/// A line of a file as it was submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLine {
    /// Without its end.
    pub text: String,
    /// Whether any of it is code: not blank, not a comment, not a docstring.
    pub is_code: bool,
}

/// A line of a bare file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BareLine {
    /// Without its end.
    pub text: String,
    /// The line of the submitted file that it came from, from 1.
    pub original: u32,
    /// Whether a statement of the module itself begins here, so that another one could stand before it.
    pub begins_statement: bool,
}

/// A Python file in both forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileViews {
    /// Its path in the bundle.
    pub path: String,
    /// What the harness imports it as, if it does.
    pub entry_point: Option<&'static str>,
    /// All lines.
    pub lines: Vec<SourceLine>,
    /// A path that says nothing.
    pub bare_path: String,
    /// The bare file.
    pub bare: Vec<BareLine>,
}

/// Every Python file of a bundle, the two entry points first, then by path.
pub fn views(bundle: &Bundle) -> Result<Vec<FileViews>, GateError> {
    on_a_large_stack(|| {
        let mut sources = Source::all(bundle);
        sources.sort_by_key(|source| match source.role {
            Role::Architecture => 0,
            Role::Training => 1,
            Role::Helper => 2,
        });
        let trees: Vec<_> = sources.iter().map(parse).collect();
        let mut neutral = Neutral::new(&sources);
        for tree in trees.iter().flatten() {
            neutral.take_in(&tree.syntax().body);
        }
        sources
            .iter()
            .enumerate()
            .zip(&trees)
            .map(|((number, source), tree)| {
                let (code, bare) = match tree {
                    Ok(parsed) => {
                        let printed = print::print(source, parsed, &mut neutral);
                        (code_lines(source, parsed, &printed.docstrings), printed.lines)
                    }
                    // The gate refuses what goes too deep; nothing of it counts as read.
                    Err(_) => (Vec::new(), Vec::new()),
                };
                let lines = source
                    .text
                    .universal_newlines()
                    .enumerate()
                    .map(|(line, text)| SourceLine {
                        text: text.as_str().to_owned(),
                        is_code: code.get(line).copied().unwrap_or(false),
                    })
                    .collect();
                FileViews {
                    path: source.path.clone(),
                    entry_point: match source.role {
                        Role::Architecture => Some("architecture"),
                        Role::Training => Some("training"),
                        Role::Helper => None,
                    },
                    lines,
                    bare_path: format!("file_{}.py", number + 1),
                    bare,
                }
            })
            .collect()
    })
}

/// Of each line whether a token of it is code.
fn code_lines(
    source: &Source<'_>,
    parsed: &ruff_python_parser::Parsed<ruff_python_ast::ModModule>,
    docstrings: &[TextRange],
) -> Vec<bool> {
    let mut code = Vec::new();
    let mut docstrings = docstrings.iter().peekable();
    for token in parsed.tokens() {
        if matches!(
            token.kind(),
            TokenKind::Comment
                | TokenKind::Newline
                | TokenKind::NonLogicalNewline
                | TokenKind::Indent
                | TokenKind::Dedent
                | TokenKind::EndOfFile
        ) {
            continue;
        }
        while docstrings.next_if(|range| range.end() <= token.start()).is_some() {}
        if docstrings
            .peek()
            .is_some_and(|range| range.contains_range(token.range()))
        {
            continue;
        }
        let (from, to) = (
            source.line(token.start()) as usize,
            source.line(token.end()) as usize,
        );
        if code.len() < to {
            code.resize(to, false);
        }
        code[from - 1..to].fill(true);
    }
    code
}

#[cfg(test)]
mod tests;
