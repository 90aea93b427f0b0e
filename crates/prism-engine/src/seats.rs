//! What each process of a run sees on disk: the views of the Python runtime, and copies of what belongs to the run.
//!
//! [`crate::launcher`] turns it into binds. No two seats have a directory in common, so that nothing that one of them looks
//! up is ever seen by another. Used by [`crate::evaluate`] and [`crate::instantiate`].

use std::path::PathBuf;

use prism_bundle::Bundle;
use prism_core::{failure::Failure, outcome::Reason};
use prism_referee::connection::Cancel;
use prism_runtime::{
    Runtime, RuntimeError,
    views::{self, Seat, Views, ViewsEvent},
};
use prism_scratch::{Purpose, Scratch};

use crate::{
    event::{EvalEvent, EvalStage},
    prepare::settings,
};

/// The views of the runtime, made where they are missing; that takes a minute or two, once.
pub(crate) fn views(
    runtime: &Runtime,
    cancel: &Cancel,
    events: &mut dyn FnMut(EvalEvent),
) -> Result<Views, Failure> {
    let mut told = None;
    let mut on_event = |event: ViewsEvent| {
        let message = match event {
            ViewsEvent::Planned { needed_bytes, .. } => format!(
                "copying the Python runtime for those who answer: {}, once",
                prism_runtime::gigabytes(needed_bytes)
            ),
            ViewsEvent::Waiting => "waiting for another process that copies the Python runtime".to_owned(),
            ViewsEvent::Progress {
                done_bytes,
                total_bytes,
            } => {
                let hundredth = done_bytes.saturating_mul(100) / total_bytes.max(1);
                if told.replace(hundredth) != Some(hundredth) {
                    events(EvalEvent::Progress {
                        stage: EvalStage::Preflight,
                        done_bytes,
                        total_bytes,
                    });
                }
                return;
            }
        };
        events(EvalEvent::Stage {
            stage: EvalStage::Preflight,
            message,
        });
    };
    views::views(&settings()?, runtime, &|| cancel.is_cancelled(), &mut on_event).map_err(|error| {
        let reason = match error {
            RuntimeError::Cancelled => Reason::Cancelled,
            RuntimeError::NoRoomForViews { .. } | RuntimeError::DiskFull { .. } => Reason::Resources,
            _ => Reason::RuntimeMissing,
        };
        Failure::of(reason, &error)
    })
}

/// What a run brings along, on disk: for each seat a copy of the bundle and one of the runtime's own Python sources.
///
/// They lie in a directory that its owner alone may enter, so that no other user of the host reads a submission. A sandbox
/// is shown the directories below it by themselves, and needs no permission above them. Its name tells whose it is, so that
/// whoever starts next removes it where this process is killed.
pub(crate) struct Unpacked {
    temp: Scratch,
}

impl Unpacked {
    /// Writes everything; it is gone when this is dropped. Who answers never sees the training script: those copies of the
    /// bundle do not hold it.
    pub(crate) fn write(bundle: &Bundle) -> Result<Self, Failure> {
        let storage =
            |error: String| Failure::new(Reason::Storage, format!("the bundle cannot be unpacked: {error}"));
        let temp =
            Scratch::new(&std::env::temp_dir(), Purpose::Run).map_err(|error| storage(error.to_string()))?;
        let unpacked = Self { temp };
        let sources = prism_runtime::source_tree();
        for seat in Seat::ALL {
            let seat_dir = unpacked.temp.path().join(seat.name());
            std::fs::create_dir(&seat_dir).map_err(|error| storage(error.to_string()))?;
            let bundle_dir = unpacked.bundle(seat);
            prism_bundle::pack::write_dir(bundle, &bundle_dir).map_err(|error| storage(error.to_string()))?;
            if seat != Seat::Learner {
                let training = bundle_dir.join(bundle.manifest().training.as_str());
                std::fs::remove_file(training).map_err(|error| storage(error.to_string()))?;
            }
            sources
                .write_bare(&unpacked.sources(seat))
                .map_err(|error| storage(error.to_string()))?;
        }
        Ok(unpacked)
    }

    /// The bundle as a seat sees it.
    pub(crate) fn bundle(&self, seat: Seat) -> PathBuf {
        self.temp.path().join(seat.name()).join("bundle")
    }

    /// The runtime's Python sources as a seat sees them.
    pub(crate) fn sources(&self, seat: Seat) -> PathBuf {
        self.temp.path().join(seat.name()).join("runtime")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    use super::*;

    fn bundle() -> Bundle {
        let example = prism_runtime::examples();
        let name = example.directories()[0];
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join(name);
        example.directory(name).unwrap().write_new(&dir).unwrap();
        crate::prepare::read_bundle(&dir).unwrap()
    }

    /// Everything below a directory, itself included.
    fn below(path: &Path, found: &mut Vec<(PathBuf, fs::Metadata)>) {
        let metadata = path.symlink_metadata().unwrap();
        if metadata.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                below(&entry.unwrap().path(), found);
            }
        }
        found.push((path.to_owned(), metadata));
    }

    #[test]
    fn no_two_seats_share_a_file_and_nobody_else_may_enter() {
        let bundle = bundle();
        let unpacked = Unpacked::write(&bundle).unwrap();
        let top = unpacked.temp.path().metadata().unwrap();
        assert_eq!(top.mode() & 0o777, 0o700);
        let mut inodes = BTreeSet::new();
        for seat in Seat::ALL {
            for dir in [unpacked.bundle(seat), unpacked.sources(seat)] {
                let mut found = Vec::new();
                below(&dir, &mut found);
                assert!(found.len() > 2);
                for (path, metadata) in found {
                    assert!(inodes.insert(metadata.ino()), "{path:?}");
                    // The sandbox's user is another one in root mode.
                    let wanted = if metadata.is_dir() { 0o005 } else { 0o004 };
                    assert_eq!(metadata.mode() & 0o007 & wanted, wanted, "{path:?}");
                }
            }
            let training = unpacked.bundle(seat).join(bundle.manifest().training.as_str());
            assert_eq!(training.exists(), seat == Seat::Learner);
        }
        let path = unpacked.temp.path().to_owned();
        drop(unpacked);
        assert!(!path.exists());
    }
}
