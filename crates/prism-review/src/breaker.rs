//! Stops asking an endpoint that fails, for everybody, and lets one call through now and then to see whether it works again.
//!
//! Pure: the present is a parameter.

use prism_core::time::Timestamp;

/// Failures in a row, over all reviews, until nobody asks any more.
const FAILURES: u32 = 8;
/// How long nobody asks then.
const REST_SECONDS: i64 = 30;
/// How long nobody asks after the endpoint said that the set-up is wrong.
const SETUP_REST_SECONDS: i64 = 300;

/// Whether the endpoint may be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    failures: u32,
    open_until: Option<Timestamp>,
    opened_at: Option<Timestamp>,
    probing: bool,
    setup: Option<u16>,
}

impl Breaker {
    /// Whether a call may go out now; if not, until when it may not. One that may go out while the endpoint was failing is a
    /// probe, and everybody else waits for it.
    pub fn admit(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        let Some(until) = self.open_until else {
            return Ok(());
        };
        // A clock that was set back makes nobody wait longer.
        let is_over = now >= until || self.opened_at.is_some_and(|at| at > now);
        if is_over && !self.probing {
            self.probing = true;
            return Ok(());
        }
        Err(until.max(now.plus_seconds(1)))
    }

    /// A call has got an answer.
    pub fn worked(&mut self) {
        *self = Self::default();
    }

    /// A call could not be made. Whether nobody asks from now on.
    pub fn failed(&mut self, now: Timestamp) -> bool {
        self.failures = self.failures.saturating_add(1);
        if self.probing || self.failures >= FAILURES {
            self.open(now, REST_SECONDS);
            return true;
        }
        false
    }

    /// The endpoint said that the set-up is wrong: nobody asks.
    pub fn refused(&mut self, now: Timestamp, status: u16) {
        self.setup = Some(status);
        self.open(now, SETUP_REST_SECONDS);
    }

    /// A call that was let through ended without any of that: it was given up.
    pub fn given_up(&mut self) {
        self.probing = false;
    }

    /// The status that says what is wrong with the set-up, while it is.
    pub fn setup(&self) -> Option<u16> {
        self.setup
    }

    /// Whether nobody asks.
    pub fn is_open(&self) -> bool {
        self.open_until.is_some()
    }

    fn open(&mut self, now: Timestamp, seconds: i64) {
        self.open_until = Some(now.plus_seconds(seconds));
        self.opened_at = Some(now);
        self.probing = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_000_000_000_000);

    #[test]
    fn it_opens_after_failures_in_a_row_and_lets_one_probe_through() {
        let mut breaker = Breaker::default();
        for _ in 1..FAILURES {
            assert!(!breaker.failed(START));
        }
        breaker.worked();
        for _ in 1..FAILURES {
            assert!(!breaker.failed(START));
            assert!(breaker.admit(START).is_ok());
        }
        assert!(breaker.failed(START));
        assert!(breaker.admit(START).is_err());
        let later = START.plus_seconds(REST_SECONDS);
        assert!(breaker.admit(later).is_ok());
        assert!(breaker.admit(later).is_err(), "one probe at a time");
        assert!(breaker.failed(later), "a probe that fails is enough");
        let later = later.plus_seconds(REST_SECONDS);
        assert!(breaker.admit(later).is_ok());
        breaker.worked();
        assert!(!breaker.is_open() && breaker.admit(later).is_ok() && breaker.admit(later).is_ok());
    }

    #[test]
    fn a_wrong_set_up_opens_it_at_once() {
        let mut breaker = Breaker::default();
        breaker.refused(START, 401);
        assert!(breaker.admit(START.plus_seconds(SETUP_REST_SECONDS - 1)).is_err());
        assert_eq!(breaker.setup(), Some(401));
        assert!(breaker.admit(START.plus_seconds(SETUP_REST_SECONDS)).is_ok());
        breaker.given_up();
        assert!(breaker.admit(START.plus_seconds(SETUP_REST_SECONDS)).is_ok());
        breaker.worked();
        assert_eq!(breaker.setup(), None);
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_waiting() {
        let mut breaker = Breaker::default();
        breaker.refused(START, 402);
        assert!(breaker.admit(START.plus_seconds(-3600)).is_ok());
    }
}
