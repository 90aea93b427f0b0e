//! The review through the real service, with an endpoint on loopback that says what a test wants: every row of the table of
//! what may come, with state, reason, cost for the miner (none) and that nothing ran.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use prism_bundle::Bundle;
use prism_core::outcome::{Reason, Status};
use prism_core::submission::{Position, Stage, Wait};
use prism_review::{Access, Client, Key, Settings, Structured};
use prism_server::challenge::Challenge as _;
use prism_service::{Operation, ReviewMode, Reviewer};
use prism_store::events;
use prism_store::reviews::{self, Limits};
use prism_store::submissions::Submission;
use serde_json::{Value, json};

use crate::challenge_world::World;
use crate::endpoint::{Endpoint, KEY, Say, Script, around};

/// A line that both views of every bundle here have.
const LINE: &str = "torch.nn.Linear(3, 3)";
const HELD: Position = Position::Ended(Status::Held);
const REJECTED: Position = Position::Ended(Status::Rejected);

fn limits() -> Limits {
    Limits {
        calls: 100_000,
        usd: 1e6,
        calls_of_hotkey: 100_000,
    }
}

fn settings() -> Settings {
    let mut settings = Settings::new("model-asked");
    "model-second".clone_into(&mut settings.second_model);
    settings.plant_one_in = 0;
    settings.timeout = Duration::from_mins(2);
    settings
}

fn world_with(endpoint: &Endpoint, mode: ReviewMode, settings: Settings, limits: Limits) -> World {
    let url = endpoint.url();
    let make = move || Reviewer {
        client: Arc::new(Client::new(
            Access::new(&url, Key::new(KEY).unwrap(), false).unwrap(),
            settings.clone(),
        )),
        limits,
        concurrency: 4,
    };
    World::reviewed_by(mode, Some(Box::new(make)))
}

fn world(endpoint: &Endpoint) -> World {
    world_with(endpoint, ReviewMode::Enforce, settings(), limits())
}

/// A bundle of its own, with a line that can be charged.
fn bundle(number: usize) -> Vec<u8> {
    let architecture = format!(
        "import torch\n\n\nclass Secretname(torch.nn.Module):\n    def __init__(self, width):\n        super().__init__()\n        \
         self.table = torch.nn.Embedding(width, width)\n        self.extra = torch.nn.Linear(3, 3)\n\n    def forward(self, tokens):\n        \
         return self.table(tokens) + {number}.5\n\n\ndef build_model(ctx):\n    return Secretname(ctx.vocab_size)\n# {number}\n"
    );
    let files = vec![
        ("architecture.py".to_owned(), architecture.into_bytes()),
        ("training.py".to_owned(), b"def train(ctx):\n    pass\n".to_vec()),
    ];
    Bundle::from_entries(files).unwrap().to_zip()
}

/// What a held or rejected submission must not have cost.
fn cost_nothing(world: &World, submission: &Submission) {
    assert_eq!(world.started(&submission.id), [], "nothing ran");
    assert_eq!(submission.runs_charged, 0);
}

/// Waits for an end, as a clock goes on.
fn ended(world: &World, id: &str) -> Submission {
    world.until("it ends", |world| {
        if matches!(world.get(id).position, Position::Ended(_)) {
            return true;
        }
        if world
            .get(id)
            .waiting
            .is_some_and(|waiting| waiting.not_before.is_some())
        {
            world.pass(700);
        }
        false
    });
    world.get(id)
}

fn held(world: &World, id: &str, reason: Reason) -> Submission {
    let submission = ended(world, id);
    assert_eq!(
        (submission.position, submission.reason),
        (HELD, Some(reason)),
        "{}",
        submission.sentence
    );
    assert!(
        submission.sentence.contains("costs you no run"),
        "{}",
        submission.sentence
    );
    cost_nothing(world, &submission);
    submission
}

fn public_events(world: &World, id: &str) -> String {
    let all = world.store().read(|tx| events::of(tx, id, 0, 1000)).unwrap();
    format!("{all:?}")
}

#[test]
fn two_clean_readings_let_it_run_and_everything_is_stored() {
    let endpoint = Endpoint::always(|_| Say::Allow);
    let world = world(&endpoint);
    let id = world.submit("5First", &bundle(1));
    world.completed(&id);
    assert_eq!(endpoint.asked(), ["bare", "full"]);
    let seen = endpoint.seen();
    for seen in &seen {
        let request = &seen.request;
        assert!(seen.head.contains(&format!("authorization: Bearer {KEY}")));
        assert_eq!(
            (&request["model"], &request["stream"]),
            (&json!("model-asked"), &json!(false))
        );
        assert_eq!(request["response_format"]["json_schema"]["strict"], true);
        for absent in ["temperature", "seed", "provider", "transforms", "tools"] {
            assert!(request.get(absent).is_none(), "{absent}");
        }
    }
    let bare = seen[0].request["messages"][1]["content"].as_str().unwrap();
    assert!(!bare.contains("Secretname") && !bare.contains("architecture.py"));
    let all = world
        .admin(&Operation::Reviews {
            submission: id.clone(),
        })
        .unwrap();
    let calls = all["reviews"][0]["calls"].as_array().unwrap();
    assert_eq!(calls.len(), 2);
    for call in calls {
        assert_eq!(call["model"], "model-as-it-came-back-2026");
        assert_eq!(
            (&call["input_tokens"], &call["output_tokens"]),
            (&json!(1000), &json!(100))
        );
        assert_eq!(call["cost_usd"], 0.01);
        assert!(call["seconds"].as_f64().unwrap() > 0.0);
    }
    let shown = world.get(&id).review;
    assert_eq!(
        (
            shown.mode.as_str(),
            shown.model.as_deref(),
            shown.verdict.as_deref()
        ),
        ("enforce", Some("model-asked"), Some("passed"))
    );
    let view = world.service().review();
    assert_eq!(
        (view.mode.as_str(), view.model.as_deref()),
        ("enforce", Some("model-asked"))
    );
    let day = world.admin(&Operation::Review).unwrap();
    assert_eq!((&day["today"]["calls"], &day["waiting"]), (&json!(2), &json!(0)));
}

#[test]
fn words_that_change_the_verdict_hold_it() {
    let endpoint = Endpoint::always(|seen| match seen.purpose {
        "bare" => Say::Reject(LINE, "PRR103"),
        _ => Say::Allow,
    });
    let world = world(&endpoint);
    let id = world.submit("5First", &bundle(1));
    held(&world, &id, Reason::ReviewDisputed);
    assert_eq!(endpoint.asked(), ["bare", "full"]);
}

#[test]
fn a_rejection_that_nobody_refutes_is_final_and_its_lines_are_for_the_owner() {
    let endpoint = Endpoint::always(|seen| match seen.purpose {
        "refute" => Say::Find("stands"),
        _ => Say::Reject(LINE, "PRR103"),
    });
    let mut world = world(&endpoint);
    let id = world.submit("5First", &bundle(1));
    let rejected = ended(&world, &id);
    assert_eq!(
        (rejected.position, rejected.reason),
        (REJECTED, Some(Reason::ReviewRejected))
    );
    assert!(rejected.sentence.contains("PRR103") && rejected.sentence.contains("architecture.py:8"));
    cost_nothing(&world, &rejected);
    assert_eq!(endpoint.asked(), ["bare", "full", "refute"]);
    let refuting = &endpoint.seen()[2];
    assert_eq!(refuting.request["model"], "model-second");
    assert!(
        !refuting.request.to_string().contains("as a test says"),
        "no prose of the accuser"
    );
    let public = public_events(&world, &id);
    assert!(public.contains("PRR103") && !public.contains(LINE) && !public.contains("as a test says"));
    let owner = world.service().review_of(&id).unwrap().unwrap();
    assert_eq!(owner["charges"][0]["line"], 8);
    assert!(owner["charges"][0]["quote"].as_str().unwrap().contains(LINE));
    assert_eq!(
        (&owner["charges"][0]["why"], &owner["may_appeal"]),
        (&json!("as a test says"), &json!(true))
    );

    // The same question has its answer, also after a restart: nobody is asked again.
    world.stop();
    world.start();
    world
        .admin(&Operation::Requeue {
            submission: id.clone(),
            free: true,
        })
        .unwrap();
    world.until("it was read again", |world| {
        let reviews = world.store().read(|tx| reviews::of(tx, &id)).unwrap();
        reviews.len() == 2 && reviews[1].ended.is_some()
    });
    let again = ended(&world, &id);
    assert_eq!(again.reason, Some(Reason::ReviewRejected));
    assert_eq!(endpoint.asked().len(), 3);
    let all = world.admin(&Operation::Reviews { submission: id }).unwrap();
    assert_eq!(all["reviews"][1]["copied"], true);
}

#[test]
fn a_charge_that_is_refuted_or_doubted_goes_to_a_person() {
    for finding in ["refuted", "unsure"] {
        let endpoint = Endpoint::always(move |seen| match seen.purpose {
            "bare" => Say::Allow,
            "full" => Say::Reject(LINE, "PRR201"),
            _ => Say::Find(finding),
        });
        let world = world(&endpoint);
        let id = world.submit("5First", &bundle(1));
        held(&world, &id, Reason::ReviewDisputed);
        assert_eq!(endpoint.asked(), ["bare", "full", "refute"]);
    }
}

/// Everything that is no verdict: tried once more, then held.
#[test]
fn what_is_no_vote_is_asked_once_more_and_held() {
    let body = |value: Value| Say::Body(value.to_string());
    let message = |message: Value| {
        body(json!({"choices": [{"finish_reason": "stop", "message": message}], "usage": {}}))
    };
    let cases: Vec<(&str, Say)> = vec![
        (
            "a rejection without a quote",
            Say::Changed(|answer| answer["decision"] = json!("reject")),
        ),
        (
            "unsure",
            Say::Changed(|answer| answer["decision"] = json!("unsure")),
        ),
        (
            "low confidence",
            Say::Changed(|answer| answer["confidence"] = json!("low")),
        ),
        (
            "a wrong nonce",
            Say::Changed(|answer| answer["echo"] = json!("abcdef")),
        ),
        (
            "a file too few",
            Say::Changed(|answer| drop(answer["files"].as_array_mut().unwrap().pop())),
        ),
        (
            "a wrong length",
            Say::Changed(|answer| answer["files"][0]["lines"] = json!(3)),
        ),
        ("yes", Say::Text("yes".into())),
        (
            "a string for true",
            Say::Text(r#"{"verdict": "yes", "reason": "fine"}"#.into()),
        ),
        (
            "a string for a decision",
            Say::Changed(|answer| answer["decision"] = json!("yes")),
        ),
        (
            "a boolean",
            Say::Changed(|answer| answer["decision"] = json!(true)),
        ),
        (
            "one field more",
            Say::Changed(|answer| answer["note"] = json!("x")),
        ),
        ("nested garbage", Say::Text("[".repeat(50_000))),
        ("a fence", Say::Text("```json\n{}\n```".into())),
        ("no JSON at all", Say::Body("<html>".into())),
        ("an empty object", Say::Body("{}".into())),
        ("no choices", Say::Body(r#"{"choices": []}"#.into())),
        (
            "a refusal",
            message(json!({"content": null, "refusal": "I cannot"})),
        ),
        ("nothing said", message(json!({"content": ""}))),
        ("a number for content", message(json!({"content": 1}))),
        ("cut off", Say::Finished("length")),
        ("filtered", Say::Finished("content_filter")),
        (
            "an error that says nothing",
            body(json!({"error": {"message": "?"}})),
        ),
        ("a hundred megabytes", Say::Flood),
    ];
    let now: Arc<Mutex<Say>> = Arc::new(Mutex::new(Say::Allow));
    let script = Arc::clone(&now);
    let endpoint = Endpoint::always(move |_| script.lock().unwrap().clone());
    let world = world(&endpoint);
    for (number, (what, say)) in cases.into_iter().enumerate() {
        let before = endpoint.asked().len();
        *now.lock().unwrap() = say;
        let id = world.submit(&format!("5Miner{number}"), &bundle(number));
        held(&world, &id, Reason::ReviewNoVerdict);
        let seen = endpoint.seen();
        assert_eq!(seen.len() - before, 2, "{what}");
        assert_ne!(seen[before].seals, seen[before + 1].seals, "a fresh nonce");
    }
}

/// A comment accuses nobody: whatever it says, a person decides.
#[test]
fn a_quote_of_a_comment_rejects_nothing() {
    let endpoint = Endpoint::always(|seen| match seen.purpose {
        "bare" => Say::Allow,
        _ => Say::Reject("# 1", "PRR102"),
    });
    let world = world(&endpoint);
    let id = world.submit("5First", &bundle(1));
    held(&world, &id, Reason::ReviewNoVerdict);
    assert_eq!(endpoint.asked(), ["bare", "full", "full"]);
}

#[test]
fn one_answer_that_is_no_vote_is_forgiven() {
    let endpoint = Endpoint::new(Arc::new(|_, number| {
        if number == 0 {
            Say::Text("?".into())
        } else {
            Say::Allow
        }
    }));
    let world = world(&endpoint);
    let id = world.submit("5First", &bundle(1));
    world.completed(&id);
    assert_eq!(endpoint.asked(), ["bare", "bare", "full"]);
}

#[test]
fn who_misses_what_was_planted_has_no_vote() {
    let endpoint = Endpoint::always(|_| Say::Allow);
    let planting = Settings {
        plant_one_in: 1,
        ..settings()
    };
    let world = world_with(&endpoint, ReviewMode::Enforce, planting.clone(), limits());
    let id = world.submit("5First", &bundle(1));
    held(&world, &id, Reason::ReviewNoVerdict);
    assert_eq!(endpoint.asked(), ["bare", "bare"]);
    let today = &world.admin(&Operation::Review).unwrap()["today"];
    assert_eq!((&today["planted"], &today["miss_rate"]), (&json!(2), &json!(1.0)));

    // One who sees it votes on the rest.
    let endpoint = Endpoint::always(|seen| {
        let planted = ["v901 = {}", "def f911(", "v921 = ", "v931 = "]
            .into_iter()
            .find(|text| seen.find(text).is_some());
        match planted {
            Some(text) => Say::Reject(text, "PRR107"),
            None => Say::Allow,
        }
    });
    let world = world_with(&endpoint, ReviewMode::Enforce, planting, limits());
    let id = world.submit("5First", &bundle(1));
    world.completed(&id);
    assert_eq!(endpoint.asked(), ["bare", "full"]);
    assert_eq!(
        world.admin(&Operation::Review).unwrap()["today"]["miss_rate"],
        0.0
    );
}

/// Everything that says "later": tried again with pauses, then held, free.
#[test]
fn an_endpoint_that_cannot_be_asked_is_asked_five_times_and_then_a_person() {
    let inside = |code: Value| Say::Body(json!({"error": {"code": code, "message": "?"}}).to_string());
    let cases: Vec<(&str, Say)> = vec![
        ("refused", Say::Close),
        ("half an answer", Say::Half),
        ("408", Say::Status(408, None)),
        ("429", Say::Status(429, None)),
        ("500", Say::Status(500, None)),
        ("503", Say::Status(503, Some(5))),
        ("200 with 429 inside", inside(json!(429))),
        ("200 with 502 inside, as text", inside(json!("502"))),
    ];
    let now: Arc<Mutex<Say>> = Arc::new(Mutex::new(Say::Allow));
    let script = Arc::clone(&now);
    let endpoint = Endpoint::always(move |_| script.lock().unwrap().clone());
    let world = world(&endpoint);
    for (number, (what, say)) in cases.into_iter().enumerate() {
        let before = endpoint.asked().len();
        *now.lock().unwrap() = say;
        let id = world.submit(&format!("5Miner{number}"), &bundle(number));
        held(&world, &id, Reason::ReviewUnreachable);
        assert_eq!(endpoint.asked().len() - before, 5, "{what}");
        *now.lock().unwrap() = Say::Allow;
    }
    // It works again: what was held for that is read at the operator's word.
    world.admin(&Operation::ReviewRetry).unwrap();
    world.until("all have run", |world| {
        world.store().read(prism_store::queue::depth).unwrap().reviews == 0
    });
}

#[test]
fn an_endpoint_that_is_silent_or_drips_is_given_up() {
    for say in [Say::Stall, Say::Drip] {
        let said = say.clone();
        let endpoint = Endpoint::always(move |_| said.clone());
        let impatient = Settings {
            timeout: Duration::from_millis(200),
            ..settings()
        };
        let world = world_with(&endpoint, ReviewMode::Enforce, impatient, limits());
        let id = world.submit("5First", &bundle(1));
        held(&world, &id, Reason::ReviewUnreachable);
        let all = world.admin(&Operation::Reviews { submission: id }).unwrap();
        let calls = all["reviews"][0]["calls"].as_array().unwrap().clone();
        assert_eq!(calls.len(), 5, "{say:?}");
        assert!(calls.iter().all(|call| call["outcome"] == "unreachable"));
    }
}

#[test]
fn nobody_listening_is_unreachable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("http://{free}/v1");
    let make = move || Reviewer {
        client: Arc::new(Client::new(
            Access::new(&url, Key::new(KEY).unwrap(), false).unwrap(),
            settings(),
        )),
        limits: limits(),
        concurrency: 1,
    };
    let world = World::reviewed_by(ReviewMode::Enforce, Some(Box::new(make)));
    let id = world.submit("5First", &bundle(1));
    held(&world, &id, Reason::ReviewUnreachable);
}

#[test]
fn the_wait_that_an_endpoint_asks_for_is_kept() {
    let endpoint = Endpoint::new(Arc::new(|_, number| match number {
        0 => Say::Status(429, Some(77)),
        _ => Say::Allow,
    }));
    let world = world(&endpoint);
    let id = world.submit("5First", &bundle(1));
    world.until("it waits", |world| {
        world
            .get(&id)
            .waiting
            .is_some_and(|waiting| waiting.not_before.is_some())
    });
    let waiting = world.get(&id).waiting.unwrap();
    assert_eq!(waiting.why, Wait::Retry);
    let seconds = waiting.not_before.unwrap().seconds() - waiting.since.seconds();
    assert_eq!(seconds, 77);
    assert_eq!(endpoint.asked().len(), 1);
    world.pass(78);
    world.completed(&id);
}

/// What says that the set-up is wrong: held at once, and nobody else's budget burns.
#[test]
fn a_wrong_set_up_holds_one_and_keeps_the_others_waiting() {
    for status in [400, 401, 402, 403, 404, 422] {
        let broken = Arc::new(AtomicUsize::new(1));
        let script = Arc::clone(&broken);
        let endpoint = Endpoint::always(move |_| match script.load(Ordering::SeqCst) {
            0 => Say::Allow,
            _ => Say::Status(status, None),
        });
        let world = world(&endpoint);
        let id = world.submit("5First", &bundle(1));
        held(&world, &id, Reason::ReviewSetup);
        assert_eq!(endpoint.asked().len(), 1, "{status}");
        let other = world.submit("5Second", &bundle(2));
        world.until("it waits", |world| {
            world
                .get(&other)
                .waiting
                .is_some_and(|waiting| waiting.why == Wait::Breaker)
        });
        assert_eq!(endpoint.asked().len(), 1, "nobody asks while that is so");
        let stands = world.admin(&Operation::Review).unwrap();
        assert_eq!(stands["breaker"], "open");
        assert!(
            stands["mend"].as_str().unwrap().contains("review --retry"),
            "{stands}"
        );
        let alarm = world.service().readiness().alarms.pop().unwrap();
        assert_eq!(alarm.code, "review_setup");
        assert!(
            !alarm.sentence.contains(&status.to_string()),
            "what exactly is the operator's"
        );
        broken.store(0, Ordering::SeqCst);
        world.admin(&Operation::ReviewRetry).unwrap();
        world.pass(301);
        world.completed(&id);
        world.completed(&other);
    }
}

#[test]
fn a_key_follows_no_redirect() {
    let endpoint = Endpoint::always(|_| Say::Redirect);
    let world = world(&endpoint);
    let id = world.submit("5First", &bundle(1));
    held(&world, &id, Reason::ReviewSetup);
    let seen = endpoint.seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].head.starts_with("POST /v1/chat/completions "));
}

#[test]
fn what_is_more_than_the_model_takes_is_held_by_name_and_nothing_is_cut() {
    let endpoint = Endpoint::always(|_| Say::Allow);
    for small in [
        Settings {
            context_tokens: 9000,
            ..settings()
        },
        Settings {
            max_source_bytes: 300,
            ..settings()
        },
    ] {
        let world = world_with(&endpoint, ReviewMode::Enforce, small, limits());
        let id = world.submit("5First", &bundle(1));
        let told = held(&world, &id, Reason::ReviewTooLarge);
        assert!(told.sentence.contains("the source "), "{}", told.sentence);
    }
    assert_eq!(endpoint.asked().len(), 0);
}

#[test]
fn a_flood_runs_up_no_bill() {
    for (what, limits) in [
        ("calls", Limits { calls: 3, ..limits() }),
        (
            "calls of the hotkey",
            Limits {
                calls_of_hotkey: 3,
                ..limits()
            },
        ),
        // A call may cost 0.2048 US dollars at most, and costs 0.01.
        (
            "money",
            Limits {
                usd: 0.22,
                ..limits()
            },
        ),
    ] {
        let endpoint = Endpoint::always(|_| Say::Allow);
        let prices = Settings {
            usd_per_million_input_tokens: 0.0,
            ..settings()
        };
        let world = world_with(&endpoint, ReviewMode::Enforce, prices, limits);
        let first = world.submit("5First", &bundle(1));
        world.completed(&first);
        let second = world.submit("5First", &bundle(20));
        held(&world, &second, Reason::ReviewBudget);
        assert!(endpoint.asked().len() <= 3, "{what}");
        // Tomorrow it may be read.
        world.pass(86_400);
        world.admin(&Operation::ReviewRetry).unwrap();
        world.completed(&second);
    }
}

#[test]
fn an_advisory_review_stops_nothing_and_says_so() {
    let endpoint = Endpoint::always(|seen| match seen.purpose {
        "refute" => Say::Find("stands"),
        _ => Say::Reject(LINE, "PRR103"),
    });
    let world = world_with(&endpoint, ReviewMode::Advisory, settings(), limits());
    let id = world.submit("5First", &bundle(1));
    world.completed(&id);
    let shown = world.get(&id).review;
    assert_eq!(
        (shown.mode.as_str(), shown.verdict.as_deref()),
        ("advisory", Some("rejected"))
    );
    assert!(public_events(&world, &id).contains("the review is advisory"));
    let alarms = world.service().readiness().alarms;
    assert!(alarms.iter().any(|alarm| alarm.code == "review_advisory"));
    assert_eq!(world.service().review().mode, "advisory");
}

#[test]
fn an_owner_appeals_once_and_a_person_decides() {
    let endpoint = Endpoint::always(|seen| match seen.purpose {
        "refute" => Say::Find("stands"),
        _ => Say::Reject(LINE, "PRR106"),
    });
    let world = world(&endpoint);
    let appeal = |id: &str, text: &str| {
        world
            .service()
            .appeal(id, text)
            .map_err(|error| error.to_string())
    };
    let first = world.submit("5First", &bundle(1));
    ended(&world, &first);
    assert!(appeal(&first, " ").is_err() && appeal(&first, &"x".repeat(4001)).is_err());
    assert!(appeal("no-such-id", "x").is_err());
    appeal(&first, "it is a published layer").unwrap();
    let waiting = world.get(&first);
    assert_eq!(
        (waiting.position, waiting.reason),
        (HELD, Some(Reason::ReviewAppealed))
    );
    assert!(
        !public_events(&world, &first).contains("published layer"),
        "for the operator"
    );
    let seen = world
        .admin(&Operation::Reviews {
            submission: first.clone(),
        })
        .unwrap();
    assert_eq!(seen["appeal"]["text"], "it is a published layer");
    world
        .admin(&Operation::Release {
            submission: first.clone(),
        })
        .unwrap();
    world.completed(&first);
    assert!(appeal(&first, "again").is_err());

    let second = world.submit("5Second", &bundle(30));
    ended(&world, &second);
    appeal(&second, "no").unwrap();
    let reject = Operation::Reject {
        submission: second.clone(),
        why: "it is what it says".into(),
    };
    world.admin(&reject).unwrap();
    assert!(appeal(&second, "once more").is_err(), "once");
    assert_eq!(world.get(&second).reason, Some(Reason::RejectedByOperator));
    cost_nothing(&world, &world.get(&second));
}

#[test]
fn a_service_that_ends_waits_for_no_endpoint_and_goes_on_where_it_stood() {
    let endpoint = Endpoint::new(Arc::new(|_, number| match number {
        1 => Say::Stall,
        _ => Say::Allow,
    }));
    let mut world = world(&endpoint);
    let id = world.submit("5First", &bundle(1));
    world.until("the second call is out", |_| endpoint.asked().len() == 2);
    world.stop();
    world.start();
    // The call that was given up counts as one that failed, and the first vote stands.
    world.until("it waits or is done", |world| {
        let position = world.get(&id).position;
        world.pass(200);
        position != Position::Pending(Stage::Review)
    });
    world.completed(&id);
    assert_eq!(endpoint.asked(), ["bare", "full", "full"]);
}

#[test]
fn an_owner_who_cancels_during_a_reading_is_heard() {
    let go = Arc::new(AtomicUsize::new(0));
    let gate = Arc::clone(&go);
    let endpoint = Endpoint::always(move |_| {
        while gate.load(Ordering::SeqCst) == 0 {
            std::thread::sleep(Duration::from_millis(2));
        }
        Say::Allow
    });
    let world = world(&endpoint);
    let id = world.submit("5First", &bundle(1));
    world.until("it is read", |_| endpoint.asked().len() == 1);
    world.service().cancel(&id).unwrap();
    go.store(1, Ordering::SeqCst);
    world.until("the review is closed", |world| {
        let reviews = world.store().read(|tx| reviews::of(tx, &id)).unwrap();
        reviews[0].ended.is_some()
    });
    assert_eq!(world.get(&id).position, Position::Ended(Status::Cancelled));
    assert_eq!(endpoint.asked().len(), 1);
    cost_nothing(&world, &world.get(&id));
}

#[test]
fn a_thousand_that_wait_hold_four_calls_and_no_thread_each() {
    const WAITING: usize = 1000;
    let endpoint = Endpoint::always(|_| Say::Stall);
    let world = world(&endpoint);
    for number in 0..WAITING {
        world.submit(&format!("5Miner{number}"), &bundle(number));
    }
    world.until("all wait for the reviewer", |world| {
        let depth = world.store().read(prism_store::queue::depth).unwrap();
        depth.reviews == WAITING as u64 && endpoint.asked().len() == 4
    });
    let stands = world.admin(&Operation::Review).unwrap();
    assert_eq!(
        (&stands["waiting"], &stands["calls_now"]),
        (&json!(WAITING), &json!(4))
    );
    let threads = std::fs::read_dir("/proc/self/task").unwrap().count();
    assert!(threads < 500, "{threads} threads of all tests that run");
    assert_eq!(endpoint.asked().len(), 4);
}

#[test]
fn an_endpoint_without_schemas_gets_a_tool() {
    let endpoint = Endpoint::always(|seen| {
        let answer = seen.answer("allow").to_string();
        let call = json!([{"type": "function", "id": "1", "function": {"name": "submit_review", "arguments": answer}}]);
        Say::Body(
            json!({"choices": [{"finish_reason": "tool_calls", "message": {"content": null, "tool_calls": call}}]})
                .to_string(),
        )
    });
    let with_tool = Settings {
        structured: Structured::Tool,
        temperature: Some(0.0),
        seed: Some(3),
        ..settings()
    };
    let world = world_with(&endpoint, ReviewMode::Enforce, with_tool, limits());
    let id = world.submit("5First", &bundle(1));
    world.completed(&id);
    let request = &endpoint.seen()[0].request;
    assert_eq!(request["tool_choice"]["function"]["name"], "submit_review");
    assert_eq!(
        (&request["temperature"], &request["seed"]),
        (&json!(0.0), &json!(3))
    );
    assert!(request.get("response_format").is_none());
    // Where no cost is said, the prices that were set count.
    let usd = world.admin(&Operation::Review).unwrap()["today"]["usd"]
        .as_f64()
        .unwrap();
    assert!(usd > 0.3, "{usd}");
}

/// Logs of this process, as far as they were caught.
fn logs() -> Arc<Mutex<Vec<u8>>> {
    static LOGS: std::sync::OnceLock<Arc<Mutex<Vec<u8>>>> = std::sync::OnceLock::new();
    #[derive(Clone)]
    struct Writer(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Writer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    Arc::clone(LOGS.get_or_init(|| {
        let kept: Arc<Mutex<Vec<u8>>> = Arc::default();
        let writer = Writer(Arc::clone(&kept));
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .try_init()
            .expect("no other test keeps logs");
        kept
    }))
}

/// After every failure that there is: no key anywhere, and no source but where it belongs.
#[test]
fn no_key_and_no_source_is_left_anywhere() {
    let logs = logs();
    let failures: Vec<Say> = vec![
        Say::Status(401, None),
        Say::Status(429, None),
        Say::Status(500, None),
        Say::Close,
        Say::Half,
        Say::Flood,
        Say::Redirect,
        Say::Finished("length"),
        Say::Body(format!(
            "{{\"error\": {{\"code\": 402, \"message\": \"{KEY}\"}}}}"
        )),
        Say::Text(format!("the key is {KEY}")),
        Say::Body(around(&format!("{{\"echo\": \"{KEY}\"}}"), "stop").replace("loopback", KEY)),
    ];
    let now: Arc<Mutex<Say>> = Arc::new(Mutex::new(Say::Allow));
    let script = Arc::clone(&now);
    let script: Script = Arc::new(move |_, _| script.lock().unwrap().clone());
    let endpoint = Endpoint::new(script);
    let mut world = world(&endpoint);
    let mut told = String::new();
    for (number, say) in failures.into_iter().enumerate() {
        *now.lock().unwrap() = say;
        let id = world.submit(&format!("5Miner{number}"), &bundle(number));
        let submission = ended(&world, &id);
        cost_nothing(&world, &submission);
        // What the breaker knows of one failure must not decide about the next.
        world.admin(&Operation::Resume).unwrap();
        let _ = write!(told, "{submission:?}");
        told.push_str(&public_events(&world, &id));
        told.push_str(
            &world
                .admin(&Operation::Reviews { submission: id })
                .unwrap()
                .to_string(),
        );
    }
    told.push_str(&world.admin(&Operation::Review).unwrap().to_string());
    told.push_str(&world.admin(&Operation::Status).unwrap().to_string());
    let _ = write!(told, "{:?}", world.service().readiness());
    world.stop();
    told.push_str(&String::from_utf8_lossy(&logs.lock().unwrap()));
    assert!(told.contains("review"), "something was told");
    for secret in [KEY, "Secretname"] {
        assert!(!told.contains(secret), "{secret}: {told}");
    }
    let mut stack = vec![world.temp.path().to_owned()];
    let mut files = 0;
    while let Some(dir) = stack.pop() {
        for entry in std::fs::read_dir(dir).unwrap().flatten() {
            if entry.path().is_dir() {
                stack.push(entry.path());
                continue;
            }
            let bytes = std::fs::read(entry.path()).unwrap();
            files += 1;
            // The upload itself is where the source belongs.
            let is_blob = entry.path().components().any(|part| part.as_os_str() == "blobs");
            for secret in [KEY, "Secretname"].into_iter().take(if is_blob { 1 } else { 2 }) {
                let found = bytes
                    .windows(secret.len())
                    .any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} in {}", entry.path().display());
            }
        }
    }
    assert!(files > 10, "{files} files were looked at");
}
