//! What runs have left, and what of it is public when.

use prism_core::outcome::Reason;
use serde_json::{Value, json};

use crate::world::{Request, World, key, zip};

fn read(world: &World, path: &str) -> Value {
    let answer = world.get(path);
    assert_eq!(answer.status, 200, "{path} {}", answer.text());
    answer.json()
}

#[test]
fn records_and_sources_are_public_when_the_round_has_closed() {
    let world = World::new();
    let body = zip("source");
    let scored = world.submit(&key(1), &body);
    let refused = world.submit(&key(2), &zip("other"));
    world.ranked(&scored, 0.3);
    world.end(&refused, Reason::GateRejected, "no");
    let path = |id: &str, what: &str| format!("/v1/submissions/{id}/{what}");
    for what in ["record", "source"] {
        assert_eq!(
            world.refused(&Request::get(&path(&scored, what)), 403).code(),
            "not_yet_public"
        );
    }
    let round = read(&world, "/v1/rounds/current")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world.close_round(&round);
    let record = world.get(&path(&scored, "record"));
    assert_eq!(
        (record.status, record.text()),
        (200, format!("record of {scored}"))
    );
    let source = world.get(&path(&scored, "source"));
    assert_eq!((source.status, &source.body), (200, &body));
    assert_eq!(source.header("content-type"), Some("application/zip"));
    assert!(
        source
            .header("content-disposition")
            .unwrap()
            .starts_with("attachment")
    );
    let tag = source.header("etag").unwrap().to_owned();
    let again = Request::get(&path(&scored, "source")).header("If-None-Match", &tag);
    assert_eq!(world.send(&again).status, 304);
    assert_eq!(
        world
            .refused(&Request::get(&path(&refused, "source")), 403)
            .code(),
        "not_public"
    );
    world.refused(&Request::get(&path(&refused, "record")), 404);
    world.refused(&Request::get(&path("none", "source")), 404);
}

#[test]
fn a_round_that_keeps_its_sources_keeps_them() {
    let world = World::new();
    let first = read(&world, "/v1/rounds/current")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world.close_round(&first);
    let (mut private, now) = (crate::world::round(2), world.time());
    private.publish_sources = false;
    let id = private.id.clone();
    world
        .store
        .write(move |tx| prism_store::rounds::open(tx, &private, now))
        .unwrap();
    let scored = world.submit(&key(1), &zip("a"));
    world.ranked(&scored, 0.3);
    world.close_round(&id);
    let source = Request::get(&format!("/v1/submissions/{scored}/source"));
    assert_eq!(world.refused(&source, 403).code(), "not_public");
    assert_eq!(world.get(&format!("/v1/submissions/{scored}/record")).status, 200);
    let rounds = read(&world, "/v1/rounds");
    let states: Vec<_> = rounds["rounds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|round| round["number"].as_u64().unwrap())
        .collect();
    assert_eq!(states, [2, 1]);
}

#[test]
fn large_files_come_whole_and_piece_by_piece() {
    let world = World::new();
    let mut body = zip("large");
    body.extend((0..3_000_000_u32).map(|at| at.to_le_bytes()[0]));
    let id = world.submit(&key(1), &body);
    world.ranked(&id, 0.3);
    let round = read(&world, "/v1/rounds/current")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world.close_round(&round);
    let request = Request::get(&format!("/v1/submissions/{id}/source"));
    let source = world.send(&request.header("Accept-Encoding", "gzip"));
    assert_eq!(
        source.header("content-encoding"),
        None,
        "it is compressed already"
    );
    assert_eq!(source.header("content-length"), Some(&*body.len().to_string()));
    assert!(source.body == body);
}

#[test]
fn what_a_run_left_is_shown() {
    let world = World::new();
    let (one, other) = (world.submit(&key(1), &zip("a")), world.submit(&key(2), &zip("b")));
    for what in ["report", "findings", "manifest", "curve"] {
        assert_eq!(
            world.get(&format!("/v1/submissions/{one}/{what}")).status,
            404,
            "{what}"
        );
    }
    let compare = format!("/v1/submissions/{one}/compare/{other}");
    assert_eq!(world.get(&compare).status, 404);
    for id in [&one, &other] {
        world.read_contract(id, "arch", id);
        world.ranked(id, 0.3);
    }
    let report = world.get(&format!("/v1/submissions/{one}/report"));
    assert_eq!(
        (report.status, report.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    assert!(
        report
            .header("content-security-policy")
            .unwrap()
            .contains("sandbox")
    );
    assert_eq!(
        read(&world, &format!("/v1/submissions/{one}/findings"))["findings"],
        json!([])
    );
    assert_eq!(
        read(&world, &format!("/v1/submissions/{one}/manifest"))["run"]["seed"],
        Value::Null
    );
    assert_eq!(read(&world, &compare)["difference_bpb"], 0.0);
    assert_eq!(
        world.get(&format!("/v1/submissions/{one}/compare/none")).status,
        404
    );
    let status = read(&world, &format!("/v1/submissions/{one}"));
    assert_eq!(
        (&status["covered_bytes"], &status["stream_bytes"]),
        (&json!(29_000), &json!(29_200))
    );
    assert_eq!(
        (&status["tie_group"], &status["provisional"], &status["name"]),
        (&json!(1), &json!(false), &json!("arch"))
    );
    let attempt = &status["attempts"][0];
    assert_eq!(
        (&attempt["kind"], &attempt["state"], &attempt["reason"]),
        (&json!("main"), &json!("ended"), &json!("end_of_data"))
    );
    for secret in ["nonce", "seed", "handle"] {
        assert!(attempt.get(secret).is_none(), "{secret}");
    }
}
