//! How long is waited, for what, and how often something is tried again.
//!
//! One table of numbers, used by every request. Tests make them small; nobody else changes them.

use std::time::Duration;

/// The limits of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a connection to stand, TLS included.
    pub connect: Duration,
    /// For a request to be sent, its body included.
    pub send: Duration,
    /// From a request's last byte until the head of the answer.
    pub answer: Duration,
    /// For the rest of an answer; a stream has none.
    pub body: Duration,
    /// Between two pieces of a stream: the service sends a comment each 10 s.
    pub silence: Duration,
    /// The first pause before something is tried again; each further one is twice as long.
    pub first_pause: Duration,
    /// The longest such pause.
    pub longest_pause: Duration,
    /// How long a read is tried again.
    pub read_again_for: Duration,
    /// How long after the first try a signed request is sent again: as it is, so while its signature is valid, 300 s.
    pub signed_again_for: Duration,
    /// How long a stream may be out of reach before it is given up.
    pub follow_again_for: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            send: Duration::from_mins(2),
            answer: Duration::from_mins(1),
            body: Duration::from_mins(1),
            silence: Duration::from_secs(35),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(15),
            read_again_for: Duration::from_secs(20),
            signed_again_for: Duration::from_secs(200),
            follow_again_for: Duration::from_mins(30),
        }
    }
}

/// The pauses between tries: each twice the one before, as long as all of them together stay within a sum.
///
/// Counts what it has given out and not the clock, so that a slow answer costs no try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pauses {
    next: Duration,
    longest: Duration,
    left: Duration,
}

impl Pauses {
    pub(crate) fn new(patience: &Patience, sum: Duration) -> Self {
        Self {
            next: patience.first_pause,
            longest: patience.longest_pause,
            left: sum,
        }
    }

    /// The next pause, at least as long as a server asked for; `None` where patience has ended.
    pub(crate) fn next(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let pause = self.next.max(asked.unwrap_or_default());
        self.left = self.left.checked_sub(pause)?;
        self.next = (self.next * 2).min(self.longest);
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_end_with_their_sum() {
        let patience = Patience {
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(3),
            ..Patience::default()
        };
        let mut pauses = Pauses::new(&patience, Duration::from_secs(10));
        let given: Vec<_> = std::iter::from_fn(|| pauses.next(None))
            .map(|pause| pause.as_secs())
            .collect();
        assert_eq!(given, [1, 2, 3, 3]);
        let mut pauses = Pauses::new(&patience, Duration::from_secs(10));
        assert_eq!(
            pauses.next(Some(Duration::from_secs(7))),
            Some(Duration::from_secs(7))
        );
        assert_eq!(
            pauses.next(Some(Duration::from_hours(24))),
            None,
            "a day is not waited for"
        );
    }

    #[test]
    fn the_last_try_of_a_signed_request_arrives_while_its_signature_is_valid() {
        let patience = Patience::default();
        let last_arrival = patience.signed_again_for + patience.connect + patience.answer;
        assert!(last_arrival < Duration::from_mins(5));
    }
}
