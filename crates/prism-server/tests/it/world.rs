//! A server with everything around it: a store with an open round, a small service over it, a clock that is set by hand, keys.

mod http;
mod log;
mod run;
mod service;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::thread::JoinHandle;

use prism_core::hash::Sha256Hash;
use prism_core::submission::Position;
use prism_core::time::Timestamp;
use prism_key::message::{self, Stamp};
use prism_key::{Keypair, Seed};
use prism_server::{Clock, Listeners, ServeError, Settings, Shutdown, serve};
use prism_store::rounds::{self, NewRound, Secret};
use prism_store::submissions::{self, Filter};
use prism_store::{Store, events, queue};
use secrecy::SecretString;
use tempfile::TempDir;

pub(crate) use http::{Answer, Request, Socket};
pub(crate) use log::logged;
pub(crate) use service::Service;

/// 2026-01-01, at midnight.
pub(crate) const T0: i64 = 1_767_225_600;
pub(crate) const TOKEN: &str = "a-token-that-only-the-master-has";
/// The first account of every development chain.
pub(crate) const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

/// A running server. Dropped, it is stopped.
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) metrics: SocketAddr,
    pub(crate) store: Store,
    pub(crate) service: Arc<Service>,
    pub(crate) shutdown: Shutdown,
    clock: Arc<AtomicI64>,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
    _dir: TempDir,
}

/// Everything that a refused request must leave as it was.
#[derive(Debug, PartialEq)]
pub(crate) struct State {
    submissions: Vec<(String, Position)>,
    last_event: i64,
    blobs: Vec<Sha256Hash>,
    queue: queue::Depth,
    wakes: u64,
}

impl World {
    /// A server with the usual settings, a token and an open round.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same with other settings.
    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        log::capture();
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::from_seconds(T0);
        let store = Store::open(dir.path(), now).unwrap();
        store.write(move |tx| rounds::open(tx, &round(1), now)).unwrap();
        let clock = Arc::new(AtomicI64::new(now.0));
        let of_clock = Arc::clone(&clock);
        let read_clock: Clock = Arc::new(move || Timestamp(of_clock.load(Ordering::SeqCst)));
        let service = Arc::new(Service::new(store.clone(), Arc::clone(&read_clock)));
        let mut settings = Settings::new(read_clock);
        settings.token = Some(SecretString::from(TOKEN));
        // The disk of whoever runs the tests is their affair.
        settings.limits.reserve_bytes = 0;
        settings.unlimited_clients = vec!["127.0.0.0/8".parse().unwrap()];
        change(&mut settings);
        let listeners = Listeners {
            api: TcpListener::bind("127.0.0.1:0").unwrap(),
            metrics: Some(TcpListener::bind("127.0.0.1:0").unwrap()),
        };
        let address = listeners.api.local_addr().unwrap();
        let metrics = listeners.metrics.as_ref().unwrap().local_addr().unwrap();
        let shutdown = Shutdown::new();
        let thread = std::thread::spawn({
            let (store, service, shutdown) = (store.clone(), Arc::clone(&service), shutdown.clone());
            move || serve(settings, store, service, listeners, &shutdown)
        });
        Self {
            address,
            metrics,
            store,
            service,
            shutdown,
            clock,
            thread: Some(thread),
            _dir: dir,
        }
    }

    /// The present, in unix seconds.
    pub(crate) fn now(&self) -> i64 {
        self.time().seconds()
    }

    pub(crate) fn time(&self) -> Timestamp {
        Timestamp(self.clock.load(Ordering::SeqCst))
    }

    /// Sets the clock.
    pub(crate) fn set_time(&self, seconds: i64) {
        self.clock
            .store(Timestamp::from_seconds(seconds).0, Ordering::SeqCst);
    }

    /// Sends a request on a connection of its own.
    pub(crate) fn send(&self, request: &Request) -> Answer {
        Socket::open(self.address).ask(request)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send(&Request::get(path))
    }

    /// What a refusal must not change.
    pub(crate) fn state(&self) -> State {
        let (submissions, last_event, queue) = self
            .store
            .read(|tx| {
                let page = submissions::list(tx, &Filter::default(), None, 1000)?;
                let submissions = page.submissions.into_iter().map(|one| (one.id, one.position));
                Ok((submissions.collect(), events::last_seq(tx)?, queue::depth(tx)?))
            })
            .unwrap();
        let mut blobs = self.store.blobs().all().unwrap();
        blobs.sort();
        State {
            submissions,
            last_event,
            blobs,
            queue,
            wakes: self.service.wakes(),
        }
    }

    /// Sends a request that must be refused with this status and leave nothing behind.
    pub(crate) fn refused(&self, request: &Request, status: u16) -> Answer {
        let before = self.state();
        let answer = self.send(request);
        assert_eq!(answer.status, status, "{}", answer.text());
        assert_eq!(self.state(), before, "{}", answer.text());
        answer
    }

    /// Stops the server and waits until it has.
    pub(crate) fn stop(&mut self) -> Result<(), ServeError> {
        self.shutdown.begin();
        self.thread.take().map_or(Ok(()), |thread| thread.join().unwrap())
    }

    /// An upload of a hotkey, signed now.
    pub(crate) fn upload(&self, key: &Keypair, body: &[u8]) -> Request {
        self.signed_upload(key, &fresh_nonce(), body)
    }

    /// The same with this nonce.
    pub(crate) fn signed_upload(&self, key: &Keypair, nonce: &str, body: &[u8]) -> Request {
        let hotkey = key.hotkey().to_string();
        let timestamp = self.now().to_string();
        let stamp = Stamp {
            hotkey: &hotkey,
            nonce,
            timestamp: &timestamp,
        };
        let message = message::upload(stamp, &Sha256Hash::of(body));
        Request::post("/v1/submissions", body)
            .header("X-Hotkey", &hotkey)
            .header("X-Nonce", nonce)
            .header("X-Timestamp", &timestamp)
            .header("X-Signature", &key.sign(message.as_bytes()).to_string())
    }

    /// A request that an owner signs.
    pub(crate) fn owner(&self, key: &Keypair, method: &str, path: &str) -> Request {
        self.owner_with(key, method, path, b"")
    }

    /// The same with a body, which is signed.
    pub(crate) fn owner_with(&self, key: &Keypair, method: &str, path: &str, body: &[u8]) -> Request {
        let hotkey = key.hotkey().to_string();
        let (nonce, timestamp) = (fresh_nonce(), self.now().to_string());
        let stamp = Stamp {
            hotkey: &hotkey,
            nonce: &nonce,
            timestamp: &timestamp,
        };
        let signed_path = path.split('?').next().unwrap_or_default();
        let message = message::request(method, signed_path, stamp, &Sha256Hash::of(body));
        let request = Request::new(method, path)
            .header("X-Prism-Hotkey", &hotkey)
            .header("X-Prism-Nonce", &nonce)
            .header("X-Prism-Timestamp", &timestamp)
            .header("X-Prism-Signature", &key.sign(message.as_bytes()).to_string());
        if body.is_empty() {
            request
        } else {
            request.with_body(body)
        }
    }

    /// Submits and returns the id.
    pub(crate) fn submit(&self, key: &Keypair, body: &[u8]) -> String {
        let answer = self.send(&self.upload(key, body));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.now();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// A request of the master's.
pub(crate) fn master(request: Request) -> Request {
    request
        .header("Authorization", &format!("Bearer {TOKEN}"))
        .header("X-Base-Challenge-Slug", "prism")
        .header("Accept", "application/json")
        .header("Accept-Encoding", "gzip, deflate")
        .header("User-Agent", "python-httpx/0.28.1")
}

/// A key for each number.
pub(crate) fn key(number: u64) -> Keypair {
    Seed::from_bytes(&Sha256Hash::of(&number.to_le_bytes()).0).keypair()
}

pub(crate) fn fresh_nonce() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("nonce-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The bytes of an empty zip, made different by its comment.
pub(crate) fn zip(comment: &str) -> Vec<u8> {
    let mut bytes = b"PK\x05\x06".to_vec();
    bytes.extend([0; 16]);
    bytes.extend(u16::try_from(comment.len()).unwrap().to_le_bytes());
    bytes.extend(comment.as_bytes());
    bytes
}

pub(crate) fn round(number: u32) -> NewRound {
    let mut random = [0; 16];
    random[..4].copy_from_slice(&number.to_le_bytes());
    NewRound {
        id: prism_store::ids::uuid_v4(random),
        name: format!("round-{number}"),
        recipe_toml: "name = \"small\"\n".to_owned(),
        recipe_sha256: Sha256Hash::of(b"recipe"),
        corpus_path: "/a/path/that/is/not/shown".to_owned(),
        corpus_sha256: Sha256Hash::of(b"corpus"),
        runtime_lock: "lock".to_owned(),
        gate_version: "1".to_owned(),
        review_version: "1".to_owned(),
        review_mode: "off".to_owned(),
        secret: Secret {
            seed: u64::MAX - 4,
            salt: [7; 32],
        },
        scored_runs_per_day: 4,
        uploads_per_day: 40,
        weight_policy: "rank-geometric".to_owned(),
        reference: None,
        publish_sources: true,
    }
}
