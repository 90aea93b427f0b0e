//! What the readers hand over for each record, and which records are wanted.
//!
//! The readers of JSON lines, Parquet and text make [`Record`]s; the lock takes those that pass its [`Filters`].

use serde::{Deserialize, Serialize};

use super::LockError;

/// The columns and fields that filters read, as FineWeb-Edu calls them.
pub(super) const LANGUAGE_SCORE: &str = "language_score";
/// See [`LANGUAGE_SCORE`].
pub(super) const INT_SCORE: &str = "int_score";

/// What a reader hands a record to, with how many bytes of its file are read.
pub(super) type Sink<'a> = dyn FnMut(Record<'_>, u64) -> Result<(), LockError> + 'a;

/// One record of a file.
pub(super) struct Record<'t> {
    pub(super) text: Text<'t>,
    pub(super) scores: Scores,
}

/// The text of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text<'t> {
    Is(&'t str),
    /// It has null, and that is passed over.
    Null,
    /// Its bytes are no text.
    NotUtf8,
}

/// The numbers of a record that filters read, where it has them and they are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Scores {
    /// How sure a classifier was of the language, 0 to 1.
    pub(super) language: Option<f64>,
    /// How educational the text is, 0 to 5.
    pub(super) int: Option<f64>,
}

/// What is read of each record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'o> {
    pub(super) text_field: &'o str,
    /// Whether null instead of text is passed over.
    pub(super) skip_empty: bool,
    pub(super) language_score: bool,
    pub(super) int_score: bool,
}

/// Which documents are taken. Each bound includes its value; a document without the number that a filter reads is not
/// taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filters {
    /// Least `language_score`, in thousandths.
    pub language_score_permille_min: Option<u32>,
    /// Least `int_score`.
    pub int_score_min: Option<u32>,
    /// Fewest bytes of text.
    pub text_bytes_min: Option<u64>,
    /// Most bytes of text.
    pub text_bytes_max: Option<u64>,
}

impl Filters {
    /// Whether any document passes them.
    pub(crate) fn are_possible(&self) -> bool {
        self.language_score_permille_min.is_none_or(|least| least <= 1000)
            && self
                .text_bytes_max
                .is_none_or(|most| most > 0 && self.text_bytes_min.is_none_or(|least| least <= most))
    }

    pub(super) fn take(&self, text: &str, scores: Scores) -> bool {
        let bytes = text.len() as u64;
        let at_least = |score: Option<f64>, least: Option<f64>| match (score, least) {
            (_, None) => true,
            (Some(score), Some(least)) => score >= least,
            (None, Some(_)) => false,
        };
        at_least(
            scores.language,
            self.language_score_permille_min
                .map(|least| f64::from(least) / 1000.0),
        ) && at_least(scores.int, self.int_score_min.map(f64::from))
            && self.text_bytes_min.is_none_or(|least| bytes >= least)
            && self.text_bytes_max.is_none_or(|most| bytes <= most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_include_their_bounds_and_want_their_numbers() {
        let filters = Filters {
            language_score_permille_min: Some(650),
            int_score_min: Some(3),
            text_bytes_min: Some(2),
            text_bytes_max: Some(4),
        };
        let good = Scores {
            language: Some(0.65),
            int: Some(3.0),
        };
        assert!(filters.are_possible() && filters.take("ab", good) && filters.take("abcd", good));
        assert!(!filters.take("a", good) && !filters.take("abcde", good));
        for scores in [
            Scores::default(),
            Scores { int: None, ..good },
            Scores {
                language: Some(0.6499),
                ..good
            },
            Scores {
                language: Some(f64::NAN),
                ..good
            },
            Scores {
                int: Some(2.9),
                ..good
            },
        ] {
            assert!(!filters.take("abc", scores), "{scores:?}");
        }
        assert!(Filters::default().take("", Scores::default()));
        let none = Filters {
            text_bytes_min: Some(5),
            ..filters
        };
        assert!(!none.are_possible());
    }
}
