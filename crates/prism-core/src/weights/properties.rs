//! What holds for all weights.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{
    explain::Place,
    policy::{Ratio, Top},
    *,
};
use crate::ranking::{
    Counts,
    properties::{any_floor, any_results},
    testing::{measured, profile, result},
};

fn any_policy() -> impl Strategy<Value = Policy> {
    let top = || (1_u32..=256).prop_map(|top| Top::new(top).unwrap());
    prop_oneof![
        Just(Policy::default()),
        (0.1_f64..=1.0, top()).prop_map(|(ratio, top)| Policy::RankGeometric {
            ratio: Ratio::new(ratio).unwrap(),
            top,
        }),
        Just(Policy::WinnerTakeAll),
        top().prop_map(|k| Policy::TopKEqual { k }),
        Just(Policy::ScoreProportional),
    ]
}

/// Whether a result may take a weight, said once more and otherwise.
fn qualifies(result: &RoundResult) -> bool {
    let figures = [result.bpb, result.bpb_se, result.bpb_ranked];
    result.counts == Counts::Counted
        && !result.anomalous
        && (5e-10..=1.0).contains(&result.final_score)
        && figures.iter().all(|figure| figure.is_finite())
}

fn sum(weights: &Weights) -> f64 {
    weights.weights.values().sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn weights_are_above_zero_and_sum_to_one_or_there_are_none(
        results in any_results(),
        floor in any_floor(),
        policy in any_policy(),
    ) {
        let weights = weigh(&results, floor, policy).unwrap();
        prop_assert!(weights.weights.values().all(|weight| weight.is_finite() && *weight > 0.0));
        prop_assert_eq!(results.iter().any(qualifies), !weights.weights.is_empty());
        if !weights.weights.is_empty() {
            prop_assert!((sum(&weights) - 1.0).abs() <= 1e-12, "{}", sum(&weights));
        }
        for hotkey in weights.weights.keys() {
            let of_one = results.iter().filter(|result| result.hotkey == *hotkey);
            prop_assert!(of_one.clone().any(qualifies));
        }
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(
        (results, shuffled) in any_results()
            .prop_flat_map(|results| (Just(results.clone()), Just(results).prop_shuffle())),
        floor in any_floor(),
        policy in any_policy(),
    ) {
        let (a, b) = (weigh(&results, floor, policy).unwrap(), weigh(&shuffled, floor, policy).unwrap());
        prop_assert_eq!(a, b);
    }

    #[test]
    fn every_hotkey_is_explained_once_and_by_its_weight(
        results in any_results(),
        floor in any_floor(),
        policy in any_policy(),
    ) {
        let weights = weigh(&results, floor, policy).unwrap();
        let all: BTreeSet<&str> = results.iter().map(|result| result.hotkey.as_str()).collect();
        let told: Vec<&str> = weights.explained.iter().map(|explained| explained.hotkey.as_str()).collect();
        prop_assert_eq!(told.len(), all.len());
        prop_assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), all);
        let mut position = 0;
        for explained in &weights.explained {
            let weight = weights.weights.get(&explained.hotkey).copied().unwrap_or(0.0);
            prop_assert_eq!(explained.weight, weight);
            match &explained.place {
                Place::Taken(taken) => {
                    position += 1;
                    prop_assert_eq!(taken.position, position);
                    let counted = results.iter().find(|result| result.submission == taken.submission).unwrap();
                    prop_assert!(qualifies(counted), "{:?}", counted.counts);
                    prop_assert_eq!(taken.share.map_or(0.0, |share| share / taken.sum_of_shares), weight);
                }
                Place::None { why, submission } => {
                    prop_assert_eq!(weight, 0.0);
                    let closest = results.iter().find(|result| result.submission == *submission).unwrap();
                    prop_assert_eq!(closest.place(View::Weights), Err(*why));
                }
            }
            let lines = explained.lines(|us| us.to_string());
            prop_assert!(lines.len() <= 24);
        }
    }

    #[test]
    fn whatever_takes_no_place_changes_neither_weights_nor_hash(
        results in any_results(),
        floor in any_floor(),
        policy in any_policy(),
    ) {
        let weights = weigh(&results, floor, policy).unwrap();
        let placed: Vec<_> =
            results.iter().filter(|result| result.place(View::Weights).is_ok()).cloned().collect();
        let without = weigh(&placed, floor, policy).unwrap();
        prop_assert_eq!(&weights.weights, &without.weights);
        prop_assert_eq!(weights.inputs_hash, without.inputs_hash);
    }

    #[test]
    fn a_better_position_is_never_paid_less(
        results in any_results(),
        floor in any_floor(),
        policy in any_policy(),
    ) {
        prop_assume!(policy != Policy::ScoreProportional);
        let weights = weigh(&results, floor, policy).unwrap();
        prop_assert!(weights.explained.windows(2).all(|pair| pair[0].weight >= pair[1].weight));
    }

    #[test]
    fn a_later_copy_is_never_paid_more_than_its_original(
        results in any_results(),
        floor in any_floor(),
        policy in any_policy(),
        which in any::<prop::sample::Index>(),
    ) {
        let weights = weigh(&results, floor, policy).unwrap();
        prop_assume!(!weights.weights.is_empty());
        let hotkeys: Vec<&String> = weights.weights.keys().collect();
        let hotkey = *which.get(&hotkeys);
        let best = results
            .iter()
            .filter(|result| result.hotkey == *hotkey && result.place(View::Weights).is_ok())
            .max_by(|a, b| {
                (a.score_step(), -a.accepted_at_us, &b.submission)
                    .cmp(&(b.score_step(), -b.accepted_at_us, &a.submission))
            })
            .unwrap();
        let mut with_copy = results.clone();
        with_copy.push(RoundResult {
            submission: "a copy".into(),
            hotkey: "a copier".into(),
            accepted_at_us: 100,
            ..best.clone()
        });
        let after = weigh(&with_copy, floor, policy).unwrap();
        let of = |hotkey: &str| after.weights.get(hotkey).copied().unwrap_or(0.0);
        prop_assert!(of("a copier") <= of(hotkey));
    }
}

#[test]
fn a_thousand_hotkeys_sum_to_one_under_every_policy() {
    let results: Vec<_> = (0..1_000_i64)
        .map(|number| {
            let (submission, hotkey) = (format!("s{number:04}"), format!("h{number:04}"));
            let bits = (number * 7_919 % 1_009) as f64;
            if number % 10 != 0 {
                result(&submission, &hotkey, number % 50, 2.0 + bits / 1_000.0)
            } else {
                let swing = (number % 7) as f64 * 10.0;
                let of = move |block: u64| bits + if block.is_multiple_of(2) { swing } else { -swing };
                measured(&submission, &hotkey, number % 50, profile(30, of))
            }
        })
        .collect();
    for policy in [
        "rank-geometric",
        "rank-geometric(ratio=1, top=256)",
        "rank-geometric(ratio=0.1, top=256)",
        "winner-take-all",
        "top-k-equal(k=256)",
        "score-proportional",
    ] {
        let weights = weigh(&results, NoiseFloor::new(0.001).unwrap(), policy.parse().unwrap()).unwrap();
        assert!(
            (sum(&weights) - 1.0).abs() <= 1e-12,
            "{policy}: {}",
            sum(&weights)
        );
        assert!(weights.weights.values().all(|weight| *weight > 0.0), "{policy}");
        assert_eq!(weights.explained.len(), 1_000);
    }
}
