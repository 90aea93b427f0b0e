//! Ranks, groups and positions by hand.

use std::sync::Arc;

use super::{
    compare::{Method, NoBootstrap, NoiseFloorError},
    testing::{bits_profile, measured, profile, result},
    *,
};

const NO_FLOOR: fn() -> NoiseFloor = NoiseFloor::default;

/// Submissions by rank, with tie group and position.
fn ranked(results: &[RoundResult], floor: NoiseFloor, view: View) -> Vec<(&str, u32, u32)> {
    let ranking = rank(results, floor, view).unwrap();
    for (rank, entry) in (1..).zip(&ranking.entries) {
        assert_eq!(entry.rank, rank);
    }
    let entries = ranking.entries.iter();
    entries
        .map(|entry| (entry.result.submission.as_str(), entry.tie_group, entry.position))
        .collect()
}

fn board(results: &[RoundResult]) -> Vec<&str> {
    let ranked = ranked(results, NO_FLOOR(), View::Board);
    ranked.into_iter().map(|(submission, ..)| submission).collect()
}

#[test]
fn the_best_of_each_hotkey_by_score_then_time_then_id() {
    let score = |submission: &str, hotkey: &str, at, final_score| RoundResult {
        final_score,
        ..result(submission, hotkey, at, 2.0)
    };
    let results = [
        score("a", "h1", 10, 0.3),
        score("b", "h1", 5, 0.2),
        score("c", "h2", 9, 0.3),
        // The same on the grid as 0.3, though larger.
        score("d", "h3", 11, 0.300_000_000_4),
        score("e", "h4", 12, 0.300_000_000_6),
        score("g", "h5", 9, 0.3),
        score("f", "h6", 9, 0.3),
        score("h", "h7", 1, 0.0),
    ];
    assert_eq!(board(&results), ["e", "c", "f", "g", "a", "d", "h"]);
}

#[test]
fn the_grid_is_that_of_the_contract() {
    for (final_score, step) in [
        (0.0, 0),
        (-0.0, 0),
        (4.9e-10, 0),
        (5.0e-10, 1),
        (1.0e-9, 1),
        (0.333_333_333_333, 333_333_333),
        (1.0, 1_000_000_000),
    ] {
        let result = RoundResult {
            final_score,
            ..result("s", "h", 0, 2.0)
        };
        assert_eq!(result.score_step(), step, "{final_score}");
    }
}

#[test]
fn what_is_no_number_never_ranks() {
    let good = result("good", "h", 0, 2.0);
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.1, 1.1, 1e300] {
        let changed = [
            RoundResult {
                final_score: bad,
                ..good.clone()
            },
            RoundResult {
                bpb: if bad.is_finite() { f64::NAN } else { bad },
                ..good.clone()
            },
            RoundResult {
                bpb_se: if bad > 0.0 { f64::INFINITY } else { bad },
                ..good.clone()
            },
            RoundResult {
                bpb_ranked: if bad.is_finite() { f64::NAN } else { bad },
                ..good.clone()
            },
        ];
        for changed in changed {
            assert_eq!(
                changed.place(View::Board),
                Err(NoPlace::NotANumber),
                "{changed:?}"
            );
            assert_eq!(board(&[changed]), [""; 0]);
        }
    }
}

#[test]
fn what_does_not_count_is_not_there_and_provisional_is_on_the_board_alone() {
    let with = |submission: &str, hotkey: &str, bpb, counts| RoundResult {
        counts,
        ..result(submission, hotkey, 7, bpb)
    };
    let mut results = vec![
        with("counted", "h1", 3.0, Counts::Counted),
        with("better", "h1", 1.0, Counts::Provisional),
        with("waits", "h2", 2.0, Counts::Provisional),
        with("zero", "h3", 2.0, Counts::Counted),
        with("odd", "h4", 2.0, Counts::Counted),
    ];
    results[3].final_score = 4e-10;
    (results[4].anomalous, results[4].final_score) = (true, 0.0);
    for (number, why) in (10..).zip([
        NotCounted::Unfinished,
        NotCounted::Failed,
        NotCounted::Rejected,
        NotCounted::Cancelled,
        NotCounted::Invalidated,
        NotCounted::Rehearsal,
        NotCounted::NoRank,
    ]) {
        let id = format!("not{number}");
        results.push(with(&id, &format!("h{number}"), 0.5, Counts::Not(why)));
    }
    assert_eq!(board(&results), ["better", "waits", "odd", "zero"]);
    assert_eq!(ranked(&results, NO_FLOOR(), View::Weights), [("counted", 1, 1)]);
    assert_eq!(results[1].place(View::Weights), Err(NoPlace::Provisional));
    assert_eq!(results[3].place(View::Weights), Err(NoPlace::Zero));
    assert_eq!(results[4].place(View::Weights), Err(NoPlace::Anomalous));
}

#[test]
fn a_submission_with_two_results_is_refused() {
    let results = [
        result("a", "h1", 0, 2.0),
        result("b", "h2", 0, 2.0),
        result("a", "h3", 1, 1.0),
    ];
    assert_eq!(
        rank(&results, NO_FLOOR(), View::Board),
        Err(RankingError::Twice("a".into()))
    );
    assert_eq!(rank(&[], NO_FLOOR(), View::Board).unwrap().entries, []);
}

#[test]
fn a_noise_floor_is_a_number_of_bits() {
    assert_eq!(NoiseFloor::new(0.002).unwrap().bpb(), 0.002);
    for bad in [f64::NAN, -0.001, f64::INFINITY, 8.5] {
        assert!(
            matches!(NoiseFloor::new(bad), Err(NoiseFloorError { .. })),
            "{bad}"
        );
    }
}

/// Blocks that cost this many bits more at even and less at odd places: a mean of nothing and a wide spread.
fn swing(block: u64, bits: f64) -> f64 {
    if block.is_multiple_of(2) { bits } else { -bits }
}

#[test]
fn a_tie_goes_by_time_and_a_difference_does_not() {
    let base = || profile(100, |_| 0.0);
    // 1 bit better on average, give or take 2; then 10 bits better, give or take the same.
    let lucky = || profile(100, |block| swing(block, 10.0) - 1.0);
    let better = || profile(100, |block| swing(block, 10.0) - 10.0);
    let first = measured("first", "h1", 1, base());
    let results = [first.clone(), measured("lucky", "h2", 2, lucky())];
    assert_eq!(
        ranked(&results, NO_FLOOR(), View::Board),
        [("lucky", 1, 2), ("first", 1, 1)]
    );
    let results = [first.clone(), measured("better", "h2", 2, better())];
    assert_eq!(
        ranked(&results, NO_FLOOR(), View::Board),
        [("better", 1, 1), ("first", 2, 2)]
    );
    // 10 bits of 1,000 bytes are 0.01 bpb, and below a floor of 0.02.
    assert_eq!(
        ranked(&results, NoiseFloor::new(0.02).unwrap(), View::Board),
        [("better", 1, 2), ("first", 1, 1)]
    );
    assert_eq!(
        ranked(&results, NoiseFloor::new(0.009).unwrap(), View::Board),
        [("better", 1, 1), ("first", 2, 2)]
    );
    // The same difference in every block is no chance, however small, unless a floor says so.
    let results = [first, measured("steady", "h2", 2, profile(100, |_| -0.5))];
    assert_eq!(
        ranked(&results, NO_FLOOR(), View::Board),
        [("steady", 1, 1), ("first", 2, 2)]
    );
}

#[test]
fn first_place_is_that_by_rank_and_that_by_position() {
    let wide = profile(100, |block| swing(block, 10.0) - 1.0);
    let mut results = vec![
        measured("first", "h1", 1, profile(100, |_| 0.0)),
        measured("lucky", "h2", 2, wide),
        measured("third", "h3", 0, profile(100, |_| 50.0)),
    ];
    let firsts = |results: &[RoundResult]| -> Vec<String> {
        let ranking = rank(results, NO_FLOOR(), View::Weights).unwrap();
        ranking
            .first_places()
            .map(|result| result.submission.clone())
            .collect()
    };
    assert_eq!(firsts(&results), ["lucky", "first"]);
    // While these wait, somebody else would take it.
    results[0].counts = Counts::Provisional;
    assert_eq!(firsts(&results), ["lucky"]);
    results[1].counts = Counts::Provisional;
    assert_eq!(firsts(&results), ["third"]);
    assert_eq!(firsts(&[]), [""; 0]);
}

#[test]
fn an_exact_copy_stands_behind_its_original_whatever_its_name() {
    let results = [
        measured("z", "h9", 1, profile(50, |_| 0.0)),
        measured("a", "h1", 2, profile(50, |_| 0.0)),
        measured("b", "h2", 1, profile(50, |_| 0.0)),
    ];
    assert_eq!(
        ranked(&results, NO_FLOOR(), View::Board),
        [("b", 1, 1), ("z", 1, 2), ("a", 1, 3)]
    );
}

#[test]
fn penalties_never_tie_with_what_has_none() {
    let honest = measured("honest", "h1", 9, profile(50, |_| 0.0));
    let halved = RoundResult {
        memorization: true,
        final_score: 0.5 * honest.final_score,
        ..measured("halved", "h2", 1, profile(50, |_| 0.0))
    };
    let results = [honest.clone(), halved];
    let floor = NoiseFloor::new(1.0).unwrap();
    assert_eq!(
        ranked(&results, floor, View::Weights),
        [("honest", 1, 1), ("halved", 2, 2)]
    );
    let ranking = rank(&results, floor, View::Weights).unwrap();
    let Tie::Behind(_, comparison) = ranking.entries[1].tie else {
        panic!("{ranking:?}");
    };
    assert_eq!(
        (comparison.method, comparison.difference_bpb),
        (Method::Penalty, 0.0)
    );
    let odd = RoundResult {
        anomalous: true,
        final_score: 0.0,
        ..measured("odd", "h3", 0, profile(50, |_| 0.0))
    };
    assert_eq!(
        ranked(&[honest, odd], floor, View::Board),
        [("honest", 1, 1), ("odd", 2, 2)]
    );
}

#[test]
fn without_profiles_in_common_the_standard_errors_decide_and_say_so() {
    let of = |submission: &str, at, bpb: f64, profile: Option<CodeProfile>| RoundResult {
        bpb_se: 0.001,
        profile: profile.map(Arc::new),
        ..result(submission, submission, at, bpb)
    };
    let good = |bits: f64| profile(40, move |_| bits);
    let cases = [
        (None, None, NoBootstrap::NoProfile),
        (Some(good(0.0)), None, NoBootstrap::NoProfile),
        (None, Some(good(1.0)), NoBootstrap::NoProfile),
        (Some(good(0.0)), Some(good(9.0)), NoBootstrap::OtherRun),
        (
            Some(good(0.0)),
            Some(profile(41, |_| 1.0)),
            NoBootstrap::OtherStream,
        ),
        (
            Some(profile(29, |_| 0.0)),
            Some(profile(29, |_| 1.0)),
            NoBootstrap::FewBlocks,
        ),
    ];
    for (a, b, expected) in cases {
        let results = [of("a", 2, 2.0, a), of("b", 1, 2.001, b)];
        let ranking = rank(&results, NO_FLOOR(), View::Board).unwrap();
        let Tie::With(best, comparison) = ranking.entries[1].tie else {
            panic!("{ranking:?}");
        };
        assert_eq!(best.submission, "a");
        let Method::StandardErrors(interval, why) = comparison.method else {
            panic!("{comparison:?}");
        };
        assert_eq!(why, expected);
        // 1.96 times the error of both.
        let half = 1.959_963_984_540_054 * 0.001 * 2.0_f64.sqrt();
        assert!((interval.high_bpb - 0.001 - half).abs() < 1e-12, "{interval:?}");
        assert!(comparison.explain().contains("standard errors alone"));
        assert!(comparison.explain().contains(why.explain()));
    }
    let exact = [
        RoundResult {
            bpb_se: 0.0,
            ..of("a", 2, 2.0, None)
        },
        RoundResult {
            bpb_se: 0.0,
            ..of("b", 1, 2.001, None)
        },
    ];
    assert_eq!(
        ranked(&exact, NO_FLOOR(), View::Board),
        [("a", 1, 1), ("b", 2, 2)]
    );
}

#[test]
fn the_audits_error_widens_a_comparison() {
    let first = measured("first", "h1", 1, bits_profile(100, 0, 0.0, 100.0, |_| 0.0));
    let steady = measured("steady", "h2", 2, bits_profile(100, 0, 0.0, 0.0, |_| -1.0));
    let mut results = [first, steady];
    assert_eq!(
        ranked(&results, NO_FLOOR(), View::Board),
        [("steady", 1, 2), ("first", 1, 1)]
    );
    results[0] = measured("first", "h1", 1, bits_profile(100, 0, 0.0, 10.0, |_| 0.0));
    assert_eq!(
        ranked(&results, NO_FLOOR(), View::Board),
        [("steady", 1, 1), ("first", 2, 2)]
    );
}

#[test]
fn an_improvement_of_ones_own_keeps_the_place_that_it_improves() {
    let close = |bits: f64| profile(100, move |block| swing(block, 20.0 * bits) - bits);
    let mut results = vec![
        measured("mine", "h1", 1, profile(100, |_| 0.0)),
        measured("theirs", "h2", 2, close(1.0)),
        measured("mine, later", "h1", 3, close(1.1)),
    ];
    let ranking = rank(&results, NO_FLOOR(), View::Weights).unwrap();
    assert_eq!(ranking.entries[0].result.submission, "mine, later");
    assert_eq!(ranking.entries[0].held_since.submission, "mine");
    assert_eq!((ranking.entries[0].position, ranking.entries[1].position), (1, 2));
    // What the best of the group beats holds no place in it.
    results[0] = measured("mine", "h1", 1, profile(100, |_| 100.0));
    let ranking = rank(&results, NO_FLOOR(), View::Weights).unwrap();
    assert_eq!(ranking.entries[0].held_since.submission, "mine, later");
    assert_eq!((ranking.entries[0].position, ranking.entries[1].position), (2, 1));
    // Nor does one that does not count.
    results[0] = RoundResult {
        counts: Counts::Not(NotCounted::Invalidated),
        ..measured("mine", "h1", 1, profile(100, |_| 0.0))
    };
    let ranking = rank(&results, NO_FLOOR(), View::Weights).unwrap();
    assert_eq!((ranking.entries[0].position, ranking.entries[1].position), (2, 1));
}

#[test]
fn a_pair_of_one_person_does_not_cut_off_the_earlier_one() {
    let wide = |bits: f64| profile(100, move |block| swing(block, 60.0) - bits);
    let results = [
        measured("first", "h1", 1, profile(100, |_| 0.0)),
        measured("lucky", "h2", 2, wide(5.0)),
        // Behind it by the same everywhere, and still ahead of the first.
        measured("wedge", "h3", 3, wide(1.0)),
    ];
    assert_eq!(
        ranked(&results, NO_FLOOR(), View::Weights),
        [("lucky", 1, 2), ("wedge", 2, 3), ("first", 1, 1)]
    );
}

#[test]
fn the_order_is_total_for_a_thousand() {
    let results: Vec<_> = (0..1_000_i64)
        .map(|number| {
            let bits = (number * 7_919 % 1_009) as f64 / 10.0;
            let noisy = profile(40, move |block| bits + swing(block, (number % 5) as f64));
            measured(
                &format!("s{number:04}"),
                &format!("h{number:04}"),
                number % 100,
                noisy,
            )
        })
        .collect();
    let ranked = ranked(&results, NoiseFloor::new(1e-4).unwrap(), View::Weights);
    assert_eq!(ranked.len(), 1_000);
    let mut positions: Vec<_> = ranked.iter().map(|&(_, _, position)| position).collect();
    positions.sort_unstable();
    assert!(positions.into_iter().eq(1..=1_000));
    assert!(ranked.iter().any(|&(_, group, _)| group > 100));
}
