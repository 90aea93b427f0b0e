//! One Python file of a bundle: its text, its name as a module, its role.
//!
//! Made once per check by [`crate::check`]; rules read it through the checker.

use std::cell::OnceCell;

use prism_bundle::Bundle;
use ruff_source_file::LineIndex;
use ruff_text_size::{Ranged, TextRange, TextSize};

use crate::finding::Place;

/// What a file is to the harness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It has `build_model`.
    Architecture,
    /// It has `train`.
    Training,
    /// Only the other two import it.
    Helper,
}

/// A file, before it is parsed.
pub(crate) struct Source<'b> {
    /// Its path in the bundle.
    pub(crate) path: String,
    /// How other files import it: `pkg.layers`.
    pub(crate) module: String,
    /// Whether it is the `__init__` of its package.
    pub(crate) is_package: bool,
    pub(crate) role: Role,
    /// Its text; a byte-order mark is kept, as the parser wants it.
    pub(crate) text: &'b str,
    /// Made when the first finding needs a place: most files have none.
    lines: OnceCell<LineIndex>,
}

impl<'b> Source<'b> {
    /// All Python files of a bundle, in ascending order of their paths.
    pub(crate) fn all(bundle: &'b Bundle) -> Vec<Self> {
        let manifest = bundle.manifest();
        bundle
            .files()
            .filter(|(path, _)| {
                path.as_str()
                    .rsplit_once('.')
                    .is_some_and(|(_, suffix)| suffix == "py")
            })
            .map(|(path, text)| {
                let role = if *path == manifest.architecture {
                    Role::Architecture
                } else if *path == manifest.training {
                    Role::Training
                } else {
                    Role::Helper
                };
                Self::new(path.as_str(), text, role)
            })
            .collect()
    }

    pub(crate) fn new(path: &str, text: &'b str, role: Role) -> Self {
        let name = path.strip_suffix(".py").unwrap_or(path).replace('/', ".");
        let (module, is_package) = match name.strip_suffix(".__init__") {
            Some(package) => (package.to_owned(), true),
            None => (name, false),
        };
        Self {
            path: path.to_owned(),
            module,
            is_package,
            role,
            text,
            lines: OnceCell::new(),
        }
    }

    /// Whether Python finds it by a name: each part of its path must be one.
    pub(crate) fn is_importable(&self) -> bool {
        let stem = self.path.strip_suffix(".py").unwrap_or(&self.path);
        stem.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with(|letter: char| letter.is_ascii_digit())
                && part
                    .chars()
                    .all(|letter| letter.is_alphanumeric() || letter == '_')
        })
    }

    /// Line and column of a range. Columns count characters, as editors do.
    pub(crate) fn place(&self, range: TextRange) -> Place {
        let end_of_text = TextSize::of(self.text);
        let start = self.boundary(range.start().min(end_of_text));
        let end = self.boundary(range.end().min(end_of_text)).max(start);
        let lines = self.lines();
        let from = lines.line_column(start, self.text);
        let to = lines.line_column(end, self.text);
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Place {
            start_byte: start.to_u32(),
            end_byte: end.to_u32(),
            line: number(from.line.get()),
            column: number(from.column.get()),
            end_line: number(to.line.get()),
            end_column: number(to.column.get()),
        }
    }

    /// The line of an offset, from 1.
    pub(crate) fn line(&self, offset: TextSize) -> u32 {
        u32::try_from(self.lines().line_index(offset).get()).unwrap_or(u32::MAX)
    }

    fn lines(&self) -> &LineIndex {
        self.lines.get_or_init(|| LineIndex::from_source_text(self.text))
    }

    /// The text of a node.
    pub(crate) fn slice(&self, node: impl Ranged) -> &'b str {
        self.text.get(node.range().to_std_range()).unwrap_or_default()
    }

    /// The nearest boundary between characters at or before an offset: a parser's error may lie within one.
    fn boundary(&self, mut offset: TextSize) -> TextSize {
        while !self.text.is_char_boundary(offset.to_usize()) {
            offset -= TextSize::from(1);
        }
        offset
    }
}
