//! Copies that differ in white space alone: one is kept, and none of a held-out text is in train.

use std::collections::BTreeSet;

use super::*;

/// Every way in which a copy of a text can differ from it in white space alone.
fn respaced(text: &str) -> Vec<String> {
    let rewrapped = text.split_whitespace().collect::<Vec<_>>().join("\n");
    vec![
        format!("\u{feff}{text}"),
        format!("{text}\n"),
        format!("\n\n  {text}"),
        format!(" \t{text}\u{a0}\r\n"),
        text.replace('\n', "\r\n"),
        text.replace('\n', "\r"),
        text.replace('\n', "  \n"),
        text.replace(' ', "  "),
        text.replace('\n', "\n\n\n"),
        format!("\u{feff}\u{feff} {}", text.replace('\n', "\r\n")),
        rewrapped,
    ]
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace()
        .map(|word| word.trim_matches('\u{feff}'))
        .filter(|word| !word.is_empty())
        .collect()
}

/// Documents that were read, that are copies to the byte, and that are copies up to white space.
fn counted(manifest: &Manifest) -> (u64, u64, u64) {
    let Origin::Locked {
        documents_read,
        documents_duplicate,
        documents_respaced,
        ..
    } = manifest.origin
    else {
        panic!("{:?}", manifest.origin)
    };
    (documents_read, documents_duplicate, documents_respaced)
}

/// What was held out is not in train, whatever the white space of its copies.
#[test]
fn no_copy_of_a_held_out_text_is_in_train_up_to_white_space() {
    let originals: Vec<String> = numbered(0..300).map(|text| text.trim_end().to_owned()).collect();
    let place = Place::new();
    place.write("a.jsonl", jsonl(originals.iter().cloned()));
    place.lock(&options()).unwrap();
    let before = Corpus::open(&place.out()).unwrap();
    let held_out: Vec<String> = [Split::Val, Split::Test]
        .iter()
        .flat_map(|split| documents(&before, *split))
        .collect();
    assert!(held_out.len() > 100);

    let planted = Place::new();
    planted.write("a.jsonl", jsonl(originals.iter().cloned()));
    planted.write("b.jsonl", jsonl(held_out.iter().flat_map(|text| respaced(text))));
    let manifest = planted.lock(&options()).unwrap();
    let after = Corpus::open(&planted.out()).unwrap();
    let held_out_words: BTreeSet<Vec<&str>> = held_out.iter().map(|text| words(text)).collect();
    let train = documents(&after, Split::Train);
    let leaked = train
        .iter()
        .filter(|text| held_out_words.contains(&words(text)))
        .count();
    assert_eq!(leaked, 0);
    // Nothing has moved and nothing is lost, up to white space.
    for split in Split::ALL {
        let (after, before) = (documents(&after, split), documents(&before, split));
        assert_eq!(after.len(), before.len());
        assert!(
            after
                .iter()
                .zip(&before)
                .all(|(one, other)| words(one) == words(other))
        );
    }
    let (documents_read, documents_duplicate, documents_respaced) = counted(&manifest);
    assert_eq!(documents_read, 300 + 11 * held_out.len() as u64);
    assert_eq!(documents_duplicate + documents_respaced, documents_read - 300);
    assert!(
        documents_respaced > 8 * held_out.len() as u64,
        "{documents_respaced}"
    );
}

/// The bytes that are kept stay as they are, whatever surrounds the words.
#[test]
fn what_is_kept_is_kept_byte_for_byte() {
    let texts: Vec<String> = numbered(0..90)
        .zip((0..11).cycle())
        .map(|(text, way)| respaced(&text).swap_remove(way))
        .collect();
    let place = Place::new();
    place.write("a.jsonl", jsonl(texts.iter().cloned()));
    place.lock(&options()).unwrap();
    let mut found = all_documents(&Corpus::open(&place.out()).unwrap());
    let mut expected = texts;
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

/// Which of the copies is kept depends on them alone.
#[test]
fn of_copies_the_same_one_is_kept_in_any_order() {
    let mut texts: Vec<String> = numbered(0..60).collect();
    texts.extend(numbered(0..60).flat_map(|text| respaced(&text)));
    texts.extend(numbered(10..30));
    let mut corpora = BTreeSet::new();
    for turn in 0..3 {
        let place = Place::new();
        match turn {
            0 => place.write("a.jsonl", jsonl(texts.clone())),
            1 => place.write("z/b.jsonl", jsonl(texts.iter().rev().cloned())),
            _ => {
                let (head, tail) = texts.split_at(97);
                place.write("a.jsonl", jsonl(tail.to_vec()));
                place.write("b.jsonl", jsonl(head.to_vec()))
            }
        };
        let manifest = place.lock(&options()).unwrap();
        assert_eq!(manifest.documents, 60);
        corpora.insert(format!("{:?}", manifest.splits));
    }
    assert_eq!(corpora.len(), 1);
}

/// A `.txt` file in another layout has sections of the same words, so its copy adds nothing.
#[test]
fn a_respaced_copy_of_a_book_has_the_same_sections() {
    let book = (0..900).fold(String::new(), |text, i| {
        let end = if i % 5 == 4 { "\n\n" } else { "\n" };
        text + &format!(
            "Line {i} of a book, with an \u{e9}tude and {} notes.{end}",
            i * 7 % 50
        )
    });
    let copies = [
        ("bom", format!("\u{feff}{book}")),
        ("crlf", book.replace('\n', "\r\n")),
        ("cr", book.replace('\n', "\r")),
        ("blank", format!("\n \n\n{book}\n\n \n")),
        ("spaced", book.replace(", ", ",  ").replace('\n', " \t\n")),
        ("tabs", book.replace(' ', "\t")),
        (
            "every",
            format!("\u{feff}{}\r\n\r\n", book.replace('\n', "  \r\n")),
        ),
    ];
    let alone = Place::new();
    alone.write("book.txt", &book);
    let expected = alone.lock(&options()).unwrap();
    for (name, copy) in copies {
        let place = Place::new();
        place.write("book.txt", &book);
        place.write(&format!("{name}.txt"), copy);
        let manifest = place.lock(&options()).unwrap();
        assert_eq!(manifest.documents, expected.documents, "{name}");
        let (documents_read, documents_duplicate, documents_respaced) = counted(&manifest);
        assert_eq!(documents_read, 2 * expected.documents, "{name}");
        assert_eq!(
            documents_duplicate + documents_respaced,
            expected.documents,
            "{name}"
        );
    }
}
