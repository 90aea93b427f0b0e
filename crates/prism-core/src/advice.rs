//! What an error says to people: what happened and where, and apart from it what to do next.
//!
//! Every error of the libraries that has advice implements [`Advice`]: its `Display` is what happened, and the advice is a
//! value of its own, so that nobody has to look for it in a sentence that may quote a stranger. Pure.

use std::borrow::Cow;
use std::fmt::Display;
use std::io;

/// What to do next.
pub type Hint = Cow<'static, str>;

/// What happened, as `Display` says it, and what to do next.
pub trait Advice: Display {
    /// What to do next, where there is more to say than what happened.
    fn hint(&self) -> Option<Hint> {
        None
    }

    /// Both in a line: what happened; what to do next.
    fn told(&self) -> String {
        joined(self.to_string(), self.hint().as_deref())
    }
}

/// What happened and what to do next, in a line.
pub fn joined(mut what: String, hint: Option<&str>) -> String {
    if let Some(hint) = hint {
        what.push_str("; ");
        what.push_str(hint);
    }
    what
}

/// Longest word that is compared, in characters: a longer one is no misspelling.
const WORD_CHARS_MAX: usize = 64;
/// Shortest beginning of a name that stands for the whole, in characters.
const BEGINNING_CHARS_MIN: usize = 3;

/// The first of some names that a word was likely to mean: one that it is the beginning of, or else one that is fewest edits
/// away, as long as they are a third of it at most.
pub fn nearest<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let word = word.to_lowercase();
    let chars = word.chars().count();
    if chars > WORD_CHARS_MAX {
        return None;
    }
    let edits = |name: &str| {
        let is_beginning = chars >= BEGINNING_CHARS_MIN && name.starts_with(&word);
        let edits = strsim::damerau_levenshtein(&word, name);
        let is_near = is_beginning || edits * 3 <= chars.max(name.chars().count());
        is_near.then_some(if is_beginning { 0 } else { edits })
    };
    let near = names.into_iter().filter_map(|name| Some((edits(name)?, name)));
    near.min_by_key(|(edits, _)| *edits).map(|(_, name)| name)
}

impl Advice for str {}
impl Advice for String {}
impl Advice for io::Error {}

impl<T: Advice + ?Sized> Advice for &T {
    fn hint(&self) -> Option<Hint> {
        (**self).hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_near() {
        let names = ["stream", "seed", "device", "vocab_size"];
        for (word, meant) in [
            ("strem", Some("stream")),
            ("Stream", Some("stream")),
            ("vocab", Some("vocab_size")),
            ("dev", Some("device")),
            ("sede", Some("seed")),
            ("s", None),
            ("", None),
            ("model", None),
            ("learning_rate", None),
        ] {
            assert_eq!(nearest(word, names), meant, "{word}");
        }
        assert_eq!(nearest(&"stream".repeat(1000), names), None);
        assert_eq!(nearest("stream", []), None);
    }
}
