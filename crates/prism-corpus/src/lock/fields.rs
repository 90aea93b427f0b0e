//! Takes the fields that are wanted out of the JSON object of a line; the others are skipped.
//!
//! [`super::jsonl`] is the caller. The parser bounds how deep a line may nest.

use std::borrow::Cow;
use std::fmt;

use prism_core::escape::escape_line;

use super::record::{INT_SCORE, LANGUAGE_SCORE, Scores, Wanted};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Most names of fields that are told, and the most characters of each.
const NAMES_MAX: usize = 8;
const NAME_CHARS_MAX: usize = 40;

/// What a line holds in the field.
pub(super) enum Value<'a> {
    /// A string; borrowed where it has no escapes.
    Text(Cow<'a, str>),
    Null,
    Number(f64),
    /// Something else, in words.
    Other(&'static str),
    /// The field stands there more than once.
    Twice,
    Missing,
}

/// What the object of a line holds in the fields that are wanted.
pub(super) struct Found<'a> {
    pub(super) text: Value<'a>,
    pub(super) scores: Scores,
}

/// The fields that are wanted in the object of a line.
pub(super) fn values<'a>(line: &'a str, wanted: &Wanted<'_>) -> Result<Found<'a>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(line);
    let found = Fields { wanted }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(found)
}

/// The names of the first fields of a line, cut and safe to be shown.
pub(super) fn names(line: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_str(line);
    // Whatever ends the walk: what was found so far helps.
    let _ended = Names { names: &mut names }.deserialize(&mut deserializer);
    names
}

struct Fields<'f> {
    wanted: &'f Wanted<'f>,
}

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = Found<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Found<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut found = Found {
            text: Value::Missing,
            scores: Scores::default(),
        };
        while let Some(Text(key)) = map.next_key()? {
            if key == self.wanted.text_field {
                let value = map.next_value::<Value<'de>>()?;
                found.text = match found.text {
                    Value::Missing => value,
                    _ => Value::Twice,
                };
            } else if self.wanted.language_score && key == LANGUAGE_SCORE {
                found.scores.language = map.next_value::<Value<'de>>()?.number();
            } else if self.wanted.int_score && key == INT_SCORE {
                found.scores.int = map.next_value::<Value<'de>>()?.number();
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

impl Value<'_> {
    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

struct Names<'n> {
    names: &'n mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Names<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Names<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(Text(key)) = map.next_key()? {
            if self.names.len() < NAMES_MAX {
                let beginning: String = key.chars().take(NAME_CHARS_MAX).collect();
                self.names.push(escape_line(&beginning));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// A string that is borrowed where it has no escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Value::Other("true or false"))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        // Scores are small.
        Ok(Value::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut sequence: S) -> Result<Self::Value, S::Error> {
        while sequence.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other("a list"))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other("an object"))
    }
}
