//! Uploads that the master hands over.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prism_core::hash::Sha256Hash;
use prism_core::outcome::Reason;
use serde_json::{Value, json};

use crate::world::{ALICE, Request, T0, World, key, master, zip};

fn bridge(body: &[u8]) -> Request {
    master(Request::post("/internal/v1/bridge/submissions", body))
        .header("X-Base-Verified-Hotkey", ALICE)
        .header("X-Base-Verified-Nonce", "m1")
        .header("X-Base-Request-Hash", &Sha256Hash::of(body).to_string())
        .header("X-Base-Verified-Uid", "7")
        .header("X-Submission-Filename", "project.zip")
        .header("Content-Type", "application/zip")
}

fn code_hash(zip: &[u8]) -> String {
    Sha256Hash::of(STANDARD.encode(zip).as_bytes()).to_string()
}

fn json_body(zip: &[u8]) -> Vec<u8> {
    json!({"filename": "project.zip", "code": STANDARD.encode(zip), "metadata": {}})
        .to_string()
        .into_bytes()
}

fn ok(world: &World, request: &Request) -> Value {
    let answer = world.send(request);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-encoding"), None);
    answer.json()
}

#[test]
fn an_upload_becomes_a_submission_in_either_form() {
    let world = World::new();
    let zip = zip("one");
    let first = ok(&world, &bridge(&zip));
    assert_eq!(first["hotkey"], ALICE);
    assert_eq!(first["epoch_id"], T0 / 21_600);
    assert_eq!(first["status"], "pending");
    assert_eq!(first["code_hash"], code_hash(&zip));
    assert_eq!(first["created_at"], "2026-01-01T00:00:00.000000Z");
    // The same once more, and the same file as JSON: the same submission.
    assert_eq!(ok(&world, &bridge(&zip))["id"], first["id"]);
    let request = bridge(&json_body(&zip))
        .set("Content-Type", Some("application/json; charset=utf-8"))
        .set("X-Submission-Filename", None);
    let again = ok(&world, &request);
    assert_eq!(
        (&again["id"], &again["code_hash"]),
        (&first["id"], &first["code_hash"])
    );
    assert_eq!(world.service.wakes(), 1);
}

#[test]
fn what_the_miner_left_out_has_defaults_and_queries_are_passed_over() {
    let world = World::new();
    for (at, name) in [None, Some("x.txt")].into_iter().enumerate() {
        let zip = zip(&at.to_string());
        let request = bridge(&zip)
            .set("Content-Type", None)
            .set("X-Submission-Filename", name);
        let id = ok(&world, &request)["id"].as_str().unwrap().to_owned();
        let stored = world
            .store
            .read(|tx| prism_store::submissions::get(tx, &id))
            .unwrap();
        assert_eq!(stored.filename, "submission.zip");
    }
    let zip = zip("query");
    let request = Request::post("/internal/v1/bridge/submissions?dry_run=1", &zip);
    let request = master(request).header("X-Base-Verified-Hotkey", ALICE);
    assert_eq!(ok(&world, &request)["status"], "pending");
}

#[test]
fn another_hotkeys_same_bytes_are_another_submission_and_the_first_is_unharmed() {
    let world = World::new();
    let zip = zip("shared");
    let first = ok(&world, &bridge(&zip))["id"].as_str().unwrap().to_owned();
    let request = bridge(&zip).set("X-Base-Verified-Hotkey", Some(&key(1).hotkey().to_string()));
    let second = ok(&world, &request);
    assert_eq!(second["status"], "pending");
    let second = second["id"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    world.end(&second, Reason::Duplicate, "a duplicate of an earlier submission");
    let status = world.get(&format!("/v1/submissions/{second}")).json();
    assert_eq!(
        (&status["status"], &status["reason"]),
        (&json!("rejected"), &json!("duplicate"))
    );
    assert!(status["error"].as_str().unwrap().contains("duplicate"));
    assert_eq!(
        world.get(&format!("/v1/submissions/{first}")).json()["status"],
        "pending"
    );
}

#[test]
fn sizes_have_one_bound() {
    let world = World::new();
    let mut body = zip("large");
    body.resize(5_625_000, 0);
    assert_eq!(ok(&world, &bridge(&body))["status"], "pending");
    for bytes in [5_625_001, 7_500_000] {
        body.resize(bytes, 0);
        let answer = world.refused(&bridge(&body), 413);
        assert_eq!(answer.code(), "too_large");
        assert!(answer.text().contains("submission too large"));
    }
}

#[test]
fn what_is_wrong_is_refused_and_leaves_nothing() {
    let world = World::new();
    let zip = zip("fine");
    let as_json = |body: &str| bridge(body.as_bytes()).set("Content-Type", Some("application/json"));
    let long = "5".repeat(129);
    let not_utf8 = bridge(b"{\"code\":\"\xff\"}").set("Content-Type", Some("application/json"));
    for (request, status) in [
        (bridge(&zip).set("X-Submission-Filename", Some("a b.zip")), 422),
        (bridge(&zip).set("X-Submission-Filename", Some("../a.zip")), 422),
        (bridge(b""), 422),
        (as_json(r#"{"filename":"a.zip"}"#), 422),
        (as_json("[]"), 422),
        (as_json(r#"{"code":""}"#), 422),
        (as_json("{not json"), 400),
        (not_utf8, 400),
        (bridge(&zip).set("X-Base-Verified-Hotkey", None), 422),
        (bridge(&zip).set("X-Base-Verified-Hotkey", Some(&long)), 422),
        (
            bridge(&zip).set("X-Base-Verified-Hotkey", Some("no address")),
            422,
        ),
        (bridge(&zip).set("Authorization", None), 401),
        (bridge(&zip).set("Authorization", Some("Bearer wrong")), 401),
        (
            bridge(&zip).set("X-Base-Request-Hash", Some(&Sha256Hash::of(b"other").to_string())),
            400,
        ),
        (bridge(&zip).set("X-Base-Request-Hash", Some("no hash")), 400),
    ] {
        world.refused(&request, status).code();
    }
    // What a miner claims besides is not looked at.
    let forged = bridge(&zip)
        .header("X-Hotkey", "somebody")
        .header("X-Signature", "else");
    assert_eq!(ok(&world, &forged)["hotkey"], ALICE);
}

#[test]
fn without_a_round_nothing_is_taken_and_the_same_request_works_later() {
    let world = World::new();
    let round = world.store.read(prism_store::rounds::current).unwrap().unwrap();
    world.close_round(&round.id);
    let request = bridge(&zip("early"));
    assert_eq!(world.refused(&request, 409).code(), "no_round");
    let now = world.time();
    world
        .store
        .write(move |tx| prism_store::rounds::open(tx, &crate::world::round(2), now))
        .unwrap();
    assert_eq!(ok(&world, &request)["status"], "pending");
}

#[test]
fn the_bridge_takes_uploads_also_where_direct_ones_are_off() {
    let world = World::with(|settings| {
        settings.public_submissions = false;
        settings.validator_hotkeys.insert(ALICE.to_owned());
    });
    assert_eq!(ok(&world, &bridge(&zip("bridge")))["status"], "pending");
}
