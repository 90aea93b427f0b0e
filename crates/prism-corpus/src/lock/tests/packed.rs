//! Packed JSON lines, damaged ones and bombs among them.

use std::{collections::BTreeSet, io::Write as _};

use super::*;
use crate::limits::RECORD_BYTES_MAX;

/// One member, with a name as gzip gives it.
fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::GzBuilder::new()
        .filename("name.jsonl")
        .write(Vec::new(), flate2::Compression::default());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

#[test]
fn packed_json_lines_give_the_corpus_of_the_plain_ones() {
    let text = jsonl(numbered(0..300));
    let (head, tail) = text.split_at(text.floor_char_boundary(text.len() / 2));
    let gzip = |text: &str| gzip(text.as_bytes());
    let zstd = |text: &str| zstd::encode_all(text.as_bytes(), 3).unwrap();
    let files = [
        ("a.jsonl", text.clone().into_bytes()),
        ("a.jsonl.gz", gzip(&text)),
        ("a.JSONL.GZ", [gzip(head), gzip(tail)].concat()),
        ("a.jsonl.zst", zstd(&text)),
        ("b.jsonl.ZST", [zstd(head), zstd(tail)].concat()),
    ];
    let mut corpora = BTreeSet::new();
    for (name, bytes) in files {
        let place = Place::new();
        place.write(name, bytes);
        corpora.insert(format!("{:?}", place.lock(&options()).unwrap().splits));
    }
    assert_eq!(corpora.len(), 1);
}

#[test]
fn a_packed_file_that_is_damaged_or_a_bomb_is_told() {
    type Pack = fn(&[u8]) -> Vec<u8>;
    let packers: [(&str, Pack); 2] = [
        ("a.jsonl.gz", gzip),
        ("a.jsonl.zst", |bytes| zstd::encode_all(bytes, 3).unwrap()),
    ];
    let text = jsonl(numbered(0..300));
    // A frame that wants a window of a gigabyte.
    let wide = [0x28, 0xb5, 0x2f, 0xfd, 0, 0xa0, 1, 0, 0];
    let message = refusal("a.jsonl.zst", wide);
    assert!(
        message.contains("cannot be unpacked beyond line 0: Frame requires too much memory"),
        "{message}"
    );
    // Another checksum.
    let mut flipped = gzip(text.as_bytes());
    let at = flipped.len() - 6;
    flipped[at] ^= 1;
    assert!(refusal("a.jsonl.gz", flipped).contains("cannot be unpacked"));
    // An endless line, and lines without end that hold nothing.
    let endless = vec![b'x'; RECORD_BYTES_MAX + 1];
    let blank = vec![b'\n'; RECORD_BYTES_MAX / 16];
    for (name, pack) in packers {
        let whole = pack(text.as_bytes());
        for bytes in [
            &whole[..whole.len() - 9],
            &whole[..40],
            &whole[..3],
            b"{\"text\":\"plain\"}\n",
            &[whole.as_slice(), b"0123456789"].concat(),
        ] {
            let message = refusal(name, bytes);
            let expected = format!("IN/{name} cannot be unpacked beyond line ");
            assert!(message.starts_with(&expected), "{message}");
            assert!(message.ends_with("; fetch or pack it again"), "{message}");
        }
        let plain = refusal(name, b"{\"text\":\"plain\"}\n");
        let packing = if name.ends_with("gz") { "gzip" } else { "zstd" };
        let expected = format!("beyond line 0: it is no {packing} file, whatever its name says; ");
        assert!(plain.contains(&expected), "{plain}");
        let message = refusal(name, pack(&endless));
        assert!(
            message.starts_with(&format!("line 1 of IN/{name} is longer than")),
            "{message}"
        );
        let message = refusal(name, pack(&blank));
        assert!(
            message.contains("more than 200 times as long as the file"),
            "{message}"
        );
    }
}
