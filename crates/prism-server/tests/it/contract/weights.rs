//! The weights that a master reads.

use prism_core::outcome::Reason;
use prism_core::rank::{NoRank, Standing};
use prism_key::Hotkey;

use crate::world::{Request, T0, World, key, master, zip};

fn weights(world: &World) -> serde_json::Value {
    let answer = world.send(&master(Request::get("/internal/v1/get_weights")));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-encoding"), None, "gzip was asked for");
    answer.json()
}

#[test]
fn nothing_scored_is_no_error() {
    let world = World::new();
    let answer = weights(&world);
    assert_eq!(answer["challenge_slug"], "prism");
    assert_eq!(answer["epoch"], T0);
    assert_eq!(answer["weights"], serde_json::json!({}));
    assert_eq!(answer["metadata"]["computed_at"], "2026-01-01T00:00:00.000000Z");
}

#[test]
fn weights_are_normalised_and_stay_the_same() {
    let world = World::new();
    for (number, score) in [(1, 0.3), (2, 0.4), (3, 0.2)] {
        let id = world.submit(&key(number), &zip(&number.to_string()));
        world.ranked(&id, score);
    }
    let first = weights(&world);
    let map = first["weights"].as_object().unwrap();
    let sum: f64 = map.values().map(|weight| weight.as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() <= 1e-12, "{sum}");
    assert_eq!(map.len(), 3);
    for (hotkey, weight) in map {
        assert!(Hotkey::parse(hotkey).is_ok() && weight.as_f64().unwrap() > 0.0);
    }
    assert!(map[&key(2).hotkey().to_string()].as_f64() > map[&key(1).hotkey().to_string()].as_f64());
    for value in first["metadata"].as_object().unwrap().values() {
        assert!(value.is_string());
    }
    assert_eq!(weights(&world)["weights"], first["weights"]);
}

#[test]
fn who_has_no_score_has_no_weight_and_makes_no_error() {
    let world = World::new();
    let ids: Vec<String> = (1..=4)
        .map(|number| world.submit(&key(number), &zip(&number.to_string())))
        .collect();
    world.end(&ids[0], Reason::GateRejected, "the gate refused it");
    world.end(&ids[1], Reason::ReviewAbsent, "nobody reviews");
    let zero = Standing::Ranked {
        bpb_ranked: 2.0,
        final_score: 0.0,
    };
    world.score(&ids[2], zero, &["step0_anomaly"], 2);
    world.score(&ids[3], Standing::NoRank(NoRank::ClaimsUntrue), &[], 2);
    assert_eq!(weights(&world)["weights"], serde_json::json!({}));
}
