//! The segments of one file, each in a file of its own whose length is what is there of it.
//!
//! [`super::file`] is the caller. Bytes are appended after the answer that brings them was held against the range, the
//! length and the entity tag that belong to the file. So whatever moment a fetch ends at, each segment holds a true
//! beginning of itself.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::HubError;
use super::api::{Hub, RemoteFile};
use super::http::{Answer, Fault, content_range, etag, host, own_etag, pause, short, text};

/// Length of a segment.
pub(super) const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes that are read at a time.
const READ_BYTES: usize = 64 * 1024;
/// Most redirects on the way to the bytes.
const REDIRECTS_MAX: usize = 5;

/// One file that is fetched by several threads.
pub(super) struct Segments<'f> {
    pub(super) hub: &'f Hub,
    pub(super) resolve: String,
    pub(super) commit: &'f str,
    pub(super) remote: &'f RemoteFile,
    /// Where the segments lie.
    pub(super) dir: PathBuf,
    pub(super) segment_bytes: u64,
    /// Where the bytes are, once the Hub has said it; such an address is good for a while only.
    pub(super) address: Mutex<Option<String>>,
    /// The entity tag of the bytes.
    pub(super) tag: Mutex<Option<String>>,
    pub(super) next: AtomicUsize,
    pub(super) stop: AtomicBool,
    /// The bytes were others all of a sudden: what is there must go.
    pub(super) has_changed: AtomicBool,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Segments<'_> {
    pub(super) fn count(&self) -> usize {
        usize::try_from(self.remote.bytes.div_ceil(self.segment_bytes)).unwrap_or(usize::MAX)
    }

    pub(super) fn path(&self, number: usize) -> PathBuf {
        self.dir.join(format!("{number:06}"))
    }

    /// First byte and length of a segment.
    pub(super) fn place(&self, number: usize) -> (u64, u64) {
        let start = number as u64 * self.segment_bytes;
        (start, self.segment_bytes.min(self.remote.bytes - start))
    }

    /// What is there of a segment.
    pub(super) fn there(&self, number: usize) -> u64 {
        fs::metadata(self.path(number)).map_or(0, |found| found.len())
    }

    /// Fetches segments until there are no more; each piece that arrives is told.
    pub(super) fn work(&self, arrived: &Sender<u64>) -> Result<(), HubError> {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.count() {
                return Ok(());
            }
            let fetched = self.segment(number, arrived);
            if fetched.is_err() {
                // The others need not go on.
                self.stop.store(true, Ordering::Relaxed);
                return fetched;
            }
        }
    }

    fn segment(&self, number: usize, arrived: &Sender<u64>) -> Result<(), HubError> {
        let path = self.path(number);
        let (start, length) = self.place(number);
        let io = |source| HubError::io("write", &path, source);
        if self.there(number) > length {
            fs::remove_file(&path).map_err(io)?;
        }
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(io)?;
        let mut have = self.there(number);
        let mut tries = 0;
        while have < length {
            let before = have;
            let fault = match self.piece(start, length, &mut have, &mut file, &path, arrived) {
                Ok(()) => continue,
                Err(fault) => fault,
            };
            // A try that brought something was none in vain.
            tries = if have > before { 1 } else { tries + 1 };
            match fault {
                Fault::Final(error) => return Err(error),
                Fault::Again(error, _) if tries >= self.hub.http.patience.tries => return Err(error),
                Fault::Again(_, wait) => pause(&self.hub.http.patience, tries, wait, &self.stop)?,
            }
        }
        file.sync_data().map_err(io)
    }

    /// Asks for what is missing of a segment, and appends what comes.
    fn piece(
        &self,
        start: u64,
        length: u64,
        have: &mut u64,
        file: &mut File,
        path: &std::path::Path,
        arrived: &Sender<u64>,
    ) -> Result<(), Fault> {
        let address = self.address()?;
        let (first, last) = (start + *have, start + length - 1);
        let mut answer = self.hub.http.get(&address, Some((first, last)))?;
        for _ in 0..REDIRECTS_MAX {
            let Some(to) = self.hub.http.redirect(&answer, &self.remote.path)? else {
                break;
            };
            answer = self.hub.http.get(&to, Some((first, last)))?;
        }
        self.check(&answer, first, last)?;
        let at = host(&answer.uri);
        let mut body = answer.response.body_mut().as_reader();
        let mut buffer = vec![0; READ_BYTES];
        while *have < length {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Fault::Final(HubError::Cancelled));
            }
            let room = usize::try_from(length - *have)
                .unwrap_or(READ_BYTES)
                .min(READ_BYTES);
            let lost = |cause: String| {
                let host = at.clone();
                Fault::Again(HubError::Unreachable { host, cause }, None)
            };
            let count = body
                .read(&mut buffer[..room])
                .map_err(|error| lost(short(&error.to_string())))?;
            if count == 0 {
                return Err(lost("the answer ended too early".to_owned()));
            }
            file.write_all(&buffer[..count])
                .map_err(|e| Fault::Final(HubError::io("write", path, e)))?;
            *have += count as u64;
            // Whoever listened has gone: so will the others.
            let _heard = arrived.send(count as u64);
        }
        Ok(())
    }

    /// Holds an answer against what was asked for, before any byte of it is taken.
    fn check(&self, answer: &Answer, first: u64, last: u64) -> Result<(), Fault> {
        let what = &self.remote.path;
        let status = answer.response.status().as_u16();
        let headers = answer.response.headers();
        if matches!(status, 400 | 401 | 403 | 404 | 410) && !self.hub.http.is_hub(&answer.uri) {
            // The address was good for a while only.
            *held(&self.address) = None;
            let (host, what) = (host(&answer.uri), what.clone());
            return Err(Fault::Again(HubError::Status { host, what, status }, None));
        }
        if !answer.response.status().is_success() {
            return Err(self.hub.http.refusal(answer, what));
        }
        let bad = |problem: &str| Fault::Final(self.hub.http.unexpected(Some(&answer.uri), what, problem));
        match (status, content_range(headers)) {
            (206, Some((from, to, whole))) => {
                if from != first || to > last || whole != self.remote.bytes {
                    return Err(bad("other bytes than were asked for"));
                }
            }
            // The whole file, where that was asked for.
            (200, _) if first == 0 && last + 1 == self.remote.bytes => {}
            _ => return Err(bad("no range of bytes, though one was asked for")),
        }
        let Some(found) = own_etag(headers) else {
            return Ok(());
        };
        let mut tag = held(&self.tag);
        match &*tag {
            Some(known) if *known != found => {
                self.has_changed.store(true, Ordering::Relaxed);
                Err(bad("another entity tag than before"))
            }
            Some(_) => Ok(()),
            None => {
                let path = self.dir.join("tag");
                fs::write(&path, &found).map_err(|e| Fault::Final(HubError::io("write", &path, e)))?;
                *tag = Some(found);
                Ok(())
            }
        }
    }

    /// Where the bytes are: what the Hub's address redirects to outside of the Hub, or the Hub itself.
    fn address(&self) -> Result<String, Fault> {
        let mut known = held(&self.address);
        if let Some(address) = &*known {
            return Ok(address.clone());
        }
        let what = &self.remote.path;
        let mut address = self.resolve.clone();
        for _ in 0..REDIRECTS_MAX {
            let answer = self.hub.http.get(&address, Some((0, 0)))?;
            self.check_linked(&answer)?;
            match self.hub.http.redirect(&answer, what)? {
                Some(to) => {
                    let leaves = to.parse().is_ok_and(|uri| !self.hub.http.is_hub(&uri));
                    address = to;
                    if leaves {
                        *known = Some(address.clone());
                        return Ok(address);
                    }
                }
                None if answer.response.status().is_success() => {
                    *known = Some(address.clone());
                    return Ok(address);
                }
                None => return Err(self.hub.http.refusal(&answer, what)),
            }
        }
        Err(Fault::Final(self.hub.http.unexpected(
            None,
            what,
            "too many redirects",
        )))
    }

    /// What the Hub says of a file where it redirects: it must be the one of the tree.
    fn check_linked(&self, answer: &Answer) -> Result<(), Fault> {
        let headers = answer.response.headers();
        let bad = |problem: &str| {
            let error = self
                .hub
                .http
                .unexpected(Some(&answer.uri), &self.remote.path, problem);
            Err(Fault::Final(error))
        };
        if text(headers, "x-repo-commit").is_some_and(|commit| commit != self.commit) {
            return bad("another commit than was asked for");
        }
        if text(headers, "x-linked-size").is_some_and(|size| size != self.remote.bytes.to_string()) {
            return bad("another length than the tree has");
        }
        // It is the SHA-256 for files in LFS and Xet alike.
        if etag(headers, "x-linked-etag").is_some_and(|tag| tag.len() == 64 && tag != self.remote.sha256) {
            return bad("another SHA-256 than the tree has");
        }
        Ok(())
    }
}
