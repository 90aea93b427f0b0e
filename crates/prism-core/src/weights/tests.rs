//! Weights and their explanations by hand.

use super::{
    explain::{MOST_OTHERS, Place},
    *,
};
use crate::ranking::{
    Counts, NoPlace, NotCounted,
    testing::{measured, profile, result},
};

fn weights(results: &[RoundResult], policy: &str) -> Vec<(String, f64)> {
    let weights = weigh(results, NoiseFloor::default(), policy.parse().unwrap()).unwrap();
    weights.weights.into_iter().collect()
}

/// Three results that differ, best first.
fn three() -> Vec<RoundResult> {
    vec![
        result("s1", "h1", 3, 1.0),
        result("s2", "h2", 2, 1.5),
        result("s3", "h3", 1, 3.0),
    ]
}

fn owned(weights: &[(&str, f64)]) -> Vec<(String, f64)> {
    weights
        .iter()
        .map(|&(hotkey, weight)| (hotkey.into(), weight))
        .collect()
}

#[test]
fn policies_by_hand() {
    // Scores: 1/2, 2/5 and 1/4, which sum to 23/20.
    let cases: &[(&str, &[(&str, f64)])] = &[
        (
            "rank-geometric",
            &[("h1", 1.0 / 1.75), ("h2", 0.5 / 1.75), ("h3", 0.25 / 1.75)],
        ),
        ("rank-geometric(top=2)", &[("h1", 1.0 / 1.5), ("h2", 0.5 / 1.5)]),
        ("rank-geometric(ratio=1, top=2)", &[("h1", 0.5), ("h2", 0.5)]),
        ("winner-take-all", &[("h1", 1.0)]),
        ("top-k-equal(k=2)", &[("h1", 0.5), ("h2", 0.5)]),
        (
            "top-k-equal(k=4)",
            &[("h1", 1.0 / 3.0), ("h2", 1.0 / 3.0), ("h3", 1.0 / 3.0)],
        ),
        (
            "score-proportional",
            &[("h1", 0.5 / 1.15), ("h2", 0.4 / 1.15), ("h3", 0.25 / 1.15)],
        ),
    ];
    for &(policy, expected) in cases {
        assert_eq!(weights(&three(), policy), owned(expected), "{policy}");
    }
}

#[test]
fn nobody_gets_nothing() {
    let mut results = three();
    for (result, counts) in results.iter_mut().zip([
        Counts::Provisional,
        Counts::Not(NotCounted::Failed),
        Counts::Not(NotCounted::Rehearsal),
    ]) {
        result.counts = counts;
    }
    results.push(RoundResult {
        final_score: 0.0,
        anomalous: true,
        ..result("s4", "h4", 0, 1.0)
    });
    results.push(RoundResult {
        final_score: f64::NAN,
        ..result("s5", "h5", 0, 1.0)
    });
    for policy in [
        "rank-geometric",
        "winner-take-all",
        "top-k-equal",
        "score-proportional",
    ] {
        assert_eq!(weights(&[], policy), []);
        assert_eq!(weights(&results, policy), []);
    }
    let explained = weigh(&results, NoiseFloor::default(), Policy::default())
        .unwrap()
        .explained;
    let why: Vec<_> = explained
        .iter()
        .map(|explained| match &explained.place {
            Place::None { why, .. } => (explained.hotkey.as_str(), explained.weight, *why),
            Place::Taken(_) => panic!("{explained:?}"),
        })
        .collect();
    assert_eq!(
        why,
        [
            ("h1", 0.0, NoPlace::Provisional),
            ("h2", 0.0, NoPlace::NotCounted(NotCounted::Failed)),
            ("h3", 0.0, NoPlace::NotCounted(NotCounted::Rehearsal)),
            ("h4", 0.0, NoPlace::Anomalous),
            ("h5", 0.0, NoPlace::NotANumber),
        ]
    );
}

#[test]
fn a_provisional_result_displaces_nobody_until_it_is_confirmed() {
    let before = weigh(&three(), NoiseFloor::default(), Policy::default()).unwrap();
    let mut results = three();
    let challenger = RoundResult {
        counts: Counts::Provisional,
        ..result("s4", "h3", 9, 0.5)
    };
    results.push(challenger.clone());
    let during = weigh(&results, NoiseFloor::default(), Policy::default()).unwrap();
    assert_eq!(
        (&before.weights, before.inputs_hash),
        (&during.weights, during.inputs_hash)
    );
    let of_challenger = during
        .explained
        .iter()
        .find(|explained| explained.hotkey == "h3")
        .unwrap();
    let waiting = of_challenger.provisional.as_ref().unwrap();
    assert_eq!((waiting.submission.as_str(), waiting.board_rank), ("s4", 1));
    let Place::Taken(taken) = &of_challenger.place else {
        panic!("{of_challenger:?}");
    };
    assert_eq!((taken.submission.as_str(), taken.position), ("s3", 3));

    results[3].counts = Counts::Counted;
    let after = weigh(&results, NoiseFloor::default(), Policy::default()).unwrap();
    assert_eq!(after.weights["h3"], 1.0 / 1.75);
    assert_eq!(after.weights["h2"], 0.25 / 1.75);
    assert_ne!(before.inputs_hash, after.inputs_hash);
}

#[test]
fn within_a_tie_group_the_earlier_one_is_paid_first() {
    let swing = |block: u64| if block.is_multiple_of(2) { 20.0 } else { -20.0 };
    let results = [
        measured("copy", "h1", 5, profile(60, move |block| swing(block) - 1.0)),
        measured("first", "h2", 4, profile(60, |_| 0.0)),
    ];
    for (policy, first, copy) in [
        ("rank-geometric", 1.0 / 1.5, Some(0.5 / 1.5)),
        ("winner-take-all", 1.0, None),
        ("top-k-equal(k=1)", 1.0, None),
    ] {
        let weights = weigh(&results, NoiseFloor::default(), policy.parse().unwrap()).unwrap();
        assert_eq!(weights.weights["h2"], first, "{policy}");
        assert_eq!(weights.weights.get("h1").copied(), copy, "{policy}");
    }
}

type Change = fn(&mut RoundResult);

#[test]
fn the_hash_covers_what_weights_depend_on_and_nothing_else() {
    let hash = |results: &[RoundResult], floor, policy: &str| {
        let floor = NoiseFloor::new(floor).unwrap();
        weigh(results, floor, policy.parse().unwrap())
            .unwrap()
            .inputs_hash
    };
    let base = vec![
        measured("s1", "h1", 1, profile(40, |_| 0.0)),
        measured("s2", "h2", 2, profile(40, |_| 1.0)),
    ];
    let before = hash(&base, 0.0, "rank-geometric");
    assert_ne!(before, hash(&base, 0.001, "rank-geometric"));
    assert_ne!(before, hash(&base, 0.0, "rank-geometric(top=19)"));
    assert_eq!(before, hash(&base, 0.0, "rank-geometric(ratio=0.5)"));
    let changes: [Change; 9] = [
        |r| r.submission = "s3".into(),
        |r| r.hotkey = "h3".into(),
        |r| r.accepted_at_us += 1,
        |r| r.final_score = f64::from_bits(r.final_score.to_bits() + 1),
        |r| r.bpb = f64::from_bits(r.bpb.to_bits() + 1),
        |r| r.bpb_se = 1e-9,
        |r| r.bpb_ranked += 1e-9,
        |r| r.memorization = true,
        |r| r.profile = None,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut changed = base.clone();
        change(&mut changed[1]);
        assert_ne!(before, hash(&changed, 0.0, "rank-geometric"), "change {number}");
    }
    let mut more = base.clone();
    more.push(RoundResult {
        counts: Counts::Not(NotCounted::Failed),
        ..result("s9", "h1", 9, 0.1)
    });
    assert_eq!(before, hash(&more, 0.0, "rank-geometric"));
    // Names cannot be arranged to look like other fields.
    let mut forged = base.clone();
    forged[0].submission = "s1\",\"h1".into();
    assert_ne!(before, hash(&forged, 0.0, "rank-geometric"));
}

#[test]
fn an_explanation_fits_on_a_screen_and_has_every_number() {
    let swing = |block: u64| if block.is_multiple_of(2) { 20.0 } else { -20.0 };
    let mut results = vec![
        measured("best", "h1", 5, profile(60, move |block| swing(block) - 1.0)),
        measured("older", "h1", 3, profile(60, |_| 0.5)),
        measured("tied", "h2", 4, profile(60, |_| 0.0)),
        RoundResult {
            counts: Counts::Provisional,
            ..measured("waits", "h2", 6, profile(60, |_| -50.0))
        },
    ];
    for number in 0..30 {
        results.push(RoundResult {
            counts: Counts::Not(NotCounted::Failed),
            ..result(&format!("failed{number:02}"), "h2", 10 + number, 2.0)
        });
    }
    let weights = weigh(&results, NoiseFloor::default(), Policy::default()).unwrap();
    let time = |us: i64| format!("t{us}");
    let lines: Vec<_> = weights
        .explained
        .iter()
        .map(|explained| explained.lines(time))
        .collect();
    let expected_first = [
        "h1  weight 0.666667",
        "  place     rank 1, tie group 1, position 1",
        "  result    best, accepted t5",
        "  score     0.333444481 from 1.999000 bits per byte (1.999000 + 3 x 0.000000)",
        "  since     t3, by its own older in the same group",
        "  policy    rank-geometric(ratio=0.5, top=20)",
        "            0.5^(1 - 1) = 1.000000000; / 1.500000000 (sum of shares) = 0.666666667",
        "  other     older of t3: 0.333277787, not its best",
    ];
    assert_eq!(lines[0], expected_first);
    let second = lines[1].join("\n");
    for part in [
        "h2  weight 0.333333",
        "rank 2, tie group 1, position 2",
        "tie with  best of h1",
        "needs +0.001000 bpb (95 %: -0.0",
        "), bootstrap over 60 blocks: may be chance",
        "waits is rank 1 on the board with 0.338983051; it takes no weight yet",
        "other     failed29 of t39: its run failed",
        "and 22 more",
    ] {
        assert!(second.contains(part), "{part} in\n{second}");
    }
    let json = serde_json::to_string(&weights.explained).unwrap();
    let read: Vec<Explained> = serde_json::from_str(&json).unwrap();
    assert_eq!(read, weights.explained);
}

#[test]
fn a_screen_holds_an_explanation_with_names_of_their_true_length() {
    let id = |number: usize| format!("{number:08}-0000-4000-8000-000000000000");
    let hotkey = |number: usize| format!("{number:048}");
    let time = |_| "2026-11-28T18:26:03.828177Z".to_owned();
    let mut results = vec![
        result(&id(0), &hotkey(0), 1, 2.0),
        result(&id(1), &hotkey(1), 0, 1.999),
    ];
    results[0].bpb_se = 0.01;
    for number in 2..40 {
        results.push(RoundResult {
            counts: if number == 2 {
                Counts::Provisional
            } else {
                Counts::Not(NotCounted::NoRank)
            },
            ..result(&id(number), &hotkey(number % 2), 9, 1.0)
        });
    }
    for profiled in [false, true] {
        if profiled {
            results[0] = measured(&id(0), &hotkey(0), 1, profile(2_000, |_| 1.0));
            results[1] = measured(&id(1), &hotkey(1), 0, profile(2_000, |_| 0.0));
        }
        let weights = weigh(&results, NoiseFloor::default(), Policy::default()).unwrap();
        for explained in &weights.explained {
            let lines = explained.lines(time);
            assert!((10..=12 + MOST_OTHERS).contains(&lines.len()), "{lines:#?}");
            assert!(lines.iter().all(|line| line.len() <= 120), "{lines:#?}");
        }
    }
}

#[test]
fn what_the_policy_does_not_pay_says_so() {
    let explained = |policy: &str| {
        let weights = weigh(&three(), NoiseFloor::default(), policy.parse().unwrap()).unwrap();
        weights.explained[2].lines(|_| String::new()).join("\n")
    };
    assert!(
        explained("rank-geometric(top=2)").contains("position 3 is beyond the 2 that have a share: no share")
    );
    assert!(explained("top-k-equal(k=2)").contains("position 3 is beyond the 2 that have a share: no share"));
    assert!(explained("winner-take-all").contains("and this is position 3: no share"));
    assert!(explained("score-proportional").contains("the score itself = 0.250000000; / 1.150000000"));
    assert!(explained("top-k-equal").contains("an equal share = 1.000000000; / 3.000000000"));
}
