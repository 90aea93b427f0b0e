//! Where the dynamic loader looks for a library that no path is given for.
//!
//! `closure` asks [`Places::find`]. The loader's own index, `/etc/ld.so.cache`, comes first, then its built-in directories;
//! which of these a distribution builds in differs, so that all known ones are tried. The index is the host's own file;
//! it is read with bounds all the same, and one that is not understood counts as empty.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The loader's index.
pub(super) const CACHE_FILE: &str = "/etc/ld.so.cache";
/// Its beginning, in the form that every glibc since 2.2 writes, alone or behind an older form.
const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
/// Magic, two counts, flags, the place of the extensions and padding.
const HEADER_BYTES: usize = 48;
const ENTRY_BYTES: usize = 24;
/// As Debian and its relatives call this machine.
pub(super) const TRIPLET: &str = if cfg!(target_arch = "aarch64") {
    "aarch64-linux-gnu"
} else {
    "x86_64-linux-gnu"
};

/// Directories and index together.
pub(super) struct Places {
    index: BTreeMap<OsString, Vec<PathBuf>>,
    directories: Vec<PathBuf>,
}

impl Places {
    /// Those of this machine.
    pub(super) fn of_this_machine() -> Self {
        let triplet = |top: &str| format!("{top}/{TRIPLET}").into();
        Self {
            index: fs::read(CACHE_FILE).map_or_else(|_| BTreeMap::new(), |bytes| index(&bytes)),
            directories: vec![
                triplet("/lib"),
                triplet("/usr/lib"),
                "/lib64".into(),
                "/usr/lib64".into(),
                "/lib".into(),
                "/usr/lib".into(),
            ],
        }
    }

    /// Every file that a library of this name may be, the preferred ones first. They may be for another processor.
    pub(super) fn find(&self, name: &OsStr) -> Vec<PathBuf> {
        let indexed = self.index.get(name).into_iter().flatten().cloned();
        let built_in = self.directories.iter().map(|directory| directory.join(name));
        indexed.chain(built_in).filter(|path| path.is_file()).collect()
    }
}

/// Names and paths of an index.
fn index(bytes: &[u8]) -> BTreeMap<OsString, Vec<PathBuf>> {
    let mut index = BTreeMap::new();
    let found = bytes.windows(MAGIC.len()).position(|window| window == MAGIC);
    let Some(bytes) = found.and_then(|start| bytes.get(start..)) else {
        return index;
    };
    let number = |at: usize| -> Option<usize> {
        let four = bytes.get(at..at.checked_add(4)?)?;
        usize::try_from(u32::from_le_bytes(four.try_into().ok()?)).ok()
    };
    let text = |at: usize| -> Option<&OsStr> {
        let rest = bytes.get(at..)?;
        let length = rest.iter().position(|&byte| byte == 0)?;
        Some(OsStr::from_bytes(&rest[..length]))
    };
    let entries = number(MAGIC.len()).unwrap_or(0);
    for entry in 0..entries.min(bytes.len() / ENTRY_BYTES) {
        let at = HEADER_BYTES + entry * ENTRY_BYTES;
        let name = number(at + 4).and_then(text);
        let path = number(at + 8).and_then(text).map(Path::new);
        if let (Some(name), Some(path)) = (name, path)
            && path.is_absolute()
        {
            let paths: &mut Vec<PathBuf> = index.entry(name.to_owned()).or_default();
            paths.push(path.to_owned());
        }
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An index with these names and paths.
    fn written(entries: &[(&str, &str)]) -> Vec<u8> {
        let mut bytes = Vec::from(MAGIC);
        let count = u32::try_from(entries.len()).unwrap();
        bytes.extend(count.to_le_bytes());
        bytes.resize(HEADER_BYTES, 0);
        let mut strings = Vec::new();
        let start = HEADER_BYTES + entries.len() * ENTRY_BYTES;
        let mut place = |text: &str| {
            let at = u32::try_from(start + strings.len()).unwrap();
            strings.extend(text.as_bytes());
            strings.push(0);
            at
        };
        for (name, path) in entries {
            bytes.extend(0x303_u32.to_le_bytes());
            bytes.extend(place(name).to_le_bytes());
            bytes.extend(place(path).to_le_bytes());
            bytes.extend([0; 12]);
        }
        bytes.extend(strings);
        bytes
    }

    #[test]
    fn reads_names_with_all_their_paths_also_behind_an_older_form() {
        let bytes = written(&[("a.so", "/x/a.so"), ("b.so", "/b.so"), ("a.so", "/y/a.so")]);
        let old = [b"ld.so-1.7.0\0padding", &bytes[..]].concat();
        for bytes in [bytes, old] {
            let index = index(&bytes);
            assert_eq!(index.len(), 2);
            assert_eq!(
                index[OsStr::new("a.so")],
                [Path::new("/x/a.so"), Path::new("/y/a.so")]
            );
        }
    }

    #[test]
    fn a_damaged_index_is_read_as_far_as_it_goes() {
        let whole = written(&[("a.so", "/x/a.so"), ("b.so", "relative")]);
        assert_eq!(index(&whole).len(), 1, "a relative path leads nowhere");
        for length in 0..whole.len() {
            assert!(index(&whole[..length]).len() <= 1);
        }
        let mut huge = whole;
        huge[MAGIC.len()..][..4].fill(0xff);
        index(&huge);
    }

    #[test]
    fn this_machine_has_a_c_library() {
        let found = Places::of_this_machine().find(OsStr::new("libc.so.6"));
        assert!(!found.is_empty());
        assert!(
            Places::of_this_machine()
                .find(OsStr::new("no-such.so"))
                .is_empty()
        );
    }
}
