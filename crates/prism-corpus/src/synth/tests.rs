//! Tests of the grammar: its derivations are unique, its code lengths exact, its corpus the same every time.

use std::collections::BTreeSet;

use super::choice::Symbol;
use super::machine::{Machine, Step};
use super::*;
use crate::open::Corpus;

/// The code length of a whole document, found by reading its choices back from its text; else the byte at which the grammar
/// cannot go on.
fn code_bits(grammar: &Grammar, document: &str) -> Result<f64, usize> {
    let mut bits = 0.0;
    let mut rest = document.as_bytes();
    let astray = |rest: &[u8]| document.len() - rest.len();
    let mut machine = Machine::new(grammar);
    loop {
        match machine.step() {
            Step::Fixed(text) => {
                rest = rest.strip_prefix(text).ok_or_else(|| astray(rest))?;
            }
            Step::Choose(choice) => {
                let mut range = choice.all();
                let option = loop {
                    let symbol = rest.first().map_or(Symbol::End, |byte| Symbol::Byte(*byte));
                    range = choice.narrow(range, symbol).ok_or_else(|| astray(rest))?;
                    rest = rest.get(1..).unwrap_or_default();
                    if let Some(option) = choice.decided(range) {
                        break option;
                    }
                };
                bits += choice.bits(option);
                machine.take(option);
            }
            Step::End if rest.is_empty() => return Ok(bits),
            Step::End => return Err(astray(rest)),
        }
    }
}

const NO_STOP: ControlFlow<()> = ControlFlow::Continue(());

#[test]
fn choices_are_read_back_from_the_text() {
    for seed in 0..3 {
        let grammar = Grammar::new(seed).unwrap();
        for number in 0..200 {
            let document = grammar.document(number);
            let bits = code_bits(&grammar, &document.text).unwrap();
            assert_eq!(
                bits.to_bits(),
                document.bits.to_bits(),
                "document {number} of seed {seed}"
            );
        }
    }
}

#[test]
fn no_seed_makes_the_grammar_ambiguous() {
    for seed in (0..25).chain([u64::MAX, 1 << 63]) {
        assert!(Grammar::new(seed).is_ok(), "seed {seed}");
    }
}

#[test]
fn the_predictor_scores_the_code_length() {
    let grammar = Grammar::new(7).unwrap();
    for number in 0..60 {
        let document = grammar.document(number);
        let mut predictor = grammar.predictor();
        let mut bits = 0.0;
        for byte in document.text.bytes() {
            let probabilities = predictor.probabilities();
            let sum: f64 = probabilities.iter().sum();
            assert!((sum - 1.0).abs() < 1e-12, "{sum}");
            bits -= probabilities[usize::from(byte)].log2();
            assert!(predictor.advance(byte));
        }
        bits -= predictor.probabilities()[END_SYMBOL].log2();
        assert!(predictor.finish());
        assert!(
            (bits - document.bits).abs() < 1e-9 * document.bits,
            "{bits} {}",
            document.bits
        );
        assert!(predictor.probabilities().iter().all(|p| *p == 0.0));
        assert!(!predictor.advance(b'a') && !predictor.finish());
    }
}

#[test]
fn what_the_grammar_cannot_write_is_named_by_its_place() {
    let grammar = Grammar::new(7).unwrap();
    let text = grammar.document(0).text;
    assert_eq!(code_bits(&grammar, "Xylophones"), Err(0));
    assert!(code_bits(&grammar, &text[..text.len() - 1]).is_err());
    assert!(code_bits(&grammar, &format!("{text} ")).is_err());
    assert!(code_bits(&Grammar::new(8).unwrap(), &text).is_err());
    let mut predictor = grammar.predictor();
    assert!(!predictor.advance(b'#') && !predictor.finish());
    assert!(predictor.advance(text.as_bytes()[0]));
}

#[test]
fn documents_have_the_promised_length_and_structure() {
    let grammar = Grammar::new(1).unwrap();
    let mut lengths = Vec::new();
    let mut all = String::new();
    for number in 0..400 {
        let text = grammar.document(number).text;
        assert!(text.is_ascii() && text.ends_with('.'), "{text}");
        assert!(text.lines().next().unwrap().contains(" in the days of "));
        lengths.push(text.len());
        all.push_str(&text);
    }
    let mean = lengths.iter().sum::<usize>() / lengths.len();
    assert!(
        lengths.iter().all(|bytes| (900..4400).contains(bytes)),
        "{lengths:?}"
    );
    assert!((1400..2800).contains(&mean), "{mean}");
    for needle in [
        " because the ",
        "As all know, the ruler of ",
        " finds ",
        " plus ",
        "She ",
        "\n\n",
        "Many ",
    ] {
        assert!(all.contains(needle), "{needle}");
    }
}

#[test]
fn facts_are_the_same_in_every_document() {
    let grammar = Grammar::new(1).unwrap();
    let mut told = BTreeSet::new();
    let mut sentences = 0;
    for number in 0..600 {
        let text = grammar.document(number).text;
        for (_, rest) in text
            .match_indices("the river of ")
            .map(|(at, found)| (at, &text[at + found.len()..]))
        {
            let (town, river) = rest.split('.').next().unwrap().split_once(" is ").unwrap();
            told.insert((town.to_owned(), river.to_owned()));
            sentences += 1;
        }
    }
    let towns: BTreeSet<_> = told.iter().map(|(town, _)| town).collect();
    assert_eq!(towns.len(), told.len(), "a town has two rivers");
    assert!(
        sentences > 3 * towns.len() && towns.len() > 20,
        "{sentences} {}",
        towns.len()
    );
}

#[test]
fn sums_are_right() {
    let grammar = Grammar::new(1).unwrap();
    let value = |text: &str| grammar.words.iter().position(|word| word == text).unwrap();
    let mut sums = 0;
    for number in 0..300 {
        let text = grammar.document(number).text;
        for at in text
            .match_indices("Note that ")
            .map(|(at, found)| at + found.len())
        {
            let (sum, result) = text[at..].split('.').next().unwrap().split_once(" is ").unwrap();
            let (first, rest) = sum.split_once(' ').unwrap();
            let (operator, second) = rest.split_once(' ').unwrap();
            let (first, second, result) = (value(first), value(second), value(result));
            let expected = match operator {
                "plus" => first + second,
                "minus" => first - second,
                _ => first * second,
            };
            assert_eq!(result, expected);
            sums += 1;
        }
    }
    assert!(sums > 100, "{sums}");
}

#[test]
fn the_corpus_carries_its_floor() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = SynthOptions::new(300_000, 5);
    options.shard_bytes_target = 50_000;
    let manifest = synthesize(&dir.path().join("a"), &options, &mut |_, _| NO_STOP).unwrap();
    let again = synthesize(&dir.path().join("b"), &options, &mut |_, _| NO_STOP).unwrap();
    assert_eq!(manifest.manifest_hash(), again.manifest_hash());
    let corpus = Corpus::open(&dir.path().join("a")).unwrap();
    let grammar = Grammar::new(5).unwrap();
    for split in Split::ALL {
        let reader = corpus.split(split);
        let (mut bits, mut bytes) = (0.0, 0);
        for number in 0..reader.documents() {
            let text = reader.document(number).unwrap();
            bits += code_bits(&grammar, &text).unwrap();
            bytes += text.len() as u64;
            let prefix = reader.prefix(bytes).unwrap();
            assert_eq!((prefix.documents, prefix.bytes), (number + 1, bytes));
            let floor = prefix.entropy_floor_bits_per_byte().unwrap();
            assert!((floor - bits / bytes as f64).abs() < 1e-9, "{floor}");
        }
        let floor = manifest.split(split).entropy_floor_bits_per_byte.unwrap();
        assert!(
            (floor - bits / bytes as f64).abs() < 1e-9 && (0.3..1.2).contains(&floor),
            "{floor}"
        );
    }
}

/// Pins the bytes: another machine, toolchain or refactoring must not change the corpus of a seed. A change of
/// the grammar on purpose is a new [`GRAMMAR_VERSION`] and new values here.
#[test]
fn the_bytes_of_a_seed_are_pinned() {
    let grammar = Grammar::new(42).unwrap();
    let mut hasher = blake3::Hasher::new();
    let mut total_microbits = 0;
    for number in 0..50 {
        let document = grammar.document(number);
        hasher.update(document.text.as_bytes());
        total_microbits += microbits(document.bits);
    }
    assert_eq!(
        (hasher.finalize().to_hex()[..16].to_owned(), total_microbits),
        ("a78f8073a9d4e255".to_owned(), 45_802_854_363)
    );
}

#[test]
fn cancelling_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("corpus");
    let stopped = synthesize(&out, &SynthOptions::new(300_000, 5), &mut |_, _| {
        ControlFlow::Break(())
    });
    assert!(matches!(stopped, Err(SynthError::Cancelled)));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
