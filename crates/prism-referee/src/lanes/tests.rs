//! The layout against its definition, written out target by target.

use proptest::prelude::*;

use super::*;

const EOT: u32 = 256;

fn documents(lengths: &[usize]) -> Vec<TokenDocument> {
    let make = |(number, &len): (usize, &usize)| TokenDocument {
        number: number as u64,
        ids: (0..len)
            .map(|i| u32::try_from((number * 31 + i) % 256).unwrap())
            .collect(),
        byte_lengths: (0..len).map(|i| u16::try_from(i % 5).unwrap()).collect(),
    };
    lengths.iter().enumerate().map(make).collect()
}

fn steps(lengths: &[usize], batch: u32, seq_len: u32) -> Vec<Step> {
    let mut lanes = Lanes::new(documents(lengths), batch, seq_len, EOT);
    let mut out = Vec::new();
    let mut step = Step::default();
    while lanes.next_step(&mut step).unwrap() {
        out.push(step.clone());
    }
    assert_eq!(lanes.steps(), out.len() as u64);
    assert!(!lanes.next_step(&mut step).unwrap(), "the end is the end");
    out
}

#[test]
fn lanes_are_equal_parts_and_a_document_that_is_cut_starts_anew() {
    // 12 targets: 0, end, 31 to 35, end, 62, 63, end, end. Two lanes of two rows of three.
    let all = steps(&[1, 5, 2, 0], 2, 3);
    let eot = EOT.cast_signed();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].tokens, [eot, 0, eot, 31, eot, 35, eot, 62]);
    assert_eq!(
        all[1].tokens,
        [31, 32, 33, 34, 62, 63, eot, eot],
        "column 0 is the last token paid for in its lane"
    );
    let segments = |step: &Step| -> Vec<_> {
        let of = |s: &Segment| (s.lane, s.column, s.targets, s.document, s.completes);
        step.segments.iter().map(of).collect()
    };
    // Document 1 is complete with the first of its parts: lane 0 reads it last.
    let first = [
        (0, 0, 2, 0, true),
        (0, 2, 1, 1, false),
        (1, 0, 2, 1, false),
        (1, 2, 1, 2, false),
    ];
    assert_eq!(segments(&all[0]), first);
    let second = [(0, 0, 3, 1, true), (1, 0, 2, 2, true), (1, 2, 1, 3, true)];
    assert_eq!(segments(&all[1]), second);
}

#[test]
fn the_last_lanes_may_be_short_or_empty() {
    // Seven targets in four lanes of one row of two, then in five of them.
    let full = [1, 1];
    let masks = |batch| -> Vec<u8> { steps(&[6], batch, 2)[0].mask.clone() };
    assert_eq!(masks(4), [full, full, full, [1, 0]].concat());
    assert_eq!(masks(5), [full, full, full, [1, 0], [0, 0]].concat());
    assert!(steps(&[], 3, 4).is_empty());
}

#[test]
fn a_question_does_not_hold_its_target() {
    let step = &steps(&[7], 1, 4)[0];
    let mut row = Vec::new();
    question_row(step, 0, 1, 4, EOT, &mut row);
    assert_eq!(row, [256, 0, 256, 256]);
    assert_eq!(target(step, 0, 1, 4), 1);
}

/// Documents that are longer than they were said to be.
struct Grown(Vec<TokenDocument>);

impl Documents for Grown {
    fn count(&self) -> u64 {
        self.0.count()
    }
    fn targets(&self, place: u64) -> u64 {
        self.0.targets(place) - 1
    }
    fn document(&self, place: u64) -> Result<TokenDocument, DocumentError> {
        self.0.document(place)
    }
}

#[test]
fn a_document_that_has_changed_since_it_was_counted_is_an_error() {
    let mut lanes = Lanes::new(Grown(documents(&[4])), 1, 8, EOT);
    let error = lanes.next_step(&mut Step::default()).unwrap_err();
    assert!(error.0.contains("document 0 has 4 tokens and had 3"), "{error}");
}

/// Counts how often a document is tokenised.
struct Counting(Vec<TokenDocument>, std::cell::Cell<u64>);

impl Documents for &Counting {
    fn count(&self) -> u64 {
        self.0.count()
    }
    fn targets(&self, place: u64) -> u64 {
        self.0.targets(place)
    }
    fn document(&self, place: u64) -> Result<TokenDocument, DocumentError> {
        self.1.set(self.1.get() + 1);
        self.0.document(place)
    }
}

#[test]
fn a_document_is_tokenised_once_for_each_lane_that_holds_a_part_of_it() {
    // Three lanes of 20 targets: the ends of the first two cut documents 1 and 2.
    let counting = Counting(documents(&[9, 19, 19, 9]), std::cell::Cell::new(0));
    let mut lanes = Lanes::new(&counting, 3, 4, EOT);
    assert_eq!(counting.1.get(), 0, "none is read beforehand");
    let mut step = Step::default();
    while lanes.next_step(&mut step).unwrap() {}
    assert_eq!((lanes.steps(), counting.1.get()), (5, 6));
}

/// The sequence of all targets: token, bytes, document.
fn sequence(lengths: &[usize]) -> Vec<(i32, u16, u64)> {
    let mut all = Vec::new();
    for document in documents(lengths) {
        let pairs = document.ids.iter().zip(&document.byte_lengths);
        all.extend(pairs.map(|(&id, &bytes)| (id.cast_signed(), bytes, document.number)));
        all.push((EOT.cast_signed(), 0, document.number));
    }
    all
}

proptest! {
    #[test]
    fn every_target_is_where_the_definition_puts_it(
        lengths in prop::collection::vec(0_usize..40, 0..30),
        batch in 1_u32..9,
        seq_len in 1_u32..17,
    ) {
        let all = steps(&lengths, batch, seq_len);
        let expected = sequence(&lengths);
        let (b, t) = (batch as usize, seq_len as usize);
        let rows = expected.len().div_ceil(b * t);
        prop_assert_eq!(all.len(), rows);
        for (row, step) in all.iter().enumerate() {
            for lane in 0..b {
                let start = lane * rows * t;
                let before = match row {
                    0 => None,
                    _ => expected.get(start..start + row * t).and_then(|read| read.last()),
                };
                // A lane that is empty from here on shows end-of-text, or the last token that it had.
                let first = step.tokens[lane * (t + 1)];
                if row == 0 || before.is_some() {
                    prop_assert_eq!(first, before.map_or(EOT.cast_signed(), |&(token, _, _)| token));
                }
                for column in 0..t {
                    let place = lane * t + column;
                    let token = step.tokens[lane * (t + 1) + column + 1];
                    let (mask, bytes) = (step.mask[place], step.byte_lengths[place]);
                    let target = expected.get(start + row * t + column);
                    let wanted = target.map_or((EOT.cast_signed(), 0, 0), |&(id, len, _)| (id, 1, len));
                    prop_assert_eq!((token, mask, bytes), wanted);
                }
            }
        }
    }

    #[test]
    fn segments_tell_whose_the_targets_are_and_when_a_document_is_complete(
        lengths in prop::collection::vec(0_usize..40, 0..30),
        batch in 1_u32..9,
        seq_len in 1_u32..17,
    ) {
        let all = steps(&lengths, batch, seq_len);
        let expected = sequence(&lengths);
        let lane_targets = all.len() * seq_len as usize;
        let mut unread: Vec<usize> = lengths.iter().map(|len| len + 1).collect();
        let mut completed = vec![false; lengths.len()];
        for (row, step) in all.iter().enumerate() {
            let mut places = Vec::new();
            for s in &step.segments {
                prop_assert!(s.targets > 0);
                let document = usize::try_from(s.document).unwrap();
                unread[document] -= s.targets as usize;
                prop_assert_eq!(s.completes, unread[document] == 0);
                completed[document] |= s.completes;
                for column in s.column..s.column + s.targets {
                    let at = s.lane as usize * lane_targets + row * seq_len as usize + column as usize;
                    prop_assert_eq!(expected[at].2, s.document);
                    places.push((s.lane * seq_len + column) as usize);
                }
            }
            prop_assert!(places.is_sorted_by(|a, b| a < b), "by row, then column");
            let real: Vec<_> = (0..step.mask.len()).filter(|&place| step.mask[place] == 1).collect();
            prop_assert_eq!(places, real);
            prop_assert_eq!(step.targets, step.mask.iter().map(|&m| u64::from(m)).sum::<u64>());
            prop_assert_eq!(step.bytes, step.byte_lengths.iter().map(|&len| u64::from(len)).sum::<u64>());
            prop_assert!(step.targets > 0, "no step is empty");
        }
        prop_assert!(completed.iter().all(|&complete| complete));
    }
}

#[test]
fn a_pass_of_many_steps_does_not_end_in_a_few_targets() {
    for (targets, batch, seq_len) in [
        (5001, 4, 8),
        (5001, 16, 3),
        (1601, 16, 1),
        (6400, 8, 8),
        (6401, 8, 8),
    ] {
        let all = steps(&[targets], batch, seq_len);
        assert!(all.len() >= 100);
        let (first, last) = (all[0].targets, all[all.len() - 1].targets);
        assert!(
            2 * last >= first,
            "{targets} {batch} {seq_len}: {last} of {first}"
        );
    }
}
