//! Python source without words about it: no comments, no docstrings. Every line stays where it was.
//!
//! Called by [`super::Form::apply`]. A `__doc__` holds line breaks only. Kept are the comments that programs read:
//! signatures for `TorchScript`, marks for the settings of `torch.compile`, the encoding of a file.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, Stmt, StringLiteral};
use ruff_python_parser::parse_module;
use ruff_text_size::{Ranged, TextRange};

use super::blank;

/// Beginnings of comments that programs read.
const READ_BY_PROGRAMS: [&str; 2] = ["# type:", "# @compile_ignored"];
/// Functions that take the documentation of something that has no source.
const DOCUMENTING: [&str; 5] = [
    "add_docstr",
    "_add_docstr",
    "add_docstr_all",
    "add_newdoc",
    "add_docstring",
];

/// The same module without words about it; nothing if it is no UTF-8 or no Python.
pub(super) fn bare(source: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(source).ok()?;
    let parsed = parse_module(text).ok()?;
    let mut words = Words::default();
    words.visit_body(&parsed.syntax().body);
    let comments = parsed.tokens().iter().filter(|token| token.kind().is_comment());
    words
        .ranges
        .extend(comments.map(Ranged::range).filter(|range| !is_read(text, *range)));
    words.ranges.sort_by_key(Ranged::start);
    let mut kept = Vec::with_capacity(source.len());
    let mut at = 0;
    for range in words.ranges {
        kept.extend_from_slice(&source[at..range.start().to_usize()]);
        blank(
            &source[range.start().to_usize()..range.end().to_usize()],
            &mut kept,
        );
        at = range.end().to_usize();
    }
    kept.extend_from_slice(&source[at..]);
    Some(kept)
}

fn is_read(text: &str, comment: TextRange) -> bool {
    let (before, comment) = (&text[..comment.start().to_usize()], &text[comment]);
    let is_encoding = before.matches('\n').count() < 2 && comment.contains("coding");
    is_encoding
        || READ_BY_PROGRAMS
            .iter()
            .any(|beginning| comment.starts_with(beginning))
}

/// Collects what lies between the quotes of strings that say something and do nothing.
#[derive(Default)]
struct Words {
    ranges: Vec<TextRange>,
}

impl Words {
    fn empty(&mut self, string: &StringLiteral) {
        self.ranges.push(string.content_range());
    }

    /// Empties a string, and those that are joined to it or formatted.
    fn documentation(&mut self, expr: &Expr) {
        match expr {
            Expr::StringLiteral(string) => {
                for part in &string.value {
                    if part.value.contains('\n') {
                        self.empty(part);
                    }
                }
            }
            Expr::Call(call) => {
                if let Expr::Attribute(method) = &*call.func
                    && matches!(method.attr.as_str(), "format" | "replace")
                {
                    self.documentation(&method.value);
                }
            }
            Expr::BinOp(joined) if joined.op == ruff_python_ast::Operator::Add => {
                self.documentation(&joined.left);
                self.documentation(&joined.right);
            }
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|part| self.documentation(part)),
            _ => {}
        }
    }
}

impl<'a> Visitor<'a> for Words {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Expr(statement) => {
                if let Expr::StringLiteral(string) = &*statement.value {
                    for part in &string.value {
                        self.empty(part);
                    }
                    return;
                }
            }
            Stmt::Assign(assign) if assign.targets.iter().any(is_doc) => self.documentation(&assign.value),
            _ => {}
        }
        visitor::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Call(call) = expr
            && last_name(&call.func).is_some_and(|name| DOCUMENTING.contains(&name))
        {
            call.arguments
                .args
                .iter()
                .for_each(|argument| self.documentation(argument));
        }
        visitor::walk_expr(self, expr);
    }
}

fn is_doc(target: &Expr) -> bool {
    last_name(target) == Some("__doc__")
}

fn last_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: &str) -> String {
        String::from_utf8(bare(source.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn comments_and_docstrings_go_and_lines_stay() {
        let source = "# -*- coding: utf-8 -*-\n'''About\nall.'''\nx = 1  # one\n\nclass C:\n    r\"\"\"Words.\n\n    More.\"\"\"; y = 2\n    \
                      def f(self):\n        'only' \"this\"\n        # nothing\n";
        assert_eq!(
            text(source),
            "# -*- coding: utf-8 -*-\n'''\n'''\nx = 1  \n\nclass C:\n    r\"\"\"\n\n\"\"\"; y = 2\n    \
             def f(self):\n        '' \"\"\n        \n"
        );
        // Lines end as they did, and a string that is continued over a line is.
        assert_eq!(text("'a\\\r\nb'\r\nx\r\n"), "'\\\r\n'\r\nx\r\n");
    }

    #[test]
    fn strings_that_do_something_stay() {
        for source in [
            "x = '''a\nb'''\n",
            "f('''a\nb''')\n",
            "f\"{x}\"\n",
            "b'bytes'\n",
            "x = '# no comment'\n",
            "def f(x='''a\nb'''):\n    return '''a\nb'''\n",
        ] {
            assert_eq!(text(source), source);
        }
    }

    #[test]
    fn comments_that_programs_read_stay() {
        for source in [
            "def f(x):\n    # type: (Tensor) -> Tensor\n    return x\n",
            "# @compile_ignored: it says nothing\nx = 1\n",
            "#!/usr/bin/python\n# vim: set fileencoding=ascii :\n",
        ] {
            let kept = text(source);
            assert!(
                source
                    .lines()
                    .any(|line| line.contains("# ") && kept.contains(line)),
                "{kept}"
            );
        }
        assert_eq!(text("x = 1\n\n# coding: late\n"), "x = 1\n\n\n");
    }

    #[test]
    fn documentation_of_what_has_no_source_goes() {
        let source = "add_docstr(torch.abs, r'''abs(x)\nof {x}'''.format(**common) + '''\nmore''')\n\
                      y = _C._add_docstr(_C.y, '''a\nb''')\n\
                      add_newdoc('numpy', 'f', ('g', '''a\nb'''))\n\
                      C.__doc__ = '''a\nb'''\n\
                      add_newdoc('numpy', 'f', '''%s\n''' % name)\n";
        assert_eq!(
            text(source),
            "add_docstr(torch.abs, r'''\n'''.format(**common) + '''\n''')\n\
             y = _C._add_docstr(_C.y, '''\n''')\n\
             add_newdoc('numpy', 'f', ('g', '''\n'''))\n\
             C.__doc__ = '''\n'''\n\
             add_newdoc('numpy', 'f', '''%s\n''' % name)\n"
        );
    }

    #[test]
    fn what_is_no_python_is_not_touched() {
        assert_eq!(bare(b"def f(:\n"), None);
        assert_eq!(bare(b"# \xff\n"), None);
    }

    #[test]
    fn what_remains_is_the_same_program() {
        let source = include_str!("../../../../../python/prism_runtime/session.py");
        let (before, after) = (
            parse_module(source).unwrap(),
            parse_module(&text(source)).unwrap(),
        );
        assert_eq!(before.syntax().body.len(), after.syntax().body.len());
        assert_eq!(source.lines().count(), text(source).lines().count());
    }
}
