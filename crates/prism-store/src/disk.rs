//! What the store asks the system about its disk: whether it is local, how much room it has, and to keep what was
//! written.

use std::{fs::File, io, path::Path};

use crate::{Result, StoreError};

/// File systems of other machines, by the number that the kernel gives them. A write-ahead log shares memory between
/// connections, which they cannot.
const NETWORK: [(u32, &str); 12] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xfe53_4d42, "SMB2"),
    (0xff53_4d42, "CIFS"),
    (0x00c3_6400, "Ceph"),
    (0x0102_1997, "9P"),
    (0x0bd0_0bd0, "Lustre"),
    (0x5346_414f, "AFS"),
    (0x7375_7245, "Coda"),
    (0x4750_4653, "GPFS"),
    (0x1980_0202, "BeeGFS"),
    (0x7461_636f, "OCFS2"),
];

/// Refuses a folder on a file system of another machine.
pub(crate) fn must_be_local(dir: &Path) -> Result<()> {
    let found = rustix::fs::statfs(dir)
        .map_err(|error| StoreError::io("asking for the file system of", dir, error.into()))?;
    // The kernel's number is 32 bits wide; libc's field is wider on some machines and signed on others.
    #[allow(
        clippy::cast_sign_loss,
        clippy::cast_possible_truncation,
        reason = "the upper bits are the sign only"
    )]
    let kind = found.f_type as u32;
    match kind_of(kind) {
        Some(kind) => Err(StoreError::NotLocal {
            path: dir.to_owned(),
            kind,
        }),
        None => Ok(()),
    }
}

fn kind_of(number: u32) -> Option<&'static str> {
    NETWORK
        .iter()
        .find(|(known, _)| *known == number)
        .map(|(_, name)| *name)
}

/// Bytes that this user may still write there.
pub(crate) fn free_bytes(dir: &Path) -> Result<u64> {
    let found = rustix::fs::statvfs(dir)
        .map_err(|error| StoreError::io("asking for the free space of", dir, error.into()))?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Makes the entries of a folder last.
pub(crate) fn sync_folder(dir: &Path) -> Result<()> {
    let sync = || -> io::Result<()> { File::open(dir)?.sync_all() };
    sync().map_err(|error| StoreError::io("syncing the folder", dir, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_and_local_ones_pass() {
        assert_eq!(kind_of(0x6969), Some("NFS"));
        assert_eq!(kind_of(0xff53_4d42), Some("CIFS"));
        for local in [0xef53, 0x0102_1994, 0x5846_5342, 0x9123_683e, 0x794c_7630] {
            assert_eq!(kind_of(local), None, "{local:x}");
        }
        let temp = tempfile::tempdir().unwrap();
        must_be_local(temp.path()).unwrap();
        assert!(free_bytes(temp.path()).unwrap() > 0);
        assert!(must_be_local(&temp.path().join("none")).is_err());
    }
}
