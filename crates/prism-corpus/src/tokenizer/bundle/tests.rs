//! Hostile and well-formed `tokenizer.json` files.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Tokenizer, TokenizerSpec};
use super::alphabet::alphabet;
use super::*;

#[path = "../../../examples/gpt2_json/mod.rs"]
mod gpt2_json;

/// A file with the 256 bytes, some merges and an end of text.
fn file() -> Value {
    let mut vocab = serde_json::Map::new();
    for (byte, character) in alphabet().into_iter().enumerate() {
        vocab.insert(character.to_string(), json!(byte));
    }
    let merges = [("h", "e"), ("l", "l"), ("he", "ll"), ("hell", "o"), ("Ġ", "w")];
    for (id, (left, right)) in (256..).zip(merges) {
        vocab.insert(format!("{left}{right}"), json!(id));
    }
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [{
            "id": 261, "content": "<|endoftext|>", "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true
        }],
        "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "post_processor": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false},
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": vocab,
            "merges": merges.map(|(left, right)| format!("{left} {right}")),
        }
    })
}

fn load(file: &Value) -> Result<Tokenizer, String> {
    let spec = TokenizerSpec::Bundle(serde_json::to_vec(file).unwrap());
    Tokenizer::load(&spec).map_err(|error| error.to_string())
}

fn ids(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let mut out = Encoded::default();
    tokenizer.encode(text, &mut out).unwrap();
    assert_eq!(
        out.byte_lengths
            .iter()
            .map(|length| usize::from(*length))
            .sum::<usize>(),
        text.len()
    );
    assert!(
        out.ids
            .iter()
            .all(|id| *id < tokenizer.vocab_size() && *id != tokenizer.end_of_text())
    );
    out.ids
}

#[test]
fn a_good_file_loads_and_encodes() {
    let tokenizer = load(&file()).unwrap();
    assert_eq!((tokenizer.vocab_size(), tokenizer.end_of_text()), (262, 261));
    assert_eq!(ids(&tokenizer, "hello world"), [259, 260, 111, 114, 108, 100]);
    assert_eq!(ids(&tokenizer, "\u{20ac}\n"), [0xe2, 0x82, 0xac, 10]);
    assert!(ids(&tokenizer, "").is_empty());
    // Text that spells the end of text is ordinary text.
    assert_eq!(ids(&tokenizer, "<|endoftext|>").len(), 13);
}

#[test]
fn an_end_of_text_inside_the_vocabulary_is_not_found_in_text() {
    let mut inside = file();
    inside["model"]["vocab"]["<|endoftext|>"] = json!(261);
    inside["model"]["ignore_merges"] = json!(true);
    inside["pre_tokenizer"]["use_regex"] = json!(false);
    let tokenizer = load(&inside).unwrap();
    assert_eq!(ids(&tokenizer, "<|endoftext|>").len(), 13);
    assert_eq!(ids(&tokenizer, "hello"), [259]);
}

#[test]
fn known_steps_and_both_forms_of_merges_are_taken() {
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "use_regex": false});
    for expression in SPLIT_PATTERNS {
        for (behavior, invert) in [("Isolated", false), ("Removed", true)] {
            let mut sequence = file();
            sequence["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": [
                {"type": "Digits", "individual_digits": true},
                {"type": "Split", "pattern": {"Regex": expression}, "behavior": behavior, "invert": invert},
                byte_level,
            ]});
            sequence["model"]["merges"] = json!([["h", "e"], ["l", "l"], ["he", "ll"]]);
            let tokenizer = load(&sequence).unwrap();
            let text = "hello it's 12345\r\n\r\n  w\u{f6}rld \u{4e00}\u{2003}\u{1f600}!? ";
            // What an inverted split drops comes back as bytes.
            let found = ids(&tokenizer, text);
            if behavior == "Isolated" {
                assert_eq!(found[0], 258, "{expression}");
            }
        }
    }
}

/// What could make an expression look at a run of characters again and again: each run fails an alternative only at its end.
#[test]
fn no_text_is_too_much_for_an_expression() {
    let runs = [
        (" ", "x"),
        ("\n ", "x"),
        (" \n", "x"),
        ("A", ""),
        ("Aa", "1"),
        ("\u{4e00}", "A"),
        ("\u{301}", "A"),
        ("1", "x"),
        ("'", "s"),
        ("!a", " "),
        ("\u{a0}\r", "!"),
    ];
    for expression in SPLIT_PATTERNS {
        let mut split = file();
        split["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": expression}, "behavior": "Isolated"},
            {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false},
        ]});
        let tokenizer = load(&split).unwrap();
        for (run, end) in runs {
            let document = run.repeat(crate::limits::DOCUMENT_BYTES_MAX / run.len() - 1) + end;
            assert_eq!(
                ids(&tokenizer, &document).len(),
                document.len(),
                "{expression} on {run:?}"
            );
        }
    }
}

/// Changes a value of the good file, by its path, and gives the message of the refusal.
fn refusal(pointer: &str, value: Value) -> String {
    let mut changed = file();
    *changed.pointer_mut(pointer).unwrap() = value;
    load(&changed)
        .map(|_| format!("{pointer} was taken"))
        .unwrap_err()
}

#[test]
fn what_could_change_the_text_is_refused() {
    let step = |value: Value| json!({"type": "Sequence", "pretokenizers": [value, file()["pre_tokenizer"]]});
    let split = |expression: &str, behavior: &str| {
        step(
            json!({"type": "Split", "pattern": {"Regex": expression}, "behavior": behavior, "invert": false}),
        )
    };
    let cases = [
        ("/version", json!("2.0"), "`version` must be"),
        (
            "/truncation",
            json!({"max_length": 5}),
            "`truncation` must be null",
        ),
        ("/padding", json!({}), "`padding` must be null"),
        ("/normalizer", json!({"type": "NFC"}), "`normalizer` must be null"),
        (
            "/post_processor",
            json!({"type": "TemplateProcessing", "single": []}),
            "unknown variant",
        ),
        (
            "/post_processor",
            json!({"type": "ByteLevel", "extra": 1}),
            "unknown field `extra`",
        ),
        ("/decoder", json!({"type": "WordPiece"}), "unknown variant"),
        ("/pre_tokenizer", json!(null), "invalid type: null"),
        (
            "/pre_tokenizer",
            json!({"type": "Metaspace"}),
            "unknown variant `Metaspace`",
        ),
        ("/pre_tokenizer/add_prefix_space", json!(true), "add a space"),
        (
            "/pre_tokenizer",
            json!({"type": "Sequence", "pretokenizers": []}),
            "must have `ByteLevel` once",
        ),
        (
            "/pre_tokenizer",
            step(file()["pre_tokenizer"].clone()),
            "must have `ByteLevel` once",
        ),
        (
            "/pre_tokenizer",
            step(json!({"type": "Sequence", "pretokenizers": []})),
            "unknown variant `Sequence`",
        ),
        (
            "/pre_tokenizer",
            split("(a+)+$", "Isolated"),
            "\"(a+)+$\" of a `Split` is not one of the 13",
        ),
        (
            "/pre_tokenizer",
            split(SPLIT_PATTERNS[0], "Removed"),
            "others lose text",
        ),
        (
            "/pre_tokenizer",
            split(SPLIT_PATTERNS[0], "MergedWithNext"),
            "unknown variant",
        ),
        (
            "/pre_tokenizer",
            json!({"type": "Sequence", "pretokenizers": vec![json!({"type": "Digits", "individual_digits": true}); 9]}),
            "has 9 pre-tokenizers, 8",
        ),
        ("/model/type", json!("Unigram"), "unknown variant `Unigram`"),
        ("/model/dropout", json!(0.1), "`model.dropout` must be null"),
        ("/model/dropout", json!(0.0), "`model.dropout` must be null"),
        (
            "/model/continuing_subword_prefix",
            json!("##"),
            "prefix` must be null or empty",
        ),
        (
            "/model/end_of_word_suffix",
            json!("</w>"),
            "suffix` must be null or empty",
        ),
        (
            "/model/byte_fallback",
            json!(true),
            "`model.byte_fallback` must be false",
        ),
    ];
    for (pointer, value, expected) in cases {
        let message = refusal(pointer, value);
        assert!(message.contains(expected), "{message}\nexpected: {expected}");
        assert!(message.starts_with("`tokenizer.json` is refused: "), "{message}");
    }
    let mut unknown = file();
    unknown["surprise"] = json!(1);
    assert!(load(&unknown).unwrap_err().contains("unknown field `surprise`"));
}

#[test]
fn the_end_of_text_must_be_one() {
    let token =
        |id: u32, content: &str, special: bool| json!({"id": id, "content": content, "special": special});
    let cases = [
        (json!([]), "declares 0 of the special tokens"),
        (
            json!([token(261, "<pad>", true)]),
            "declares 0 of the special tokens",
        ),
        (
            json!([token(261, "</s>", true), token(262, "<eos>", true)]),
            "declares 2 of the special tokens",
        ),
        (json!([token(261, "</s>", false)]), "is added but not special"),
        (
            json!([token(261, "</s>", true), token(261, "<pad>", true)]),
            "has the id of another added token",
        ),
        (
            json!([token(261, "</s>", true), token(262, "</s>", true)]),
            "is added twice",
        ),
        (json!([token(7, "</s>", true)]), "has the id of another token"),
        (
            json!([token(131_072, "</s>", true)]),
            "has 131073 ids, 131072 are allowed",
        ),
        (json!([token(u32::MAX, "</s>", true)]), "ids, 131072 are allowed"),
        (json!([token(261, "", true)]), "is empty or too long"),
        (
            json!(vec![token(261, "</s>", true); 1025]),
            "has 1025 added tokens, 1024",
        ),
    ];
    for (added, expected) in cases {
        let message = refusal("/added_tokens", added);
        assert!(message.contains(expected), "{message}\nexpected: {expected}");
    }
    let mut with_pad = file();
    with_pad["added_tokens"] = json!([token(400, "<pad>", true), token(300, "</s>", true)]);
    let tokenizer = load(&with_pad).unwrap();
    assert_eq!((tokenizer.vocab_size(), tokenizer.end_of_text()), (401, 300));
}

#[test]
fn the_vocabulary_and_the_merges_are_checked() {
    let with_token = |token: &str, id: Value| {
        let mut changed = file();
        changed["model"]["vocab"][token] = id;
        load(&changed).map(|_| format!("{token} was taken")).unwrap_err()
    };
    assert!(with_token("a b", json!(300)).contains("stands for no byte"));
    assert!(with_token("\u{4e00}", json!(300)).contains("stands for no byte"));
    assert!(with_token("", json!(300)).contains("is empty or too long"));
    assert!(with_token(&"a".repeat(1025), json!(300)).contains("is empty or too long"));
    assert!(with_token("ab", json!(5)).contains("has the id of another token"));
    assert!(with_token("ab", json!(261)).contains("has the id of another token"));
    assert!(with_token("ab", json!(-1)).contains("not a byte-level BPE tokenizer"));
    assert!(with_token("ab", json!(1.5)).contains("not a byte-level BPE tokenizer"));
    assert!(with_token("<|endoftext|>", json!(300)).contains("has another id among the added tokens"));

    let merges = [
        (json!(["h e", "x"]), "merge number 2 is not two tokens"),
        (json!(["zz h"]), "merge number 1 joins a token that is not"),
        (json!(["z z"]), "merge number 1 makes a token that is not"),
        (json!(["h e", ["h", "e"]]), "merge number 2 is there twice"),
        (json!([["h", "e", "l"]]), "not a byte-level BPE tokenizer"),
        (json!([7]), "not a byte-level BPE tokenizer"),
    ];
    for (value, expected) in merges {
        let message = refusal("/model/merges", value);
        assert!(message.contains(expected), "{message}\nexpected: {expected}");
    }
    let twice = serde_json::to_string(&file())
        .unwrap()
        .replace(r#""hello":"#, r#""hello":300,"hello":"#);
    let error = Tokenizer::load(&TokenizerSpec::Bundle(twice.into()))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("\"hello\" of the vocabulary is there twice"),
        "{error}"
    );
}

#[test]
fn lengths_and_nesting_are_bounded() {
    let refused = |json: Vec<u8>| {
        Tokenizer::load(&TokenizerSpec::Bundle(json))
            .unwrap_err()
            .to_string()
    };
    assert!(refused(vec![b' '; TOKENIZER_JSON_BYTES_MAX + 1]).contains("4194305 bytes, 4194304 are allowed"));
    assert!(refused(b"[".repeat(1_000_000)).contains("it is no JSON"));
    assert!(refused(br#"{"normalizer":"#.repeat(100_000)).contains("it ends in the middle"));
    assert!(refused(Vec::new()).contains("it is empty"));
    assert!(refused(vec![0xff; 100]).contains("it is no JSON"));
    let many: serde_json::Map<_, _> = (0..=VOCABULARY_MAX)
        .map(|id| (id.to_string(), json!(id)))
        .collect();
    assert!(refusal("/model/vocab", Value::Object(many)).contains("more than 131072 tokens"));
    let message = refusal("/model/merges", json!(vec!["h e"; MERGES_MAX + 1]));
    assert!(message.contains("262145 merges, 262144"), "{message}");
}

#[test]
fn what_the_vocabulary_lacks_is_an_error_or_comes_as_bytes() {
    let mut lacking = file();
    lacking["model"]["vocab"].as_object_mut().unwrap().remove("z");
    let tokenizer = load(&lacking).unwrap();
    let mut out = Encoded::default();
    assert_eq!(ids(&tokenizer, "hello"), [259]);
    let error = tokenizer.encode("zero", &mut out).unwrap_err();
    assert_eq!(error, EncodeError::NotLossless { document_bytes: 4 });
    assert_eq!(out, Encoded::default());
    // An inverted split on numbers alone drops all other text, so the document is encoded by bytes.
    let mut dropping = file();
    dropping["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": SPLIT_PATTERNS[5]}, "behavior": "Removed", "invert": true},
        file()["pre_tokenizer"],
    ]});
    assert_eq!(
        ids(&load(&dropping).unwrap(), "hello 7"),
        b"hello 7".map(u32::from)
    );
}

/// The tokenizer of GPT-2, given as a bundle's file, is the built-in one.
#[test]
fn the_merges_of_gpt2_give_its_tokens() {
    let bundle = Tokenizer::load(&TokenizerSpec::Bundle(gpt2_json::gpt2_json().unwrap())).unwrap();
    let builtin = Tokenizer::load(&TokenizerSpec::Gpt2).unwrap();
    assert_eq!(bundle.vocab_size(), builtin.vocab_size());
    assert_eq!(bundle.end_of_text(), builtin.end_of_text());
    let grammar = crate::synth::Grammar::new(3).unwrap();
    let mut texts: Vec<String> = (0..20).map(|number| grammar.document(number).text).collect();
    texts
        .push("It's 2024\u{2014}na\u{ef}ve  caf\u{e9}s\n\n\t<|endoftext|> \u{4e00}\u{1f600}'ll  ".to_owned());
    texts.push("x".repeat(3000) + &"=-".repeat(300));
    for text in &texts {
        assert_eq!(ids(&bundle, text), ids(&builtin, text), "{text}");
    }
}

/// Vocabularies that make every merge of a long piece happen, or be reconsidered, in an awkward order.
#[test]
fn pathological_merges_end_on_the_longest_document() {
    let chain = |first: &str, grow: &dyn Fn(usize) -> (String, String), count: usize, reversed: bool| {
        let mut hostile = file();
        hostile["pre_tokenizer"]["use_regex"] = json!(false);
        let vocab = hostile["model"]["vocab"].as_object_mut().unwrap();
        vocab.retain(|token, _| token.chars().count() == 1);
        let mut merges = Vec::new();
        for i in 0..count {
            let (left, right) = grow(i);
            vocab.insert(format!("{left}{right}"), json!(300 + i));
            merges.push(json!([left, right]));
        }
        if reversed {
            merges.reverse();
        }
        hostile["model"]["merges"] = json!(merges);
        let tokenizer = load(&hostile).unwrap();
        let document = first.repeat(65_536 / first.len());
        assert!(ids(&tokenizer, &document).len() <= document.len());
        tokenizer
    };
    let powers = |i: usize| ("a".repeat(1 << i), "a".repeat(1 << i));
    let one_more = |i: usize| ("a".repeat(i + 1), "a".to_owned());
    let one_before = |i: usize| ("a".to_owned(), "a".repeat(i + 1));
    for reversed in [false, true] {
        chain("a", &powers, 10, reversed);
        chain("a", &one_more, 1000, reversed);
        chain("a", &one_before, 1000, reversed);
    }
    // A piece that is never split, of text that no merge knows.
    let tokenizer = chain("ab", &powers, 10, false);
    assert_eq!(ids(&tokenizer, &" \u{4e00}".repeat(16_000)).len(), 64_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is in the file, it is refused, or it encodes any text to ids of its vocabulary, losslessly or not.
    #[test]
    fn mutated_files_never_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..6),
        text in "[a-z \\n\u{e9}<|>]{0,60}",
    ) {
        let mut bytes = serde_json::to_vec(&file()).unwrap();
        for (at, byte, kind) in edits {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => { bytes.remove(at); }
                2 => bytes.insert(at, byte),
                _ => {
                    let copied = bytes[at..(at + 20).min(bytes.len())].to_vec();
                    bytes.splice(at..at, copied);
                }
            }
        }
        if let Ok(tokenizer) = Tokenizer::load(&TokenizerSpec::Bundle(bytes)) {
            let mut out = Encoded::default();
            if tokenizer.encode(&text, &mut out).is_ok() {
                let bytes: usize = out.byte_lengths.iter().map(|length| usize::from(*length)).sum();
                prop_assert_eq!(bytes, text.len());
                prop_assert!(out.ids.iter().all(|id| *id < tokenizer.vocab_size()));
            }
        }
    }

    /// The same with values replaced, which goes deeper than bytes do.
    #[test]
    fn files_with_replaced_values_never_panic(
        pointer in prop::sample::select(vec![
            "/added_tokens/0/id", "/added_tokens/0/content", "/added_tokens/0/special", "/pre_tokenizer",
            "/pre_tokenizer/type", "/model/vocab", "/model/vocab/h", "/model/vocab/hell", "/model/merges",
            "/model/merges/2", "/model/ignore_merges", "/model/unk_token", "/model", "/post_processor",
        ]),
        value in prop::sample::select(vec![
            json!(null), json!(true), json!(0), json!(261), json!(4_000_000_000u32), json!(-1), json!("h e"),
            json!("</s>"), json!(""), json!([]), json!({}), json!(["h", "e"]), json!([["h", "e"]]),
            json!({"type": "ByteLevel"}), json!({"h": 0, "e": 1, "he": 2}), json!("ByteLevel"), json!("Sequence"),
        ]),
        text in "[a-z \\n\u{e9}]{0,60}",
    ) {
        let mut changed = file();
        *changed.pointer_mut(pointer).unwrap() = value;
        if let Ok(tokenizer) = load(&changed) {
            let mut out = Encoded::default();
            if tokenizer.encode(&text, &mut out).is_ok() {
                let bytes: usize = out.byte_lengths.iter().map(|length| usize::from(*length)).sum();
                prop_assert_eq!(bytes, text.len());
            }
        }
    }
}

#[test]
fn a_panic_of_the_crate_is_an_error_of_the_file() {
    assert_eq!(guarded(|| Ok(1)), Ok(1));
    assert_eq!(guarded::<()>(|| Err("no".to_owned())), Err("no".to_owned()));
    let panicked = guarded::<()>(|| panic!("index out of bounds"));
    assert!(panicked.unwrap_err().contains("panic"));
}

#[test]
fn what_is_no_such_file_is_told_in_words_of_files() {
    let said = |json: &str| Bundle::load(json.as_bytes()).unwrap_err().told();
    assert!(
        said(" \n").starts_with("it is empty; write it with"),
        "{}",
        said(" \n")
    );
    let whole = file().to_string();
    for end in [1, 2, 40, whole.len() - 1] {
        assert_eq!(said(&whole[..end]), "it ends in the middle; copy it again, whole");
    }
    assert!(
        said("[]").starts_with("it is no JSON object; write it with"),
        "{}",
        said("[]")
    );
    assert!(
        said("IQ== 0\n").starts_with("it is no JSON: "),
        "{}",
        said("IQ== 0\n")
    );
    let mut without = file();
    without.as_object_mut().unwrap().remove("model");
    let message = said(&without.to_string());
    assert!(
        message.contains("missing field `model`") && message.ends_with("; add what it names"),
        "{message}"
    );
    // Nothing of how this program keeps such a file is told, whatever stands in the place of whatever.
    for pointer in [
        "/added_tokens",
        "/added_tokens/0",
        "/pre_tokenizer",
        "/decoder",
        "/model",
        "/model/vocab",
        "/model/merges",
        "/model/merges/0",
    ] {
        for value in [
            json!([]),
            json!([1]),
            json!({}),
            json!(5),
            json!("x"),
            json!(null),
            json!(true),
        ] {
            let mut changed = file();
            *changed.pointer_mut(pointer).unwrap() = value;
            let Err(error) = Bundle::load(changed.to_string().as_bytes()) else {
                continue;
            };
            let error = error.to_string();
            for inside in ["struct ", "enum ", "variant index", "elements", "untagged"] {
                assert!(!error.contains(inside), "{pointer}: {error}");
            }
        }
    }
}

#[test]
fn a_message_is_short_however_much_it_would_quote() {
    let long = "k".repeat(3 * 1024 * 1024);
    let mut files = vec![file(); 5];
    files[0][&long] = json!(1);
    files[1]["pre_tokenizer"] = json!({ "type": long });
    files[2]["model"]["fuse_unk"] = json!(long);
    files[3]["version"] = json!(long);
    files[4]["added_tokens"][0]["content"] = json!(long);
    for file in &files {
        let error = load(file).unwrap_err();
        assert!(error.len() < 2000, "{} bytes: {}", error.len(), &error[..200]);
    }
    let error = load(&files[0]).unwrap_err();
    assert!(
        error.contains("unknown field `kkk") && error.contains("[...]") && error.contains("at line 1 column"),
        "{error}"
    );
}
