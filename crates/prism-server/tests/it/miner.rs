//! Uploads straight from a miner: forms, order of checks, nonces, budgets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prism_server::limiter::Rate;
use serde_json::{Value, json};

use crate::world::{Request, T0, World, fresh_nonce, key, master, zip};

fn ok(world: &World, request: &Request) -> Value {
    let answer = world.send(request);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[test]
fn every_form_is_taken() {
    let world = World::new();
    let raw = zip("raw");
    let first = ok(
        &world,
        &world
            .upload(&key(1), &raw)
            .header("Content-Type", "application/zip"),
    );
    let body = json!({"filename": "a.zip", "code": STANDARD.encode(&raw)}).to_string();
    let json = world
        .upload(&key(2), body.as_bytes())
        .header("Content-Type", "APPLICATION/JSON");
    assert_eq!(ok(&world, &json)["code_hash"], first["code_hash"]);
    let chunked = world.upload(&key(3), &raw);
    let mut socket = crate::world::Socket::open(world.address);
    let head = chunked.clone().set("Transfer-Encoding", Some("chunked")).head();
    socket.write(head.as_bytes());
    for piece in raw.chunks(5) {
        socket.write(format!("{:x}\r\n", piece.len()).as_bytes());
        socket.write(piece);
        socket.write(b"\r\n");
    }
    socket.write(b"0\r\n\r\n");
    assert_eq!(socket.answer(false).status, 200);
    let script = br#"{"code":"print()"}"#;
    ok(
        &world,
        &world
            .upload(&key(4), script)
            .header("Content-Type", "application/json"),
    );
    let budget = &first["budget"];
    assert_eq!(budget["uploads"], json!({"used": 1, "limit": 40}));
    assert_eq!(budget["scored_runs"], json!({"used": 0, "limit": 4}));
}

#[test]
fn a_missing_header_is_told_with_its_place() {
    let world = World::new();
    let whole = world.upload(&key(1), &zip("a"));
    for name in ["X-Hotkey", "X-Signature", "X-Nonce", "X-Timestamp"] {
        let answer = world.refused(&whole.clone().set(name, None), 422);
        let fault = answer.json()["detail"][0].clone();
        assert_eq!(
            (&fault["type"], &fault["loc"]),
            (&json!("missing"), &json!(["header", name.to_lowercase()]))
        );
    }
    let long = "n".repeat(129);
    for name in ["X-Hotkey", "X-Nonce"] {
        for value in [long.as_str(), ""] {
            world.refused(&whole.clone().set(name, Some(value)), 422);
        }
    }
    assert_eq!(world.send(&whole).status, 200);
}

#[test]
fn checks_have_the_order_of_the_contract() {
    let validator = key(7);
    let world = World::with(|settings| {
        settings.validator_hotkeys.insert(key(7).hotkey().to_string());
    });
    let body = zip("a");
    let time = |seconds: i64| seconds.to_string();
    let of_validator = world.upload(&validator, &body);
    let bad = world.upload(&key(1), &body).set("X-Signature", Some("bad"));
    for (request, status, code) in [
        (
            bad.clone().set("X-Timestamp", Some("abc")),
            400,
            "invalid_timestamp",
        ),
        (
            bad.clone().set("X-Timestamp", Some("1.5")),
            400,
            "invalid_timestamp",
        ),
        (
            bad.clone().set("X-Timestamp", Some(&time(T0 - 301))),
            401,
            "stale_signature",
        ),
        (
            bad.clone().set("X-Timestamp", Some(&time(T0 + 301))),
            401,
            "stale_signature",
        ),
        (
            bad.clone().set("X-Timestamp", Some(&time(T0 + 300))),
            401,
            "invalid_signature",
        ),
        (
            of_validator.clone().set("X-Timestamp", Some(&time(T0 - 301))),
            401,
            "stale_signature",
        ),
        (
            of_validator.clone().set("X-Signature", Some("bad")),
            403,
            "validator_hotkey",
        ),
        (of_validator, 403, "validator_hotkey"),
        (bad.clone().set("X-Hotkey", Some("hk")), 401, "invalid_signature"),
        (bad, 401, "invalid_signature"),
        (
            world.upload(&key(1), &body).with_body(b"other"),
            401,
            "invalid_signature",
        ),
    ] {
        assert_eq!(world.refused(&request, status).code(), code);
    }
    // Too old by the time it comes.
    let late = world.upload(&key(1), &body);
    world.set_time(T0 + 301);
    world.refused(&late, 401);
    world.set_time(T0 + 300);
    assert_eq!(world.send(&late).status, 200);
}

#[test]
fn while_direct_uploads_are_off_nothing_is_used_up() {
    let closed = World::with(|settings| settings.public_submissions = false);
    let request = closed.upload(&key(1), &zip("a"));
    assert_eq!(closed.refused(&request, 404).code(), "public_submissions_off");
    assert_eq!(
        closed
            .refused(&request.clone().set("X-Timestamp", Some("abc")), 404)
            .code(),
        "public_submissions_off"
    );
    assert_eq!(
        closed.refused(&request.clone().set("X-Nonce", None), 422).status,
        422
    );
    let used = prism_store::uploads::NonceUse {
        hotkey: key(1).hotkey().to_string(),
        nonce: request.value("x-nonce").to_owned(),
        request_sha256: prism_core::hash::Sha256Hash::of(b""),
        expires_at: closed.time(),
    };
    let known = closed
        .store
        .read(|tx| prism_store::uploads::nonce(tx, &used))
        .unwrap();
    assert_eq!(known, prism_store::uploads::Nonce::Free);
}

#[test]
fn the_same_request_gets_the_same_answer_and_another_with_its_nonce_none() {
    let world = World::new();
    let miner = key(1);
    let nonce = fresh_nonce();
    let first = world.signed_upload(&miner, &nonce, &zip("a"));
    let answer = world.send(&first);
    assert_eq!(answer.status, 200);
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    world.queue(&id);
    let before = world.state();
    for _ in 0..3 {
        let again = world.send(&first);
        assert_eq!((again.status, again.json()), (200, answer.json()));
    }
    // Signatures are random: another one over the same text is another request.
    for other in [
        world.signed_upload(&miner, &nonce, &zip("a")),
        world.signed_upload(&miner, &nonce, &zip("b")),
    ] {
        assert_eq!(world.refused(&other, 409).code(), "nonce_used");
    }
    assert_eq!(world.state(), before);
    // Another hotkey has its own nonces, and a new nonce for the same bytes names the same submission.
    ok(&world, &world.signed_upload(&key(2), &nonce, &zip("c")));
    let same = ok(&world, &world.upload(&miner, &zip("a")));
    assert_eq!(
        (same["id"].as_str(), same["status"].as_str()),
        (Some(id.as_str()), Some("pending"))
    );
}

#[test]
fn a_repeat_is_answered_also_when_the_round_has_closed() {
    let world = World::new();
    let request = world.upload(&key(1), &zip("a"));
    let answer = world.send(&request);
    let round = answer.json()["round"].as_str().unwrap().to_owned();
    world.close_round(&round);
    let again = world.send(&request);
    assert_eq!((again.status, &again.json()["id"]), (200, &answer.json()["id"]));
    assert_eq!(
        world.refused(&world.upload(&key(1), &zip("b")), 409).code(),
        "no_round"
    );
}

/// What makes a request with a nonce, and what it is answered.
type Case<'a> = (&'a dyn Fn(&str) -> Request, u16);

#[test]
fn a_refused_form_uses_its_nonce_up_and_is_answered_alike_again() {
    let world = World::with(|settings| settings.limits.uploads_per_hotkey = Rate::per_second(1000, 1000));
    let miner = key(1);
    let mut large = zip("large");
    large.resize(5_625_001, 0);
    let json = |body: &str, nonce: &str| {
        world
            .signed_upload(&miner, nonce, body.as_bytes())
            .header("Content-Type", "application/json")
    };
    let named = |name: &str, nonce: &str| {
        world
            .signed_upload(&miner, nonce, &zip("a"))
            .header("X-Submission-Filename", name)
    };
    let cases: [Case<'_>; 7] = [
        (&|nonce| world.signed_upload(&miner, nonce, &large), 413),
        (&|nonce| named("../a.zip", nonce), 422),
        (&|nonce| json(r#"{"code":""}"#, nonce), 422),
        (&|nonce| json("{}", nonce), 422),
        (&|nonce| json(r#"{"code":"!","filename":"a.zip"}"#, nonce), 422),
        (&|nonce| json("{not json", nonce), 400),
        (&|nonce| world.signed_upload(&miner, nonce, b""), 422),
    ];
    for (make, status) in cases {
        let nonce = fresh_nonce();
        let request = make(&nonce);
        let first = world.refused(&request, status);
        let again = world.refused(&request, status);
        assert_eq!(
            (&first.json()["detail"], first.code()),
            (&again.json()["detail"], first.code())
        );
        let fine = world.signed_upload(&miner, &nonce, &zip("fine"));
        assert_eq!(world.refused(&fine, 409).code(), "nonce_used");
    }
}

#[test]
fn what_is_larger_than_anything_is_not_read_to_its_end() {
    let world = World::new();
    let body = vec![0; 10_100_001];
    let request = world.upload(&key(1), &body);
    assert_eq!(world.refused(&request, 413).code(), "too_large");
    // Nobody knows who sent it, so nothing was used up.
    let nonce = request.value("x-nonce").to_owned();
    ok(&world, &world.signed_upload(&key(1), &nonce, &zip("fine")));
}

#[test]
fn the_uploads_of_a_day_are_counted() {
    let world = World::with(|settings| settings.limits.uploads_per_hotkey = Rate::per_second(1000, 1000));
    let miner = key(1);
    for number in 0..40 {
        world.submit(&miner, &zip(&number.to_string()));
    }
    let refused = world.refused(&world.upload(&miner, &zip("one more")), 429);
    assert_eq!(refused.code(), "budget_spent");
    assert_eq!(refused.header("retry-after"), Some("86400"));
    // What is known costs nothing; other hotkeys and other days have their own.
    ok(&world, &world.upload(&miner, &zip("7")));
    ok(&world, &world.upload(&key(2), &zip("one more")));
    world.set_time(T0 + 86_400);
    ok(&world, &world.upload(&miner, &zip("one more")));
    let budget = world.get(&format!("/v1/budget?hotkey={}", miner.hotkey())).json();
    assert_eq!(budget["uploads"], json!({"used": 1, "limit": 40}));
}

#[test]
fn a_hotkey_is_limited_by_what_it_signed_and_by_nothing_else() {
    let world = World::with(|settings| settings.limits.uploads_per_hotkey = Rate::per_minute(1, 2));
    let victim = key(1);
    for _ in 0..10 {
        let forged = world
            .upload(&victim, &zip("a"))
            .set("X-Signature", Some(&"0".repeat(128)));
        world.refused(&forged, 401);
    }
    let seen = world.upload(&victim, &zip("a"));
    for _ in 0..5 {
        // Whoever has seen it may send it again: that costs the victim nothing.
        assert_eq!(world.send(&seen).status, 200);
    }
    world.submit(&victim, &zip("b"));
    let limited = world.refused(&world.upload(&victim, &zip("c")), 429);
    assert_eq!(limited.code(), "rate_limited");
    let seconds: u64 = limited.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds));
    world.submit(&key(2), &zip("c"));
}

#[test]
fn an_address_is_limited_and_the_master_is_not() {
    let world = World::with(|settings| {
        settings.unlimited_clients.clear();
        settings.limits.requests = Rate::per_minute(1, 3);
    });
    for _ in 0..3 {
        assert_eq!(world.get("/health").status, 200);
    }
    let limited = world.refused(&Request::get("/health"), 429);
    assert_eq!(limited.code(), "rate_limited");
    assert!(limited.header("retry-after").is_some());
    world.refused(&world.upload(&key(1), &zip("a")), 429);
    for _ in 0..5 {
        assert_eq!(
            world
                .send(&master(Request::get("/internal/v1/get_weights")))
                .status,
            200
        );
    }
    let guessed = Request::get("/internal/v1/get_weights").header("Authorization", "Bearer guess");
    assert_eq!(world.send(&guessed).status, 429, "guesses are limited");
}

#[test]
fn uploads_of_an_address_are_limited_before_their_body_is_read() {
    let world = World::with(|settings| {
        settings.unlimited_clients.clear();
        settings.limits.uploads = Rate::per_minute(1, 1);
    });
    world.submit(&key(1), &zip("a"));
    assert_eq!(
        world.refused(&world.upload(&key(2), &zip("b")), 429).code(),
        "rate_limited"
    );
    // Behind a trusted proxy each client has its own budget.
    let proxied = World::with(|settings| {
        settings.unlimited_clients.clear();
        settings.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        settings.limits.uploads = Rate::per_minute(1, 1);
    });
    let from = |number, address: &str| {
        proxied
            .upload(&key(number), &zip("x"))
            .header("X-Forwarded-For", address)
    };
    ok(&proxied, &from(1, "1.2.3.4"));
    assert_eq!(proxied.send(&from(2, "1.2.3.4")).status, 429);
    ok(&proxied, &from(2, "6.6.6.6, 1.2.3.5"));
}

#[test]
fn a_disk_that_is_nearly_full_takes_no_uploads() {
    let world = World::with(|settings| settings.limits.reserve_bytes = u64::MAX);
    let refused = world.refused(&world.upload(&key(1), &zip("a")), 507);
    assert_eq!(refused.code(), "disk_full");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(world.get("/v1/leaderboard").status, 200);
}
