//! One test per trick that an archive can try.

use prism_bundle::{Bundle, limits};

use crate::zip_builder::{DEFLATED, Entry, STORED, Zip, entry, extra};
use crate::{code, entries};

fn zip_code(zip: &Zip) -> &'static str {
    code(Bundle::from_zip(&zip.build()))
}

/// The code for an honest bundle with one more entry.
fn with(more: Entry) -> &'static str {
    zip_code(&Zip::with([more]))
}

fn honest() -> Entry {
    entry("lib/helper.py", &b"x = 1\n".repeat(20), DEFLATED)
}

#[test]
fn honest_archives_pass_in_every_common_form() {
    assert_eq!(with(honest()), "ok");
    assert_eq!(with(entry("empty.py", b"", STORED)), "ok");
    assert_eq!(with(entry("empty.py", b"", DEFLATED)), "ok");
    assert_eq!(with(entry("lib/", b"", STORED).mode(0o040_755)), "ok");
    assert_eq!(
        with(honest().mode(0)),
        "ok",
        "an archive from a system without modes"
    );
    assert_eq!(
        with(honest().both(|header| header.flags |= 1 << 11)),
        "ok",
        "a name marked as UTF-8"
    );
    assert_eq!(
        with(honest().both(|header| header.flags |= 0b100)),
        "ok",
        "a compressor's effort"
    );
    assert_eq!(with(honest().streamed(true)), "ok");
    assert_eq!(with(honest().streamed(false)), "ok");
    let times = extra(0x5455, &[1, 0, 0, 0, 0]);
    assert_eq!(
        with(honest().both(|header| header.extra.clone_from(&times))),
        "ok",
        "time stamps"
    );
}

#[test]
fn every_form_has_the_hash_of_the_same_files() {
    let more = ("lib/helper.py", &b"x = 1\n".repeat(20)[..]);
    let expected = Bundle::from_entries(entries(&[more])).unwrap().hash();
    for form in [honest(), honest().streamed(true), entry(more.0, more.1, STORED)] {
        let mut zip = Zip::with([form]);
        zip.entries.reverse();
        assert_eq!(Bundle::from_zip(&zip.build()).unwrap().hash(), expected);
    }
}

#[test]
fn bad_names() {
    for (name, expected) in [
        (&b"../evil.py"[..], "Path::Traversal"),
        (b"lib/../../evil.py", "Path::Traversal"),
        (b"/etc/evil.py", "Path::Absolute"),
        (b"..\\evil.py", "Path::Backslash"),
        (b"C:\\evil.py", "Path::Backslash"),
        (b"C:evil.py", "Path::DriveLetter"),
        (b"evil.py\0.txt", "Path::ControlCharacter"),
        (b"ev\x1b[2Jil.py", "Path::ControlCharacter"),
        (b"caf\xc3\xa9.py", "Path::NotAscii"),
        (b"caf\x82.py", "Path::NotAscii"),
        (b"", "Path::Empty"),
        (b"NUL.py", "Path::ReservedName"),
        (b"evil.so", "Path::Suffix"),
        (b"__pycache__/a.pyc", "Path::Suffix"),
        (b".git/config.py", "Path::Hidden"),
        (b"torch/__init__.py", "Path::ShadowsModule"),
        (b"sitecustomize.py", "Path::ShadowsModule"),
    ] {
        assert_eq!(
            with(entry(name, b"", STORED)),
            expected,
            "{}",
            name.escape_ascii()
        );
    }
    assert_eq!(
        with(entry("../out/", b"", STORED).mode(0o040_755)),
        "Path::Traversal"
    );
    assert_eq!(with(entry("/", b"", STORED).mode(0o040_755)), "Path::Empty");
    assert_eq!(with(entry(vec![b'a'; 60_000], b"", STORED)), "Path::TooLong");
    assert_eq!(
        with(entry("a/".repeat(1000) + "b.py", b"", STORED)),
        "Path::TooLong"
    );
    assert_eq!(
        with(entry("a/".repeat(20) + "b.py", b"", STORED)),
        "Path::TooDeep"
    );
}

#[test]
fn names_that_collide() {
    let empty = |name: &str| entry(name, b"", STORED);
    assert_eq!(with(empty("training.py")), "Path::Duplicate");
    assert_eq!(with(empty("Training.py")), "Path::CaseCollision");
    assert_eq!(
        zip_code(&Zip::with([empty("Lib/a.py"), empty("lib/b.py")])),
        "Path::CaseCollision"
    );
    assert_eq!(with(empty("training.py/a.py")), "Path::FileIsDirectory");
    assert_eq!(with(empty("training/__init__.py")), "Path::AmbiguousModule");
    // The two spellings of an accented letter, and letters that fold to ASCII ones, are refused before they collide.
    assert_eq!(
        zip_code(&Zip::with([empty("\u{e9}.py"), empty("e\u{301}.py")])),
        "Path::NotAscii"
    );
    assert_eq!(with(empty("\u{212a}elvin.py")), "Path::NotAscii");
}

#[test]
fn links_and_special_files() {
    for (mode, expected) in [
        (0o120_777, "Archive::Symlink"),
        (0o020_666, "Archive::SpecialFile"),
        (0o060_666, "Archive::SpecialFile"),
        (0o010_666, "Archive::SpecialFile"),
        (0o140_666, "Archive::SpecialFile"),
        (0o040_755, "Archive::DirectoryMismatch"),
    ] {
        assert_eq!(with(honest().mode(mode)), expected, "{mode:o}");
    }
    assert_eq!(
        with(entry("lib/", b"", STORED).mode(0o120_777)),
        "Archive::Symlink"
    );
    assert_eq!(
        with(entry("lib/", b"", STORED).mode(0o100_644)),
        "Archive::DirectoryMismatch"
    );
    assert_eq!(
        with(entry("lib/", b"content", STORED).mode(0o040_755)),
        "Archive::DirectoryMismatch"
    );
    let mut dos_directory = honest();
    dos_directory.external_attributes = 0x10;
    assert_eq!(with(dos_directory), "Archive::DirectoryMismatch");
}

#[test]
fn encryption() {
    for flag in [1, 1 << 6, 1 << 13] {
        assert_eq!(
            with(honest().both(|header| header.flags |= flag)),
            "Archive::Encrypted"
        );
    }
    assert_eq!(
        with(honest().both(|header| header.method = 99)),
        "Archive::Encrypted"
    );
    let aes = extra(0x9901, &[0; 7]);
    assert_eq!(
        with(honest().both(|header| header.extra.clone_from(&aes))),
        "Archive::Encrypted"
    );
}

#[test]
fn other_methods_and_flags() {
    for method in [1, 6, 9, 12, 14, 93, 95] {
        assert_eq!(
            with(honest().both(|header| header.method = method)),
            "Archive::Method"
        );
    }
    assert_eq!(
        with(honest().both(|header| header.flags |= 1 << 5)),
        "Archive::Flags"
    );
    assert_eq!(
        with(honest().both(|header| header.flags |= 1 << 15)),
        "Archive::Flags"
    );
}

#[test]
fn overlapping_entries() {
    // Two names for one piece of data.
    let mut alias = entry("alias.py", crate::ARCHITECTURE.as_bytes(), DEFLATED);
    alias.local_offset = Some(0);
    alias.written = false;
    assert_eq!(with(alias), "Archive::Overlap");
    // An entry whose data contains the next one, header and all.
    let mut outer = entry("outer.py", b"", STORED).both(|header| {
        header.compressed_bytes = 100;
        header.bytes = 100;
    });
    outer.local.crc = outer.central.crc;
    assert_eq!(
        zip_code(&Zip::with([outer, entry("inner.py", &[b' '; 200], STORED)])),
        "Archive::Overlap"
    );
    // Data that runs on into the directory.
    let runs_on = entry("last.py", b"", STORED).both(|header| {
        header.compressed_bytes = 40;
        header.bytes = 40;
    });
    assert_eq!(with(runs_on), "Archive::Truncated");
}

#[test]
fn wrong_checksums_and_sizes() {
    assert_eq!(with(honest().both(|header| header.crc ^= 1)), "Archive::WrongCrc");
    assert_eq!(
        with(honest().both(|header| header.bytes += 1)),
        "Archive::SizeMismatch"
    );
    assert_eq!(
        with(honest().both(|header| header.bytes -= 1)),
        "Archive::SizeMismatch"
    );
    assert_eq!(
        with(entry("a.py", b"abc", STORED).both(|header| header.bytes = 2)),
        "Archive::SizeMismatch"
    );
    let mut damaged = honest();
    damaged.data[0] = 0xff;
    assert_eq!(with(damaged), "Archive::DamagedData");
    // A deflate stream that ends before the data does.
    let mut padded = honest();
    padded.data.extend(b"hidden");
    let padded = padded.both(|header| header.compressed_bytes += 6);
    assert_eq!(with(padded), "Archive::DamagedData");
}

#[test]
fn headers_that_disagree() {
    type Change = fn(&mut Entry);
    let changes: [Change; 6] = [
        |entry| entry.local.name = b"lib/hidden.py".to_vec(),
        |entry| entry.local.flags |= 1 << 11,
        |entry| entry.local.method = STORED,
        |entry| entry.local.crc ^= 1,
        |entry| entry.local.compressed_bytes += 1,
        |entry| entry.local.bytes += 1,
    ];
    for (index, change) in changes.iter().enumerate() {
        let mut lying = honest();
        change(&mut lying);
        assert_eq!(with(lying), "Archive::HeaderMismatch", "change {index}");
    }
    let mut unsized_without_flag = honest();
    unsized_without_flag.local.bytes = 0;
    assert_eq!(with(unsized_without_flag), "Archive::HeaderMismatch");
}

#[test]
fn data_descriptor_tricks() {
    let mut missing = honest().streamed(true);
    missing.behind.clear();
    assert_eq!(with(missing), "Archive::Descriptor");
    let mut lying = honest().streamed(true);
    lying.behind[4] ^= 1;
    assert_eq!(with(lying), "Archive::Descriptor");
    let mut large = honest().streamed(true);
    large.behind.extend([0; 8]);
    assert_eq!(with(large), "Archive::UnclaimedBytes");
    let mut halfway = honest().streamed(true);
    halfway.local.bytes = halfway.central.bytes + 1;
    assert_eq!(with(halfway), "Archive::HeaderMismatch");
}

#[test]
fn zip64_lies() {
    let zip64 = extra(1, &[0; 16]);
    assert_eq!(
        with(honest().both(|header| header.extra.clone_from(&zip64))),
        "Archive::Zip64"
    );
    let mut only_local = honest();
    only_local.local.extra = zip64;
    assert_eq!(with(only_local), "Archive::Zip64");
    assert_eq!(
        with(honest().both(|header| header.bytes = u32::MAX)),
        "Archive::Zip64"
    );
    assert_eq!(
        with(honest().both(|header| header.compressed_bytes = u32::MAX)),
        "Archive::Zip64"
    );
    let mut offset = honest();
    offset.local_offset = Some(u32::MAX);
    assert_eq!(with(offset), "Archive::Zip64");
    let locator = [&0x0706_4b50_u32.to_le_bytes()[..], &[0; 16]].concat();
    assert_eq!(
        zip_code(&Zip {
            before_end: locator,
            ..Zip::with([])
        }),
        "Archive::Zip64"
    );
    assert_eq!(
        zip_code(&Zip {
            claimed_entries: Some(u16::MAX),
            ..Zip::with([])
        }),
        "Archive::Zip64"
    );
    assert_eq!(
        zip_code(&Zip {
            directory_offset: Some(u32::MAX),
            ..Zip::with([])
        }),
        "Archive::Zip64"
    );
}

#[test]
fn extra_fields() {
    let second_name = extra(0x7075, b"\x01\0\0\0\0evil.py");
    assert_eq!(
        with(honest().both(|header| header.extra.clone_from(&second_name))),
        "Archive::ExtraName"
    );
    for malformed in [&[1][..], &[0x55, 0x54, 9, 0, 1], &[0x55, 0x54, 0]] {
        assert_eq!(
            with(honest().both(|header| header.extra = malformed.to_vec())),
            "Archive::Extra"
        );
    }
}

#[test]
fn bytes_that_belong_to_nothing() {
    let junk = b"#!/bin/sh\n".to_vec();
    // In front of the archive, with offsets that do not count it, and with such that do.
    assert_eq!(
        zip_code(&Zip {
            prefix: junk.clone(),
            ..Zip::with([])
        }),
        "Archive::PrependedData"
    );
    let mut unlisted = entry("unlisted.py", &junk, STORED);
    unlisted.listed = false;
    let mut extractor = Zip::with([]);
    extractor.entries.insert(0, unlisted.clone());
    assert_eq!(zip_code(&extractor), "Archive::PrependedData");
    // An entry that the directory does not list.
    assert_eq!(with(unlisted), "Archive::UnclaimedBytes");

    let mut gap = Zip::with([honest()]);
    gap.entries[0].behind.clone_from(&junk);
    assert_eq!(zip_code(&gap), "Archive::UnclaimedBytes");
    assert_eq!(
        zip_code(&Zip {
            before_directory: junk.clone(),
            ..Zip::with([])
        }),
        "Archive::UnclaimedBytes"
    );
    assert_eq!(
        zip_code(&Zip {
            before_end: junk.clone(),
            ..Zip::with([])
        }),
        "Archive::UnclaimedBytes"
    );
    assert_eq!(
        zip_code(&Zip {
            suffix: junk.clone(),
            ..Zip::with([])
        }),
        "Archive::TrailingData"
    );
    assert_eq!(
        zip_code(&Zip {
            comment: junk.clone(),
            ..Zip::with([])
        }),
        "Archive::Comment"
    );
    let mut entry_comment = honest();
    entry_comment.comment = junk;
    assert_eq!(with(entry_comment), "Archive::Comment");
    // A whole second archive behind the first: one reader would see the first, another the second.
    let both = [Zip::with([]).build(), Zip::with([honest()]).build()].concat();
    assert_eq!(code(Bundle::from_zip(&both)), "Archive::PrependedData");
}

#[test]
fn directories_that_lie_about_themselves() {
    assert_eq!(
        zip_code(&Zip {
            claimed_entries: Some(1),
            ..Zip::with([])
        }),
        "Archive::EntryCount"
    );
    assert_eq!(
        zip_code(&Zip {
            claimed_entries: Some(3),
            ..Zip::with([])
        }),
        "Archive::EntryCount"
    );
    assert_eq!(
        zip_code(&Zip {
            claimed_entries: Some(60_000),
            ..Zip::with([])
        }),
        "Archive::TooManyEntries"
    );
    assert_eq!(
        zip_code(&Zip {
            directory_bytes: Some(1 << 30),
            ..Zip::with([])
        }),
        "Archive::Truncated"
    );
    assert_eq!(
        zip_code(&Zip {
            directory_offset: Some(1 << 30),
            ..Zip::with([])
        }),
        "Archive::Truncated"
    );
    assert_eq!(
        zip_code(&Zip {
            disk: 1,
            ..Zip::with([])
        }),
        "Archive::SeveralDisks"
    );
    let mut elsewhere = honest();
    elsewhere.disk = 1;
    assert_eq!(with(elsewhere), "Archive::SeveralDisks");
    let mut nowhere = honest();
    nowhere.local_offset = Some(1 << 20);
    assert_eq!(with(nowhere), "Archive::UnclaimedBytes");
    let mut inside = honest();
    inside.local_offset = Some(5);
    assert_eq!(with(inside), "Archive::Overlap");
}

#[test]
fn not_archives_at_all() {
    for bytes in [&b""[..], b"PK", b"PK\x05\x06", &[0; 22], &[b'x'; 100_000]] {
        assert_eq!(code(Bundle::from_zip(bytes)), "Archive::NotAZip");
    }
    let whole = Zip::with([honest()]).build();
    for bytes in 0..whole.len() {
        assert_ne!(
            code(Bundle::from_zip(&whole[..bytes])),
            "ok",
            "cut to {bytes} bytes"
        );
    }
    assert_eq!(
        code(Bundle::from_zip(&Zip::default().build())),
        "MissingEntrypoint"
    );
}

#[test]
fn limits_hold_before_anything_is_unpacked() {
    // Each of these claims sizes that its data does not have: had it been unpacked, the error would be another.
    let claim = |name: &str, bytes: u64| {
        entry(name, &[b' '; 100_000], STORED).both(|header| {
            header.method = DEFLATED;
            header.bytes = u32::try_from(bytes).unwrap();
        })
    };
    assert_eq!(
        with(claim("big.py", limits::PYTHON_FILE_BYTES_MAX + 1)),
        "Content::FileTooLarge"
    );
    assert_eq!(
        with(claim("tokenizer.json", limits::TOKENIZER_FILE_BYTES_MAX + 1)),
        "Content::FileTooLarge"
    );
    assert_eq!(
        with(claim("prism.yaml", limits::MANIFEST_BYTES_MAX + 1)),
        "Content::FileTooLarge"
    );
    assert_eq!(
        with(claim("big.txt", limits::BUNDLE_BYTES_MAX + 1)),
        "Content::FileTooLarge"
    );
    assert_eq!(with(claim("big.txt", limits::BUNDLE_BYTES_MAX)), "TooLarge");
    assert_eq!(with(claim("big.txt", 4_000_000_000)), "Archive::CompressionRatio");
    let archive = vec![0; usize::try_from(limits::ARCHIVE_BYTES_MAX).unwrap() + 1];
    assert_eq!(code(Bundle::from_zip(&archive)), "Archive::TooLarge");
}

#[test]
fn bombs() {
    let bomb = entry("bomb.txt", &vec![b' '; 1 << 20], DEFLATED);
    assert_eq!(with(bomb.clone()), "Archive::CompressionRatio");
    // The same stream under a modest claim.
    let modest = bomb.both(|header| header.bytes = 50_000);
    assert_eq!(with(modest), "Archive::SizeMismatch");
    let below = entry("ok.txt", &vec![b' '; 1 << 20], STORED);
    assert_eq!(with(below), "ok");
}

#[test]
fn too_many_files() {
    let files = |count: usize| (0..count).map(|index| entry(format!("m{index}.py"), b"", STORED));
    assert_eq!(zip_code(&Zip::with(files(limits::FILES_MAX - 2))), "ok");
    assert_eq!(zip_code(&Zip::with(files(limits::FILES_MAX - 1))), "TooManyFiles");
    assert_eq!(
        zip_code(&Zip::with(files(limits::ARCHIVE_ENTRIES_MAX))),
        "Archive::TooManyEntries"
    );
}

#[test]
fn content_that_is_not_text() {
    assert_eq!(with(entry("a.txt", b"\xff\xfe", STORED)), "Content::NotUtf8");
    assert_eq!(with(entry("a.json", b"{}\0", STORED)), "Content::NulByte");
    assert_eq!(
        with(entry("a.py", b"# coding: utf-7\n", STORED)),
        "Content::SourceEncoding"
    );
}

#[test]
fn messages_carry_no_control_characters() {
    let error = Bundle::from_zip(&Zip::with([entry("a\x1b[2J\n.py", b"", STORED)]).build()).unwrap_err();
    assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
}
