//! Reads beyond the contract: lists, tags, other pages, files of runs, what is public when.

use prism_core::outcome::Reason;
use serde_json::{Value, json};

use crate::world::{Request, World, key, zip};

fn read(world: &World, path: &str) -> Value {
    let answer = world.get(path);
    assert_eq!(answer.status, 200, "{path} {}", answer.text());
    answer.json()
}

#[test]
fn lists_are_filtered_and_go_on_where_they_stopped() {
    let world = World::new();
    let mut ids: Vec<String> = (0..25)
        .map(|number| world.submit(&key(number % 3), &zip(&number.to_string())))
        .collect();
    world.queue(&ids[3]);
    world.end(&ids[5], Reason::GateRejected, "no");
    ids.reverse();
    let mut seen = Vec::new();
    let mut path = "/v1/submissions?limit=10".to_owned();
    loop {
        let page = read(&world, &path);
        let list = page["submissions"].as_array().unwrap();
        assert!(list.iter().all(|one| one.get("attempts").is_none()));
        seen.extend(list.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/submissions?limit=10&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids, "the newest first, each once");
    let count = |query: &str| {
        read(&world, &format!("/v1/submissions?limit=200&{query}"))["submissions"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(count("status=rejected"), 1);
    assert_eq!(count("status=pending"), 24);
    assert_eq!(count("stage=queued"), 1);
    assert_eq!(count(&format!("hotkey={}", key(0).hotkey())), 9);
    assert_eq!(count(&format!("hotkey={}&status=rejected", key(2).hotkey())), 1);
    assert_eq!(count("hotkey=nobody"), 0);
    assert_eq!(count("epoch_id=5"), 0);
    let round = read(&world, "/v1/rounds/current")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(count(&format!("round={round}")), 25);
    for bad in [
        "status=done",
        "status=",
        "stage=x",
        "limit=0",
        "limit=201",
        "limit=x",
        "cursor=5",
        &format!("hotkey={}", "x".repeat(200)),
    ] {
        assert_eq!(world.get(&format!("/v1/submissions?{bad}")).status, 422, "{bad}");
    }
}

#[test]
fn who_has_an_answer_already_is_told_so_until_it_changes() {
    let world = World::new();
    let id = world.submit(&key(1), &zip("a"));
    for path in [
        format!("/v1/submissions/{id}"),
        "/v1/submissions".to_owned(),
        "/v1/board".to_owned(),
        "/v1/leaderboard".to_owned(),
        "/v1/rules".to_owned(),
        "/v1/rounds".to_owned(),
        "/openapi.json".to_owned(),
        "/".to_owned(),
    ] {
        let first = world.get(&path);
        let tag = first.header("etag").expect(&path).to_owned();
        let again = world.send(&Request::get(&path).header("If-None-Match", &tag));
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
        assert_eq!(again.header("etag"), Some(tag.as_str()));
        assert_eq!(first.header("cache-control"), Some("no-cache"));
    }
    let path = format!("/v1/submissions/{id}");
    let tag = world.get(&path).header("etag").unwrap().to_owned();
    world.queue(&id);
    assert_eq!(
        world
            .send(&Request::get(&path).header("If-None-Match", &tag))
            .status,
        200
    );
}

#[test]
fn long_answers_are_compressed_for_who_asks_and_never_for_the_master() {
    let world = World::new();
    for number in 0..30 {
        let id = world.submit(&key(number), &zip(&number.to_string()));
        world.ranked(&id, 0.2);
    }
    for path in ["/v1/board", "/v1/submissions", "/openapi.json"] {
        let gzip = Request::get(path).header("Accept-Encoding", "gzip");
        let answer = world.send(&gzip);
        assert_eq!(answer.header("content-encoding"), Some("gzip"), "{path}");
        let plain = world.get(path);
        assert_eq!(plain.header("content-encoding"), None);
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&answer.body[..]), &mut text).unwrap();
        assert!(text == plain.body, "{path}");
        let proxied = world.send(&gzip.header("X-Base-Proxy", "true"));
        assert_eq!(proxied.header("content-encoding"), None);
        assert!(proxied.body == plain.body);
    }
}

#[test]
fn pages_of_others_may_read_what_is_public_and_nothing_else() {
    let world = World::new();
    let read = world.send(&Request::get("/v1/leaderboard").header("Origin", "https://other.example"));
    assert_eq!(read.header("access-control-allow-origin"), Some("*"));
    assert!(read.header("access-control-allow-credentials").is_none());
    let asked = Request::new("OPTIONS", "/v1/leaderboard")
        .header("Origin", "https://other.example")
        .header("Access-Control-Request-Method", "POST");
    let preflight = world.send(&asked);
    assert_eq!(preflight.status, 204);
    assert_eq!(
        preflight.header("access-control-allow-methods"),
        Some("GET, HEAD, OPTIONS")
    );
    for (path, expected) in [
        ("/v1/leaderboard", &["GET", "HEAD"][..]),
        ("/v1/submissions", &["GET", "HEAD", "POST"]),
        ("/v1/precheck", &["POST"]),
    ] {
        let told = world.send(&Request::new("OPTIONS", path));
        let mut allowed: Vec<&str> = told.header("allow").unwrap().split(',').collect();
        allowed.sort_unstable();
        assert_eq!((told.status, allowed.as_slice()), (204, expected), "{path}");
    }
    assert_eq!(world.send(&Request::new("OPTIONS", "/v1/nothing")).status, 404);
    let internal = crate::world::master(Request::get("/internal/v1/get_weights"));
    assert_eq!(world.send(&internal).header("access-control-allow-origin"), None);
    let upload = world.upload(&key(1), &zip("a"));
    assert_eq!(world.send(&upload).header("access-control-allow-origin"), None);
}

#[test]
fn every_answer_has_an_id_and_headers_that_protect() {
    let world = World::new();
    let mut ids = std::collections::HashSet::new();
    for path in ["/", "/health", "/nothing", "/v1/submissions?limit=0", "/docs/"] {
        let answer = world.get(path);
        let id = answer.header("x-request-id").unwrap().to_owned();
        if answer.status >= 400 {
            assert_eq!(answer.json()["instance"], format!("urn:prism:request:{id}"));
        }
        assert!(ids.insert(id));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
    }
    let forged = world.send(&Request::get("/health").header("X-Request-Id", "mine"));
    assert_ne!(forged.header("x-request-id"), Some("mine"));
}

#[test]
fn the_service_says_what_it_does() {
    let world = World::new();
    let ids: Vec<String> = (0..3)
        .map(|number| world.submit(&key(number), &zip(&number.to_string())))
        .collect();
    for id in &ids {
        world.queue(id);
    }
    let queue = read(&world, "/v1/queue");
    assert_eq!((&queue["depth"], &queue["running"]), (&json!(3), &json!(0)));
    let places: Vec<_> = queue["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["submission_id"].as_str().unwrap(),
                one["position"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        places,
        [(ids[0].as_str(), 1), (ids[1].as_str(), 2), (ids[2].as_str(), 3)]
    );
    let status = read(&world, &format!("/v1/submissions/{}", ids[2]));
    assert_eq!(
        (&status["position"], &status["reason"], &status["error"]),
        (&json!(3), &json!("queue"), &Value::Null)
    );
    assert!(read(&world, "/v1/recipe")["toml"].is_string());
    assert!(read(&world, "/v1/rules")["reasons"].is_array());
    let weights = read(&world, "/v1/weights");
    assert_eq!(
        (&weights["policy"], &weights["weights"]),
        (&json!("rank-geometric"), &json!({}))
    );
    for bad in ["", "?hotkey=", "?hotkey=hk"] {
        assert_eq!(world.get(&format!("/v1/budget{bad}")).status, 422, "{bad}");
    }
}

#[test]
fn a_wait_says_why_with_code_and_sentence() {
    let world = World::new();
    let id = world.submit(&key(1), &zip("a"));
    let (of, now) = (id.clone(), world.time());
    let told = world.store.write(move |tx| {
        let why = prism_core::submission::Wait::NoExecutor;
        prism_store::submissions::wait(tx, &of, why, Some("no machine here can confine"), None, now)
    });
    told.unwrap();
    let status = read(&world, &format!("/v1/submissions/{id}"));
    assert_eq!(
        (&status["reason"], &status["detail"]),
        (&json!("no_executor"), &json!("no machine here can confine"))
    );
    assert_eq!(status["error"], status["detail"]);
}

#[test]
fn a_check_before_an_upload_stores_nothing() {
    let world = World::new();
    let before = world.state();
    let fine = world.send(&Request::post("/v1/precheck", &zip("a")));
    assert_eq!((fine.status, &fine.json()["passes"]), (200, &json!(true)));
    let bad = world.send(&Request::post("/v1/precheck", b"no zip"));
    assert_eq!(
        (&bad.json()["passes"], &bad.json()["reason"]),
        (&json!(false), &json!("bundle_invalid"))
    );
    for (body, kind, status) in [
        (&b""[..], "application/zip", 422),
        (b"{x", "application/json", 400),
        (b"[]", "application/json", 422),
    ] {
        let request = Request::post("/v1/precheck", body).header("Content-Type", kind);
        assert_eq!(world.send(&request).status, status);
    }
    assert_eq!(world.state(), before);
    let limited = World::with(|settings| {
        settings.unlimited_clients.clear();
        settings.limits.prechecks = prism_server::limiter::Rate::per_minute(1, 1);
    });
    assert_eq!(
        limited.send(&Request::post("/v1/precheck", &zip("a"))).status,
        200
    );
    limited.refused(&Request::post("/v1/precheck", &zip("a")), 429);
}

#[test]
fn the_first_page_is_readable_by_everybody() {
    let world = World::new();
    let id = world.submit(&key(1), &zip("a"));
    world.ranked(&id, 0.25);
    let waiting = world.submit(&key(2), &zip("b"));
    world.queue(&waiting);
    let page = world.get("/");
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    let text = page.text();
    for part in [
        "round-1",
        "2.50000",
        &format!("/v1/submissions/{id}"),
        &format!("/v1/submissions/{waiting}"),
        "/v1/rules",
        "<caption>",
        "scope=\"col\"",
    ] {
        assert!(text.contains(part), "{part} {text}");
    }
    for part in ["<script", "http://", "https://", "style=", "onclick"] {
        assert!(!text.contains(part), "{part}");
    }
    let style = text
        .split("href=\"")
        .find(|part| part.starts_with("/assets/"))
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let style = world.get(style);
    assert_eq!(
        (style.status, style.header("content-type")),
        (200, Some("text/css; charset=utf-8"))
    );
    assert!(style.header("cache-control").unwrap().contains("immutable"));
}
