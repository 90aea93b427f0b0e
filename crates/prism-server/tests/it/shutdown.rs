//! The end of the server: with streams open, with requests under way, with clients that do nothing.

use std::time::{Duration, Instant};

use crate::world::{Request, Socket, World, key, zip};

#[test]
fn open_streams_and_idle_connections_do_not_hold_it_up() {
    let mut world = World::new();
    let id = world.submit(&key(1), &zip("a"));
    let mut stream = Socket::open(world.address);
    stream.write(
        Request::get(&format!("/v1/submissions/{id}/events/stream"))
            .head()
            .as_bytes(),
    );
    assert_eq!(stream.head().0, 200);
    let mut idle = Socket::open(world.address);
    assert_eq!(idle.ask(&Request::get("/health")).status, 200);
    let _silent = Socket::open(world.address);
    let begun = Instant::now();
    world.stop().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
    while stream.chunk().is_some() {}
    assert!(idle.is_closed());
    assert!(std::net::TcpStream::connect(world.address).is_err());
}

#[test]
fn a_request_under_way_is_finished() {
    let mut world = World::new();
    let body = zip("a");
    let request = world.upload(&key(1), &body);
    let mut socket = Socket::open(world.address);
    socket.write(request.head().as_bytes());
    socket.write(&body[..5]);
    // It has been accepted once another one is served after it.
    assert_eq!(world.get("/health").status, 200);
    let shutdown = world.shutdown.clone();
    shutdown.begin();
    std::thread::sleep(Duration::from_millis(100));
    socket.write(&body[5..]);
    let answer = socket.answer(false);
    assert_eq!(answer.status, 200, "{}", answer.text());
    world.stop().unwrap();
    assert_eq!(world.state(), world.state());
}

#[test]
fn what_does_not_end_is_cut_in_time() {
    let mut world = World::with(|settings| settings.limits.drain_timeout = Duration::from_millis(300));
    let request = world.upload(&key(1), &zip("a"));
    let mut half = Socket::open(world.address);
    half.write(request.head().as_bytes());
    assert_eq!(world.get("/health").status, 200);
    let before = world.state();
    let begun = Instant::now();
    world.stop().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(half.is_closed());
    assert_eq!(world.state(), before);
}

#[test]
fn now_is_at_once() {
    let world = World::new();
    let mut half = Socket::open(world.address);
    half.write(b"GET / HTTP/1.1\r\n");
    let begun = Instant::now();
    drop(world);
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(half.is_closed());
}
