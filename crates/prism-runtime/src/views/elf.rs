//! What a program or a library asks of the dynamic loader.
//!
//! `closure` calls [`read`] for every file that may be mapped. Only what is linked in is seen here; what a library opens
//! by name when it runs is listed in `closure`. A file that is no ELF file of 64 bits, or a damaged one, has no needs: the
//! loader would refuse it, too.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use object::elf::{self, FileHeader64};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::read::{ReadCache, ReadRef, StringTable};
use object::{Endianness, read};

/// What the loader is told by one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Needs {
    /// For which processor it is.
    pub(super) machine: u16,
    /// The loader itself, which programs name.
    pub(super) loader: Option<PathBuf>,
    /// The libraries, as they are called in it.
    pub(super) libraries: Vec<OsString>,
    /// Where to look first, as written: `$ORIGIN/../lib`.
    pub(super) search: Vec<OsString>,
    /// Whether that also holds for the libraries of its libraries.
    pub(super) is_inherited: bool,
}

/// Reads a file; `None` if it is none for the loader.
pub(super) fn read(path: &Path) -> Option<Needs> {
    let cache = ReadCache::new(File::open(path).ok()?);
    parse(&cache).ok()
}

fn parse<'data, R: ReadRef<'data>>(data: R) -> read::Result<Needs> {
    let header = FileHeader64::<Endianness>::parse(data)?;
    let endian = header.endian()?;
    let segments = header.program_headers(endian, data)?;
    let mut needs = Needs {
        machine: header.e_machine(endian),
        loader: None,
        libraries: Vec::new(),
        search: Vec::new(),
        is_inherited: false,
    };
    // Where the loader would put a byte of the file, and back.
    let in_file = |address: u64| {
        segments.iter().find_map(|segment| {
            let start: u64 = segment.p_vaddr(endian);
            let inside = address.checked_sub(start)?;
            let loaded = segment.p_type(endian) == elf::PT_LOAD && inside < segment.p_filesz(endian);
            loaded.then(|| segment.p_offset(endian).checked_add(inside))?
        })
    };
    for segment in segments {
        if let Some(loader) = segment.interpreter(endian, data)? {
            needs.loader = Some(OsString::from_vec(loader.to_vec()).into());
        }
        let Some(entries) = segment.dynamic(endian, data)? else {
            continue;
        };
        let value = |tag: i64| {
            let found = entries.iter().find(|entry| entry.d_tag(endian) == tag);
            found.map(|entry| entry.d_val(endian))
        };
        let (Some(start), Some(length)) = (value(elf::DT_STRTAB).and_then(in_file), value(elf::DT_STRSZ))
        else {
            continue;
        };
        let strings = StringTable::new(data, start, start.saturating_add(length));
        let text = |entry: &elf::Dyn64<Endianness>| {
            let text = entry.val32(endian).and_then(|offset| strings.get(offset).ok());
            text.map(|text| OsString::from_vec(text.to_vec()))
        };
        let tagged = |tag: i64| entries.iter().filter(move |entry| entry.d_tag(endian) == tag);
        needs.libraries = tagged(elf::DT_NEEDED).filter_map(text).collect();
        // Where both are written the loader looks at the newer one only.
        let newer: Vec<_> = tagged(elf::DT_RUNPATH).filter_map(text).collect();
        needs.is_inherited = newer.is_empty();
        let written = if newer.is_empty() {
            tagged(elf::DT_RPATH).filter_map(text).collect()
        } else {
            newer
        };
        needs.search = written.into_iter().flat_map(split_colons).collect();
    }
    Ok(needs)
}

fn split_colons(text: OsString) -> Vec<OsString> {
    text.into_vec()
        .split(|&byte| byte == b':')
        .filter(|part| !part.is_empty())
        .map(|part| OsString::from_vec(part.to_vec()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_needs_the_c_library_and_a_loader() {
        let needs = read(&std::env::current_exe().unwrap()).unwrap();
        assert!(needs.libraries.contains(&"libc.so.6".into()), "{needs:?}");
        assert!(needs.loader.is_some_and(|loader| loader.is_file()));
    }

    #[test]
    fn what_is_no_elf_file_or_a_damaged_one_has_no_needs() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.so");
        let whole = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        for content in [
            &b""[..],
            b"INPUT ( libc.so.6 )",
            &whole[..4],
            &whole[..63],
            &whole[..200],
        ] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(read(&path), None);
        }
        assert_eq!(read(directory.path()), None);
    }

    #[test]
    fn search_paths_are_split_and_empty_parts_left_out() {
        assert_eq!(split_colons("a::$ORIGIN/b:".into()), ["a", "$ORIGIN/b"]);
    }
}
