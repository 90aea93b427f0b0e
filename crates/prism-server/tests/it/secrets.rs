//! What never appears: in a log, in an answer, in the metrics.

use prism_core::outcome::Reason;

use crate::world::{Request, Socket, TOKEN, World, fresh_nonce, key, logged, master, zip};

#[test]
fn no_token_signature_nonce_or_source_is_logged() {
    let world = World::new();
    let source = "a-text-that-stands-in-the-source";
    let nonce = format!("secret-{}", fresh_nonce());
    let upload = world.signed_upload(&key(1), &nonce, &zip(source));
    assert_eq!(world.send(&upload).status, 200);
    let id = world.get("/v1/submissions").json()["submissions"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let owner = world.owner(&key(1), "GET", &format!("/v1/submissions/{id}/logs?since=0"));
    world.send(&owner);
    world.send(&upload.clone().set("X-Signature", Some(&"ab".repeat(64))));
    world.send(&upload.clone().set("X-Timestamp", Some("abc")));
    world.send(&upload.clone().set("X-Hotkey", Some("hk-that-is-none")));
    world.send(&master(Request::get("/internal/v1/get_weights")));
    world
        .send(&Request::get("/internal/v1/get_weights").header("Authorization", "Bearer a-guess-of-a-token"));
    world.get("/v1/leaderboard?secret=in-a-query");
    world.end(&id, Reason::GateRejected, "no");
    let log = logged();
    assert!(
        log.contains("answered") && log.contains("/v1/submissions/{id}/logs"),
        "something is logged"
    );
    assert!(log.contains(&id), "the id of a submission is");
    for secret in [
        TOKEN,
        "a-guess-of-a-token",
        source,
        &nonce,
        upload.value("x-signature"),
        owner.value("x-prism-signature"),
        owner.value("x-prism-nonce"),
        &"ab".repeat(64),
        "hk-that-is-none",
        "in-a-query",
    ] {
        assert!(!log.contains(secret), "{secret}");
    }
}

#[test]
fn settings_do_not_show_the_token() {
    let mut settings = prism_server::Settings::new(std::sync::Arc::new(|| prism_core::time::Timestamp(0)));
    settings.token = Some(secrecy::SecretString::from(TOKEN));
    let shown = format!("{settings:?}");
    assert!(shown.contains("token: true") && !shown.contains(TOKEN));
}

#[test]
fn the_seed_and_the_corpus_path_of_a_round_are_not_shown() {
    let world = World::new();
    let seed = (u64::MAX - 4).to_string();
    let salt = "07".repeat(32);
    let id = world
        .store
        .read(prism_store::rounds::current)
        .unwrap()
        .unwrap()
        .id;
    for path in ["/v1/rounds", &format!("/v1/rounds/{id}"), "/v1/rounds/current"] {
        let answer = world.get(path);
        assert_eq!(answer.status, 200);
        for secret in [seed.as_str(), &salt, "/a/path/that/is/not/shown"] {
            assert!(!answer.text().contains(secret), "{path}");
        }
    }
    world.close_round(&id);
    let round = world.get(&format!("/v1/rounds/{id}")).json();
    assert_eq!(
        (round["seed"].as_str(), round["salt"].as_str()),
        (Some(seed.as_str()), Some(salt.as_str()))
    );
    let text = format!("prism-seed:{seed}:{salt}");
    let commitment = prism_core::hash::Sha256Hash::of(text.as_bytes()).to_string();
    assert_eq!(round["seed_commitment"].as_str(), Some(commitment.as_str()));
    assert_eq!(world.get("/v1/rounds/current").status, 404);
}

#[test]
fn metrics_are_on_their_own_address_and_name_nobody() {
    let world = World::new();
    let miner = key(1);
    let id = world.submit(&miner, &zip("a"));
    world.get(&format!("/v1/submissions/{id}"));
    world.get("/a-path-that-somebody-chose");
    world.send(&Request::new("BREW", "/v1/leaderboard"));
    let text = Socket::open(world.metrics).ask(&Request::get("/metrics")).text();
    for line in [
        "prism_http_requests_total",
        "prism_uploads_total",
        "prism_queue_depth 1",
        "prism_ready 1",
        "/v1/submissions/{id}",
    ] {
        assert!(text.contains(line), "{line} {text}");
    }
    for name in [
        id.as_str(),
        &miner.hotkey().to_string(),
        "a-path-that-somebody-chose",
        "BREW",
        TOKEN,
    ] {
        assert!(!text.contains(name), "{name}");
    }
    assert_eq!(world.get("/metrics").status, 404);
    assert_eq!(
        Socket::open(world.metrics).ask(&Request::get("/health")).status,
        404
    );
}
