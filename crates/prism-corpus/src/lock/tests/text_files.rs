//! A `.txt` file as sections or whole.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::limits::SECTION_FILE_BYTES_MAX;

#[test]
fn a_text_file_is_read_as_sections_or_whole() {
    let place = Place::new();
    let text = (0..4000).fold(String::new(), |text, i| {
        text + &format!("Line {i} of an \u{e9}tude.\n\n")
    });
    place.write("book.txt", &text);
    let manifest = place.lock(&options()).unwrap();
    assert!(manifest.documents >= 12, "{manifest:?}");
    let corpus = Corpus::open(&place.out()).unwrap();
    let sections = all_documents(&corpus);
    assert_eq!(sections.iter().map(String::len).sum::<usize>(), text.len());
    let mut places: Vec<_> = sections
        .iter()
        .map(|section| (text.find(section.as_str()), section))
        .collect();
    places.sort();
    assert_eq!(
        places
            .into_iter()
            .map(|(_, section)| section.as_str())
            .collect::<String>(),
        text
    );
    assert!(
        sections
            .iter()
            .all(|section| section.len() <= 8192 && section.ends_with("\n\n"))
    );

    let whole = LockOptions {
        text_files: TextFiles::Whole,
        ..options()
    };
    let mut seen = BTreeSet::new();
    text::read_whole(&place.input().join("book.txt"), &mut |document, _| {
        seen.extend(text_of(&document).map(str::to_owned));
        Ok(())
    })
    .unwrap();
    assert_eq!(seen, BTreeSet::from([text]));
    let elsewhere = place.dir.path().join("whole");
    let error = lock(&[place.input()], &elsewhere, &whole, &mut quiet).unwrap_err();
    assert!(
        matches!(error, LockError::EmptySplit { documents: 1, .. }),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn sections_join_to_the_file(
        lines in prop::collection::vec(prop::sample::select(vec!["", "a", "\u{20ac}\u{20ac}", "long ", "\n"]), 0..60),
        repeat in 1usize..900,
    ) {
        let text = lines.concat().repeat(repeat);
        let place = Place::new();
        let path = place.write("t.txt", &text);
        let mut joined = String::new();
        text::read_sections(&path, &mut |section, position_bytes| {
            let section = text_of(&section).unwrap();
            assert!((1..=SECTION_FILE_BYTES_MAX).contains(&section.len()));
            joined.push_str(section);
            assert_eq!(position_bytes, joined.len() as u64);
            Ok(())
        }).unwrap();
        prop_assert_eq!(joined, text);
    }
}

/// However much white space a file holds, a section is bounded.
#[test]
fn sections_of_white_space_are_bounded() {
    let place = Place::new();
    let blank = "\n".repeat(300_000);
    let words = (0..4000).fold(String::new(), |text, i| {
        text + &format!("The line {i} has words.\n\n")
    });
    place.write("a.txt", format!("one word{blank}{words}"));
    let manifest = place.lock(&options()).unwrap();
    let Origin::Locked { documents_empty, .. } = manifest.origin else {
        panic!("{:?}", manifest.origin)
    };
    assert_eq!(documents_empty, 3);
}
