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
use ruff_python_ast::visitor::Visitor;
use ruff_source_file::UniversalNewlines;

use self::names::Neutral;
use self::print::{Printed, print};
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
            neutral.visit_body(&tree.syntax().body);
        }
        let files = (1..).zip(sources.iter().zip(&trees));
        files
            .map(|(number, (source, tree))| {
                // The gate refuses what goes too deep; nothing of it counts as read.
                let printed = tree.as_ref().map(|parsed| print(source, parsed, &mut neutral));
                let Printed { lines: bare, code } = printed.unwrap_or_default();
                let lines = (1..).zip(source.text.universal_newlines());
                FileViews {
                    path: source.path.clone(),
                    entry_point: match source.role {
                        Role::Architecture => Some("architecture"),
                        Role::Training => Some("training"),
                        Role::Helper => None,
                    },
                    lines: lines
                        .map(|(line, text)| SourceLine {
                            text: text.as_str().to_owned(),
                            is_code: code.contains(&line),
                        })
                        .collect(),
                    bare_path: format!("file_{number}.py"),
                    bare,
                }
            })
            .collect()
    })
}

#[cfg(test)]
mod tests;
