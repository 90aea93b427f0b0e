//! Bounded YAML: events to a small tree in which every node knows its line and column.
//!
//! `manifest` is the only caller. What makes YAML dangerous is refused as soon as its event arrives: anchors and
//! aliases (which can unfold without bound), tags, several documents, duplicate keys, deep nesting, many nodes. The
//! text itself is bounded by its caller. The parser below is a state machine that hands out events; nothing here or
//! in it recurses deeper than [`YAML_DEPTH_MAX`].

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput};

use crate::limits::{YAML_DEPTH_MAX, YAML_NODES_MAX};
use crate::manifest::{ManifestError, ManifestProblem};
use crate::shown::Shown;

/// Where something stands in `prism.yaml`, both counted from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// A value and where it begins.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) position: Position,
}

/// What a value is. Plain scalars are not interpreted: `1` and `yes` are the texts `1` and `yes`.
#[derive(Debug)]
pub(crate) enum Value {
    Text(String),
    /// Nothing behind the colon, `~` or `null`.
    Null,
    List(Vec<Node>),
    Mapping(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) position: Position,
}

/// Parses one document; `None` where the text holds none.
pub(crate) fn parse(text: &str) -> Result<Option<Node>, ManifestError> {
    document(text).map_err(|error| match (&error.problem, tab(text, error.line)) {
        // The parser says so at the end of the line before.
        (ManifestProblem::Syntax { .. }, Some(tab)) => ManifestProblem::Tab.at(tab.line, tab.column),
        _ => error,
    })
}

/// The first tab before the first word of a line, in a line or the one after it. Where a text is no YAML, it is why.
fn tab(text: &str, line: usize) -> Option<Position> {
    (1..)
        .zip(text.lines())
        .skip(line.saturating_sub(1))
        .take(2)
        .find_map(|(line, text)| {
            let before = text.bytes().take_while(|byte| *byte == b' ').count();
            (text.as_bytes().get(before) == Some(&b'\t')).then_some(Position {
                line,
                column: before + 1,
            })
        })
}

fn document(text: &str) -> Result<Option<Node>, ManifestError> {
    let mut events = Events {
        parser: Parser::new_from_str(text),
        end: end(text),
        nodes: 0,
    };
    let mut document = None;
    loop {
        match events.next()? {
            (Event::StreamEnd, _) => return Ok(document),
            (Event::DocumentStart(_), at) if document.is_some() => {
                return Err(ManifestProblem::SeveralDocuments.at(at.line, at.column));
            }
            (Event::DocumentStart(_), _) => {
                let first = events.next()?;
                document = Some(events.node(first, 1)?);
            }
            _ => {}
        }
    }
}

struct Events<'input> {
    parser: Parser<'input, StrInput<'input>>,
    /// No place lies behind it: the parser counts the end of a text as the end of a line.
    end: Position,
    nodes: usize,
}

impl<'input> Events<'input> {
    fn next(&mut self) -> Result<(Event<'input>, Position), ManifestError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, self.position(&span.start))),
            Some(Err(error)) => {
                let Position { line, column } = self.position(error.marker());
                Err(ManifestProblem::Syntax {
                    detail: Shown::text(error.info()),
                }
                .at(line, column))
            }
            // The parser ends with `StreamEnd`, on which `parse` has returned; an early end is no document.
            None => Err(ManifestProblem::Syntax {
                detail: Shown::text("unexpected end"),
            }
            .at(1, 1)),
        }
    }

    fn position(&self, marker: &Marker) -> Position {
        let found = Position {
            line: marker.line(),
            column: marker.col() + 1,
        };
        found.min(self.end)
    }

    fn node(&mut self, (event, at): (Event<'input>, Position), depth: usize) -> Result<Node, ManifestError> {
        let Position { line, column } = at;
        self.nodes += 1;
        if self.nodes > YAML_NODES_MAX {
            return Err(ManifestProblem::TooManyNodes.at(line, column));
        }
        if depth > YAML_DEPTH_MAX {
            return Err(ManifestProblem::TooDeep.at(line, column));
        }
        let (anchor, tag) = match &event {
            Event::Alias(_) => return Err(ManifestProblem::Alias.at(line, column)),
            Event::Scalar(_, _, anchor, tag)
            | Event::SequenceStart(anchor, tag)
            | Event::MappingStart(anchor, tag) => (*anchor, tag),
            _ => {
                return Err(ManifestProblem::Syntax {
                    detail: Shown::text("expected a value"),
                }
                .at(line, column));
            }
        };
        if anchor != 0 {
            return Err(ManifestProblem::Anchor.at(line, column));
        }
        if tag.is_some() {
            return Err(ManifestProblem::Tag.at(line, column));
        }
        let value = match event {
            Event::Scalar(text, style, ..) => scalar(&text, style),
            Event::SequenceStart(..) => self.list(depth)?,
            _ => self.mapping(depth)?,
        };
        Ok(Node { value, position: at })
    }

    fn list(&mut self, depth: usize) -> Result<Value, ManifestError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                first => items.push(self.node(first, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, ManifestError> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        loop {
            let first = self.next()?;
            if matches!(first.0, Event::MappingEnd) {
                return Ok(Value::Mapping(entries));
            }
            let Node { value, position } = self.node(first, depth + 1)?;
            let Position { line, column } = position;
            let Value::Text(text) = value else {
                return Err(ManifestProblem::KeyNotText.at(line, column));
            };
            if entries.iter().any(|(key, _)| key.text == text) {
                return Err(ManifestProblem::DuplicateKey {
                    key: Shown::text(&text),
                }
                .at(line, column));
            }
            let first = self.next()?;
            entries.push((Key { text, position }, self.node(first, depth + 1)?));
        }
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    match (style, text) {
        (ScalarStyle::Plain, "" | "~" | "null" | "Null" | "NULL") => Value::Null,
        _ => Value::Text(text.to_owned()),
    }
}

/// The place behind the last character.
fn end(text: &str) -> Position {
    let mut end = Position { line: 1, column: 1 };
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\r' => {
                end = Position {
                    line: end.line + 1,
                    column: 1,
                }
            }
            _ => end.column += 1,
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use prism_core::advice::Advice as _;

    use super::*;

    fn failure(text: &str) -> (&'static str, String) {
        let error = parse(text).unwrap_err();
        (crate::cause(&error.problem), error.told())
    }

    #[test]
    fn reads_what_a_manifest_needs() {
        let Some(Node {
            value: Value::Mapping(entries),
            ..
        }) = parse("name: \"a b\"\ntraining:\n  entrypoint: t.py\nlist: [x, 'y']\nempty:\n").unwrap()
        else {
            panic!("not a mapping")
        };
        let keys: Vec<_> = entries
            .iter()
            .map(|(key, _)| (key.text.as_str(), key.position.line))
            .collect();
        assert_eq!(keys, [("name", 1), ("training", 2), ("list", 4), ("empty", 5)]);
        assert!(matches!(entries[3].1.value, Value::Null));
    }

    #[test]
    fn no_document_is_none() {
        for text in ["", "# only a comment\n", "\n\n"] {
            assert!(parse(text).unwrap().is_none(), "{text:?}");
        }
    }

    #[test]
    fn refuses_the_dangerous_parts() {
        assert_eq!(failure("a: &x 1\nb: *x\n").0, "Anchor");
        assert_eq!(failure("a: *x\n").0, "Syntax");
        assert_eq!(failure("a: !!python/object 1\n").0, "Tag");
        assert_eq!(failure("!!map {a: 1}\n").0, "Tag");
        assert_eq!(failure("a: 1\n---\nb: 2\n").0, "SeveralDocuments");
        assert_eq!(failure("a: 1\nb: 2\na: 3\n").0, "DuplicateKey");
        assert_eq!(failure("? [a, b]\n: 1\n").0, "KeyNotText");
        assert_eq!(failure("a: [[[[1]]]]\n").0, "TooDeep");
        assert_eq!(failure(&"- x\n".repeat(YAML_NODES_MAX)).0, "TooManyNodes");
        assert_eq!(failure("a: [1\n").0, "Syntax");
        assert_eq!(failure("a: {{{{{{{{{{{{").0, "TooDeep");
    }

    #[test]
    fn says_where_it_is_wrong() {
        let (_, message) = failure("name: x\nname: y\n");
        assert!(message.contains("line 2, column 1"), "{message}");
        let (_, message) = failure("name: x\n  training: \"y\n");
        assert!(message.contains("line "), "{message}");
    }

    #[test]
    fn a_tab_is_told_where_it_stands() {
        for (text, place) in [
            ("name: x\nentrypoints:\n\ttraining: t.py\n", "line 3, column 1"),
            (
                "entrypoints:\n  architecture: a.py\n \ttraining: t.py\n",
                "line 3, column 2",
            ),
        ] {
            let (code, message) = failure(text);
            assert_eq!(code, "Tab", "{text:?}: {message}");
            assert!(message.contains(place), "{text:?}: {message}");
        }
        // One that stands between words is none.
        assert!(parse("name: x\t# y\n").is_ok());
        assert_eq!(failure("name: x\ny\tz\n").0, "Syntax");
    }

    #[test]
    fn no_place_lies_behind_the_end() {
        for (text, place) in [
            ("name: x\ndesc e.xy==", "line 2, column 12"),
            ("name: x\r\n\u{e9} y", "line 2, column 4"),
            ("name: x\ny z\n", "line 3, column 1"),
        ] {
            let (code, message) = failure(text);
            assert_eq!(code, "Syntax");
            assert!(message.contains(place), "{text:?}: {message}");
        }
    }

    #[test]
    fn long_nesting_ends_at_the_depth_limit() {
        for open in ["[", "{", "- ", "? ", "a: {"] {
            assert!(parse(&open.repeat(5000)).is_err(), "{open:?}");
        }
    }
}
