//! Many at once.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use prism_server::limiter::Rate;
use prism_store::submissions::{self, Filter};

use crate::world::{Request, Socket, World, key, master, zip};

const UPLOADS: u64 = 1000;

#[test]
fn a_thousand_uploads_at_once_are_all_durable_and_weights_are_answered_meanwhile() {
    let world = World::new();
    let scored = world.submit(&key(5000), &zip("scored"));
    world.ranked(&scored, 0.4);
    let requests: Vec<_> = (0..UPLOADS)
        .map(|number| world.upload(&key(number), &zip(&number.to_string())))
        .collect();
    let is_over = AtomicBool::new(false);
    let (address, is_over) = (world.address, &is_over);
    let slowest = std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut slowest = Duration::ZERO;
            while !is_over.load(Ordering::SeqCst) {
                let begun = Instant::now();
                let answer = Socket::open(address).ask(&master(Request::get("/internal/v1/get_weights")));
                assert_eq!(answer.status, 200);
                slowest = slowest.max(begun.elapsed());
            }
            slowest
        });
        let senders: Vec<_> = requests
            .into_iter()
            .map(|request| {
                std::thread::Builder::new()
                    .stack_size(256 << 10)
                    .spawn_scoped(scope, move || Socket::open(address).ask(&request))
                    .unwrap()
            })
            .collect();
        for sender in senders {
            let answer = sender.join().unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        is_over.store(true, Ordering::SeqCst);
        reader.join().unwrap()
    });
    assert!(slowest < Duration::from_secs(10), "{slowest:?}");
    let count: u64 = world
        .store
        .read(submissions::counts)
        .unwrap()
        .into_iter()
        .map(|(_, count)| count)
        .sum();
    assert_eq!(count, UPLOADS + 1);
    assert_eq!(
        world.store.blobs().all().unwrap().len() as u64 - 4,
        UPLOADS + 1,
        "four files of the result"
    );
}

#[test]
fn the_same_upload_from_everywhere_is_one_submission() {
    let world = World::with(|settings| settings.limits.uploads_per_hotkey = Rate::per_second(1000, 1000));
    let miner = key(1);
    let same = world.upload(&miner, &zip("a"));
    let address = world.address;
    let requests: Vec<_> = (0..32)
        .map(|number| {
            if number % 2 == 0 {
                same.clone()
            } else {
                world.upload(&miner, &zip("a"))
            }
        })
        .collect();
    let ids: HashSet<String> = std::thread::scope(|scope| {
        let senders: Vec<_> = requests
            .into_iter()
            .map(|request| scope.spawn(move || Socket::open(address).ask(&request)))
            .collect();
        let answers = senders.into_iter().map(|sender| sender.join().unwrap());
        answers
            .map(|answer| answer.json()["id"].as_str().unwrap().to_owned())
            .collect()
    });
    assert_eq!(ids.len(), 1);
    let page = world
        .store
        .read(|tx| submissions::list(tx, &Filter::default(), None, 10));
    assert_eq!(page.unwrap().submissions.len(), 1);
}
