//! What the newest BASE's gateway passes on: any shape is tolerated, a server error is not.

use prism_core::outcome::Reason;

use crate::world::{Request, World, key, zip};

#[test]
fn nothing_that_it_asks_is_a_server_error() {
    let world = World::new();
    let id = world.submit(&key(1), &zip("a"));
    for path in [
        "/v1/status".to_owned(),
        "/v1/submissions?limit=20".to_owned(),
        "/v1/submissions?limit=0".to_owned(),
        format!("/v1/submissions/{id}"),
        format!("/v1/submissions/{id}/diff"),
        format!("/v1/submissions/{id}/events"),
        format!("/v1/submissions/{id}/logs?since=5"),
        format!("/v1/submissions/{id}/metrics?zone=a"),
        "/v1/recipe".to_owned(),
        "/metrics?zone=a".to_owned(),
        "/logs?since=0".to_owned(),
    ] {
        let request = Request::get(&path)
            .header("X-Base-Verified-Hotkey", "anybody")
            .header("Authorization", "Bearer guessed");
        let answer = world.send(&request);
        assert!(answer.status < 500, "{path} {}", answer.status);
    }
}

#[test]
fn a_stream_ends_by_itself() {
    let world =
        World::with(|settings| settings.limits.stream_duration = std::time::Duration::from_millis(300));
    let id = world.submit(&key(1), &zip("a"));
    let answer = world.get(&format!("/v1/submissions/{id}/events/stream"));
    assert_eq!(answer.status, 200);
    assert!(!answer.text().contains("event: end"), "it is not over");
    world.end(&id, Reason::GateRejected, "no");
    let answer = world.get(&format!("/v1/submissions/{id}/events/stream"));
    assert!(answer.text().contains("event: end"));
}

#[test]
fn who_sends_the_masters_headers_without_its_token_is_nobody() {
    let world = World::new();
    let request = Request::post("/internal/v1/bridge/submissions", &zip("a"))
        .header("X-Base-Verified-Hotkey", &key(1).hotkey().to_string())
        .header("X-Base-Challenge-Slug", "prism")
        .header("X-Base-Proxy", "true");
    assert_eq!(world.refused(&request, 401).code(), "invalid_token");
}
