//! Near duplicates: a planted set of rewrites at known similarity, across splits, on any number of threads.

use std::collections::BTreeSet;
use std::num::NonZero;

use super::*;

/// Articles of some hundred words that have nothing in common but single words.
fn articles(count: usize) -> Vec<String> {
    let mut state = 7u64;
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    (0..count)
        .map(|i| {
            let mut text = format!("Article {i}");
            for word in 0..250 + next() % 200 {
                let end = if word % 12 == 11 { ".\n" } else { "" };
                text.extend([" word", &(next() % 4000).to_string(), end]);
            }
            text
        })
        .collect()
}

fn cut(text: &str, permille: usize) -> String {
    let words: Vec<_> = text.split(' ').collect();
    words[..words.len() * permille / 1000].join(" ")
}

fn surrounded(text: &str, words: usize) -> String {
    let boiler = (0..words)
        .map(|i| format!("cookie{i} "))
        .collect::<Vec<_>>()
        .concat();
    format!("{boiler}\n\n{text}\n\n{boiler}")
}

/// The ways in which a text is written again.
fn rewrites(text: &str) -> Vec<(&'static str, String)> {
    vec![
        ("case", text.to_uppercase()),
        (
            "punctuation",
            text.replace(".\n", " -- \n").replace(" word1", " \u{201c}word1"),
        ),
        ("cut by a tenth", cut(text, 900)),
        ("cut by a fifth", cut(text, 800)),
        ("cut by half", cut(text, 500)),
        ("a little around", surrounded(text, 20)),
        ("much around", surrounded(text, 150)),
        (
            "one word of twenty",
            text.split(' ')
                .enumerate()
                .map(|(i, word)| {
                    if i % 20 == 7 {
                        "other".to_owned()
                    } else {
                        word.to_owned()
                    }
                })
                .collect::<Vec<_>>()
                .join(" "),
        ),
    ]
}

fn locked(documents: &[String], threads: usize, near: Option<NearDuplicates>) -> (Place, Manifest) {
    let place = Place::new();
    place.write("a.jsonl", jsonl(documents.iter().cloned()));
    let options = LockOptions {
        near_duplicates: near,
        threads: NonZero::new(threads).unwrap(),
        shard_bytes_target: 100_000,
        ..options()
    };
    let manifest = place.lock(&options).unwrap();
    (place, manifest)
}

/// Of pairs of an article and its rewrite, those at the threshold or above go, and those well below it stay. A pair just
/// above it may be missed: the bands find it with a probability of less than one.
#[test]
fn rewrites_at_known_similarity_are_found_and_others_are_kept() {
    let articles = articles(120);
    let near = NearDuplicates::default();
    let (mut alike, mut found, mut wrong, mut told) = (0usize, 0usize, 0usize, BTreeSet::new());
    for way in 0..8 {
        let mut documents = articles.clone();
        let mut expected = Vec::new();
        for article in &articles {
            let (name, text) = rewrites(article).swap_remove(way);
            let similarity = similarity_permille(article, &text);
            expected.push(similarity);
            told.insert((name, similarity / 100));
            documents.push(text);
        }
        let (place, manifest) = locked(&documents, 2, Some(near));
        let kept: BTreeSet<String> = all_documents(&Corpus::open(&place.out()).unwrap())
            .into_iter()
            .collect();
        for (article, (rewrite, similarity)) in articles.iter().zip(documents[120..].iter().zip(expected)) {
            let one_went = kept.contains(article) != kept.contains(rewrite);
            assert!(kept.contains(article) || kept.contains(rewrite), "both went");
            if similarity >= near.jaccard_permille_min {
                alike += 1;
                found += usize::from(one_went);
            } else {
                wrong += usize::from(one_went);
            }
        }
        let Origin::Locked {
            documents_near_duplicate,
            ..
        } = manifest.origin
        else {
            panic!("{:?}", manifest.origin)
        };
        assert_eq!(documents_near_duplicate, 240 - kept.len() as u64);
    }
    // The set has pairs on both sides of the threshold.
    assert!(alike >= 400 && 960 - alike >= 200, "{alike} of 960: {told:?}");
    assert_eq!(wrong, 0, "precision");
    assert!(found * 1000 >= alike * 995, "recall: {found} of {alike}");
}

#[test]
fn nothing_of_the_corpus_depends_on_threads_or_order() {
    let articles = articles(60);
    let mut documents = articles.clone();
    documents.extend(
        articles
            .iter()
            .flat_map(|text| rewrites(text).into_iter().map(|(_, text)| text)),
    );
    let near = Some(NearDuplicates::default());
    let (_, first) = locked(&documents, 1, near);
    for threads in [2, 5] {
        documents.reverse();
        documents.rotate_left(100);
        let (_, other) = locked(&documents, threads, near);
        assert_eq!(first.splits, other.splits, "{threads}");
    }
}

/// No two documents of the corpus are nearly the same, whichever splits they are in.
#[test]
fn what_is_held_out_is_not_in_train_in_other_clothes() {
    let articles = articles(80);
    let mut documents = articles.clone();
    documents.extend(articles.iter().map(|text| surrounded(&text.to_lowercase(), 15)));
    let (place, _) = locked(&documents, 2, Some(NearDuplicates::default()));
    let corpus = Corpus::open(&place.out()).unwrap();
    let train = super::documents(&corpus, Split::Train);
    for split in [Split::Val, Split::Test] {
        for held_out in super::documents(&corpus, split) {
            assert!(
                train
                    .iter()
                    .all(|text| similarity_permille(text, &held_out) < 700)
            );
        }
    }
    // Without the comparison some are.
    let (place, _) = locked(&documents, 2, None);
    let corpus = Corpus::open(&place.out()).unwrap();
    let train = super::documents(&corpus, Split::Train);
    let leaked = super::documents(&corpus, Split::Val)
        .iter()
        .filter(|held_out| {
            train
                .iter()
                .any(|text| similarity_permille(text, held_out) >= 700)
        })
        .count();
    assert!(leaked > 10, "{leaked}");
}

#[test]
fn many_copies_of_one_text_leave_one() {
    let article = articles(1).remove(0);
    let mut documents: Vec<String> = (0..400).map(|i| format!("{article} ending number {i}")).collect();
    documents.extend(articles(60).into_iter().skip(1));
    let (_, manifest) = locked(&documents, 2, Some(NearDuplicates::default()));
    assert_eq!(manifest.documents, 60);
}
