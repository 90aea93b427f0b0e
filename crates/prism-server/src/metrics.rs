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
pub(crate) struct OfRequest {
    /// The pattern of the path, never the path.
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OfRoute {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OfUpload {
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

macro_rules! metrics {
    ($($field:ident: $kind:ty $(= $make:expr)?, $name:literal, $help:literal;)*) => {
        /// Everything that is counted.
        pub(crate) struct Metrics {
            registry: Registry,
            $(pub(crate) $field: $kind,)*
        }

        impl Metrics {
            /// All at zero.
            pub(crate) fn new() -> Self {
                let mut registry = Registry::with_prefix("prism");
                $(
                    let $field: $kind = metrics!(@make $($make)?);
                    registry.register($name, $help, $field.clone());
                )*
                Self { registry, $($field,)* }
            }
        }
    };
    (@make) => { Default::default() };
    (@make $make:expr) => { $make };
}

type Durations = Family<OfRoute, Histogram, fn() -> Histogram>;

metrics! {
    requests: Family<OfRequest, Counter>, "http_requests", "Requests that were answered";
    durations: Durations = Family::new_with_constructor(histogram), "http_request_duration_seconds",
        "From the head of a request to the head of its answer";
    uploads: Family<OfUpload, Counter>, "uploads", "Uploads by what became of them";
    panics: Counter, "panics", "Requests that ended in a panic";
    rate_limited: Counter, "rate_limited", "Requests refused for their number";
    streams: Gauge, "event_streams", "Open event streams";
    body_bytes: Counter, "body_bytes", "Bytes of bodies that were read";
    queue_depth: Gauge, "queue_depth", "Submissions that wait for a run";
    running: Gauge, "evaluations_running", "Evaluations that run";
    ready: Gauge, "ready", "1 if the service does all that it is to do";
    alarms: Gauge, "alarms", "Conditions that the operator should know";
    oldest_wait_seconds: Gauge, "queue_oldest_wait_seconds", "Age of the submission that has waited longest";
    review_calls: Gauge, "review_calls_today", "Calls of the reviewer since midnight UTC";
    review_cents: Gauge, "review_usd_cents_today", "What they cost, in hundredths of a US dollar";
    review_planted: Gauge, "review_planted_today", "Readings that a violation was planted in";
    review_planted_missed: Gauge, "review_planted_missed_today", "Readings that missed it";
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS_SECONDS)
}

impl Metrics {
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
