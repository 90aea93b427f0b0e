//! What holds for every ranking.
//!
//! Each property was seen to fail for a fault that could be made in this code: an order that is not total, a comparison
//! that is not with the best of the group, a score that is no number and ranks, a time that is not the earliest.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{
    testing::{measured, profile, result},
    *,
};

/// Scores with many duplicates, neighbours on the grid, and what is no score.
fn any_score() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => (0_u32..6).prop_map(|step| 0.3 + f64::from(step) * 4e-10),
        4 => 0.0_f64..1.0,
        1 => Just(0.0),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.25, 1.5]),
    ]
}

pub(crate) fn any_counts() -> impl Strategy<Value = Counts> {
    prop_oneof![
        6 => Just(Counts::Counted),
        2 => Just(Counts::Provisional),
        1 => prop::sample::select(vec![
            NotCounted::Unfinished,
            NotCounted::Failed,
            NotCounted::Rejected,
            NotCounted::Cancelled,
            NotCounted::Invalidated,
            NotCounted::Rehearsal,
            NotCounted::NoRank,
        ]).prop_map(Counts::Not),
    ]
}

/// What one result is made of, apart from its name.
type Made = (u8, i64, f64, Counts, (u8, u8, bool), (bool, bool, bool));

fn any_made() -> impl Strategy<Value = Made> {
    (
        0_u8..9,
        0_i64..12,
        any_score(),
        any_counts(),
        (0_u8..5, 0_u8..5, prop::bool::weighted(0.8)),
        (
            prop::bool::weighted(0.1),
            prop::bool::weighted(0.1),
            prop::bool::weighted(0.05),
        ),
    )
}

fn made(number: usize, made: Made) -> RoundResult {
    let (hotkey, at, final_score, counts, (bits, swing, profiled), (memorization, anomalous, unknown)) = made;
    let (submission, hotkey) = (format!("s{number:03}"), format!("h{hotkey}"));
    let base = if profiled {
        let swing = f64::from(swing) * 10.0;
        let of = |block| f64::from(bits) + if block % 2 == 0 { swing } else { -swing };
        measured(&submission, &hotkey, at, profile(32, of))
    } else {
        result(&submission, &hotkey, at, 2.0 + f64::from(bits) / 1_000.0)
    };
    RoundResult {
        counts,
        final_score,
        memorization,
        anomalous,
        bpb_ranked: if unknown { f64::NAN } else { base.bpb_ranked },
        ..base
    }
}

/// Results of a round, of every kind.
pub(crate) fn any_results() -> impl Strategy<Value = Vec<RoundResult>> {
    prop::collection::vec(any_made(), 0..24).prop_map(|all| {
        all.into_iter()
            .enumerate()
            .map(|(number, it)| made(number, it))
            .collect()
    })
}

pub(crate) fn any_floor() -> impl Strategy<Value = NoiseFloor> {
    prop_oneof![Just(0.0), Just(0.001), Just(0.002), Just(8.0)].prop_map(|bpb| NoiseFloor::new(bpb).unwrap())
}

fn any_view() -> impl Strategy<Value = View> {
    prop::sample::select(vec![View::Board, View::Weights])
}

/// A ranking without the bulk of its results, to compare two.
fn told(ranking: &Ranking<'_>) -> Vec<String> {
    let entries = ranking.entries.iter();
    entries
        .map(|entry| {
            let tie = match &entry.tie {
                Tie::First => "first".into(),
                Tie::Behind(best, comparison) => format!("behind {} {comparison:?}", best.submission),
                Tie::With(best, comparison) => format!("with {} {comparison:?}", best.submission),
            };
            format!(
                "{} {} group {} position {} since {}: {tie}",
                entry.rank,
                entry.result.submission,
                entry.tie_group,
                entry.position,
                entry.held_since.submission
            )
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_of_the_input_does_not_matter(
        (results, shuffled) in any_results()
            .prop_flat_map(|results| (Just(results.clone()), Just(results).prop_shuffle())),
        floor in any_floor(),
        view in any_view(),
    ) {
        let (a, b) = (rank(&results, floor, view).unwrap(), rank(&shuffled, floor, view).unwrap());
        prop_assert_eq!(told(&a), told(&b));
    }

    #[test]
    fn ranks_and_positions_have_no_gaps_and_every_hotkey_has_its_best(
        results in any_results(),
        floor in any_floor(),
        view in any_view(),
    ) {
        let ranking = rank(&results, floor, view).unwrap();
        let ranks: Vec<u32> = ranking.entries.iter().map(|entry| entry.rank).collect();
        prop_assert!(ranks.iter().copied().eq((1..).take(ranks.len())));
        let mut positions: Vec<u32> = ranking.entries.iter().map(|entry| entry.position).collect();
        positions.sort_unstable();
        prop_assert_eq!(positions, ranks);

        let mut best: BTreeMap<&str, &RoundResult> = BTreeMap::new();
        for result in &results {
            if result.place(view).is_ok() {
                prop_assert!((0.0..=1.0).contains(&result.final_score));
                let of_one = best.entry(&result.hotkey).or_insert(result);
                if result.order() < of_one.order() {
                    *of_one = result;
                }
            }
        }
        let ours: BTreeMap<&str, &RoundResult> =
            ranking.entries.iter().map(|entry| (entry.result.hotkey.as_str(), entry.result)).collect();
        prop_assert_eq!(ours.len(), ranking.entries.len());
        // By name: what is compared may hold NaN elsewhere.
        let names = |of: &BTreeMap<&str, &RoundResult>| -> Vec<String> {
            of.values().map(|result| result.submission.clone()).collect()
        };
        prop_assert_eq!(names(&best), names(&ours));
        for pair in ranking.entries.windows(2) {
            let (above, below) = (pair[0].result, pair[1].result);
            let step = |result: &RoundResult| (result.final_score / 1e-9 + 0.5).floor();
            prop_assert!(
                step(above) > step(below)
                    || (step(above) == step(below)
                        && (above.accepted_at_us, &above.submission) < (below.accepted_at_us, &below.submission))
            );
        }
    }

    #[test]
    fn groups_hang_together_and_positions_go_by_group_and_time(
        results in any_results(),
        floor in any_floor(),
        view in any_view(),
    ) {
        let ranking = rank(&results, floor, view).unwrap();
        let mut bests: Vec<&Entry<'_>> = Vec::new();
        for entry in &ranking.entries {
            let best_of = |group: u32| bests[group as usize - 1].result;
            match &entry.tie {
                Tie::First => prop_assert_eq!((entry.rank, entry.tie_group), (1, 1)),
                Tie::Behind(best, comparison) => {
                    prop_assert!(!comparison.tied());
                    prop_assert_eq!(entry.tie_group as usize, bests.len() + 1);
                    prop_assert_eq!(&best.submission, &best_of(entry.tie_group - 1).submission);
                }
                Tie::With(best, comparison) => {
                    prop_assert!(comparison.tied());
                    prop_assert_eq!(&best.submission, &best_of(entry.tie_group).submission);
                    prop_assert_eq!(best.memorization, entry.result.memorization);
                    prop_assert_eq!(best.anomalous, entry.result.anomalous);
                }
            }
            if entry.tie_group as usize > bests.len() {
                bests.push(entry);
            }
            // A place is held by a result of one's own that takes one and is no later than the best.
            prop_assert_eq!(&entry.held_since.hotkey, &entry.result.hotkey);
            prop_assert!(entry.held_since.place(view).is_ok());
            prop_assert!(entry.held_since.seniority() <= entry.result.seniority());
        }
        let mut by_position: Vec<&Entry<'_>> = ranking.entries.iter().collect();
        by_position.sort_by_key(|entry| entry.position);
        for pair in by_position.windows(2) {
            let key = |entry: &Entry<'_>| {
                (entry.tie_group, entry.held_since.accepted_at_us, entry.held_since.submission.clone())
            };
            prop_assert!(key(pair[0]) < key(pair[1]));
        }
    }

    #[test]
    fn a_later_copy_never_comes_before_its_original(
        results in any_results(),
        floor in any_floor(),
        which in any::<prop::sample::Index>(),
    ) {
        let ranking = rank(&results, floor, View::Weights).unwrap();
        prop_assume!(!ranking.entries.is_empty());
        let original = which.get(&ranking.entries).result;
        let mut with_copy = results.clone();
        with_copy.push(RoundResult {
            // A name that would come first.
            submission: "a copy".into(),
            hotkey: "a copier".into(),
            accepted_at_us: 100,
            ..original.clone()
        });
        let ranking = rank(&with_copy, floor, View::Weights).unwrap();
        let position = |hotkey: &str| {
            ranking.entries.iter().find(|entry| entry.result.hotkey == hotkey).map(|entry| entry.position)
        };
        prop_assert!(position("a copier") > position(&original.hotkey));
    }

    #[test]
    fn a_worse_result_of_ones_own_changes_no_rank(
        results in any_results(),
        floor in any_floor(),
        which in any::<prop::sample::Index>(),
    ) {
        let before = rank(&results, floor, View::Weights).unwrap();
        prop_assume!(!before.entries.is_empty());
        let of = which.get(&before.entries).result;
        let mut more = results.clone();
        more.push(RoundResult {
            submission: "worse".into(),
            accepted_at_us: 100,
            final_score: 1e-9,
            ..result("", &of.hotkey, 0, 7.0)
        });
        let after = rank(&more, floor, View::Weights).unwrap();
        prop_assert_eq!(told(&before), told(&after));
    }

    #[test]
    fn what_takes_no_place_changes_nothing(results in any_results(), floor in any_floor(), view in any_view()) {
        let ranking = rank(&results, floor, view).unwrap();
        let placed: Vec<_> = results.iter().filter(|result| result.place(view).is_ok()).cloned().collect();
        prop_assert_eq!(told(&ranking), told(&rank(&placed, floor, view).unwrap()));
    }
}
