//! Recall and precision of the search for near duplicates, on rewrites at known similarity.
//!
//! `cargo run --release -p prism-corpus --example near_duplicates`: texts of the synthetic grammar, each with one rewrite,
//! locked together, one kind of rewrite after another. Of a pair at the threshold or above one has to go (recall); of one
//! below it both have to stay (precision).

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a command that a person runs"
)]

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;

use prism_corpus::lock::{LockOptions, NearDuplicates, lock, similarity_permille};
use prism_corpus::synth::Grammar;
use prism_corpus::{Corpus, Split};

const ARTICLES: u64 = 400;
/// Documents of the grammar in an article: some 2 kB together.
const PARTS: u64 = 4;

fn words(text: &str, change: impl Fn(usize, &str) -> Option<String>) -> String {
    let changed = text
        .split(' ')
        .enumerate()
        .filter_map(|(i, word)| change(i, word));
    changed.collect::<Vec<_>>().join(" ")
}

fn cut(text: &str, percent: usize) -> String {
    let count = text.split(' ').count();
    words(text, |i, word| {
        (i < count * percent / 100).then(|| word.to_owned())
    })
}

fn around(text: &str, count: usize) -> String {
    let boilerplate = (0..count)
        .map(|i| format!("cookie{i} "))
        .collect::<Vec<_>>()
        .concat();
    format!("{boilerplate}\n{text}\n{boilerplate}")
}

fn replaced(text: &str, every: usize) -> String {
    words(text, |i, word| {
        Some(if i % every == every / 2 {
            format!("new{i}")
        } else {
            word.to_owned()
        })
    })
}

type Rewrite = (&'static str, fn(&str) -> String);

const REWRITES: [Rewrite; 12] = [
    ("case", |text| text.to_uppercase()),
    ("punctuation", |text| text.replace(['.', ','], " - ")),
    ("line breaks", |text| text.replace(' ', "\n")),
    ("cut by 5 %", |text| cut(text, 95)),
    ("cut by 15 %", |text| cut(text, 85)),
    ("cut by 25 %", |text| cut(text, 75)),
    ("cut by 35 %", |text| cut(text, 65)),
    ("cut by 50 %", |text| cut(text, 50)),
    ("20 words around", |text| around(text, 10)),
    ("100 words around", |text| around(text, 50)),
    ("1 word of 40 replaced", |text| replaced(text, 40)),
    ("1 word of 20 replaced", |text| replaced(text, 20)),
];

fn main() {
    let grammar = Grammar::new(0).unwrap();
    let articles: Vec<String> = (0..ARTICLES)
        .map(|i| {
            (0..PARTS)
                .map(|part| grammar.document(i * PARTS + part).text + "\n")
                .collect()
        })
        .collect();
    let near = NearDuplicates::default();
    println!(
        "threshold {} ‰ of shared shingles of 5 words; {ARTICLES} pairs each",
        near.jaccard_permille_min
    );
    println!(
        "| rewrite | similarity, ‰: least, median, most | pairs at or above | found | below | wrongly dropped |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    let mut sums = [0usize; 4];
    for (name, rewrite) in REWRITES {
        let rewrites: Vec<String> = articles.iter().map(|text| rewrite(text)).collect();
        let kept = kept(&articles, &rewrites, near);
        let mut similarities = Vec::new();
        let mut row = [0usize; 4];
        for (article, rewritten) in articles.iter().zip(&rewrites) {
            let similarity = similarity_permille(article, rewritten);
            similarities.push(similarity);
            let one_went = !(kept.contains(article) && kept.contains(rewritten));
            let at = if similarity >= near.jaccard_permille_min {
                0
            } else {
                2
            };
            row[at] += 1;
            row[at + 1] += usize::from(one_went);
        }
        similarities.sort_unstable();
        println!(
            "| {name} | {}, {}, {} | {} | {} | {} | {} |",
            similarities[0],
            similarities[similarities.len() / 2],
            similarities[similarities.len() - 1],
            row[0],
            row[1],
            row[2],
            row[3]
        );
        for (sum, count) in sums.iter_mut().zip(row) {
            *sum += count;
        }
    }
    let [alike, found, _, wrong] = sums;
    println!(
        "recall    {:.4} ({found} of {alike})",
        found as f64 / alike as f64
    );
    println!(
        "precision {:.4} ({found} of {})",
        found as f64 / (found + wrong) as f64,
        found + wrong
    );
}

/// What is left of both, locked together.
fn kept(articles: &[String], rewrites: &[String], near: NearDuplicates) -> BTreeSet<String> {
    let dir = tempfile::tempdir().unwrap();
    let lines: String = articles
        .iter()
        .chain(rewrites)
        .map(|text| serde_json::json!({ "text": text }).to_string() + "\n")
        .collect();
    let input = dir.path().join("in.jsonl");
    fs::write(&input, lines).unwrap();
    let options = LockOptions {
        near_duplicates: Some(near),
        ..LockOptions::default()
    };
    let out = dir.path().join("corpus");
    lock(&[input], &out, &options, &mut |_| ControlFlow::Continue(())).unwrap();
    let corpus = Corpus::open(&out).unwrap();
    let mut kept = BTreeSet::new();
    for split in Split::ALL {
        let reader = corpus.split(split);
        for number in 0..reader.documents() {
            kept.insert(reader.document(number).unwrap());
        }
    }
    kept
}
