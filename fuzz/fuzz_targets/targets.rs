//! `targets.zst`: a file of claims to blocks, as `prism verify` reads it.
//!
//! An input that does not begin as zstd does is what is inside one, so that more than the compression is tried. It must not
//! crash; what is read to its end is written and read again to the same bits.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use prism_core::recipe::Recipe;
use prism_referee::account::Account;
use prism_referee::draws::{AuditKey, Purpose};
use prism_referee::targets::{Block, TargetsError, TargetsReader, TargetsWriter};

const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Fast.
const LEVEL: i32 = 1;

fuzz_target!(|data: &[u8]| -> Corpus {
    let blocks = if data.starts_with(&ZSTD) {
        read(data)
    } else {
        read(&zstd::encode_all(data, LEVEL).expect("memory is compressed without errors"))
    };
    let Ok(blocks) = blocks else {
        return Corpus::Keep;
    };
    let mut writer = TargetsWriter::new(Vec::new()).expect("memory takes everything");
    let mut steps = Vec::new();
    for block in &blocks {
        if let Block::Step {
            section,
            runs,
            claims,
            bytes,
        } = block
        {
            writer
                .step(*section, runs, claims, bytes)
                .expect("memory takes everything");
            steps.push(block);
        }
    }
    let key = AuditKey::from_hex(&"00".repeat(32)).expect("64 digits");
    let empty = Account::new(&Recipe::demo(), 256, &key, Purpose::Stream);
    let written = writer.finish(&empty).expect("memory takes everything");
    let again = read(&written).expect("what was written can be read");
    assert_eq!(again.last(), Some(&Block::Sums(Vec::new())));
    assert_eq!(again.len(), steps.len() + 1);
    for (one, other) in steps.iter().zip(&again) {
        assert_eq!(bits(one), bits(other));
    }
    Corpus::Keep
});

fn read(file: &[u8]) -> Result<Vec<Block>, TargetsError> {
    let mut reader = TargetsReader::new(file)?;
    let mut blocks = Vec::new();
    while let Some(block) = reader.next_block()? {
        blocks.push(block);
    }
    Ok(blocks)
}

/// A claim may be no number, which is equal to nothing.
fn bits(block: &Block) -> (String, Vec<u32>) {
    match block {
        Block::Step {
            section,
            runs,
            claims,
            bytes,
        } => (
            format!("{section:?} {runs:?} {bytes:?}"),
            claims.iter().map(|claim| claim.to_bits()).collect(),
        ),
        Block::Sums(sums) => (format!("{sums:?}"), Vec::new()),
    }
}
