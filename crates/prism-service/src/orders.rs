//! What the operator has asked for and what outlives the process: that the queue stands still, and noise runs that have not
//! begun. Kept among the small facts of the store.
//!
//! Changed by the admin socket, and with the attempts that work it off, in the same transaction. A value that is no value
//! (somebody else wrote it) is an error and no default: a queue that was paused must not go on by itself.

use prism_store::{Read, StoreError, Write, meta};

/// There while the queue is paused.
const PAUSED: &str = "paused";
/// Noise runs that are still to be started.
const NOISE_RUNS_LEFT: &str = "noise_runs_left";

/// Whether the operator has paused the queue.
pub(crate) fn is_paused(tx: &Read) -> prism_store::Result<bool> {
    Ok(meta::get(tx, PAUSED)?.is_some())
}

/// Pauses the queue, or lets it go on.
pub(crate) fn set_paused(tx: &Write, paused: bool) -> prism_store::Result<()> {
    meta::set(tx, PAUSED, paused.then_some("yes"))
}

/// Noise runs that are still to be started.
pub(crate) fn noise_runs_left(tx: &Read) -> prism_store::Result<u32> {
    meta::get(tx, NOISE_RUNS_LEFT)?.map_or(Ok(0), |text| {
        text.parse().map_err(|_| {
            StoreError::NotAllowed(format!("`{NOISE_RUNS_LEFT}` in the store is `{text}`, no number"))
        })
    })
}

/// Asks for so many, whatever was asked for before.
pub(crate) fn set_noise_runs(tx: &Write, runs: u32) -> prism_store::Result<()> {
    let text = (runs > 0).then(|| runs.to_string());
    meta::set(tx, NOISE_RUNS_LEFT, text.as_deref())
}

/// One of them begins.
pub(crate) fn noise_run_begins(tx: &Write) -> prism_store::Result<()> {
    let left = noise_runs_left(tx)?;
    set_noise_runs(tx, left.saturating_sub(1))
}

/// One that began is to be made again.
pub(crate) fn noise_run_again(tx: &Write) -> prism_store::Result<()> {
    let left = noise_runs_left(tx)?;
    set_noise_runs(tx, left.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use prism_core::time::Timestamp;
    use prism_store::Store;

    use super::*;

    #[test]
    fn what_was_asked_for_is_there_when_the_store_is_opened_again() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Store::open(dir.path(), Timestamp(0)).unwrap();
        let store = open();
        let asked = |store: &Store| {
            store
                .read(|tx| Ok((is_paused(tx)?, noise_runs_left(tx)?)))
                .unwrap()
        };
        assert_eq!(asked(&store), (false, 0));
        store
            .write(|tx| {
                set_paused(tx, true)?;
                set_noise_runs(tx, 5)?;
                noise_run_begins(tx)?;
                noise_run_begins(tx)?;
                noise_run_again(tx)
            })
            .unwrap();
        drop(store);
        let store = open();
        assert_eq!(asked(&store), (true, 4));
        store
            .write(|tx| {
                set_paused(tx, false)?;
                set_noise_runs(tx, 0)?;
                noise_run_begins(tx)
            })
            .unwrap();
        assert_eq!(asked(&store), (false, 0));
        store
            .write(|tx| meta::set(tx, NOISE_RUNS_LEFT, Some("many")))
            .unwrap();
        assert!(
            store.read(noise_runs_left).is_err(),
            "no default for what is no number"
        );
    }
}
