//! Where in a `tokenizer.json` it is that an error is about: line, column, and the path of keys that leads there.
//!
//! Used by whoever shows a [`BundleTokenizerError`] to the author of the file. The file is hostile and has been refused
//! already: it is scanned once for one path, without recursion, and what cannot be found has the place of what holds it.

use super::BundleTokenizerError;

/// A place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPlace {
    /// The keys that lead there, as `pre_tokenizer.pretokenizers[0].pattern.Regex`; empty for the file as a whole.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// A step on the way into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Number(usize),
}

impl BundleTokenizerError {
    /// Where in the file it is.
    pub fn place(&self, json: &[u8]) -> JsonPlace {
        let keys =
            |path: &str| -> Vec<Step> { path.split('.').map(|key| Step::Key(key.to_owned())).collect() };
        let steps: Vec<Step> = match self {
            Self::Malformed {
                message,
                line,
                column,
                ..
            } if *line > 0 => {
                return named(json, message).unwrap_or_else(|| at_line(json, *line, *column));
            }
            Self::Malformed { .. } | Self::TooLong { .. } | Self::Assembly(_) => Vec::new(),
            Self::Unsupported { key, .. } => keys(key),
            Self::UnknownExpression { step, .. } => [
                keys("pre_tokenizer.pretokenizers"),
                vec![Step::Number(*step)],
                keys("pattern.Regex"),
            ]
            .concat(),
            Self::TooMany { what, .. } => keys(match *what {
                "merges" => "model.merges",
                "pre-tokenizers" => "pre_tokenizer.pretokenizers",
                "added tokens" => "added_tokens",
                _ => "model.vocab",
            }),
            Self::Token { problem, .. } if problem.starts_with("is added") => keys("added_tokens"),
            Self::Token { token, .. } => [keys("model.vocab"), vec![Step::Key(token.clone())]].concat(),
            Self::Merge { number, .. } => [keys("model.merges"), vec![Step::Number(number - 1)]].concat(),
            Self::EndOfText { .. } => keys("added_tokens"),
        };
        let mut scan = Scan { json, at: 0 };
        scan.skip_space();
        let (mut offset_bytes, mut path) = (scan.at, String::new());
        for step in steps {
            let Some(found) = scan.enter(&step) else {
                break;
            };
            offset_bytes = found;
            match step {
                Step::Key(key) if path.is_empty() => path = key,
                Step::Key(key) => path = format!("{path}.{key}"),
                Step::Number(number) => path = format!("{path}[{number}]"),
            }
        }
        JsonPlace {
            path,
            ..at_offset(json, offset_bytes)
        }
    }
}

/// Where an unknown key or type stands: the parser reads the whole of the model before it says so, and gives its end.
fn named(json: &[u8], message: &str) -> Option<JsonPlace> {
    let (_, from_name) = message
        .split_once(": unknown field `")
        .or_else(|| message.split_once(": unknown variant `"))?;
    let name = from_name.split('`').next()?;
    let quoted = serde_json::to_vec(name).ok()?;
    let offset_bytes = json
        .windows(quoted.len())
        .position(|window| window == quoted.as_slice())?;
    Some(at_offset(json, offset_bytes))
}

/// A place that a parser gives, which counts columns in bytes.
fn at_line(json: &[u8], line: usize, column: usize) -> JsonPlace {
    let start = json
        .split_inclusive(|byte| *byte == b'\n')
        .take(line - 1)
        .map(<[u8]>::len)
        .sum::<usize>();
    at_offset(json, start + column.saturating_sub(1))
}

/// A place without a path.
fn at_offset(json: &[u8], offset_bytes: usize) -> JsonPlace {
    let before = &json[..offset_bytes.min(json.len())];
    let line = before.split(|byte| *byte == b'\n').count();
    let last = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let column = String::from_utf8_lossy(last).chars().count() + 1;
    let number = |value| u32::try_from(value).unwrap_or(u32::MAX);
    JsonPlace {
        path: String::new(),
        line: number(line),
        column: number(column),
    }
}

/// A walk over JSON that was parsed before. Never recurses and never goes back.
struct Scan<'a> {
    json: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.json.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Past this byte, if it is next.
    fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Past a string; its text.
    fn string(&mut self) -> Option<String> {
        let start = self.at;
        if !self.take(b'"') {
            return None;
        }
        loop {
            match self.peek()? {
                b'\\' => self.at += 2,
                b'"' => break,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        serde_json::from_slice(self.json.get(start..self.at)?).ok()
    }

    /// Past a value of any kind.
    fn skip_value(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            self.skip_space();
            match self.peek()? {
                b'"' => drop(self.string()?),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                _ => {
                    while self
                        .peek()
                        .is_some_and(|byte| !b" \t\r\n,:{}[]\"".contains(&byte))
                    {
                        self.at += 1;
                    }
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// Goes from the start of a value to the start of a part of it; the offset of the part, or of its key. `None` if there is no such part.
    fn enter(&mut self, step: &Step) -> Option<usize> {
        match step {
            Step::Key(wanted) => {
                if !self.take(b'{') {
                    return None;
                }
                loop {
                    self.skip_space();
                    let start = self.at;
                    let key = self.string()?;
                    if !self.take(b':') {
                        return None;
                    }
                    self.skip_space();
                    if key == *wanted {
                        return Some(start);
                    }
                    self.skip_value()?;
                    if !self.take(b',') {
                        return None;
                    }
                }
            }
            Step::Number(number) => {
                if !self.take(b'[') {
                    return None;
                }
                for _ in 0..*number {
                    self.skip_value()?;
                    if !self.take(b',') {
                        return None;
                    }
                }
                self.skip_space();
                Some(self.at)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{
  "model": {"type": "BPE", "note": "\"}é", "dropout": 0.1,
    "vocab": {"a": 0, "é\u0062": 1},
    "merges": [["a", "b"], "c d",
      "e f"]},
  "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
    {"type": "Digits", "individual_digits": true}, {"pattern": {"Regex": "x"}}]},
  "added_tokens": []
}"#;

    fn shown(error: &BundleTokenizerError) -> String {
        let place = error.place(FILE.as_bytes());
        format!("{}:{} {}", place.line, place.column, place.path)
    }

    #[test]
    fn every_error_has_the_place_that_it_is_about() {
        let unsupported = |key| BundleTokenizerError::Unsupported { key, problem: "" };
        assert_eq!(shown(&unsupported("model.dropout")), "2:44 model.dropout");
        // What is not there has the place of what would hold it.
        assert_eq!(shown(&unsupported("model.nothing")), "2:3 model");
        assert_eq!(shown(&unsupported("nothing")), "1:1 ");
        let token = BundleTokenizerError::Token {
            token: "éb".to_owned(),
            problem: "",
        };
        assert_eq!(shown(&token), "3:23 model.vocab.éb");
        let merge = |number| BundleTokenizerError::Merge { number, problem: "" };
        assert_eq!(shown(&merge(1)), "4:16 model.merges[0]");
        assert_eq!(shown(&merge(3)), "5:7 model.merges[2]");
        assert_eq!(shown(&merge(9)), "4:5 model.merges");
        let expression = BundleTokenizerError::UnknownExpression {
            step: 1,
            expression: "x".to_owned(),
        };
        assert_eq!(
            shown(&expression),
            "7:65 pre_tokenizer.pretokenizers[1].pattern.Regex"
        );
        assert_eq!(
            shown(&BundleTokenizerError::EndOfText { found: 0 }),
            "8:3 added_tokens"
        );
        let malformed = |line, column| BundleTokenizerError::Malformed {
            message: String::new(),
            advice: "",
            line,
            column,
        };
        assert_eq!(shown(&malformed(5, 7)), "5:7 ");
        let unknown = |message: &str| BundleTokenizerError::Malformed {
            message: message.to_owned(),
            advice: "",
            line: 9,
            column: 1,
        };
        assert_eq!(
            shown(&unknown("not known: unknown field `note`, expected one of")),
            "2:28 "
        );
        assert_eq!(
            shown(&unknown("not known: unknown variant `Digits`, expected")),
            "7:14 "
        );
        assert_eq!(shown(&unknown("not known: unknown field `gone`")), "9:1 ");
        assert_eq!(shown(&malformed(0, 0)), "1:1 ");
        assert_eq!(shown(&malformed(99, 99)), "9:2 ");
    }

    #[test]
    fn a_file_that_ends_anywhere_has_a_place() {
        let error = BundleTokenizerError::Merge {
            number: 3,
            problem: "",
        };
        for end in 0..FILE.len() {
            let place = error.place(&FILE.as_bytes()[..end]);
            assert!(place.line <= 9 && place.column >= 1, "{place:?}");
        }
        for hostile in [
            &b"[[[[[["[..],
            b"{{{{",
            b"\"\\",
            b"}}}}",
            b"{\"model\": }",
            b"{\"model\":{\"merges\":[,,,,",
        ] {
            assert_eq!(error.place(hostile).line, 1);
        }
        let deep = [&b"{\"x\":"[..], &b"[".repeat(1_000_000)].concat();
        assert_eq!(error.place(&deep).line, 1);
    }
}
