//! Reads that come through the master's proxy, and the public routes of the contract.

use prism_core::outcome::Reason;
use prism_core::rank::{NoRank, Standing};
use serde_json::{Value, json};

use crate::world::{Answer, Request, T0, World, key, zip};

fn proxied(world: &World, path: &str) -> Answer {
    let request = Request::get(path)
        .header("X-Base-Proxy", "true")
        .header("X-Base-Challenge-Slug", "prism")
        .header("Accept-Encoding", "gzip");
    let answer = world.send(&request);
    assert_eq!(answer.header("content-encoding"), None, "{path}");
    assert_eq!(
        answer.header("access-control-allow-origin"),
        None,
        "the master adds its own"
    );
    answer
}

fn read(world: &World, path: &str) -> Value {
    let answer = proxied(world, path);
    assert_eq!(answer.status, 200, "{path} {}", answer.text());
    answer.json()
}

#[test]
fn a_status_has_the_fields_of_the_contract() {
    let world = World::new();
    let (fresh, scored, zero) = (
        world.submit(&key(1), &zip("a")),
        world.submit(&key(2), &zip("b")),
        world.submit(&key(3), &zip("c")),
    );
    let unscored = [
        "error",
        "final_score",
        "q_arch",
        "q_recipe",
        "anti_cheat_multiplier",
        "diversity_bonus",
        "penalty",
    ];
    let status = read(&world, &format!("/v1/submissions/{fresh}"));
    for field in unscored {
        assert_eq!(status.get(field), Some(&Value::Null), "{field}");
    }
    for field in ["id", "hotkey", "status", "code_hash", "created_at"] {
        assert!(status[field].is_string(), "{field}");
    }
    assert_eq!(status["epoch_id"], T0 / 21_600);
    world.ranked(&scored, 0.25);
    let status = read(&world, &format!("/v1/submissions/{scored}"));
    assert_eq!(
        (&status["status"], &status["error"]),
        (&json!("completed"), &Value::Null)
    );
    for (field, value) in [
        ("final_score", 0.25),
        ("q_arch", 0.25),
        ("anti_cheat_multiplier", 1.0),
        ("q_recipe", 0.0),
        ("diversity_bonus", 0.0),
        ("penalty", 0.0),
    ] {
        assert_eq!(status[field], value, "{field}");
    }
    assert_eq!((&status["rank"], &status["stage"]), (&json!(1), &Value::Null));
    let anomalous = Standing::Ranked {
        bpb_ranked: 1.0,
        final_score: 0.0,
    };
    world.score(&zero, anomalous, &["step0_anomaly"], 2);
    let status = read(&world, &format!("/v1/submissions/{zero}"));
    assert_eq!(
        (&status["final_score"], &status["anti_cheat_multiplier"]),
        (&json!(0.0), &json!(0.0))
    );
    assert_eq!(status["flags"], json!(["step0_anomaly"]));
}

#[test]
fn every_end_without_a_score_says_why() {
    let world = World::new();
    for (at, (reason, status)) in [
        (Reason::GateRejected, "rejected"),
        (Reason::ReviewAbsent, "held"),
        (Reason::RoundClosed, "rejected"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = world.submit(&key(at as u64), &zip(&at.to_string()));
        world.end(&id, reason, "for a reason");
        let found = read(&world, &format!("/v1/submissions/{id}"));
        assert_eq!(
            (&found["status"], &found["error"]),
            (&json!(status), &json!("for a reason"))
        );
        assert_eq!(found["reason"], reason.code());
    }
    let id = world.submit(&key(9), &zip("untrue"));
    world.score(&id, Standing::NoRank(NoRank::ClaimsUntrue), &[], 2);
    let found = read(&world, &format!("/v1/submissions/{id}"));
    assert_eq!(
        (&found["final_score"], &found["anti_cheat_multiplier"]),
        (&json!(0.0), &json!(0.0))
    );
    assert_eq!(
        (&found["flags"], &found["rank"]),
        (&json!(["claims_untrue"]), &Value::Null)
    );
    for unknown in [
        "no-such",
        "00000000-0000-4000-8000-000000000000",
        "%00",
        "%ff",
        "..%2f..%2fx",
    ] {
        let answer = proxied(&world, &format!("/v1/submissions/{unknown}"));
        assert_eq!(answer.status, 404, "{unknown}");
        answer.code();
    }
}

#[test]
fn the_leaderboard_is_of_an_epoch_and_has_one_line_a_hotkey() {
    let world = World::new();
    assert_eq!(
        read(&world, "/v1/leaderboard"),
        json!({"epoch_id": T0 / 21_600, "entries": []})
    );
    let mut ids = Vec::new();
    for (number, hotkey, score) in [(0, 1, 0.2), (1, 1, 0.3), (2, 2, 0.3 + 1e-12), (3, 3, 0.0)] {
        world.set_time(T0 + number);
        let id = world.submit(&key(hotkey), &zip(&number.to_string()));
        world.ranked(&id, score);
        ids.push(id);
    }
    let late = world.submit(&key(4), &zip("late"));
    world.end(&late, Reason::GateRejected, "no");
    let board = eventually(|| {
        let board = read(&world, "/v1/leaderboard");
        (board["entries"].as_array().unwrap().len() == 3).then_some(board)
    });
    let entries = board["entries"].as_array().unwrap();
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                entry["rank"].as_u64().unwrap(),
                entry["submission_id"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [(1, ids[1].as_str()), (2, ids[2].as_str()), (3, ids[3].as_str())],
        "equal on the grid, then earlier"
    );
    assert_eq!(entries[0]["score"], 0.3);
    assert_eq!(
        read(&world, "/v1/leaderboard?epoch_id=3"),
        json!({"epoch_id": 3, "entries": []})
    );
    world.set_time(T0 + 21_600);
    assert_eq!(read(&world, "/v1/leaderboard")["entries"], json!([]));
    let earlier = format!("/v1/leaderboard?epoch_id={}", T0 / 21_600);
    assert_eq!(read(&world, &earlier)["entries"].as_array().unwrap().len(), 3);
}

/// What a kept answer shows a moment later.
fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..200 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("it did not come true");
}

#[test]
fn a_leaderboard_has_fifty_lines_at_most() {
    let world = World::new();
    for number in 0..52 {
        let id = world.submit(&key(number), &zip(&number.to_string()));
        world.ranked(&id, 0.1 + number as f64 / 1000.0);
    }
    let board = eventually(|| {
        let board = read(&world, "/v1/leaderboard");
        (board["entries"][0]["score"] == 0.1 + 51.0 / 1000.0).then_some(board)
    });
    assert_eq!(board["entries"].as_array().unwrap().len(), 50);
}

#[test]
fn a_curve_is_there_once_it_is_scored() {
    let world = World::new();
    let id = world.submit(&key(1), &zip("a"));
    let path = format!("/v1/submissions/{id}/curve");
    assert_eq!(proxied(&world, &path).status, 404);
    assert_eq!(
        proxied(&world, "/v1/submissions/none/curve").json()["detail"],
        "submission curve not found"
    );
    let standing = Standing::Ranked {
        bpb_ranked: 2.5,
        final_score: 0.3,
    };
    world.score(&id, standing, &[], 500);
    let curve = read(&world, &path);
    assert_eq!(curve["submission_id"], id.as_str());
    let losses = &curve["loss_curve"];
    assert_eq!(
        (&losses["points"], &losses["downsampled"]),
        (&json!(500), &json!(true))
    );
    for array in ["online_loss", "covered_bytes_cumulative"] {
        assert_eq!(losses[array].as_array().unwrap().len(), 500);
    }
    assert_eq!(
        (&curve["bpb"]["prequential_bpb"], &curve["compute"]["device"]),
        (&json!(2.5), &json!("cpu"))
    );
    for field in [
        "gpu_count",
        "gpu_tier",
        "model_params",
        "tokens_consumed",
        "estimated_flops",
        "wall_clock_seconds",
        "gpu_hours",
        "peak_vram_bytes",
        "peak_rss_bytes",
    ] {
        assert!(curve["compute"].get(field).is_some(), "{field}");
    }
}

#[test]
fn epochs_days_jobs_and_devices() {
    let world = World::new();
    assert_eq!(read(&world, "/v1/epochs"), json!([]));
    assert_eq!(read(&world, "/v1/submissions/history"), json!([]));
    let id = world.submit(&key(1), &zip("a"));
    world.set_time(T0 + 86_400);
    world.submit(&key(1), &zip("b"));
    assert_eq!(
        read(&world, "/v1/epochs/current"),
        json!({"epoch_id": T0 / 21_600 + 4, "epoch_seconds": 21_600})
    );
    let epochs = read(&world, "/v1/epochs");
    assert_eq!(
        epochs[1],
        json!({"id": T0 / 21_600, "starts_at": "2026-01-01T00:00:00.000000Z",
        "ends_at": "2026-01-01T06:00:00.000000Z", "status": "open"})
    );
    assert_eq!(read(&world, "/v1/epochs?limit=1").as_array().unwrap().len(), 1);
    let days = json!([{"date": "2026-01-01", "count": 1}, {"date": "2026-01-02", "count": 1}]);
    assert_eq!(read(&world, "/v1/submissions/history"), days);
    assert_eq!(
        read(&world, "/v1/submissions/history?days=1")
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let jobs = read(&world, "/v1/health/eval-jobs");
    assert_eq!(jobs[1]["submission_id"], id.as_str());
    assert_eq!(
        (&jobs[1]["level"], &jobs[1]["status"], &jobs[1]["attempts"]),
        (&json!("l1"), &json!("pending"), &json!(0))
    );
    let gpus = read(&world, "/v1/gpu/status");
    assert_eq!(
        gpus,
        json!({"total_gpus": 0, "active_leases": 0, "by_status": {}, "by_tier": {}})
    );
}

#[test]
fn numbers_out_of_bounds_are_told_as_a_list() {
    let world = World::new();
    for path in [
        "/v1/leaderboard?epoch_id=-1",
        "/v1/leaderboard?epoch_id=x",
        "/v1/architectures?epoch_id=-1",
        "/v1/submissions/history?days=0",
        "/v1/submissions/history?days=367",
        "/v1/epochs?limit=0",
        "/v1/epochs?limit=201",
        "/v1/health/eval-jobs?limit=0",
        "/v1/health/eval-jobs?limit=201",
    ] {
        let answer = proxied(&world, path);
        assert_eq!(answer.status, 422, "{path}");
        let fault = &answer.json()["detail"][0];
        assert_eq!(fault["loc"][0], "query", "{path}");
        assert!(fault["type"].is_string() && fault["msg"].is_string() && fault.get("input").is_some());
        answer.code();
    }
}

#[test]
fn architectures_are_families() {
    let world = World::new();
    assert_eq!(read(&world, "/v1/architectures")["architectures"], json!([]));
    let mut ids = Vec::new();
    for (number, (architecture, training, score)) in [
        ("wide", "adam", Some(0.2)),
        ("wide", "muon", Some(0.4)),
        ("deep", "adam", Some(0.3)),
        ("odd", "adam", None),
    ]
    .into_iter()
    .enumerate()
    {
        let id = world.submit(&key(number as u64), &zip(&number.to_string()));
        world.read_contract(&id, architecture, training);
        if let Some(score) = score {
            world.ranked(&id, score);
        }
        ids.push(id);
    }
    let list = eventually(|| {
        let list = read(&world, "/v1/architectures");
        (list["architectures"].as_array().unwrap().len() == 2).then_some(list)
    });
    let best = &list["architectures"][0];
    assert_eq!(
        (&best["rank"], &best["name"], &best["best_final_score"]),
        (&json!(1), &json!("wide"), &json!(0.4))
    );
    assert_eq!(
        (&best["variant_count"], &best["submission_count"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(best["best_submission_id"], ids[1].as_str());
    assert_eq!(best["owner_hotkey"], key(0).hotkey().to_string());
    assert_eq!(best["architecture_id"], best["arch_hash"]);
    let id = best["architecture_id"].as_str().unwrap();
    let one = read(&world, &format!("/v1/architectures/{id}"));
    assert!(one.get("rank").is_none() && one["first_seen_at"].is_string() && one["updated_at"].is_string());
    let variants = read(&world, &format!("/v1/architectures/{id}/variants"));
    let told: Vec<_> = variants["variants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["final_score"].as_f64().unwrap(),
                one["is_current_best"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [(0.4, true), (0.2, false)]);
    let report = read(&world, &format!("/v1/architectures/{id}/report"));
    assert_eq!(report["report"]["status"], "unavailable");
    for path in ["", "/variants", "/report"] {
        let answer = proxied(&world, &format!("/v1/architectures/none{path}"));
        assert_eq!(
            (answer.status, &answer.json()["detail"]),
            (404, &json!("architecture not found"))
        );
    }
}

#[test]
fn what_no_route_takes_is_told_in_the_contracts_words() {
    let world = World::new();
    let nothing = proxied(&world, "/v1/training-variants");
    assert_eq!(
        (nothing.status, &nothing.json()["detail"]),
        (404, &json!("Not Found"))
    );
    for (method, path, allowed) in [
        ("DELETE", "/v1/submissions", "GET,HEAD,POST"),
        ("POST", "/health", "GET,HEAD"),
        ("PUT", "/v1/leaderboard", "GET,HEAD"),
    ] {
        let answer = world.refused(&Request::new(method, path), 405);
        assert_eq!(answer.json()["detail"], "Method Not Allowed");
        let mut allow: Vec<_> = answer.header("allow").unwrap().split(',').collect();
        allow.sort_unstable();
        assert_eq!(allow.join(","), allowed, "{path}");
    }
    // A signed upload through the proxy arrives without its headers.
    let unsigned = Request::post("/v1/submissions", &zip("a")).header("X-Base-Proxy", "true");
    assert_eq!(
        world.refused(&unsigned, 422).json()["detail"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
}
