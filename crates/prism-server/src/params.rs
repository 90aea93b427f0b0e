//! Parameters of a query and their bounds.
//!
//! Read by the routes. Each fault is told with its place; what a route does not know is ignored, as the contract has it.

use std::ops::RangeInclusive;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde_json::json;

use crate::problem::{Fault, Problem};

/// The parameters of one request, the last of each name counting.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Params {
    pub(crate) fn parse(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Self { pairs }
    }

    /// The text of a parameter.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// A text of at most so many characters.
    pub(crate) fn short_text(&self, name: &str, most: usize) -> Result<Option<&str>, Problem> {
        match self.text(name) {
            Some(text) if text.chars().count() > most => {
                let message = format!("String should have at most {most} characters");
                let fault = Fault::new("string_too_long", "query", name, message).with_input(text);
                Err(Problem::invalid(vec![
                    fault.with_context(json!({"max_length": most})),
                ]))
            }
            text => Ok(text),
        }
    }

    /// A text that must be there.
    pub(crate) fn required(&self, name: &str, most: usize) -> Result<&str, Problem> {
        self.short_text(name, most)?
            .ok_or_else(|| Problem::invalid(vec![Fault::missing("query", name)]))
    }

    /// A whole number within bounds.
    pub(crate) fn integer(&self, name: &str, bounds: RangeInclusive<i64>) -> Result<Option<i64>, Problem> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let fault = |kind, message: String| Fault::new(kind, "query", name, message).with_input(text);
        let Ok(value) = i64::from_str(text.trim()) else {
            let message = "Input should be a valid integer, unable to parse string as an integer";
            return Err(Problem::invalid(vec![fault("int_parsing", message.to_owned())]));
        };
        let (least, most) = (*bounds.start(), *bounds.end());
        if value < least {
            let message = format!("Input should be greater than or equal to {least}");
            let fault = fault("greater_than_equal", message).with_context(json!({"ge": least}));
            return Err(Problem::invalid(vec![fault]));
        }
        if value > most {
            let message = format!("Input should be less than or equal to {most}");
            let fault = fault("less_than_equal", message).with_context(json!({"le": most}));
            return Err(Problem::invalid(vec![fault]));
        }
        Ok(Some(value))
    }

    /// One of a few words.
    pub(crate) fn word<T>(
        &self,
        name: &str,
        words: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        parse(text).map(Some).ok_or_else(|| {
            let fault = Fault::new("enum", "query", name, format!("Input should be {words}"));
            Problem::invalid(vec![fault.with_input(text)])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(result: Result<Option<i64>, Problem>) -> String {
        match result {
            Ok(value) => format!("{value:?}"),
            Err(problem) => problem.body()["detail"][0]["type"].as_str().unwrap().to_owned(),
        }
    }

    #[test]
    fn numbers_have_bounds() {
        for (query, expected) in [
            ("", "None"),
            ("days=1", "Some(1)"),
            ("days=366&x=y", "Some(366)"),
            ("days=0&days=7", "Some(7)"),
            ("days=0", "greater_than_equal"),
            ("days=-1", "greater_than_equal"),
            ("days=367", "less_than_equal"),
            ("days=", "int_parsing"),
            ("days", "int_parsing"),
            ("days=1.5", "int_parsing"),
            ("days=99999999999999999999", "int_parsing"),
            ("days=%31", "Some(1)"),
            ("days=%ff", "int_parsing"),
        ] {
            assert_eq!(
                kind(Params::parse(query).integer("days", 1..=366)),
                expected,
                "{query}"
            );
        }
    }

    #[test]
    fn texts_and_words() {
        let params = Params::parse("a=%C3%A4&word=x");
        assert_eq!(params.short_text("a", 1), Ok(Some("ä")));
        assert!(params.short_text("a", 0).is_err());
        assert!(params.required("b", 9).is_err());
        let parse = |text: &str| (text == "x").then_some(5);
        assert_eq!(params.word("word", "'x'", parse), Ok(Some(5)));
        assert_eq!(params.word("none", "'x'", parse), Ok(None));
        assert!(params.word("a", "'x'", parse).is_err());
    }
}
