//! The GPT-2 tokenizer written as a `tokenizer.json`, to compare and to time the tokenizer of a bundle.
//!
//! A unit test and the tokenizer benchmark include it.

use std::collections::HashMap;
use std::error::Error;

use rustc_hash::FxHashMap;
use serde_json::{Map, Value, json};

/// The file: the vocabulary in the byte-level alphabet, with the merges that its ranks stand for.
pub(crate) fn gpt2_json() -> Result<Vec<u8>, Box<dyn Error>> {
    let source = tiktoken_rs::r50k_base()?;
    let alphabet = alphabet();
    let spell = |token: &[u8]| -> String { token.iter().map(|byte| alphabet[byte]).collect() };
    let (mut vocab, mut merges) = (Map::new(), Vec::new());
    let mut ranks = FxHashMap::default();
    for id in 0..50_256 {
        let token = source.decode_bytes(&[id])?;
        if token.len() > 1 {
            // With the tokens before it alone, a token falls into the two that it was merged from.
            let parts = tiktoken_rs::byte_pair_split(&token, &ranks);
            let [left, right] = parts[..] else {
                return Err("a token is not the merge of two".into());
            };
            merges.push(json!([spell(left), spell(right)]));
        }
        vocab.insert(spell(&token), json!(id));
        ranks.insert(token, id);
    }
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true});
    let file: Value = json!({
        "version": "1.0",
        "added_tokens": [{"id": 50_256, "content": "<|endoftext|>", "special": true}],
        "pre_tokenizer": byte_level,
        "model": {"type": "BPE", "vocab": vocab, "merges": merges},
    });
    Ok(serde_json::to_vec(&file)?)
}

/// Printable bytes stand for themselves, the others for the characters from U+0100 on.
fn alphabet() -> HashMap<u8, char> {
    let is_printable = |byte: &u8| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let (printable, other): (Vec<u8>, Vec<u8>) = (0..=255).partition(is_printable);
    let shifted = other.into_iter().zip('\u{100}'..);
    printable
        .into_iter()
        .map(|byte| (byte, char::from(byte)))
        .chain(shifted)
        .collect()
}
