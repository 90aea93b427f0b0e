//! The accept loop: connections in, bounded in number and in time; drained when the server is to stop.
//!
//! Run once for the interface and once for the metrics by [`crate::server`]. It knows nothing of routes. What it must
//! never do: wait for ever for a head, a reader, or the end of a stream.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tracing::{debug, warn};

use crate::network::{ClientKey, Network};
use crate::tally::{Held, Tally};

/// Pause after the kernel could give no connection, for instance because no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Bytes of a head, and of what is read ahead of a body.
const READ_BUFFER_BYTES: usize = 64 * 1024;

/// The other end of the connection that a request came over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Bounds of the connections.
#[derive(Clone)]
pub(crate) struct Bounds {
    pub(crate) connections: usize,
    pub(crate) per_client: usize,
    /// These may have as many as there are.
    pub(crate) unlimited: Vec<Network>,
    pub(crate) head_timeout: Duration,
    pub(crate) write_timeout: Duration,
    pub(crate) drain_timeout: Duration,
}

/// Serves connections until `stop`, then lets those that are open finish for a bounded time.
pub(crate) async fn serve(listener: TcpListener, router: Router, bounds: Bounds, stop: CancellationToken) {
    let room = Arc::new(Semaphore::new(bounds.connections));
    let clients = Tally::new(bounds.connections, bounds.per_client);
    let graceful = GracefulShutdown::new();
    let cut = CancellationToken::new();
    let tasks = TaskTracker::new();
    loop {
        let permit = tokio::select! {
            () = stop.cancelled() => break,
            // Closed by nobody.
            permit = Arc::clone(&room).acquire_owned() => match permit { Ok(permit) => permit, Err(_) => break },
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                warn!(%error, "no connection can be accepted; open files may be at their limit");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let is_unlimited = bounds.unlimited.iter().any(|network| network.holds(peer.ip()));
        let Ok(place) = clients.enter(ClientKey::of(peer.ip()), is_unlimited) else {
            debug!(client = ?ClientKey::of(peer.ip()), "a client has too many connections; one more is closed");
            continue;
        };
        let connection = Connection {
            peer,
            _permit: permit,
            _place: place,
        };
        tasks.spawn(connection.run(stream, router.clone(), &bounds, &graceful, cut.clone()));
    }
    drop(listener);
    tasks.close();
    let drained = async {
        graceful.shutdown().await;
        tasks.wait().await;
    };
    if tokio::time::timeout(bounds.drain_timeout, drained).await.is_err() {
        warn!(
            open = tasks.len(),
            "connections are cut, as they did not end in time"
        );
        cut.cancel();
        tasks.wait().await;
    }
}

fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}

struct Connection {
    peer: SocketAddr,
    _permit: OwnedSemaphorePermit,
    _place: Held,
}

impl Connection {
    fn run(
        self,
        stream: TcpStream,
        router: Router,
        bounds: &Bounds,
        graceful: &GracefulShutdown,
        cut: CancellationToken,
    ) -> impl Future<Output = ()> + use<> {
        let peer = Peer(self.peer);
        // Only delays would come of a failure here.
        drop(stream.set_nodelay(true));
        let stream = crate::patience::Patience::new(stream, bounds.write_timeout);
        let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            let answer = router.clone().oneshot(request);
            async move { answer.await as Result<_, Infallible> }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(bounds.head_timeout)
            .max_buf_size(READ_BUFFER_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        async move {
            let _held = self;
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    // Broken requests, time-outs and vanished clients: theirs, and many.
                    debug!(%error, "a connection ended early");
                },
                () = cut.cancelled() => {}
            }
        }
    }
}
