//! Rounds: one is open at a time, fixed when it opens, and its seed is told when it closes.

use prism_core::hash::Sha256Hash;

use super::fixture::{Fixture, T0, id_of, round};
use crate::{
    StoreError,
    rounds::{self, NewRound, Secret, commitment},
};

#[test]
fn a_round_reads_back_as_it_was_opened() {
    let f = Fixture::new();
    let found = f.store.read(rounds::current).unwrap().unwrap();
    let new = round(1);
    assert_eq!(
        (found.id.as_str(), found.number, found.name.as_str()),
        (new.id.as_str(), 1, "round 1")
    );
    assert_eq!(
        (found.corpus_sha256, found.recipe_sha256),
        (new.corpus_sha256, new.recipe_sha256)
    );
    assert_eq!((found.scored_runs_per_day, found.uploads_per_day), (4, 40));
    assert_eq!(found.weight_policy, "rank-geometric");
    assert!(found.is_open() && found.publish_sources && found.noise_floor_bpb.is_none());
    assert_eq!(
        f.store
            .read(|tx| rounds::by_name(tx, "round 1"))
            .unwrap()
            .as_ref(),
        Some(&found)
    );
    assert_eq!(f.store.read(rounds::list).unwrap(), [found]);
}

#[test]
fn one_is_open_at_a_time_and_no_two_have_one_name() {
    let f = Fixture::new();
    let open = |new: NewRound| f.store.write(move |tx| rounds::open(tx, &new, T0));
    let close = |id: String| {
        f.store
            .write(move |tx| rounds::close(tx, &id, T0.plus_seconds(9)))
    };
    let before = f.dump();
    assert!(matches!(open(round(2)), Err(StoreError::NotAllowed(_))));
    assert!(matches!(
        close(id_of("nowhere")),
        Err(StoreError::NotFound { .. })
    ));
    assert_eq!(f.dump(), before);
    let first = round(1).id;
    assert_eq!(close(first.clone()).unwrap().closed_at, Some(T0.plus_seconds(9)));
    let before = f.dump();
    assert!(matches!(close(first.clone()), Err(StoreError::NotAllowed(_))));
    for bad in [
        NewRound {
            name: "round 1".to_owned(),
            ..round(2)
        },
        NewRound {
            name: String::new(),
            ..round(2)
        },
        NewRound {
            id: "two".to_owned(),
            ..round(2)
        },
        NewRound {
            reference: Some(Sha256Hash::of(b"nowhere")),
            ..round(2)
        },
    ] {
        open(bad).unwrap_err();
        assert_eq!(f.dump(), before);
    }
    assert!(f.store.read(rounds::current).unwrap().is_none());
    let reference = Some(f.blob("reference"));
    let second = open(NewRound {
        reference,
        ..round(2)
    })
    .unwrap();
    assert_eq!((second.number, second.reference), (2, reference));
    assert_eq!(f.store.read(rounds::last_closed).unwrap().unwrap().id, first);
    let names: Vec<String> = f
        .store
        .read(rounds::list)
        .unwrap()
        .into_iter()
        .map(|round| round.name)
        .collect();
    assert_eq!(names, ["round 2", "round 1"]);
}

#[test]
fn the_seed_is_committed_to_and_told_when_the_round_closes() {
    let f = Fixture::new();
    let new = round(1);
    let id = new.id.as_str();
    let found = f.store.read(|tx| rounds::get(tx, id)).unwrap();
    assert_eq!(found.seed_commitment, commitment(&new.secret).to_string());
    assert_eq!(f.store.read(|tx| rounds::reveal(tx, id)).unwrap(), None);
    assert_eq!(f.store.read(|tx| rounds::secret(tx, id)).unwrap(), new.secret);
    let shown = format!("{found:?} {:?} {new:?}", new.secret);
    assert!(!shown.contains(&new.secret.seed.to_string()), "{shown}");
    let closing = id.to_owned();
    f.store.write(move |tx| rounds::close(tx, &closing, T0)).unwrap();
    assert_eq!(
        f.store.read(|tx| rounds::reveal(tx, id)).unwrap(),
        Some(new.secret)
    );
}

#[test]
fn anybody_can_check_a_commitment() {
    // sha256sum of `prism-seed:7:` and 64 digits.
    let secret = Secret {
        seed: 7,
        salt: [0xab; 32],
    };
    let text = format!("prism-seed:7:{}", "ab".repeat(32));
    assert_eq!(commitment(&secret), Sha256Hash::of(text.as_bytes()));
    assert_ne!(commitment(&secret), commitment(&Secret { seed: 8, ..secret }));
}

#[test]
fn the_noise_floor_is_a_number() {
    let f = Fixture::new();
    let set = |noise: f64| {
        let id = round(1).id;
        f.store.write(move |tx| rounds::set_noise(tx, &id, noise))
    };
    let before = f.dump();
    for bad in [f64::NAN, f64::INFINITY, -0.1] {
        assert!(set(bad).is_err());
        assert_eq!(f.dump(), before);
    }
    set(0.012).unwrap();
    assert_eq!(
        f.store.read(rounds::current).unwrap().unwrap().noise_floor_bpb,
        Some(0.012)
    );
}
