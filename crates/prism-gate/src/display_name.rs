//! The name that an architecture gives itself: `ARCHITECTURE_NAME = "..."` at the top level of its file.
//!
//! Read by the service when it reads a bundle, and shown to everybody; so only plain characters are kept, and not many. It
//! decides nothing, and a file that cannot be parsed has none.

use prism_bundle::Bundle;
use ruff_python_ast::{Expr, Stmt};

use crate::check::{GateError, on_a_large_stack, parse};
use crate::source::{Role, Source};

const VARIABLE: &str = "ARCHITECTURE_NAME";
/// Longest name, in characters.
const CHARACTERS_MAX: usize = 48;
/// What is kept beside letters and digits.
const KEPT: &str = " -_.()[]/+&";

/// The name, if there is one. Runs nothing: only a text that is written out counts.
pub fn display_name(bundle: &Bundle) -> Result<Option<String>, GateError> {
    on_a_large_stack(|| {
        let sources = Source::all(bundle);
        let architecture = sources.iter().find(|source| source.role == Role::Architecture)?;
        let parsed = parse(architecture).ok()?;
        // The last assignment is the one that stands.
        let text = parsed.syntax().body.iter().rev().find_map(assigned)?;
        cleaned(&text)
    })
}

/// The text that a statement gives to the variable.
fn assigned(statement: &Stmt) -> Option<String> {
    let (target, value) = match statement {
        Stmt::Assign(assign) => match &assign.targets[..] {
            [target] => (target, &*assign.value),
            _ => return None,
        },
        Stmt::AnnAssign(assign) => (&*assign.target, assign.value.as_deref()?),
        _ => return None,
    };
    match (target, value) {
        (Expr::Name(name), Expr::StringLiteral(text)) if name.id.as_str() == VARIABLE => {
            Some(text.value.to_str().to_owned())
        }
        _ => None,
    }
}

fn cleaned(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let name: String = words
        .join(" ")
        .chars()
        .filter(|&c| c.is_alphanumeric() || KEPT.contains(c))
        .take(CHARACTERS_MAX)
        .collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(source: &str) -> Option<String> {
        on_a_large_stack(|| {
            let source = Source::new("architecture.py", source, Role::Architecture);
            let parsed = parse(&source).ok()?;
            let text = parsed.syntax().body.iter().rev().find_map(assigned)?;
            cleaned(&text)
        })
        .unwrap()
    }

    #[test]
    fn only_a_text_that_is_written_out_at_the_top_is_a_name() {
        for (source, expected) in [
            ("ARCHITECTURE_NAME = 'Plain 1'", Some("Plain 1")),
            ("ARCHITECTURE_NAME: str = 'Typed'", Some("Typed")),
            ("ARCHITECTURE_NAME = 'a'\nARCHITECTURE_NAME = 'b'", Some("b")),
            ("ARCHITECTURE_NAME = 'two ' 'parts'", Some("two parts")),
            ("ARCHITECTURE_NAME = 'a' + 'b'", None),
            ("ARCHITECTURE_NAME = f'a'", None),
            ("ARCHITECTURE_NAME = b'a'", None),
            ("ARCHITECTURE_NAME = x = 'a'", None),
            ("ARCHITECTURE_NAME: str", None),
            ("if True:\n    ARCHITECTURE_NAME = 'inner'", None),
            ("def f():\n    ARCHITECTURE_NAME = 'inner'", None),
            ("other.ARCHITECTURE_NAME = 'a'", None),
            ("", None),
        ] {
            assert_eq!(name_of(source).as_deref(), expected, "{source}");
        }
    }

    #[test]
    fn nothing_is_shown_that_could_do_harm_on_a_page_or_fill_it() {
        for (text, expected) in [
            ("  a \t b\n", Some("a b")),
            ("<script>alert(1)</script>", Some("scriptalert(1)/script")),
            ("\u{202e}evil\u{200b}", Some("evil")),
            ("Größe [v2]/x+y&z-_.", Some("Größe [v2]/x+y&z-_.")),
            ("\"'<>\u{0}", None),
            ("", None),
        ] {
            assert_eq!(cleaned(text).as_deref(), expected, "{text:?}");
        }
        assert_eq!(cleaned(&"x".repeat(1000)).unwrap().len(), CHARACTERS_MAX);
    }

    #[test]
    fn a_file_that_goes_too_deep_has_none() {
        let deep = format!(
            "ARCHITECTURE_NAME = 'a'\nx = {}{}",
            "(".repeat(50_000),
            ")".repeat(50_000)
        );
        assert_eq!(name_of(&deep), None);
    }
}
