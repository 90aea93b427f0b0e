//! The canonical bytes of a bundle, their hash and their price.
//!
//! Two bundles with the same files have the same canonical bytes, however they were archived. Integers are unsigned
//! and little-endian:
//!
//! ```text
//! offset  size  content
//! 0       16    "prism-bundle-v1" and one zero byte
//! 16      4     number of files
//!               then for each file, in ascending order of the bytes of its path:
//!         4       length of the path in bytes
//!         n       the path: ASCII, "/" between components
//!         8       length of the content in bytes
//!         m       the content
//! ```
//!
//! The hash is the SHA-256 of these bytes. Every part has its length before it, so that no two sets of files give the
//! same bytes, and the first 16 bytes keep them apart from everything else that PRISM hashes. The price is the size
//! of these bytes after zstd at level 19. `bundle` is the only caller.

use std::collections::BTreeMap;

use crate::error::BundleError;
use crate::path::BundlePath;

const DOMAIN: &[u8; 16] = b"prism-bundle-v1\0";
const ZSTD_LEVEL: i32 = 19;

/// The version of zstd that prices bundles. A price holds for one version; it is compiled in and pinned by the lock
/// file, and changes only with a release that says so.
pub fn zstd_version() -> &'static str {
    zstd::zstd_safe::version_string()
}

pub(crate) fn bytes(files: &BTreeMap<BundlePath, String>) -> Vec<u8> {
    let mut canonical = Vec::from(DOMAIN);
    // The limits of a bundle lie far below what these integers hold.
    let count = u32::try_from(files.len()).unwrap_or(u32::MAX);
    canonical.extend(count.to_le_bytes());
    for (path, content) in files {
        let path = path.as_str().as_bytes();
        let path_bytes = u32::try_from(path.len()).unwrap_or(u32::MAX);
        canonical.extend(path_bytes.to_le_bytes());
        canonical.extend(path);
        canonical.extend((content.len() as u64).to_le_bytes());
        canonical.extend(content.as_bytes());
    }
    canonical
}

/// One thread, no dictionary, the defaults of the level: the same size on every machine.
pub(crate) fn compressed_bytes(canonical: &[u8]) -> Result<u64, BundleError> {
    let compressed =
        zstd::bulk::compress(canonical, ZSTD_LEVEL).map_err(|error| BundleError::Compression {
            detail: error.to_string(),
        })?;
    Ok(compressed.len() as u64)
}
