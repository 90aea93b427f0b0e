//! How many of something are open, in all and of each client: connections, and event streams.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::network::ClientKey;

/// What is open.
#[derive(Clone)]
pub(crate) struct Tally {
    inner: Arc<Inner>,
}

struct Inner {
    most: usize,
    most_per_client: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    of: HashMap<ClientKey, usize>,
}

/// One that is open, until this is dropped.
pub(crate) struct Held {
    inner: Arc<Inner>,
    client: ClientKey,
}

/// Why there is no room for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// For nobody.
    All,
    /// For this client.
    Client,
}

impl Tally {
    pub(crate) fn new(most: usize, most_per_client: usize) -> Self {
        Self {
            inner: Arc::new(Inner {
                most,
                most_per_client,
                open: Mutex::default(),
            }),
        }
    }

    /// Room for one more.
    pub(crate) fn enter(&self, client: ClientKey, is_unlimited: bool) -> Result<Held, NoRoom> {
        let mut open = self.inner.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= self.inner.most {
            return Err(NoRoom::All);
        }
        let count = open.of.get(&client).copied().unwrap_or(0);
        if count >= self.inner.most_per_client && !is_unlimited {
            return Err(NoRoom::Client);
        }
        open.of.insert(client, count + 1);
        open.all += 1;
        Ok(Held {
            inner: Arc::clone(&self.inner),
            client,
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut open = self.inner.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        match open.of.get_mut(&self.client) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) | None => {
                open.of.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_in_all_and_for_each_client() {
        let tally = Tally::new(3, 2);
        let (one, other) = (
            ClientKey::of("1.2.3.4".parse().unwrap()),
            ClientKey::of("1.2.3.5".parse().unwrap()),
        );
        let first = tally.enter(one, false).ok();
        let second = tally.enter(one, false).ok();
        assert_eq!(tally.enter(one, false).err(), Some(NoRoom::Client));
        let third = tally.enter(one, true).ok();
        assert!(third.is_some());
        assert_eq!(tally.enter(other, true).err(), Some(NoRoom::All));
        drop((first, second));
        assert!(tally.enter(other, false).is_ok());
        drop(third);
        let open = tally.inner.open.lock().unwrap();
        assert!(open.of.is_empty() && open.all == 0);
    }
}
