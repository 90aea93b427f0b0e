//! What every route has at hand, and the one way from asynchronous code to the store.
//!
//! Made once by [`crate::server`]. The store and the service block; they are called here on threads where that is allowed,
//! so many at once and no more.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::response::Response;
use http::HeaderMap;
use prism_core::advice::Advice as _;
use prism_core::time::Timestamp;
use prism_store::{Read, Store, StoreError, Write, uploads};
use serde::Serialize;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::answer;
use crate::body::{self, BodyBounds, BodyMemory, ReadBody};
use crate::cache::{Cache, Key};
use crate::challenge::{Challenge, ServiceError};
use crate::completed::Completed;
use crate::envelope::EnvelopeLimits;
use crate::followers::Followers;
use crate::limiter::Limiter;
use crate::metrics::Metrics;
use crate::network::ClientKey;
use crate::prepared::Prepared;
use crate::problem::{Code, Problem};
use crate::settings::Settings;
use crate::tally::Tally;

/// Bytes of a body that is no upload.
const SMALL_BODY_BYTES: usize = 64 * 1024;
const BUSY_SECONDS: u64 = 5;
/// Nonces that are forgotten in one transaction.
const NONCES_AT_ONCE: u32 = 10_000;
const DISK_SECONDS: u64 = 600;

/// Everything that a route may use.
pub(crate) struct App {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) challenge: Arc<dyn Challenge>,
    pub(crate) metrics: Metrics,
    pub(crate) rates: Rates,
    body_memory: BodyMemory,
    pub(crate) streams: Tally,
    pub(crate) cache: Cache,
    pub(crate) completed: Completed,
    /// The number of the last event that was committed.
    last_event: watch::Receiver<i64>,
    /// Who waits for which submission's.
    pub(crate) followers: Followers,
    /// Cancelled when the server is to stop.
    pub(crate) stop: CancellationToken,
    /// As many as the store has connections: whoever waits for one waits here, where that costs no thread.
    store_readers: Semaphore,
    readers: Semaphore,
    writers: Semaphore,
    computers: Semaphore,
}

/// Who asked how much.
pub(crate) struct Rates {
    pub(crate) requests: Limiter<ClientKey>,
    pub(crate) uploads: Limiter<ClientKey>,
    pub(crate) prechecks: Limiter<ClientKey>,
    pub(crate) comparisons: Limiter<ClientKey>,
    pub(crate) uploaders: Limiter<String>,
    pub(crate) owners: Limiter<String>,
}

/// What somebody who is answered by this crate has done wrong, or we have.
pub(crate) type Answer<T = Response> = Result<T, Problem>;

impl App {
    pub(crate) fn new(
        settings: Settings,
        store: Store,
        challenge: Arc<dyn Challenge>,
        stop: CancellationToken,
    ) -> Self {
        let limits = &settings.limits;
        let (wake, last_event) = watch::channel(0);
        let followers = Followers::default();
        let woken = followers.clone();
        let completed = Completed::default();
        let forgetting = completed.clone();
        // Called on the writing thread: it only forgets answers and wakes the streams.
        store.subscribe(Box::new(move |written| {
            forgetting.forget(written);
            if let Some(last) = written.last() {
                wake.send_replace(last.event);
            }
            woken.wake(written);
        }));
        Self {
            rates: Rates {
                requests: Limiter::new(limits.requests),
                uploads: Limiter::new(limits.uploads),
                prechecks: Limiter::new(limits.prechecks),
                comparisons: Limiter::new(limits.comparisons),
                uploaders: Limiter::new(limits.uploads_per_hotkey),
                owners: Limiter::new(limits.requests_per_owner),
            },
            body_memory: BodyMemory::new(limits.bodies_in_flight_bytes),
            streams: Tally::new(limits.streams, limits.streams_per_client),
            cache: Cache::default(),
            completed,
            store_readers: Semaphore::new(prism_store::READERS),
            readers: Semaphore::new(limits.reads),
            writers: Semaphore::new(limits.writes),
            computers: Semaphore::new(limits.computations),
            metrics: Metrics::new(),
            settings,
            store,
            challenge,
            last_event,
            followers,
            stop,
        }
    }

    /// The present.
    pub(crate) fn now(&self) -> Timestamp {
        self.settings.now()
    }

    /// Reads the body of an upload.
    pub(crate) async fn read_upload(&self, headers: &HeaderMap, body: Body) -> Answer<ReadBody> {
        self.read_body(headers, body, self.settings.limits.body_bytes)
            .await
    }

    /// Reads the body of a request that needs none.
    pub(crate) async fn read_small(&self, headers: &HeaderMap, body: Body) -> Answer<ReadBody> {
        self.read_body(headers, body, SMALL_BODY_BYTES).await
    }

    async fn read_body(&self, headers: &HeaderMap, body: Body, bytes: usize) -> Answer<ReadBody> {
        let limits = &self.settings.limits;
        let bounds = BodyBounds {
            bytes,
            pause: limits.body_pause,
            total: limits.body_timeout,
        };
        let read = body::read(headers, body, bounds, &self.body_memory).await?;
        self.metrics.body_bytes.inc_by(read.bytes.len() as u64);
        Ok(read)
    }

    /// Bounds of what may be stored of an upload.
    pub(crate) fn envelope_limits(&self) -> EnvelopeLimits {
        let limits = &self.settings.limits;
        EnvelopeLimits {
            base64_bytes: limits.base64_bytes,
            metadata_bytes: limits.metadata_bytes,
        }
    }

    /// Asks the store.
    pub(crate) async fn read<T, F>(self: &Arc<Self>, reader: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&Read) -> prism_store::Result<T> + Send + 'static,
    {
        let app = Arc::clone(self);
        self.blocking(&self.store_readers, move || Ok(app.store.read(reader)?))
            .await
    }

    /// Changes the store; returns once that is on the disk.
    pub(crate) async fn write<T, F>(&self, job: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&Write) -> prism_store::Result<T> + Send + 'static,
    {
        let (done, answer) = oneshot::channel();
        self.store.write_then(job, move |result| {
            // Whoever does not wait any more needs no answer.
            drop(done.send(result));
        });
        match answer.await {
            Ok(result) => Ok(result?),
            Err(_) => Err(stopping()),
        }
    }

    /// Looks at a file or verifies a signature: short, and not to wait for those that write.
    pub(crate) async fn look<T, F>(self: &Arc<Self>, job: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> Answer<T> + Send + 'static,
    {
        let app = Arc::clone(self);
        self.blocking(&self.readers, move || job(&app)).await
    }

    /// Works on an upload: decodes it and writes a blob.
    pub(crate) async fn work<T, F>(self: &Arc<Self>, job: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> Answer<T> + Send + 'static,
    {
        let app = Arc::clone(self);
        self.blocking(&self.writers, move || job(&app)).await
    }

    /// Asks the service something that needs a file or a moment.
    pub(crate) async fn ask<T, F>(self: &Arc<Self>, job: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Challenge) -> Result<T, ServiceError> + Send + 'static,
    {
        let challenge = Arc::clone(&self.challenge);
        self.blocking(&self.readers, move || Ok(job(&*challenge)?)).await
    }

    /// Asks the service something that keeps a processor busy.
    pub(crate) async fn compute<T, F>(self: &Arc<Self>, job: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Challenge) -> Result<T, ServiceError> + Send + 'static,
    {
        let challenge = Arc::clone(&self.challenge);
        self.blocking(&self.computers, move || Ok(job(&*challenge)?))
            .await
    }

    async fn blocking<T, F>(&self, room: &Semaphore, job: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce() -> Answer<T> + Send + 'static,
    {
        // Closed by nobody.
        let _permit = room.acquire().await.map_err(|_| stopping())?;
        match tokio::task::spawn_blocking(job).await {
            Ok(answer) => answer,
            Err(failed) if failed.is_panic() => {
                self.metrics.panics.inc();
                error!("a blocking part of a request panicked");
                Err(Problem::internal())
            }
            Err(_) => Err(stopping()),
        }
    }

    /// A kept answer, or what is made of the store now.
    pub(crate) async fn kept<T, F>(self: &Arc<Self>, key: Key, reader: F) -> Answer<Prepared>
    where
        T: Serialize + Send + 'static,
        F: FnOnce(&Read) -> prism_store::Result<T> + Send + 'static,
    {
        let event = *self.last_event.borrow();
        let make = async {
            let value = self.read(reader).await?;
            answer::prepared(&value)
        };
        self.cache.get(key, event, make).await
    }

    /// Counts a request of a client against one of its rates.
    pub(crate) fn count(&self, limiter: &Limiter<ClientKey>, client: IpAddr) -> Answer<()> {
        if self.is_unlimited(client) {
            return Ok(());
        }
        limiter
            .ask(ClientKey::of(client), Instant::now())
            .map_err(|too_many| self.too_many(too_many.seconds()))
    }

    /// Counts a request of a hotkey that has been verified: before that it would be anybody's.
    pub(crate) fn count_hotkey(&self, limiter: &Limiter<String>, hotkey: &str) -> Answer<()> {
        limiter
            .ask(hotkey.to_owned(), Instant::now())
            .map_err(|too_many| self.too_many(too_many.seconds()))
    }

    pub(crate) fn is_unlimited(&self, client: IpAddr) -> bool {
        self.settings
            .unlimited_clients
            .iter()
            .any(|network| network.holds(client))
    }

    fn too_many(&self, seconds: u64) -> Problem {
        self.metrics.rate_limited.inc();
        let sentence = format!("too many requests; try again in {seconds} seconds");
        Problem::new(Code::RateLimited, sentence).retry_after(seconds)
    }

    /// Forgets clients that are at rest, and nonces whose time is over.
    pub(crate) async fn tidy(&self) {
        let present = self.now();
        // A failure is logged, and the next time comes.
        drop(
            self.write(move |tx| uploads::forget_nonces(tx, present, NONCES_AT_ONCE))
                .await,
        );
        let now = Instant::now();
        self.rates.requests.tidy(now);
        self.rates.uploads.tidy(now);
        self.rates.prechecks.tidy(now);
        self.rates.comparisons.tidy(now);
        self.rates.uploaders.tidy(now);
        self.rates.owners.tidy(now);
    }
}

fn stopping() -> Problem {
    Problem::new(Code::Busy, "the server is stopping; try again in a moment").retry_after(BUSY_SECONDS)
}

/// What is told of a failure of the store. What happened goes into the log only.
impl From<StoreError> for Problem {
    fn from(failure: StoreError) -> Self {
        error!(error = %failure.told(), "the store failed");
        match failure {
            failure if failure.is_full() => disk_full(),
            StoreError::Stopped => stopping(),
            _ => Self::internal(),
        }
    }
}

/// There is no room.
pub(crate) fn disk_full() -> Problem {
    Problem::new(
        Code::DiskFull,
        "the disk of the service is nearly full, so that no upload is taken; the operator has been told; try again later",
    )
    .retry_after(DISK_SECONDS)
}

impl From<ServiceError> for Problem {
    fn from(failure: ServiceError) -> Self {
        match failure {
            ServiceError::Busy(why) => {
                tracing::warn!(%why, "the service is busy");
                Self::new(Code::Busy, "the service is busy; try again in a few seconds")
                    .retry_after(BUSY_SECONDS)
            }
            ServiceError::Internal(why) => {
                error!(%why, "the service failed");
                Self::internal()
            }
        }
    }
}
