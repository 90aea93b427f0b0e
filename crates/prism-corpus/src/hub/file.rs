//! One file of a dataset: there already, or fetched in segments, put together, and held against its SHA-256.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;

use prism_core::hex;
use sha2::{Digest, Sha256};

use super::api::{Hub, RemoteFile};
use super::segments::{SEGMENT_BYTES, Segments};
use super::{FetchOptions, HubError};

/// Where segments lie; listings of text pass over it.
const PARTS_DIR: &str = ".parts";
const COPY_BYTES: usize = 1024 * 1024;
/// How often a file is fetched that arrives as another one.
const WHOLE_TRIES: usize = 2;

pub(super) struct Download<'d> {
    hub: &'d Hub,
    options: &'d FetchOptions,
    commit: &'d str,
    remote: &'d RemoteFile,
    target: PathBuf,
    parts: PathBuf,
}

impl<'d> Download<'d> {
    pub(super) fn new(
        hub: &'d Hub,
        options: &'d FetchOptions,
        commit: &'d str,
        remote: &'d RemoteFile,
        out: &Path,
    ) -> Result<Self, HubError> {
        let target = out.join(&remote.path);
        // The hash is in the name: what is there of another file is never taken for this one's.
        let parts = out.join(PARTS_DIR).join(&remote.sha256);
        if let Some(dir) = target.parent() {
            fs::create_dir_all(dir).map_err(|e| HubError::io("create the directory", dir, e))?;
        }
        Ok(Self {
            hub,
            options,
            commit,
            remote,
            target,
            parts,
        })
    }

    /// The file, fetched if it is not there. The callback is told how much of it is.
    pub(super) fn run(&self, progress: &mut dyn FnMut(u64) -> ControlFlow<()>) -> Result<PathBuf, HubError> {
        if self.is_there()? {
            return if progress(self.remote.bytes).is_break() {
                Err(HubError::Cancelled)
            } else {
                Ok(self.target.clone())
            };
        }
        for _ in 0..WHOLE_TRIES {
            fs::create_dir_all(&self.parts)
                .map_err(|e| HubError::io("create the directory", &self.parts, e))?;
            let segments = self.segments();
            match self.fetch(&segments, progress) {
                Err(_) if segments.has_changed.load(Ordering::Relaxed) => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    if self.assemble(&segments)? {
                        return Ok(self.target.clone());
                    }
                }
            }
            fs::remove_dir_all(&self.parts).map_err(|e| HubError::io("remove", &self.parts, e))?;
        }
        Err(HubError::WrongHash {
            path: self.remote.path.clone(),
        })
    }

    /// Whether the file is there and the right one; another one goes.
    fn is_there(&self) -> Result<bool, HubError> {
        let Ok(metadata) = fs::metadata(&self.target) else {
            return Ok(false);
        };
        let is_same = metadata.len() == self.remote.bytes
            && self.hash_of(&self.target, &mut std::io::sink())? == self.remote.sha256;
        if !is_same {
            fs::remove_file(&self.target).map_err(|e| HubError::io("remove", &self.target, e))?;
        }
        Ok(is_same)
    }

    fn segments(&self) -> Segments<'_> {
        let tag = fs::read_to_string(self.parts.join("tag")).ok();
        Segments {
            hub: self.hub,
            resolve: self
                .hub
                .resolve(&self.options.dataset, self.commit, &self.remote.path),
            commit: self.commit,
            remote: self.remote,
            dir: self.parts.clone(),
            segment_bytes: SEGMENT_BYTES.min(self.options.segment_bytes.max(1)),
            address: Mutex::new(None),
            tag: Mutex::new(tag),
            next: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            has_changed: AtomicBool::new(false),
        }
    }

    fn fetch(
        &self,
        segments: &Segments<'_>,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<(), HubError> {
        let mut done_bytes: u64 = (0..segments.count())
            .map(|number| segments.there(number).min(segments.place(number).1))
            .sum();
        let (sender, arrived) = mpsc::channel();
        let threads = self.options.connections.get().min(segments.count());
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    let sender = sender.clone();
                    scope.spawn(move || segments.work(&sender))
                })
                .collect();
            drop(sender);
            let mut is_cancelled = progress(done_bytes).is_break();
            segments.stop.store(is_cancelled, Ordering::Relaxed);
            for bytes in arrived {
                done_bytes += bytes;
                if !is_cancelled && progress(done_bytes).is_break() {
                    is_cancelled = true;
                    segments.stop.store(true, Ordering::Relaxed);
                }
            }
            let mut first_error = None;
            for worker in workers {
                match worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                {
                    // That one was stopped by another's error.
                    Err(HubError::Cancelled) | Ok(()) => {}
                    Err(error) => first_error = first_error.or(Some(error)),
                }
            }
            match first_error {
                Some(error) if !is_cancelled => Err(error),
                _ if is_cancelled => Err(HubError::Cancelled),
                _ => Ok(()),
            }
        })
    }

    /// Puts the segments together; whether they are the file.
    fn assemble(&self, segments: &Segments<'_>) -> Result<bool, HubError> {
        let whole = self.parts.join("whole");
        let io = |source| HubError::io("write", &whole, source);
        let mut out = File::create(&whole).map_err(io)?;
        let mut hasher = Sha256::new();
        for number in 0..segments.count() {
            let path = segments.path(number);
            self.copy(&path, &mut hasher, &mut out)?;
        }
        out.sync_all().map_err(io)?;
        if hex::encode(&hasher.finalize()) != self.remote.sha256 {
            return Ok(false);
        }
        fs::rename(&whole, &self.target).map_err(|e| HubError::io("move a file to", &self.target, e))?;
        fs::remove_dir_all(&self.parts).map_err(|e| HubError::io("remove", &self.parts, e))?;
        Ok(true)
    }

    fn hash_of(&self, path: &Path, out: &mut dyn Write) -> Result<String, HubError> {
        let mut hasher = Sha256::new();
        self.copy(path, &mut hasher, out)?;
        Ok(hex::encode(&hasher.finalize()))
    }

    fn copy(&self, path: &Path, hasher: &mut Sha256, out: &mut dyn Write) -> Result<(), HubError> {
        let io = |source| HubError::io("read", path, source);
        let mut file = File::open(path).map_err(io)?;
        let mut buffer = vec![0; COPY_BYTES];
        loop {
            let count = file.read(&mut buffer).map_err(io)?;
            if count == 0 {
                return Ok(());
            }
            hasher.update(&buffer[..count]);
            out.write_all(&buffer[..count])
                .map_err(|e| HubError::io("write", &self.target, e))?;
        }
    }
}
