//! The answer of the model, by strict types and bounds, and the schema that it is asked for.
//!
//! What does not parse here is no verdict; nothing is repaired, guessed or taken for something like it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

/// Longest answer, in bytes.
pub const ANSWER_BYTES_MAX: usize = 128 * 1024;
/// Most violations that are looked at.
const VIOLATIONS_MAX: usize = 64;
/// Longest text of an answer, in characters.
const TEXT_CHARS_MAX: usize = 4_000;

/// What the model decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// It may run.
    Allow,
    /// It breaks a rule.
    Reject,
    /// The model cannot say.
    Unsure,
}

/// How sure the model says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Not enough for a vote.
    Low,
    /// Enough.
    Medium,
    /// Enough.
    High,
}

/// A file, as the model says that it read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadFile {
    /// Its path.
    pub path: String,
    /// The number of its last line.
    pub lines: u64,
}

/// A violation, as the model says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Violation {
    /// The code of a rule.
    pub rule: String,
    /// The file.
    pub path: String,
    /// The line.
    pub line: u64,
    /// That line.
    pub quote: String,
    /// Why.
    pub why: String,
}

/// A reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The seals.
    pub echo: String,
    /// What was read.
    pub files: Vec<ReadFile>,
    /// The decision.
    pub decision: Choice,
    /// How sure.
    pub confidence: Confidence,
    /// What is wrong.
    pub violations: Vec<Violation>,
    /// What the code does.
    pub summary: String,
}

/// What became of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply {
    /// No honest reading is left.
    Stands,
    /// There is one.
    Refuted,
    /// The model cannot say.
    Unsure,
}

/// A charge, as the second reviewer answers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// Its number.
    pub number: u64,
    /// What became of it.
    pub finding: Reply,
    /// Why.
    pub why: String,
}

/// A refutation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refutation {
    /// The seal.
    pub echo: String,
    /// Each charge.
    pub charges: Vec<Answered>,
}

/// A violation that holds: the rule exists and the quote is that line of code. Places are those of the submitted files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charge {
    /// The code of the rule.
    pub rule: String,
    /// The file in the bundle.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// The submitted line.
    pub quote: String,
    /// Why, in the words of the model.
    pub why: String,
}

/// Why an answer is none. Never holds any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotAnAnswer {
    /// It is too long.
    #[error("the answer has more than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
    /// It is not the object that was asked for.
    #[error("the answer is not the object that was asked for")]
    Shape,
    /// A text or list in it is too long.
    #[error("a text or a list of the answer is too long")]
    Bounds,
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, NotAnAnswer> {
    if text.len() > ANSWER_BYTES_MAX {
        return Err(NotAnAnswer::TooLong);
    }
    serde_json::from_str(text.trim()).map_err(|_| NotAnAnswer::Shape)
}

fn is_long(text: &str) -> bool {
    text.len() > TEXT_CHARS_MAX && text.chars().count() > TEXT_CHARS_MAX
}

impl Answer {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, NotAnAnswer> {
        let answer: Self = parse(text)?;
        let violations = &answer.violations;
        let texts = violations
            .iter()
            .flat_map(|violation| [&violation.rule, &violation.path, &violation.quote, &violation.why]);
        if violations.len() > VIOLATIONS_MAX
            || is_long(&answer.summary)
            || texts.into_iter().any(|text| is_long(text))
        {
            return Err(NotAnAnswer::Bounds);
        }
        Ok(answer)
    }
}

impl Refutation {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, NotAnAnswer> {
        let refutation: Self = parse(text)?;
        if refutation.charges.len() > VIOLATIONS_MAX
            || refutation.charges.iter().any(|charge| is_long(&charge.why))
        {
            return Err(NotAnAnswer::Bounds);
        }
        Ok(refutation)
    }
}

fn object(properties: &Value) -> Value {
    let names: Vec<&String> = properties
        .as_object()
        .into_iter()
        .flat_map(serde_json::Map::keys)
        .collect();
    json!({ "type": "object", "properties": properties, "required": names, "additionalProperties": false })
}

/// The schema of [`Answer`]. No bounds and no open objects: not every provider takes them; the bounds are checked here.
pub fn answer_schema() -> Value {
    let text = json!({ "type": "string" });
    let number = json!({ "type": "integer" });
    let list = |of: Value| json!({ "type": "array", "items": of });
    object(&json!({
        "echo": text,
        "files": list(object(&json!({ "path": text, "lines": number }))),
        "decision": { "type": "string", "enum": ["allow", "reject", "unsure"] },
        "confidence": { "type": "string", "enum": ["low", "medium", "high"] },
        "violations": list(object(&json!({
            "rule": { "type": "string", "enum": crate::rules::ALL.iter().map(|rule| rule.code).collect::<Vec<_>>() },
            "path": text, "line": number, "quote": text, "why": text,
        }))),
        "summary": text,
    }))
}

/// The schema of [`Refutation`].
pub fn refutation_schema() -> Value {
    let text = json!({ "type": "string" });
    object(&json!({
        "echo": text,
        "charges": { "type": "array", "items": object(&json!({
            "number": { "type": "integer" },
            "finding": { "type": "string", "enum": ["stands", "refuted", "unsure"] },
            "why": text,
        })) },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        r#"{"echo":"a","files":[],"decision":"allow","confidence":"high","violations":[],"summary":"s"}"#;

    #[test]
    fn only_the_object_that_was_asked_for_is_an_answer() {
        assert!(Answer::parse(GOOD).is_ok());
        for (from, to) in [
            ("\"allow\"", "\"yes\""),
            ("\"allow\"", "true"),
            ("\"allow\"", "\"Allow\""),
            ("\"high\"", "0.9"),
            ("[]", "{}"),
            ("\"s\"", "null"),
            ("\"s\"", "1"),
            ("\"summary\"", "\"reason\""),
            ("{\"echo\"", "{\"more\":1,\"echo\""),
            ("{\"echo\"", "{\"echo\":\"b\",\"echo\""),
            ("}", "} allow"),
            ("{", "```json\n{"),
            ("{", "[{"),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert_eq!(Answer::parse(&text), Err(NotAnAnswer::Shape), "{text}");
        }
        for text in ["", "yes", "true", "\"allow\"", "null", "{}", "[]"] {
            assert_eq!(Answer::parse(text), Err(NotAnAnswer::Shape), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(Answer::parse(&deep), Err(NotAnAnswer::Shape));
        let long = GOOD.replace("\"s\"", &format!("\"{}\"", "x".repeat(TEXT_CHARS_MAX + 1)));
        assert_eq!(Answer::parse(&long), Err(NotAnAnswer::Bounds));
        let vast = GOOD.replace("\"s\"", &format!("\"{}\"", "x".repeat(ANSWER_BYTES_MAX)));
        assert_eq!(Answer::parse(&vast), Err(NotAnAnswer::TooLong));
    }

    #[test]
    fn the_schemas_are_closed_everywhere() {
        fn closed(schema: &Value) {
            if schema["type"] == "object" {
                assert_eq!(schema["additionalProperties"], false, "{schema}");
                let properties = schema["properties"].as_object().unwrap();
                assert_eq!(properties.len(), schema["required"].as_array().unwrap().len());
                properties.values().for_each(closed);
            }
            if schema["type"] == "array" {
                closed(&schema["items"]);
            }
            for open in ["minimum", "maximum", "maxLength", "maxItems"] {
                assert!(schema.get(open).is_none());
            }
        }
        closed(&answer_schema());
        closed(&refutation_schema());
    }
}
