//! Clients that are slow, gone, lying or nonsensical. Each is answered or cut, and leaves nothing behind.

use std::time::{Duration, Instant};

use prism_server::limiter::Rate;

use crate::world::{Request, Socket, World, key, zip};

#[test]
fn a_head_that_does_not_come_is_cut() {
    let world = World::with(|settings| settings.limits.head_timeout = Duration::from_millis(300));
    let before = world.state();
    for start in [
        "",
        "GET",
        "GET /health HTTP/1.1\r\nHost: x\r\n",
        "POST /v1/submissions HTTP/1.1\r\nX-Hot",
    ] {
        let mut socket = Socket::open(world.address);
        socket.write(start.as_bytes());
        let begun = Instant::now();
        // hyper may say that it was too slow before it closes.
        while socket.line().is_some() {}
        assert!(socket.is_closed());
        assert!(begun.elapsed() < Duration::from_secs(10), "{start}");
    }
    assert_eq!(world.state(), before);
}

#[test]
fn a_body_that_does_not_come_is_answered_and_cut() {
    let world = World::with(|settings| {
        settings.limits.body_pause = Duration::from_millis(200);
        settings.limits.body_timeout = Duration::from_millis(600);
    });
    let body = zip("slow and steady is still too slow");
    let request = world.upload(&key(1), &body);
    let before = world.state();
    let mut stalled = Socket::open(world.address);
    stalled.write(request.head().as_bytes());
    stalled.write(&body[..3]);
    let answer = stalled.answer(false);
    assert_eq!((answer.status, answer.code().as_str()), (408, "request_timeout"));
    assert!(stalled.is_closed());
    let mut dripping = Socket::open(world.address);
    dripping.write(request.head().as_bytes());
    for byte in &body {
        if !dripping.try_write(&[*byte]) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(dripping.answer(false).status, 408);
    assert_eq!(world.state(), before);
    // The same request, in time: nothing was used up.
    assert_eq!(world.send(&request).status, 200);
}

#[test]
fn a_client_that_vanishes_leaves_nothing() {
    let world = World::new();
    let body = zip("never sent to its end");
    let before = world.state();
    for sent in [0, 1, body.len() / 2, body.len() - 1] {
        let request = world.upload(&key(1), &body);
        let mut socket = Socket::open(world.address);
        socket.write(request.head().as_bytes());
        socket.write(&body[..sent]);
        socket.vanish();
    }
    let mut short = Socket::open(world.address);
    let lying = world
        .upload(&key(1), &body)
        .header("Content-Length", &(body.len() + 10).to_string());
    short.write(lying.head().as_bytes());
    short.write(&body);
    short.vanish();
    assert_eq!(world.get("/health").status, 200);
    assert_eq!(world.state(), before);
}

#[test]
fn a_client_that_vanishes_before_its_answer_finds_it_by_asking_again() {
    let world = World::new();
    let body = zip("lost answer");
    let request = world.upload(&key(1), &body);
    let mut socket = Socket::open(world.address);
    socket.write(request.head().as_bytes());
    socket.write(&body);
    socket.vanish();
    let answer = world.send(&request);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let all = world.get("/v1/submissions").json();
    assert_eq!(all["submissions"].as_array().unwrap().len(), 1);
}

#[test]
fn oversized_bodies_are_told_so_however_they_are_announced() {
    let world = World::new();
    let huge = vec![7; 11_000_000];
    let announced = world.upload(&key(1), &huge);
    assert_eq!(world.refused(&announced, 413).code(), "too_large");
    let expecting = announced.clone().header("Expect", "100-continue");
    let mut socket = Socket::open(world.address);
    socket.write(expecting.head().as_bytes());
    assert_eq!(socket.answer(false).status, 413, "before a byte was sent");
    let mut chunked = Socket::open(world.address);
    chunked.write(
        announced
            .set("Transfer-Encoding", Some("chunked"))
            .head()
            .as_bytes(),
    );
    for piece in huge.chunks(1 << 16) {
        let sent = chunked.try_write(format!("{:x}\r\n", piece.len()).as_bytes())
            && chunked.try_write(piece)
            && chunked.try_write(b"\r\n");
        if !sent {
            break;
        }
    }
    chunked.try_write(b"0\r\n\r\n");
    assert_eq!(chunked.answer(false).status, 413);
}

#[test]
fn bodies_that_together_take_too_much_are_told_to_wait() {
    let world = World::with(|settings| settings.limits.bodies_in_flight_bytes = 100_000);
    let body = vec![1; 90_000];
    let request = world.upload(&key(1), &body);
    let mut holding = Socket::open(world.address);
    holding.write(request.head().as_bytes());
    holding.write(&body[..80_000]);
    let begun = Instant::now();
    let mut others = 2_u64..;
    // Until the server has read what the first one sent it takes others, each once.
    let (refused, other) = loop {
        let number = others.next().unwrap();
        let other = world.upload(&key(number), &number.to_le_bytes().repeat(11_250));
        let answer = world.send(&other);
        if answer.status == 503 || begun.elapsed() > Duration::from_secs(20) {
            break (answer, other);
        }
    };
    assert_eq!((refused.status, refused.code().as_str()), (503, "busy"));
    assert!(refused.header("retry-after").is_some());
    holding.write(&body[80_000..]);
    assert_eq!(holding.answer(false).status, 200);
    assert_eq!(world.send(&other).status, 200, "the memory was given back");
}

#[test]
fn compressed_and_misnamed_bodies_are_refused() {
    let world = World::new();
    for coding in ["gzip", "deflate", "br", "identity, gzip"] {
        let request = world
            .upload(&key(1), &zip("a"))
            .header("Content-Encoding", coding);
        assert_eq!(world.refused(&request, 415).code(), "unsupported_encoding");
    }
    let misnamed = world
        .upload(&key(1), &zip("a"))
        .header("Content-Type", "application/json");
    assert_eq!(world.refused(&misnamed, 400).code(), "invalid_json");
    let deep = format!(
        "{{\"code\":\"a\",\"metadata\":{}{}}}",
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    let deep = world
        .upload(&key(1), deep.as_bytes())
        .header("Content-Type", "application/json");
    assert_eq!(world.refused(&deep, 400).code(), "invalid_json");
}

#[test]
fn nonsense_is_answered_and_the_next_request_is_served() {
    let world = World::new();
    let before = world.state();
    let many: Vec<String> = (0..500).map(|number| format!("X-{number}: y\r\n")).collect();
    let many = many.concat();
    let long = "x".repeat(200_000);
    for text in [
        "\r\n\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET /health HTTP/1.1\r\nHost: x\r\n{many}\r\n"),
        format!("GET /health HTTP/1.1\r\nHost: x\r\nCookie: {long}\r\n\r\n"),
        "POST /v1/submissions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"
            .to_owned(),
        "POST /v1/submissions HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".to_owned(),
        "POST /v1/submissions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_owned(),
    ] {
        let mut socket = Socket::open(world.address);
        socket.try_write(text.as_bytes());
        socket.vanish();
    }
    for path in [
        "/%",
        "/%zz",
        "/v1/submissions/%00/events",
        "/v1/submissions/a%2fb",
        "//",
        "/v1//leaderboard",
        "/../etc/passwd",
        "/docs/../../x",
        "/assets/x",
        "/?%ff=%fe",
        "*",
    ] {
        let answer = world.send(&Request::get(path));
        assert!(answer.status < 500, "{path} {}", answer.status);
    }
    for cursor in ["x", "s-1", "sffffffffffffffff", "%00"] {
        assert_eq!(
            world.get(&format!("/v1/submissions?cursor={cursor}")).status,
            422,
            "{cursor}"
        );
    }
    assert_eq!(world.state(), before);
    assert_eq!(world.get("/health").status, 200);
}

#[test]
fn a_panic_ends_its_request_only() {
    let world = World::new();
    *world.service.precheck_panics.lock().unwrap() = true;
    let answer = world.refused(&Request::post("/v1/precheck", &zip("a")), 500);
    assert_eq!(answer.code(), "internal");
    *world.service.precheck_panics.lock().unwrap() = false;
    assert_eq!(world.send(&Request::post("/v1/precheck", &zip("a"))).status, 200);
    let metrics = Socket::open(world.metrics).ask(&Request::get("/metrics")).text();
    assert!(metrics.contains("prism_panics_total 1"), "{metrics}");
}

#[test]
fn one_client_has_so_many_connections_and_no_more() {
    let world = World::with(|settings| {
        settings.unlimited_clients.clear();
        settings.limits.connections_per_client = 2;
        settings.limits.requests = Rate::per_second(1000, 1000);
    });
    let mut first = Socket::open(world.address);
    assert_eq!(first.ask(&Request::get("/health")).status, 200);
    let mut second = Socket::open(world.address);
    assert_eq!(second.ask(&Request::get("/health")).status, 200);
    let mut third = Socket::open(world.address);
    third.try_write(Request::get("/health").head().as_bytes());
    assert!(third.is_closed());
    first.vanish();
    let begun = Instant::now();
    loop {
        let mut next = Socket::open(world.address);
        next.try_write(Request::get("/health").head().as_bytes());
        if next.line().is_some_and(|line| line.contains("200")) {
            break;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the place never came back"
        );
    }
}

#[test]
fn a_refusal_that_did_not_wait_for_the_body_is_heard_and_the_connection_goes_on() {
    let world = World::new();
    // More than the kernel keeps of a connection: without a reader this would break.
    let body = vec![7; 9_000_000];
    let before = world.state();
    let good = world.upload(&key(1), &body);
    for (request, status) in [
        (Request::post("/v1/submissions", &body), 422),
        (good.clone().set("X-Timestamp", Some("1")), 401),
        (good.clone().set("X-Hotkey", Some("hk")), 401),
        (good.clone().header("Content-Encoding", "gzip"), 415),
        (Request::post("/internal/v1/bridge/submissions", &body), 401),
        (Request::post("/v1/nothing", &body), 404),
        (Request::post("/v1/leaderboard", &body), 405),
    ] {
        let mut socket = Socket::open(world.address);
        socket.write(request.head().as_bytes());
        socket.write(request.body());
        assert_eq!(socket.answer(false).status, status);
        assert_eq!(
            socket.ask(&Request::get("/health")).status,
            200,
            "on the same connection"
        );
    }
    assert_eq!(world.state(), before);
}

#[test]
fn a_body_without_an_end_is_not_read_without_an_end() {
    let world = World::new();
    let mut socket = Socket::open(world.address);
    let request = Request::post("/v1/submissions", b"").set("Transfer-Encoding", Some("chunked"));
    socket.write(request.head().as_bytes());
    let mut chunk = b"100000\r\n".to_vec();
    chunk.extend(vec![7; 1 << 20]);
    chunk.extend(b"\r\n");
    let sent = (0..200).take_while(|_| socket.try_write(&chunk)).count();
    assert!((10..199).contains(&sent), "{sent} MiB");
    assert_eq!(world.get("/health").status, 200);
}
