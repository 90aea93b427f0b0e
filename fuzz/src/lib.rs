//! How one input of a fuzzer stands for several files or parts, and what is asked of every finding and every refusal.
//!
//! Used by the targets under `fuzz_targets/`. Plain separators, so that a finding can be read and written by hand. Nothing
//! here decides what is right: it panics where the promise of another crate does not hold, which is what a fuzzer sees.

use prism_gate::Finding;

/// The tokenizers of `prism-corpus`, compiled from where they lie: the whole crate brings HTTP, TLS and Parquet along, which is
/// half as much again to build.
#[path = "../../crates/prism-corpus/src/tokenizer/mod.rs"]
pub mod tokenizer;

/// Their limits, and those of the rest of that crate.
#[path = "../../crates/prism-corpus/src/limits.rs"]
#[allow(dead_code, reason = "only the tokenizers are here")]
mod limits;

/// A line that begins so begins a file: its path is the rest of the line. No Python begins so.
const FILE: &[u8] = b"==== ";
/// Between the two parts of an input.
const BETWEEN: &[u8] = b"\n====\n";
/// What a bundle lacks.
const SCRIPTS: [(&str, &str); 2] = [
    (
        "architecture.py",
        "from torch import nn\n\n\ndef build_model(ctx):\n    return nn.Embedding(ctx.vocab_size, ctx.vocab_size)\n",
    ),
    (
        "training.py",
        "def train(ctx):\n    model = ctx.build_model()\n    for batch in ctx.stream(model, batch_size=32, seq_len=256):\n        batch.loss(model(batch.inputs)).backward()\n",
    ),
];

/// The files that an input stands for. What comes before the first path is the script that it looks like, so that any Python
/// file is an input.
pub fn files(data: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        if let Some(path) = line.strip_prefix(FILE) {
            let path = path.strip_suffix(b"\n").unwrap_or(path);
            files.push((String::from_utf8_lossy(path).into_owned(), Vec::new()));
        } else if let Some((_, content)) = files.last_mut() {
            content.extend_from_slice(line);
        } else {
            let is_training = data.windows(10).any(|window| window == b"def train(");
            files.push((SCRIPTS[usize::from(is_training)].0.to_owned(), line.to_vec()));
        }
    }
    files
}

/// The same, with the scripts that are missing.
pub fn whole_bundle(data: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut files = files(data);
    for (path, text) in SCRIPTS {
        if !files.iter().any(|(known, _)| known == path) {
            files.push((path.to_owned(), text.as_bytes().to_vec()));
        }
    }
    files
}

/// The two parts of an input; the second is empty where there is no separator.
pub fn parts(data: &[u8]) -> (&[u8], &[u8]) {
    let at = data.windows(BETWEEN.len()).position(|window| window == BETWEEN);
    at.map_or((data, &[]), |at| (&data[..at], &data[at + BETWEEN.len()..]))
}

/// The place of a finding is one of the file that it names.
///
/// # Panics
/// Where it is not.
pub fn lies_within(finding: &Finding, files: &[(String, Vec<u8>)]) {
    if finding.file.is_empty() {
        return;
    }
    let place = finding.place;
    let said = format!(
        "{} in {:?}, {place:?}: {}",
        finding.rule.code, finding.file, finding.message
    );
    let Some((_, text)) = files.iter().find(|(path, _)| *path == finding.file) else {
        panic!("no such file: {said}");
    };
    let (from, to) = ((place.line, place.column), (place.end_line, place.end_column));
    assert!((1, 1) <= from && from <= to && place.column > 0, "{said}");
    assert!(place.end_line as usize <= 1 + ends_of_lines(text), "{said}");
    let (start, end) = (place.start_byte as usize, place.end_byte as usize);
    assert!(start <= end && end <= text.len(), "{said}");
    // Nothing but its lines is known of a place without offsets.
    if end > 0 {
        // Between the two bytes of a line end the line is still the one that they end.
        let is_within_an_end = start > 0 && text[start - 1] == b'\r' && text.get(start) == Some(&b'\n');
        let line = 1 + ends_of_lines(&text[..start]) - usize::from(is_within_an_end);
        assert_eq!(place.line as usize, line, "{said}");
    }
}

/// How many lines end in a text: with `\n`, `\r\n` or `\r`.
fn ends_of_lines(text: &[u8]) -> usize {
    let returns = (0..text.len())
        .filter(|&at| text[at] == b'\r' && text.get(at + 1) != Some(&b'\n'))
        .count();
    returns + text.iter().filter(|byte| **byte == b'\n').count()
}

/// A refusal is a line or several, whatever it quotes.
///
/// # Panics
/// Where another control character is in it.
pub fn is_shown(text: &str) {
    let strange = text
        .chars()
        .find(|character| character.is_control() && *character != '\n');
    assert_eq!(strange, None, "{text:?}");
}
