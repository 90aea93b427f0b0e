//! What the operator decides about the interface. Plain values: who reads files and the environment is elsewhere.
//!
//! Made by the command that serves and by tests, read everywhere in this crate, changed by nobody once it serves.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prism_core::time::Timestamp;
use secrecy::SecretString;

use crate::limiter::Rate;
use crate::network::Network;

/// Where the present comes from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Everything about the interface that can be set.
#[derive(Clone)]
pub struct Settings {
    /// The name under which BASE knows this challenge.
    pub slug: String,
    /// The version that BASE's registry has; not that of the build.
    pub challenge_version: String,
    /// What the master proves itself with. Without one no internal route answers.
    pub token: Option<SecretString>,
    /// How far the time stamp of a signed request may be from now, in seconds.
    pub signature_ttl_seconds: i64,
    /// Whether miners may upload directly, not through the master.
    pub public_submissions: bool,
    /// Addresses of validators, who may not submit.
    pub validator_hotkeys: BTreeSet<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Clients that are not limited by their address, such as the master that passes on everybody's reads.
    pub unlimited_clients: Vec<Network>,
    /// Bounds of what is taken and done at once.
    pub limits: Limits,
    /// The present.
    pub clock: Clock,
}

impl Settings {
    /// The defaults, with this clock.
    pub fn new(clock: Clock) -> Self {
        Self {
            slug: "prism".to_owned(),
            challenge_version: "0.1.0".to_owned(),
            token: None,
            signature_ttl_seconds: 300,
            public_submissions: true,
            validator_hotkeys: BTreeSet::new(),
            trusted_proxies: Vec::new(),
            unlimited_clients: Vec::new(),
            limits: Limits::default(),
            clock,
        }
    }

    /// The present.
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            slug,
            challenge_version,
            token,
            signature_ttl_seconds,
            public_submissions,
            validator_hotkeys,
            trusted_proxies,
            unlimited_clients,
            limits,
            clock: _,
        } = self;
        f.debug_struct("Settings")
            .field("slug", slug)
            .field("challenge_version", challenge_version)
            .field("token", &token.is_some())
            .field("signature_ttl_seconds", signature_ttl_seconds)
            .field("public_submissions", public_submissions)
            .field("validator_hotkeys", validator_hotkeys)
            .field("trusted_proxies", trusted_proxies)
            .field("unlimited_clients", unlimited_clients)
            .field("limits", limits)
            .finish_non_exhaustive()
    }
}

/// Bounds of what is taken and done at once.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of an upload as base64 text. A raw zip may have three quarters of it.
    pub base64_bytes: usize,
    /// Bytes of a body on the wire. What is longer is not read to its end.
    pub body_bytes: usize,
    /// Bytes of an upload's metadata as JSON.
    pub metadata_bytes: usize,
    /// Bytes of the disk that are not filled with uploads.
    pub reserve_bytes: u64,
    /// Bytes of all bodies that are being read.
    pub bodies_in_flight_bytes: usize,
    /// Connections at once.
    pub connections: usize,
    /// Connections at once of one client.
    pub connections_per_client: usize,
    /// Until the head of a request must be there; also how long an idle connection is kept.
    pub head_timeout: Duration,
    /// Between two pieces of a body.
    pub body_pause: Duration,
    /// For a whole body.
    pub body_timeout: Duration,
    /// For an answer, without the time in which a body is read.
    pub answer_timeout: Duration,
    /// How long a client may leave an answer unread.
    pub write_timeout: Duration,
    /// How long requests may go on once the server is to stop.
    pub drain_timeout: Duration,
    /// Event streams at once.
    pub streams: usize,
    /// Event streams at once of one client.
    pub streams_per_client: usize,
    /// Until a stream ends by itself.
    pub stream_duration: Duration,
    /// Between two signs of life of a stream.
    pub stream_comment: Duration,
    /// Between two looks at the progress of a run.
    pub stream_progress: Duration,
    /// Requests of one client.
    pub requests: Rate,
    /// Uploads of one client, valid or not.
    pub uploads: Rate,
    /// Uploads of one hotkey.
    pub uploads_per_hotkey: Rate,
    /// What one hotkey asks as an owner.
    pub requests_per_owner: Rate,
    /// Checks before an upload, of one client; each costs processor time.
    pub prechecks: Rate,
    /// Comparisons of one client; each reads two records.
    pub comparisons: Rate,
    /// Files that are looked at and short questions to the service at once.
    pub reads: usize,
    /// Uploads at once that are checked and written.
    pub writes: usize,
    /// Expensive answers at once: checks and comparisons.
    pub computations: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            base64_bytes: 7_500_000,
            body_bytes: 10_100_000,
            metadata_bytes: 65_536,
            reserve_bytes: 2 << 30,
            bodies_in_flight_bytes: 256 << 20,
            connections: 4096,
            connections_per_client: 512,
            head_timeout: Duration::from_secs(30),
            body_pause: Duration::from_secs(10),
            body_timeout: Duration::from_mins(2),
            answer_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(10),
            streams: 1024,
            streams_per_client: 64,
            stream_duration: Duration::from_mins(10),
            stream_comment: Duration::from_secs(10),
            stream_progress: Duration::from_secs(1),
            requests: Rate::per_second(100, 500),
            uploads: Rate::per_minute(60, 120),
            uploads_per_hotkey: Rate::per_minute(20, 20),
            requests_per_owner: Rate::per_minute(120, 60),
            prechecks: Rate::per_minute(6, 6),
            comparisons: Rate::per_minute(30, 10),
            reads: 16,
            writes: 64,
            computations: 2,
        }
    }
}
