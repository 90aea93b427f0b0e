//! The start of the service, and work that it does not give away.

use serde_json::json;

use crate::world::{Request, TOKEN, World, master};

#[test]
fn a_master_finds_what_it_looks_for() {
    let world = World::new();
    let health = world.get("/health");
    assert_eq!(health.status, 200);
    assert_eq!(
        (&health.json()["status"], &health.json()["slug"]),
        (&json!("ok"), &json!("prism"))
    );
    assert!(health.json()["version"].is_string());
    let head = world.send(&Request::new("HEAD", "/health"));
    assert_eq!((head.status, head.body.len()), (200, 0));
    let version = world.get("/version");
    assert_eq!(version.status, 200);
    let version = version.json();
    assert_eq!(version["api_version"], "1.0");
    assert_eq!(version["challenge_version"], "0.1.0");
    assert_eq!(version["sdk_version"], "base-challenge-1");
    for capability in ["get_weights", "proxy_routes"] {
        assert!(
            version["capabilities"]
                .as_array()
                .unwrap()
                .contains(&json!(capability))
        );
    }
}

#[test]
fn the_version_of_the_registry_is_a_setting() {
    let world = World::with(|settings| settings.challenge_version = "7.7.7".to_owned());
    assert_eq!(world.get("/version").json()["challenge_version"], "7.7.7");
}

#[test]
fn readiness_says_what_is_wrong() {
    let world = World::new();
    assert_eq!(world.get("/ready").status, 200);
    let alarm = prism_server::challenge::Alarm {
        code: "no_sandbox".to_owned(),
        sentence: "this machine cannot confine".to_owned(),
    };
    world.service.alarms.lock().unwrap().push(alarm);
    let ready = world.get("/ready");
    assert_eq!((ready.status, &ready.json()["ready"]), (503, &json!(false)));
    assert_eq!(ready.json()["alarms"][0]["code"], "no_sandbox");
    assert_eq!(world.get("/health").status, 200);
}

#[test]
fn no_work_is_given_away() {
    let world = World::new();
    world.submit(&crate::world::key(1), &crate::world::zip("a"));
    let units = world.send(&master(Request::get("/internal/v1/work_units")));
    assert_eq!(
        (units.status, units.json()),
        (200, json!({"challenge_slug": "prism", "work_units": []}))
    );
    let next = world.send(&master(Request::post("/internal/v1/worker/process-next", b"")));
    assert_eq!((next.status, next.json()), (200, json!({"submission_id": null})));
    assert_eq!(world.service.wakes(), 2, "once by the upload, once by this");
    for path in [
        "/internal/v1/work_units/fold",
        "/internal/v1/work_units/result",
        "/internal/v1/checkpoints",
    ] {
        assert_eq!(
            world.refused(&Request::post(path, b"{}"), 404).json()["status"],
            404
        );
    }
}

#[test]
fn every_internal_route_asks_for_the_token_first() {
    let world = World::new();
    for (method, path) in [
        ("GET", "/internal/v1/get_weights"),
        ("GET", "/internal/v1/work_units"),
        ("POST", "/internal/v1/worker/process-next"),
        ("POST", "/internal/v1/bridge/submissions"),
    ] {
        let bare = Request::new(method, path).header("X-Base-Challenge-Slug", "prism");
        for authorization in [
            None,
            Some("Bearer wrong"),
            Some("Basic x"),
            Some(&*format!("bearer {TOKEN}")),
        ] {
            let answer = world.refused(&bare.clone().set("Authorization", authorization), 401);
            assert_eq!(answer.code(), "invalid_token");
        }
        let right = format!("Bearer {TOKEN}");
        for slug in [None, Some("other"), Some("PRISM")] {
            let request = Request::new(method, path).header("Authorization", &right);
            let answer = world.refused(&request.set("X-Base-Challenge-Slug", slug), 400);
            assert_eq!(answer.code(), "wrong_slug");
        }
        let old = Request::new(method, path)
            .header("Authorization", &right)
            .header("X-Platform-Challenge-Slug", "prism");
        world.refused(&old, 400);
    }
    let closed = World::with(|settings| settings.token = None);
    for path in ["/internal/v1/get_weights", "/internal/v1/work_units"] {
        let answer = closed.refused(&master(Request::get(path)), 503);
        assert_eq!(answer.code(), "token_not_configured");
    }
}
