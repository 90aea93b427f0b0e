//! How long an attempt may say nothing before it is ended as lost.
//!
//! Used by `runs.rs`, at each look at a live attempt. The engine has limits of its own for every part of a run; this is the net
//! below them, for a process that hangs in none of its parts. It counts the time between looks, and of each pause at most a
//! minute, so that a clock that jumps ends nobody.

use prism_core::{recipe::Recipe, time::Timestamp};
use prism_engine::event_file::Progress;

/// Most of a pause between two looks that counts, in seconds.
const LOOK_SECONDS_MAX: i64 = 60;
/// What a run may need beside training, starts and audits: to verify the corpus, to count its tokens, to write its files.
pub(crate) const REST_SECONDS: i64 = 2 * 3600;

/// What an attempt last said, and for how long it has said nothing else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    said: (u64, u64, bool),
    looked_at: Timestamp,
    silent_seconds: i64,
}

impl Heard {
    /// Of a first look.
    pub(crate) fn new(progress: &Progress, now: Timestamp) -> Self {
        Self {
            said: said(progress),
            looked_at: now,
            silent_seconds: 0,
        }
    }

    /// Takes in another look. Seconds of silence so far.
    pub(crate) fn again(&mut self, progress: &Progress, now: Timestamp) -> i64 {
        let passed = (now.seconds() - self.looked_at.seconds()).clamp(0, LOOK_SECONDS_MAX);
        self.looked_at = now;
        let said = said(progress);
        // Whoever waits for others is not to blame.
        if said == self.said && !progress.waits_for_machine {
            self.silent_seconds += passed;
        } else {
            self.silent_seconds = 0;
        }
        self.said = said;
        self.silent_seconds
    }
}

fn said(progress: &Progress) -> (u64, u64, bool) {
    (
        progress.last_unix_seconds.to_bits(),
        progress.steps,
        progress.waits_for_machine,
    )
}

/// How long a run of this recipe may be silent, in seconds: its whole time for training, as much for a fresh auditor, every start
/// twice over, and two hours.
pub(crate) fn limit_seconds(recipe: &Recipe) -> i64 {
    let seconds = 2 * recipe.budget.time_limit_seconds + 8 * recipe.sandbox.startup_seconds;
    i64::try_from(seconds).unwrap_or(i64::MAX - REST_SECONDS) + REST_SECONDS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn silence_is_counted_between_looks_and_ends_with_a_word() {
        let mut progress = Progress::default();
        let mut heard = Heard::new(&progress, at(1000));
        assert_eq!(heard.again(&progress, at(1010)), 10);
        assert_eq!(heard.again(&progress, at(1015)), 15);
        progress.steps = 1;
        assert_eq!(heard.again(&progress, at(1020)), 0);
        assert_eq!(heard.again(&progress, at(1021)), 1);
    }

    #[test]
    fn a_clock_that_jumps_ends_nobody() {
        let progress = Progress::default();
        let mut heard = Heard::new(&progress, at(1000));
        assert_eq!(heard.again(&progress, at(1000 + 3600)), LOOK_SECONDS_MAX);
        assert_eq!(heard.again(&progress, at(1000 - 3600)), LOOK_SECONDS_MAX);
    }

    #[test]
    fn who_waits_for_others_is_not_silent() {
        let mut progress = Progress::default();
        progress.waits_for_machine = true;
        let mut heard = Heard::new(&progress, at(1000));
        assert_eq!(heard.again(&progress, at(1050)), 0);
    }

    #[test]
    fn no_recipe_of_ours_ends_a_run_that_keeps_its_own_limits() {
        for recipe in [Recipe::official(), Recipe::small()] {
            assert!(limit_seconds(&recipe) > 2 * i64::try_from(recipe.budget.time_limit_seconds).unwrap());
        }
    }
}
