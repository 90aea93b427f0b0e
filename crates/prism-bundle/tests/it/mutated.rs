//! Archives broken at random: never a panic, never more memory than the limits allow, and whatever is still accepted
//! obeys every rule.
//!
//! Memory is bounded by construction: the only allocations of a file's size are made after the declared sizes have
//! been held against the limits. What is tested is that nothing that passes is larger.

use prism_bundle::{Bundle, limits};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::zip_builder::{DEFLATED, STORED, Zip, entry};

fn archive() -> Vec<u8> {
    Zip::with([
        entry("prism.yaml", b"name: x\ntokenizer: bytes\n", DEFLATED),
        entry("lib/", b"", STORED).mode(0o040_755),
        entry("lib/helper.py", &b"x = 1\n".repeat(100), DEFLATED).streamed(true),
        entry("README.md", b"# Read me\n", STORED).streamed(false),
    ])
    .build()
}

fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    match Bundle::from_zip(bytes) {
        Ok(bundle) => {
            prop_assert!(bundle.total_bytes() <= limits::BUNDLE_BYTES_MAX);
            prop_assert!(bundle.files().len() <= limits::FILES_MAX);
            let again = Bundle::from_zip(&bundle.to_zip());
            prop_assert_eq!(again.map(|again| again.hash()), Ok(bundle.hash()));
        }
        Err(error) => {
            prop_assert!(!error.to_string().is_empty());
            prop_assert!(!error.to_string().chars().any(char::is_control));
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn random_bytes(bytes in vec(any::<u8>(), 0..2000)) {
        check(&bytes)?;
    }

    #[test]
    fn changed_bytes(changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = archive();
        for (index, value) in changes {
            let index = index.index(bytes.len());
            bytes[index] = value;
        }
        check(&bytes)?;
    }

    #[test]
    fn moved_pieces(
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
        length in 1_usize..200,
        insert in any::<bool>(),
    ) {
        let mut bytes = archive();
        let from = from.index(bytes.len());
        let to = to.index(bytes.len());
        let piece = bytes[from..(from + length).min(bytes.len())].to_vec();
        let end = if insert { to } else { (to + piece.len()).min(bytes.len()) };
        bytes.splice(to..end, piece);
        check(&bytes)?;
    }

    #[test]
    fn extreme_fields(
        position in any::<prop::sample::Index>(),
        value in prop::sample::select(vec![0_u32, 1, 22, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, u32::MAX]),
        bytes in prop::sample::select(vec![2_usize, 4]),
    ) {
        let mut archive = archive();
        let position = position.index(archive.len() - bytes + 1);
        archive[position..position + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
        check(&archive)?;
    }

    #[test]
    fn random_manifests(text in "[a-z:\\[\\]{}&*!|>?'\" \\-\n#,%@`~0-9]{0,200}") {
        let mut entries = crate::entries(&[("prism.yaml", text.as_bytes())]);
        entries.rotate_left(1);
        if let Err(error) = Bundle::from_entries(entries) {
            prop_assert!(!error.to_string().chars().any(char::is_control));
        }
    }

    #[test]
    fn the_hash_ignores_the_order_and_sees_every_byte(
        contents in vec("[a-z\n]{0,40}", 1..6),
        turn in 0_usize..6,
        flip in any::<prop::sample::Index>(),
    ) {
        let files: Vec<_> = contents.iter().enumerate().map(|(i, text)| (format!("m{i}.txt"), text)).collect();
        let more: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
        let mut entries = crate::entries(&more);
        let hash = Bundle::from_entries(entries.clone()).unwrap().hash();
        let turn = turn % entries.len();
        entries.rotate_left(turn);
        prop_assert_eq!(Bundle::from_entries(entries.clone()).unwrap().hash(), hash);
        let index = flip.index(entries.len());
        entries[index].1.push(b'\n');
        prop_assert_ne!(Bundle::from_entries(entries).unwrap().hash(), hash);
    }
}
