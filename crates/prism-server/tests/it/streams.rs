//! Events as they happen.

use std::time::{Duration, Instant};

use prism_core::outcome::Reason;
use prism_server::challenge::Progress;
use serde_json::{Value, json};

use crate::world::{Request, Socket, World, key, zip};

/// What an event stream says, message by message.
struct Stream {
    socket: Socket,
    rest: String,
}

impl Stream {
    fn open(world: &World, path: &str, last: Option<i64>) -> Self {
        let mut request = Request::get(path).header("Accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("Last-Event-ID", &last.to_string());
        }
        let mut socket = Socket::open(world.address);
        socket.write(request.head().as_bytes());
        let (status, headers) = socket.head();
        assert_eq!(status, 200);
        let header = |name: &str| {
            headers
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(header("content-type"), Some("text/event-stream"));
        assert_eq!(header("content-encoding"), None);
        Self {
            socket,
            rest: String::new(),
        }
    }

    /// The next message or comment; `None` at the end.
    fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.rest.split_once("\n\n") {
                let block = block.to_owned();
                self.rest = rest.to_owned();
                return Some(block);
            }
            let chunk = self.socket.chunk()?;
            self.rest.push_str(&String::from_utf8(chunk).unwrap());
        }
    }

    /// The next message: its event, its id and its data.
    fn message(&mut self) -> Option<(String, Option<i64>, Value)> {
        loop {
            let block = self.block()?;
            let field = |name: &str| {
                block
                    .lines()
                    .find_map(|line| line.strip_prefix(name))
                    .map(str::to_owned)
            };
            if let Some(event) = field("event: ") {
                let id = field("id: ").map(|id| id.parse().unwrap());
                return Some((
                    event,
                    id,
                    serde_json::from_str(&field("data: ").unwrap()).unwrap(),
                ));
            }
        }
    }
}

#[test]
fn every_step_is_told_once_and_in_order_then_the_end() {
    let world = World::new();
    let id = world.submit(&key(1), &zip("a"));
    let other = world.submit(&key(2), &zip("b"));
    let mut stream = Stream::open(&world, &format!("/v1/submissions/{id}/events/stream"), None);
    let (event, first, data) = stream.message().unwrap();
    assert_eq!(
        (event.as_str(), &data["status"], &data["stage"]),
        ("stage", &json!("pending"), &json!("received"))
    );
    assert_eq!(data["seq"].as_i64(), first);
    world.queue(&other);
    world.queue(&id);
    let (_, second, data) = stream.message().unwrap();
    assert_eq!(
        (&data["stage"], &data["detail"]),
        (&json!("queued"), &json!("it waits for a slot"))
    );
    assert!(second > first);
    world.end(&id, Reason::GateRejected, "refused\nin two lines");
    let (_, _, data) = stream.message().unwrap();
    assert_eq!(
        (&data["status"], &data["reason"]),
        (&json!("rejected"), &json!("gate_rejected"))
    );
    let (event, at, data) = stream.message().unwrap();
    assert_eq!(
        (event.as_str(), at, &data["status"]),
        ("end", None, &json!("rejected"))
    );
    assert!(stream.block().is_none());
}

#[test]
fn a_reconnect_misses_nothing_and_hears_nothing_twice() {
    let world = World::new();
    let id = world.submit(&key(1), &zip("a"));
    let path = format!("/v1/submissions/{id}/events/stream");
    let mut stream = Stream::open(&world, &path, None);
    let (_, first, _) = stream.message().unwrap();
    stream.socket.vanish();
    world.queue(&id);
    world.end(&id, Reason::GateRejected, "no");
    let told: Vec<_> = {
        let mut stream = Stream::open(&world, &path, first);
        std::iter::from_fn(|| stream.message())
            .map(|(event, id, _)| (event, id))
            .collect()
    };
    assert_eq!(told.iter().filter(|(event, _)| event == "stage").count(), 2);
    assert!(told.iter().all(|(_, id)| *id != first));
    let after = format!("{path}?after={}", first.unwrap());
    let mut stream = Stream::open(&world, &after, None);
    assert!(stream.message().unwrap().1 > first);
    // The list says the same.
    let list = world
        .get(&format!("/v1/submissions/{id}/events?after={}", first.unwrap()))
        .json();
    assert_eq!(list["events"].as_array().unwrap().len(), 2);
    assert_eq!(list["events"][1]["detail"], "no");
}

#[test]
fn a_run_tells_its_progress_and_the_stream_that_it_lives() {
    let world = World::with(|settings| {
        settings.limits.stream_comment = Duration::from_millis(50);
        settings.limits.stream_progress = Duration::from_millis(50);
    });
    let id = world.submit(&key(1), &zip("a"));
    let mut stream = Stream::open(&world, &format!("/v1/submissions/{id}/events/stream"), None);
    assert!(std::iter::from_fn(|| stream.block()).any(|block| block.starts_with(':')));
    world.start(&id);
    let progress = Progress {
        covered_bytes: 5,
        stream_bytes: 10,
        mean_bpb: Some(2.5),
        steps: 3,
    };
    world
        .service
        .progress
        .lock()
        .unwrap()
        .insert(id.clone(), progress);
    let told = std::iter::from_fn(|| stream.message())
        .find(|(event, _, _)| event == "progress")
        .unwrap();
    assert_eq!(
        told.2,
        json!({"covered_bytes": 5, "stream_bytes": 10, "mean_bpb": 2.5, "steps": 3})
    );
    assert_eq!(told.1, None, "it is no row and cannot be resumed from");
    let status = world.get(&format!("/v1/submissions/{id}")).json();
    assert_eq!(
        (&status["covered_bytes"], &status["attempts"][0]["state"]),
        (&json!(5), &json!("started"))
    );
}

#[test]
fn streams_are_bounded_and_their_places_come_back() {
    let world = World::with(|settings| {
        settings.limits.streams = 2;
        settings.limits.stream_comment = Duration::from_millis(20);
    });
    let id = world.submit(&key(1), &zip("a"));
    let path = format!("/v1/submissions/{id}/events/stream");
    let first = Stream::open(&world, &path, None);
    let _second = Stream::open(&world, &path, None);
    let refused = world.refused(&Request::get(&path), 503);
    assert_eq!(
        (refused.code().as_str(), refused.header("retry-after")),
        ("busy", Some("10"))
    );
    first.socket.vanish();
    let begun = Instant::now();
    while world.send(&Request::new("HEAD", &path)).status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(20));
    }
    let each = World::with(|settings| {
        settings.unlimited_clients.clear();
        settings.limits.streams_per_client = 1;
    });
    let id = each.submit(&key(1), &zip("a"));
    let path = format!("/v1/submissions/{id}/events/stream");
    let _only = Stream::open(&each, &path, None);
    assert_eq!(each.refused(&Request::get(&path), 429).code(), "rate_limited");
}

#[test]
fn a_client_that_reads_nothing_is_cut() {
    let world = World::with(|settings| {
        settings.limits.write_timeout = Duration::from_millis(300);
        settings.limits.stream_comment = Duration::from_micros(50);
    });
    let id = world.submit(&key(1), &zip("a"));
    let mut silent = Socket::open(world.address);
    silent.write(
        Request::get(&format!("/v1/submissions/{id}/events/stream"))
            .head()
            .as_bytes(),
    );
    let metrics = || Socket::open(world.metrics).ask(&Request::get("/metrics")).text();
    let begun = Instant::now();
    while !metrics().contains("prism_event_streams 1") {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never began");
        std::thread::sleep(Duration::from_millis(5));
    }
    while !metrics().contains("prism_event_streams 0") {
        assert!(begun.elapsed() < Duration::from_mins(1), "it holds its place");
        std::thread::sleep(Duration::from_millis(50));
    }
}
