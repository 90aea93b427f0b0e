//! The bundle: paths and contents, `prism.yaml` among them, to a bundle or a refusal.
//!
//! It must not crash; a refusal is text with a place in its file; a bundle has the same hash in whatever order its files come
//! and however they are packed, and it comes back from the archive that it writes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use prism_bundle::Bundle;
use prism_fuzz::{files, is_shown, lies_within};
use prism_gate::of_bundle_error;

fuzz_target!(|data: &[u8]| {
    let files = files(data);
    let bundle = match Bundle::from_entries(files.clone()) {
        Ok(bundle) => bundle,
        Err(error) => {
            is_shown(&error.to_string());
            return lies_within(&of_bundle_error(&error, &files), &files);
        }
    };
    let backwards: Vec<_> = files.iter().rev().cloned().collect();
    let again = Bundle::from_entries(backwards).expect("the order of files means nothing");
    assert_eq!(again.hash(), bundle.hash());
    let unpacked = Bundle::from_zip(&bundle.to_zip()).expect("what was packed can be read");
    assert_eq!(unpacked.hash(), bundle.hash());
    assert_eq!(unpacked.manifest(), bundle.manifest());
    assert_eq!(unpacked.to_zip(), bundle.to_zip());
    let sizes = files.iter().map(|(_, content)| content.len() as u64);
    assert_eq!(bundle.total_bytes(), sizes.sum::<u64>());
    // The compressor is slow; a sixteenth of the inputs is enough for arithmetic.
    if data.len() % 16 == 0 {
        let all = bundle.priced_bits(0).expect("every bundle has a price");
        assert!(all > 0);
        assert_eq!(bundle.priced_bits(1).ok(), Some(all - 8));
        assert_eq!(bundle.priced_bits(u64::MAX).ok(), Some(0));
    }
});
