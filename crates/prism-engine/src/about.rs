//! Says what a run is of, in words for people ([`About`]).
//!
//! Called once by [`crate::evaluate`]; the event file, the outcome and the manifest carry the same words. Never part of a
//! record or a score.

use std::time::{SystemTime, UNIX_EPOCH};

use prism_bundle::Bundle;
use prism_core::time::Timestamp;
use prism_report::About;

use crate::request::EvalRequest;

/// Longest name that is kept, in characters.
const NAME_CHARS_MAX: usize = 100;
const SECONDS_PER_DAY: u64 = 86_400;

/// Of a run that begins now.
pub(crate) fn of(request: &EvalRequest, bundle: &Bundle, corpus: &str) -> About {
    let directory = request.bundle.file_stem().map(|name| name.to_string_lossy());
    let name = request
        .submission_id
        .as_deref()
        .or(bundle.manifest().name.as_deref())
        .or(directory.as_deref())
        .unwrap_or("unnamed");
    About {
        name: harmless(name),
        started_at: utc(unix_seconds()),
        recipe: harmless(&request.recipe.name),
        recipe_version: request.recipe.version,
        corpus: harmless(corpus),
        seed: request.seed,
        device: request.recipe.compute.device.as_str().into(),
    }
}

/// One line of at most [`NAME_CHARS_MAX`] characters.
fn harmless(name: &str) -> String {
    let line: String = prism_core::escape::escape_for_terminal(name)
        .replace(['\n', '\t'], " ")
        .chars()
        .take(NAME_CHARS_MAX)
        .collect();
    line
}

/// The clock, in whole seconds since 1970.
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// A time in UTC, as RFC 3339 writes it.
pub fn utc(unix_seconds: u64) -> String {
    let (days, second) = (unix_seconds / SECONDS_PER_DAY, unix_seconds % SECONDS_PER_DAY);
    let date = Timestamp::date_of_day(i64::try_from(days).unwrap_or(i64::MAX / 2));
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{date}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc() {
        let shown = [
            0,
            951_782_399,
            951_782_400,
            1_709_164_800,
            1_735_689_599,
            4_102_444_800,
        ]
        .map(utc);
        assert_eq!(
            shown,
            [
                "1970-01-01T00:00:00Z",
                "2000-02-28T23:59:59Z",
                "2000-02-29T00:00:00Z",
                "2024-02-29T00:00:00Z",
                "2024-12-31T23:59:59Z",
                "2100-01-01T00:00:00Z",
            ]
        );
    }

    #[test]
    fn a_name_is_one_short_harmless_line() {
        assert_eq!(harmless("a\u{1b}[2J\nb\u{202e}"), "a\\u{1b}[2J b\\u{202e}");
        assert_eq!(harmless(&"x".repeat(1000)).len(), NAME_CHARS_MAX);
    }
}
