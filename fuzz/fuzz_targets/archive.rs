//! The archive: the bytes of a zip file to a bundle or a refusal.
//!
//! It must not crash or unpack more than its bounds; a refusal is text; a bundle is the one that its files make by themselves,
//! and comes back from the archive that it writes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use prism_bundle::Bundle;
use prism_fuzz::is_shown;

fuzz_target!(|data: &[u8]| {
    let bundle = match Bundle::from_zip(data) {
        Ok(bundle) => bundle,
        Err(error) => return is_shown(&error.to_string()),
    };
    let files = bundle
        .files()
        .map(|(path, text)| (path.to_string(), text.as_bytes().to_vec()));
    let same = Bundle::from_entries(files.collect()).expect("the files of a bundle are a bundle");
    assert_eq!(same.hash(), bundle.hash());
    let packed = bundle.to_zip();
    let again = Bundle::from_zip(&packed).expect("what was packed can be read");
    assert_eq!(again.hash(), bundle.hash());
    assert_eq!(again.to_zip(), packed);
});
