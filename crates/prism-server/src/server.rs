//! Starts and stops everything: the runtime, the router with its layers, the two accept loops.
//!
//! [`serve`] is called by the command that serves, and by tests, on a thread that may block until the end.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::{HeaderValue, header};
use prism_store::Store;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tracing::{info, warn};

use crate::accept::{self, Bounds};
use crate::app::App;
use crate::challenge::Challenge;
use crate::edge::{self, RequestIds};
use crate::linger;
use crate::routes;
use crate::settings::Settings;

/// Connections that the kernel keeps until they are accepted.
const BACKLOG: i32 = 4096;
/// Between two tidyings of the rate limits.
const TIDY_PAUSE: Duration = Duration::from_mins(1);
/// For tasks that are left when everything was drained.
const LAST_PAUSE: Duration = Duration::from_secs(1);
/// Connections at once to the metrics.
const METRICS_CONNECTIONS: usize = 16;
/// Digits that tell the requests of one process from those of another.
const PROCESS_DIGITS: usize = 8;
/// Threads for what blocks, beside those that the limits name.
const SPARE_THREADS: usize = 8;

/// The sockets, bound by the caller.
#[derive(Debug)]
pub struct Listeners {
    /// The interface.
    pub api: TcpListener,
    /// The metrics, which are not for the public.
    pub metrics: Option<TcpListener>,
}

/// Tells the server to stop. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    drain: CancellationToken,
    cut: CancellationToken,
}

impl Shutdown {
    /// One that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes no new connection, ends event streams, lets requests finish for the time of the settings.
    pub fn begin(&self) {
        self.drain.cancel();
    }

    /// Ends at once, whatever goes on.
    pub fn now(&self) {
        self.drain.cancel();
        self.cut.cancel();
    }
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// No threads.
    #[error("the threads of the server cannot be started: {0}")]
    Threads(io::Error),
    /// A socket is of no use.
    #[error("the socket of the server cannot be used: {0}")]
    Socket(io::Error),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] prism_key::random::RandomError),
}

/// Serves until `shutdown`. Blocks.
pub fn serve(
    settings: Settings,
    store: Store,
    challenge: Arc<dyn Challenge>,
    listeners: Listeners,
    shutdown: &Shutdown,
) -> Result<(), ServeError> {
    let limits = &settings.limits;
    let threads = limits.reads + limits.writes + limits.computations + SPARE_THREADS;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("prism-http")
        .max_blocking_threads(threads)
        .enable_io()
        .enable_time()
        .build()
        .map_err(ServeError::Threads)?;
    let process = prism_key::random::nonce()?[..PROCESS_DIGITS].to_owned();
    let drain_timeout = limits.drain_timeout;
    let app = Arc::new(App::new(settings, store, challenge, shutdown.drain.clone()));
    let served = runtime.block_on(run(app, listeners, RequestIds::new(process), shutdown));
    runtime.shutdown_timeout(LAST_PAUSE.min(drain_timeout));
    served
}

async fn run(
    app: Arc<App>,
    listeners: Listeners,
    ids: RequestIds,
    shutdown: &Shutdown,
) -> Result<(), ServeError> {
    let bounds = bounds(&app.settings);
    let tidying = tokio::spawn(tidy(Arc::clone(&app)));
    let api_socket = listen(listeners.api)?;
    let api = accept::serve(
        api_socket,
        router(&app, ids),
        bounds.clone(),
        shutdown.drain.clone(),
    );
    let metrics_socket = listeners.metrics.map(listen).transpose()?;
    let metrics_app = Arc::clone(&app);
    let metrics = async {
        if let Some(socket) = metrics_socket {
            let bounds = Bounds {
                connections: METRICS_CONNECTIONS,
                per_client: METRICS_CONNECTIONS,
                ..bounds
            };
            accept::serve(
                socket,
                metrics_router(metrics_app),
                bounds,
                shutdown.drain.clone(),
            )
            .await;
        }
    };
    info!("the interface is open");
    tokio::select! {
        _ = async { tokio::join!(api, metrics) } => info!("the interface is closed"),
        () = shutdown.cut.cancelled() => info!("the interface was cut"),
    }
    tidying.abort();
    Ok(())
}

fn listen(listener: TcpListener) -> Result<tokio::net::TcpListener, ServeError> {
    // Whoever bound it may have asked for a short queue: a thousand clients may come at once.
    rustix::net::listen(&listener, BACKLOG).map_err(|error| ServeError::Socket(error.into()))?;
    listener.set_nonblocking(true).map_err(ServeError::Socket)?;
    tokio::net::TcpListener::from_std(listener).map_err(ServeError::Socket)
}

fn bounds(settings: &Settings) -> Bounds {
    let limits = &settings.limits;
    let mut unlimited = settings.unlimited_clients.clone();
    // Everybody comes from there.
    unlimited.extend_from_slice(&settings.trusted_proxies);
    Bounds {
        connections: affordable(limits.connections),
        per_client: limits.connections_per_client,
        unlimited,
        head_timeout: limits.head_timeout,
        write_timeout: limits.write_timeout,
        drain_timeout: limits.drain_timeout,
    }
}

/// As many connections as leave half of the files that this process may open to everything else: a store that cannot
/// open a file refuses uploads.
fn affordable(wanted: usize) -> usize {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let most = files.map_or(usize::MAX, |files| {
        usize::try_from(files / 2).unwrap_or(usize::MAX)
    });
    if most < wanted {
        warn!(
            most,
            "this process may open few files, so that fewer connections are taken; raise its limit"
        );
    }
    wanted.min(most)
}

/// All routes within their layers.
pub(crate) fn router(app: &Arc<App>, ids: RequestIds) -> Router {
    let of_panic = Arc::clone(app);
    let ids = Arc::new(ids);
    routes::all(app)
        .layer(CatchPanicLayer::custom(move |_| edge::panicked(&of_panic)))
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(app),
            edge::protect,
        ))
        .layer(
            CompressionLayer::new()
                .gzip(true)
                .compress_when(edge::is_worth_compressing),
        )
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(app),
            linger::read_on,
        ))
        .layer(axum::middleware::from_fn_with_state(
            (Arc::clone(app), ids),
            edge::observe,
        ))
}

/// What Prometheus reads, on an address of its own.
fn metrics_router(app: Arc<App>) -> Router {
    let text = move || {
        let app = Arc::clone(&app);
        async move {
            let (queue, readiness) = (app.challenge.queue(), app.challenge.readiness());
            let day = app.now().day();
            // Where the store cannot be read, the figures of before stay, and `ready` says so.
            let reviews = app
                .read(move |tx| prism_store::reviews::spent(tx, day))
                .await
                .ok();
            let text = app.metrics.text(&queue, &readiness, reviews.as_ref());
            let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
            ([(header::CONTENT_TYPE, kind)], text)
        }
    };
    Router::new().route("/metrics", get(text))
}

async fn tidy(app: Arc<App>) {
    loop {
        tokio::time::sleep(TIDY_PAUSE).await;
        app.tidy().await;
    }
}
