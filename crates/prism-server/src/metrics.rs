//! What is counted, and its text for Prometheus.
//!
//! Counted by the middleware and the routes, served on an address of its own by [`crate::server`]. No label holds a hotkey,
//! an id or anything else that a stranger chooses: their number is fixed by the code.

use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use prism_store::reviews::Day;

use crate::challenge::{QueueView, Readiness};

/// Upper bounds of the buckets of durations, in seconds.
const BUCKETS_SECONDS: [f64; 11] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRequest {
    /// The pattern of the path, never the path.
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRoute {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfUpload {
    outcome: Outcome,
    way: Way,
}

/// What became of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Outcome {
    New,
    Known,
    Repeated,
    Refused,
}

/// How an upload came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Way {
    Direct,
    Bridge,
}

/// Everything that is counted.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<OfRequest, Counter>,
    durations: Family<OfRoute, Histogram, fn() -> Histogram>,
    uploads: Family<OfUpload, Counter>,
    pub(crate) panics: Counter,
    pub(crate) rate_limited: Counter,
    pub(crate) streams: Gauge,
    pub(crate) body_bytes: Counter,
    queue_depth: Gauge,
    running: Gauge,
    ready: Gauge,
    alarms: Gauge,
    oldest_wait_seconds: Gauge,
    review_calls: Gauge,
    review_cents: Gauge,
    review_planted: Gauge,
    review_planted_missed: Gauge,
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS_SECONDS)
}

impl Metrics {
    /// All at zero.
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("prism"),
            requests: Family::default(),
            durations: Family::new_with_constructor(histogram as fn() -> Histogram),
            uploads: Family::default(),
            panics: Counter::default(),
            rate_limited: Counter::default(),
            streams: Gauge::default(),
            body_bytes: Counter::default(),
            queue_depth: Gauge::default(),
            running: Gauge::default(),
            ready: Gauge::default(),
            alarms: Gauge::default(),
            oldest_wait_seconds: Gauge::default(),
            review_calls: Gauge::default(),
            review_cents: Gauge::default(),
            review_planted: Gauge::default(),
            review_planted_missed: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register(
            "http_requests",
            "Requests that were answered",
            metrics.requests.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "From the head of a request to the head of its answer",
            metrics.durations.clone(),
        );
        registry.register(
            "uploads",
            "Uploads by what became of them",
            metrics.uploads.clone(),
        );
        registry.register("panics", "Requests that ended in a panic", metrics.panics.clone());
        registry.register(
            "rate_limited",
            "Requests refused for their number",
            metrics.rate_limited.clone(),
        );
        registry.register("event_streams", "Open event streams", metrics.streams.clone());
        registry.register(
            "body_bytes",
            "Bytes of bodies that were read",
            metrics.body_bytes.clone(),
        );
        registry.register(
            "queue_depth",
            "Submissions that wait for a run",
            metrics.queue_depth.clone(),
        );
        registry.register(
            "evaluations_running",
            "Evaluations that run",
            metrics.running.clone(),
        );
        registry.register(
            "ready",
            "1 if the service does all that it is to do",
            metrics.ready.clone(),
        );
        registry.register(
            "alarms",
            "Conditions that the operator should know",
            metrics.alarms.clone(),
        );
        registry.register(
            "queue_oldest_wait_seconds",
            "Age of the submission that has waited longest",
            metrics.oldest_wait_seconds.clone(),
        );
        registry.register(
            "review_calls_today",
            "Calls of the reviewer since midnight UTC",
            metrics.review_calls.clone(),
        );
        registry.register(
            "review_usd_cents_today",
            "What they cost, in hundredths of a US dollar",
            metrics.review_cents.clone(),
        );
        registry.register(
            "review_planted_today",
            "Readings that a violation was planted in",
            metrics.review_planted.clone(),
        );
        registry.register(
            "review_planted_missed_today",
            "Readings that missed it",
            metrics.review_planted_missed.clone(),
        );
        metrics
    }

    /// A request was answered.
    pub(crate) fn answered(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        let of_request = OfRequest {
            route: route.to_owned(),
            method,
            status,
        };
        self.requests.get_or_create(&of_request).inc();
        let of_route = OfRoute {
            route: of_request.route,
        };
        self.durations
            .get_or_create(&of_route)
            .observe(took.as_secs_f64());
    }

    /// An upload was dealt with.
    pub(crate) fn uploaded(&self, way: Way, outcome: Outcome) {
        self.uploads.get_or_create(&OfUpload { outcome, way }).inc();
    }

    /// The text, with the present state of the service.
    pub(crate) fn text(&self, queue: &QueueView, readiness: &Readiness, reviews: Option<&Day>) -> String {
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        if let Some(reviews) = reviews {
            self.review_calls.set(count(reviews.calls));
            #[allow(clippy::cast_possible_truncation, reason = "a sum of money that saturates")]
            self.review_cents.set((reviews.usd * 100.0).ceil() as i64);
            self.review_planted.set(count(reviews.planted));
            self.review_planted_missed.set(count(reviews.missed));
        }
        self.queue_depth.set(i64::from(queue.depth));
        self.running.set(i64::from(queue.running));
        self.ready.set(i64::from(readiness.ready));
        self.alarms
            .set(i64::try_from(readiness.alarms.len()).unwrap_or(i64::MAX));
        self.oldest_wait_seconds
            .set(i64::try_from(queue.oldest_wait_seconds).unwrap_or(i64::MAX));
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            // Writing into a string does not fail.
            Err(_) => String::new(),
        }
    }
}
