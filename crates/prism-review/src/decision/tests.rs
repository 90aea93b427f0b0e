//! Every row of the table, and that nothing but two clean readings lets anything pass.

use proptest::prelude::*;

use super::*;

fn charge(line: u32) -> Charge {
    Charge {
        rule: "PRR106".into(),
        path: "architecture.py".into(),
        line,
        quote: "x".into(),
        why: "y".into(),
    }
}

fn reject() -> Outcome {
    Outcome::Vote(Vote::Reject {
        charges: vec![charge(1), charge(2)],
    })
}

const ALLOW: Outcome = Outcome::Vote(Vote::Allow);
const NONE: Outcome = Outcome::NoVote {
    why: NoVote::WrongEcho,
};
const BROKEN: Outcome = Outcome::Unreachable {
    why: Unreachable::Connection,
    retry_after_seconds: None,
};

/// Plays a review: the outcomes in turn, whatever is asked. What was asked, and the end if there was one.
fn play(outcomes: &[Outcome]) -> (Vec<Purpose>, Option<ReviewVerdict>) {
    let mut past = Vec::new();
    let mut asked = Vec::new();
    for outcome in outcomes {
        match next(&past) {
            Next::Call { purpose, .. } => {
                asked.push(purpose);
                past.push(Past {
                    purpose,
                    outcome: outcome.clone(),
                });
            }
            Next::End(verdict) => return (asked, Some(verdict)),
        }
    }
    match next(&past) {
        Next::End(verdict) => (asked, Some(verdict)),
        Next::Call { .. } => (asked, None),
    }
}

fn held(outcomes: &[Outcome]) -> Held {
    match play(outcomes).1 {
        Some(ReviewVerdict::Held { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn two_clean_readings_pass() {
    let (asked, end) = play(&[ALLOW, ALLOW]);
    assert_eq!(asked, [Purpose::Bare, Purpose::Full]);
    assert_eq!(end, Some(ReviewVerdict::Passed));
    assert_eq!(play(&[ALLOW]).1, None);
    assert_eq!(
        play(&[NONE, BROKEN, ALLOW, BROKEN, NONE, ALLOW]).1,
        Some(ReviewVerdict::Passed)
    );
}

#[test]
fn words_that_change_the_verdict_go_to_a_person() {
    let (asked, end) = play(&[reject(), ALLOW]);
    assert_eq!(
        asked,
        [Purpose::Bare, Purpose::Full],
        "nobody is asked to refute it"
    );
    assert!(matches!(end, Some(ReviewVerdict::Held { why: Held::Disputed, charges }) if charges.len() == 2));
}

#[test]
fn a_rejection_stands_only_if_it_cannot_be_refuted() {
    let stands = |numbers: &[usize]| {
        Outcome::Vote(Vote::Stands {
            numbers: numbers.to_vec(),
        })
    };
    for bare in [ALLOW, reject()] {
        let (asked, end) = play(&[bare.clone(), reject(), stands(&[1])]);
        assert_eq!(asked[2], Purpose::Refute);
        assert_eq!(
            end,
            Some(ReviewVerdict::Rejected {
                charges: vec![charge(2)]
            })
        );
        assert_eq!(
            held(&[bare.clone(), reject(), Outcome::Vote(Vote::Refuted)]),
            Held::Refuted
        );
        assert_eq!(held(&[bare.clone(), reject(), NONE, NONE]), Held::NoVerdict);
        assert_eq!(
            held(&[bare, reject(), stands(&[7])]),
            Held::NoVerdict,
            "a charge that was never made"
        );
    }
}

#[test]
fn what_is_no_vote_is_tried_once_more() {
    assert_eq!(held(&[NONE, NONE]), Held::NoVerdict);
    assert_eq!(held(&[ALLOW, NONE, NONE]), Held::NoVerdict);
    assert_eq!(play(&[NONE]).1, None);
}

#[test]
fn what_cannot_be_asked_is_asked_again_so_often_and_no_more() {
    for broken in 1..FAILURES_MAX {
        assert_eq!(play(&vec![BROKEN; broken]).1, None);
    }
    assert_eq!(held(&vec![BROKEN; FAILURES_MAX]), Held::Unreachable);
    // An answer in between ends the row.
    let mut mixed = vec![BROKEN; FAILURES_MAX - 1];
    mixed.push(ALLOW);
    mixed.extend(vec![BROKEN; FAILURES_MAX - 1]);
    mixed.push(ALLOW);
    assert_eq!(play(&mixed).1, Some(ReviewVerdict::Passed));
}

#[test]
fn a_wrong_set_up_holds_at_once() {
    for status in [400, 401, 402, 403, 404, 422] {
        assert_eq!(held(&[Outcome::Setup { status }]), Held::Setup { status });
        assert_eq!(held(&[ALLOW, Outcome::Setup { status }]), Held::Setup { status });
    }
}

#[test]
fn pauses_grow_and_are_bounded() {
    for failures in 0..100 {
        for random in [0, 1, u64::MAX] {
            let pause = pause_seconds(failures, None, random);
            assert!((1..=151).contains(&pause), "{failures} {pause}");
        }
    }
    assert_eq!(pause_seconds(1, Some(30), 5), 30);
    assert_eq!(pause_seconds(1, Some(0), 5), 1);
    assert_eq!(pause_seconds(1, Some(u64::MAX), 5), 600);
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(ALLOW),
        Just(reject()),
        Just(Outcome::Vote(Vote::Refuted)),
        Just(Outcome::Vote(Vote::Stands { numbers: vec![0] })),
        Just(NONE),
        Just(BROKEN),
        Just(Outcome::Setup { status: 401 }),
    ]
}

proptest! {
    #[test]
    fn every_review_ends_and_nothing_passes_without_two_votes(outcomes in prop::collection::vec(any_outcome(), 40)) {
        let (asked, end) = play(&outcomes);
        prop_assert!(asked.len() <= 30);
        let end = end.expect("it ends");
        let said = &outcomes[..asked.len()];
        let vote = |purpose: Purpose, vote: &Outcome| {
            asked.iter().zip(said).any(|(asked, outcome)| *asked == purpose && outcome == vote)
        };
        match end {
            ReviewVerdict::Passed => prop_assert!(vote(Purpose::Bare, &ALLOW) && vote(Purpose::Full, &ALLOW)),
            ReviewVerdict::Rejected { charges } => {
                prop_assert!(!charges.is_empty());
                prop_assert!(vote(Purpose::Full, &reject()));
                let stands = Outcome::Vote(Vote::Stands { numbers: vec![0] });
                prop_assert!(vote(Purpose::Refute, &stands));
            }
            ReviewVerdict::Held { .. } => {}
        }
    }
}
