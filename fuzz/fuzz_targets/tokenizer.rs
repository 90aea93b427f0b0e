//! `tokenizer.json`: a stranger's file to a tokenizer of the referee, and a document through it.
//!
//! An input is both, with a line `====` between them. It must not crash; a refusal has a place in the file; a document comes
//! out as tokens of the vocabulary that stand for exactly its bytes, without the end of text, and the same twice.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use prism_fuzz::parts;
use prism_fuzz::tokenizer::{Encoded, Tokenizer, TokenizerError, TokenizerSpec};

fuzz_target!(|data: &[u8]| -> Corpus {
    let (json, document) = parts(data);
    let tokenizer = match Tokenizer::load(&TokenizerSpec::Bundle(json.to_vec())) {
        Ok(tokenizer) => tokenizer,
        Err(TokenizerError::Bundle(error)) => {
            let place = error.place(json);
            let mut lines = json.split(|byte| *byte == b'\n');
            let line = lines
                .nth(place.line as usize - 1)
                .expect("the line is one of the file");
            assert!(
                (1..=line.len() + 1).contains(&(place.column as usize)),
                "{place:?} {error}"
            );
            return Corpus::Keep;
        }
        Err(error @ TokenizerError::Builtin(_)) => panic!("{error}"),
    };
    let Ok(document) = str::from_utf8(document) else {
        return Corpus::Keep;
    };
    let (mut once, mut twice) = (Encoded::default(), Encoded::default());
    let said = tokenizer.encode(document, &mut once);
    assert_eq!(tokenizer.encode(document, &mut twice), said);
    if said.is_ok() {
        assert_eq!(once, twice);
        assert_eq!(once.ids.len(), once.byte_lengths.len());
        assert!(once.byte_lengths.iter().all(|length| *length > 0));
        let bytes: usize = once.byte_lengths.iter().map(|length| usize::from(*length)).sum();
        assert_eq!(bytes, document.len());
        let end = tokenizer.end_of_text();
        assert!(
            once.ids
                .iter()
                .all(|id| *id < tokenizer.vocab_size() && *id != end)
        );
    }
    Corpus::Keep
});
