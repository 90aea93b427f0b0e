//! What only an owner may do.

use prism_core::outcome::Reason;
use serde_json::{Value, json};

use crate::world::{Request, T0, World, key, zip};

#[test]
fn an_owner_stops_a_submission_and_nobody_else_does() {
    let world = World::new();
    let (owner, other) = (key(1), key(2));
    let id = world.submit(&owner, &zip("a"));
    let path = format!("/v1/submissions/{id}/cancel");
    assert_eq!(
        world.refused(&world.owner(&other, "POST", &path), 403).code(),
        "not_owner"
    );
    assert_eq!(
        world.refused(&Request::post(&path, b""), 422).json()["detail"][0]["loc"],
        json!(["header", "x-prism-hotkey"])
    );
    for (name, value, status) in [
        ("X-Prism-Signature", "00", 401),
        ("X-Prism-Timestamp", "abc", 400),
        ("X-Prism-Timestamp", &(T0 - 301).to_string(), 401),
        ("X-Prism-Nonce", "another", 401),
    ] {
        world.refused(&world.owner(&owner, "POST", &path).set(name, Some(value)), status);
    }
    // Signed for another path, method or body.
    let elsewhere = world.owner(&owner, "POST", "/v1/submissions/x/cancel");
    let moved = [
        "X-Prism-Hotkey",
        "X-Prism-Nonce",
        "X-Prism-Timestamp",
        "X-Prism-Signature",
    ]
    .into_iter()
    .fold(Request::post(&path, b""), |request, name| {
        request.header(name, elsewhere.value(name))
    });
    world.refused(&moved, 401);
    world.refused(&world.owner(&owner, "GET", &path), 405);
    world.refused(&world.owner(&owner, "POST", &path).with_body(b"x"), 401);

    let request = world.owner(&owner, "POST", &path).header("X-Base-Proxy", "true");
    let cancelled = world.send(&request);
    assert_eq!(cancelled.status, 200, "{}", cancelled.text());
    let json = cancelled.json();
    assert_eq!(
        (&json["status"], &json["state"], &json["reason"]),
        (&json!("rejected"), &json!("cancelled"), &json!("cancelled"))
    );
    let before = world.state();
    assert_eq!(
        world.send(&request).json()["state"],
        "cancelled",
        "a lost answer is given again"
    );
    assert_eq!(world.state(), before);
    assert_eq!(
        world.refused(&world.owner(&owner, "POST", &path), 409).code(),
        "wrong_state"
    );
    let unknown = world.owner(&owner, "POST", "/v1/submissions/none/cancel");
    world.refused(&unknown, 404);
}

#[test]
fn a_log_is_read_from_where_it_was_left_and_once_for_each_signature() {
    let world = World::new();
    let owner = key(1);
    let id = world.submit(&owner, &zip("a"));
    let path = format!("/v1/submissions/{id}/logs");
    assert_eq!(
        world.refused(&world.owner(&owner, "GET", &path), 404).code(),
        "not_found"
    );
    world
        .service
        .logs
        .lock()
        .unwrap()
        .insert(id.clone(), "one\ntwo\n".to_owned());
    let request = world.owner(&owner, "GET", &path);
    let page = world.send(&request);
    assert_eq!(
        (page.status, page.json()),
        (200, json!({"since": 0, "next": 8, "text": "one\ntwo\n"}))
    );
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(
        world.refused(&request, 409).code(),
        "nonce_used",
        "who saw it cannot send it again"
    );
    let rest = world.send(&world.owner(&owner, "GET", &format!("{path}?since=4")));
    assert_eq!(rest.json()["text"], "two\n");
    world.refused(&world.owner(&owner, "GET", &format!("{path}?since=-1")), 422);
    world.refused(&world.owner(&key(2), "GET", &path), 403);
    world.refused(&Request::get(&path), 422);
}

#[test]
fn a_traceback_is_for_the_owner_alone() {
    let world = World::new();
    let owner = key(1);
    let id = world.submit(&owner, &zip("a"));
    let path = format!("/v1/submissions/{id}/traceback");
    assert_eq!(
        world.send(&world.owner(&owner, "GET", &path)).json(),
        json!({"traceback": Value::Null})
    );
    let secret = "Traceback: a secret of the miner";
    world.start(&id);
    let (of, now) = (id.clone(), world.time());
    let failed = world.store.write(move |tx| {
        let step = prism_store::submissions::Step {
            reason: Some(Reason::TrainException),
            traceback: Some("Traceback: a secret of the miner"),
            ..prism_store::submissions::Step::new(
                prism_core::submission::Position::Running(prism_core::submission::Stage::Scoring),
                prism_core::submission::Actor::Pipeline,
                "its record is checked",
            )
        };
        prism_store::submissions::step(tx, &of, &step, now)
    });
    failed.unwrap();
    assert_eq!(
        world.send(&world.owner(&owner, "GET", &path)).json()["traceback"],
        secret
    );
    world.refused(&world.owner(&key(2), "GET", &path), 403);
    for path in ["", "/events", "/findings"] {
        let public = world.get(&format!("/v1/submissions/{id}{path}"));
        assert!(!public.text().contains(secret), "{path}");
    }
}

#[test]
fn nonces_of_owners_and_of_uploads_are_apart() {
    let world = World::new();
    let owner = key(1);
    let id = world.submit(&owner, &zip("a"));
    let request = world.owner(&owner, "GET", &format!("/v1/submissions/{id}/traceback"));
    assert_eq!(world.send(&request).status, 200);
    let nonce = request.value("x-prism-nonce").to_owned();
    assert_eq!(
        world.send(&world.signed_upload(&owner, &nonce, &zip("b"))).status,
        200
    );
}

#[test]
fn an_appeal_and_a_review_are_the_owners_and_an_appeal_is_signed_with_its_words() {
    let world = World::new();
    let (owner, other) = (key(1), key(2));
    let id = world.submit(&owner, &zip("a"));
    world.end(&id, Reason::ReviewRejected, "the reviewer found something");
    let path = format!("/v1/submissions/{id}/review");
    let answer = world.send(&world.owner(&owner, "GET", &path));
    assert_eq!(answer.json()["charges"][0]["quote"], "a line of the source");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    world.refused(&world.owner(&other, "GET", &path), 403);
    world.refused(&Request::get(&path), 422);

    let path = format!("/v1/submissions/{id}/appeal");
    let body = br#"{"text":"it is a published layer"}"#;
    world.refused(&world.owner_with(&other, "POST", &path, body), 403);
    // Signed for other words.
    world.refused(&world.owner(&owner, "POST", &path).with_body(body), 401);
    for wrong in [
        &b""[..],
        b"{}",
        b"[]",
        br#"{"text":1}"#,
        br#"{"text":"x","more":1}"#,
    ] {
        world.refused(&world.owner_with(&owner, "POST", &path, wrong), 422);
    }
    let request = world.owner_with(&owner, "POST", &path, body);
    let held = world.send(&request).json();
    assert_eq!(
        (&held["state"], &held["reason"]),
        (&json!("held"), &json!("review_appealed"))
    );
    let before = world.state();
    assert_eq!(
        world.send(&request).json()["state"],
        "held",
        "a lost answer is given again"
    );
    assert_eq!(world.state(), before);
    assert_eq!(
        world
            .refused(&world.owner_with(&owner, "POST", &path, body), 409)
            .code(),
        "wrong_state"
    );
    for page in ["", "/events"] {
        let public = world.get(&format!("/v1/submissions/{id}{page}"));
        assert!(!public.text().contains("published layer"), "{page}");
    }
}

#[test]
fn mode_and_model_of_the_review_are_shown() {
    let world = World::new();
    let id = world.submit(&key(1), &zip("a"));
    assert_eq!(world.get("/health").json()["review"]["mode"], "off");
    let shown = world.get(&format!("/v1/submissions/{id}")).json();
    assert_eq!(
        shown["review"],
        json!({"mode": "off", "model": null, "rules_version": null, "verdict": null})
    );
    assert!(world.get("/").text().contains("Mode: <strong>off</strong>"));
}
