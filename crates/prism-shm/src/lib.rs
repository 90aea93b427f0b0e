//! Sealed shared-memory segments between the referee and its sandboxes.
//!
//! Two kinds, both anonymous files in memory (`memfd`), both sealed against resizing, so that no peer can shrink a
//! segment under the referee's feet (a `SIGBUS`):
//!
//! - [`PeerSegment`]: a learner writes it, the referee only ever *reads a copy* of it with `pread`. It is never
//!   mapped here, so nothing that the peer does to it at the same time can be undefined behaviour.
//! - [`OwnSegment`]: the referee alone writes it (`F_SEAL_FUTURE_WRITE`, set after its own mapping exists), an
//!   auditor maps it read-only.
//!
//! Called by the referee. Never interprets the bytes; never hands out a reference to memory that a peer can change.

use std::{
    ffi::CStr,
    fs::File,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::FileExt,
    },
};

use memmap2::MmapMut;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};

/// A segment that a sandboxed peer writes and the referee copies from.
#[derive(Debug)]
pub struct PeerSegment {
    file: File,
    bytes: u64,
}

impl PeerSegment {
    /// Makes one of `bytes` zero bytes. Memory is taken only when the peer touches it, on the peer's account.
    pub fn create(bytes: u64) -> io::Result<Self> {
        let fd = create(c"prism-learner", bytes)?;
        fcntl_add_seals(&fd, SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
        Ok(Self {
            file: File::from(fd),
            bytes,
        })
    }

    /// Size, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A duplicate of the descriptor, to hand to the peer.
    pub fn try_clone_fd(&self) -> io::Result<OwnedFd> {
        self.file.as_fd().try_clone_to_owned()
    }

    /// Copies the first `bytes` bytes, as they are at this moment, into `own`.
    pub fn copy_into(&self, own: &mut OwnSegment, bytes: u64) -> io::Result<()> {
        let len = check_len(bytes, self.bytes.min(own.bytes()))?;
        self.file.read_exact_at(&mut own.map[..len], 0)
    }
}

/// A segment that the referee alone can write.
#[derive(Debug)]
pub struct OwnSegment {
    file: File,
    map: MmapMut,
}

impl OwnSegment {
    /// Makes one of `bytes` zero bytes (not zero). Memory is taken only when it is written.
    pub fn create(bytes: u64) -> io::Result<Self> {
        let fd = create(c"prism-referee", bytes)?;
        fcntl_add_seals(&fd, SealFlags::GROW | SealFlags::SHRINK)?;
        let file = File::from(fd);
        // SAFETY: the file was made above and nobody else holds a descriptor of it yet. From the next line on it can
        // be neither resized nor mapped or written for writing through any other descriptor, so that this mapping is
        // the only place from which its bytes can ever change.
        let map = unsafe { MmapMut::map_mut(&file)? };
        fcntl_add_seals(&file, SealFlags::FUTURE_WRITE | SealFlags::SEAL)?;
        Ok(Self { file, map })
    }

    /// Size, in bytes.
    pub fn bytes(&self) -> u64 {
        self.map.len() as u64
    }

    /// A duplicate of the descriptor, to hand to an auditor.
    pub fn try_clone_fd(&self) -> io::Result<OwnedFd> {
        self.file.as_fd().try_clone_to_owned()
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.map
    }

    /// The bytes, to be written.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.map
    }

    /// Copies the first `bytes` bytes of `other` into this one.
    pub fn copy_from(&mut self, other: &Self, bytes: u64) -> io::Result<()> {
        let len = check_len(bytes, self.bytes().min(other.bytes()))?;
        self.map[..len].copy_from_slice(&other.map[..len]);
        Ok(())
    }

    /// Overwrites the start of the segment with `content`.
    pub fn write(&mut self, content: &[u8]) -> io::Result<()> {
        let len = check_len(content.len() as u64, self.bytes())?;
        self.map[..len].copy_from_slice(content);
        Ok(())
    }
}

fn create(name: &CStr, bytes: u64) -> io::Result<OwnedFd> {
    let fd = memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&fd, bytes)?;
    Ok(fd)
}

fn check_len(bytes: u64, limit: u64) -> io::Result<usize> {
    if bytes > limit {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{bytes} bytes do not fit a segment of {limit}"),
        ));
    }
    usize::try_from(bytes).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))
}

#[cfg(test)]
mod tests {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};

    use super::*;

    fn reopen_for_writing(file: &File) -> io::Result<File> {
        use std::os::fd::AsRawFd;
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(0)
            .open(path)
    }

    #[test]
    fn a_snapshot_is_what_the_peer_had_written_at_that_moment() {
        let peer = PeerSegment::create(1 << 16).unwrap();
        let mut own = OwnSegment::create(1 << 16).unwrap();
        let writer = File::from(peer.try_clone_fd().unwrap());
        writer.write_all_at(b"before", 0).unwrap();
        peer.copy_into(&mut own, 6).unwrap();
        writer.write_all_at(b"after!", 0).unwrap();
        assert_eq!(&own.as_slice()[..6], b"before");
    }

    #[test]
    fn nobody_resizes_a_segment() {
        let peer = PeerSegment::create(4096).unwrap();
        let own = OwnSegment::create(4096).unwrap();
        for fd in [peer.try_clone_fd().unwrap(), own.try_clone_fd().unwrap()] {
            assert!(ftruncate(&fd, 0).is_err());
            assert!(ftruncate(&fd, 8192).is_err());
        }
    }

    #[test]
    fn an_auditor_cannot_write_its_segment_by_any_road() {
        let mut own = OwnSegment::create(4096).unwrap();
        let mut theirs = File::from(own.try_clone_fd().unwrap());
        assert!(theirs.write(b"x").is_err());
        assert!(theirs.write_all_at(b"x", 0).is_err());
        assert!(
            fcntl_add_seals(&theirs, SealFlags::WRITE).is_err(),
            "the set of seals is sealed too"
        );
        if let Ok(again) = reopen_for_writing(&theirs) {
            assert!(again.write_all_at(b"x", 0).is_err());
            // SAFETY: a mapping of a file that nobody resizes; it is not read, and it must fail.
            assert!(unsafe { MmapMut::map_mut(&again) }.is_err());
        }
        own.write(b"ours").unwrap();
        let mut read = [0; 4];
        theirs.read_exact_at(&mut read, 0).unwrap();
        assert_eq!(&read, b"ours");
    }

    #[test]
    fn lengths_are_checked() {
        let peer = PeerSegment::create(10).unwrap();
        let mut own = OwnSegment::create(20).unwrap();
        assert!(peer.copy_into(&mut own, 11).is_err());
        assert!(own.write(&[0; 21]).is_err());
        let mut small = OwnSegment::create(5).unwrap();
        assert!(small.copy_from(&own, 6).is_err());
        assert!(small.copy_from(&own, 5).is_ok());
    }
}
