//! How often somebody may ask: a generic cell rate algorithm over a bounded table of clients.
//!
//! Asked by the middleware for each address and by uploads for each hotkey, the latter only after its signature is
//! verified. Time is a parameter of what is tested; a table that is full of busy clients takes no new one.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Clients of which something is remembered. A client at rest is forgotten.
const CLIENTS_MAX: usize = 65_536;

/// So many at once, and then so many in each span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests that may come at once.
    pub burst: u32,
    /// Requests that are allowed again in each `per`.
    pub requests: u32,
    /// The span.
    pub per: Duration,
}

impl Rate {
    /// So many in each second.
    pub const fn per_second(requests: u32, burst: u32) -> Self {
        Self {
            burst,
            requests,
            per: Duration::from_secs(1),
        }
    }

    /// So many in each minute.
    pub const fn per_minute(requests: u32, burst: u32) -> Self {
        Self {
            burst,
            requests,
            per: Duration::from_mins(1),
        }
    }

    /// What one request costs. A rate of zero is one a span.
    fn cost(self) -> Duration {
        self.per / self.requests.max(1)
    }
}

/// Too many requests: wait so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany(pub Duration);

impl TooMany {
    /// The whole seconds after which another request is taken.
    pub fn seconds(self) -> u64 {
        self.0.as_secs() + u64::from(self.0.subsec_nanos() > 0)
    }
}

/// Who asked how much, for one kind of request.
pub struct Limiter<K> {
    rate: Rate,
    clients_max: usize,
    /// For each client the time at which it is at rest again.
    at_rest: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash> Limiter<K> {
    /// A limiter that has seen nobody.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            clients_max: CLIENTS_MAX,
            at_rest: Mutex::default(),
        }
    }

    /// Whether this client may ask now, which counts if it may.
    pub fn ask(&self, client: K, now: Instant) -> Result<(), TooMany> {
        let cost = self.rate.cost();
        let tolerance = cost * self.rate.burst.saturating_sub(1);
        // The table is whole whatever a thread did that had it.
        let mut at_rest = self.at_rest.lock().unwrap_or_else(PoisonError::into_inner);
        if at_rest.len() >= self.clients_max && !at_rest.contains_key(&client) {
            at_rest.retain(|_, rest| *rest > now);
            if at_rest.len() >= self.clients_max {
                return Err(TooMany(self.rate.per));
            }
        }
        let rest = at_rest.get(&client).copied().unwrap_or(now).max(now);
        let wait = rest.duration_since(now).saturating_sub(tolerance);
        if !wait.is_zero() {
            return Err(TooMany(wait));
        }
        at_rest.insert(client, rest + cost);
        Ok(())
    }

    /// Forgets who is at rest.
    pub fn tidy(&self, now: Instant) {
        self.at_rest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, rest| *rest > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate_each_client_for_itself() {
        let limiter = Limiter::new(Rate::per_second(2, 3));
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        for _ in 0..3 {
            assert_eq!(limiter.ask("a", start), Ok(()));
        }
        assert_eq!(limiter.ask("a", start), Err(TooMany(Duration::from_millis(500))));
        assert_eq!(limiter.ask("b", start), Ok(()));
        assert_eq!(limiter.ask("a", at(499)), Err(TooMany(Duration::from_millis(1))));
        assert_eq!(limiter.ask("a", at(500)), Ok(()), "being refused costs nothing");
        assert!(limiter.ask("a", at(501)).is_err());
        for _ in 0..3 {
            assert_eq!(limiter.ask("a", at(10_000)), Ok(()));
        }
        assert!(limiter.ask("a", at(10_000)).is_err());
        assert_eq!(TooMany(Duration::from_millis(1)).seconds(), 1);
    }

    #[test]
    fn the_table_is_bounded_and_forgets_who_is_at_rest() {
        let mut limiter = Limiter::new(Rate::per_second(1, 1));
        limiter.clients_max = 3;
        let start = Instant::now();
        for client in 0..3 {
            assert_eq!(limiter.ask(client, start), Ok(()));
        }
        assert!(limiter.ask(3, start).is_err(), "no room for anybody new");
        assert!(
            limiter.ask(0, start).is_err(),
            "and the old ones keep their debts"
        );
        let later = start + Duration::from_secs(2);
        assert_eq!(limiter.ask(3, later), Ok(()));
        limiter.tidy(later + Duration::from_secs(2));
        assert!(limiter.at_rest.lock().unwrap().is_empty());
    }
}
