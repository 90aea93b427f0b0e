//! The client: a server, a road, and how patient it is.
//!
//! Holds what every request needs; the requests themselves are in [`crate::submit`], [`crate::owner`], [`crate::reads`]
//! and [`crate::follow`].

use std::thread;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use ureq::Agent;

use crate::error::ClientError;
use crate::exchange::{self, Request};
use crate::patience::{Patience, Pauses};
use crate::server::{Road, Server};
use crate::wire::Got;

/// Bytes of an ordinary answer that are taken.
pub(crate) const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What asks a server.
#[derive(Debug)]
pub struct Client {
    pub(crate) server: Server,
    pub(crate) road: Road,
    pub(crate) patience: Patience,
    pub(crate) agent: Agent,
    pub(crate) streams: Agent,
}

/// Called before something is tried again: why, and after which pause.
pub type Again<'a> = dyn FnMut(&ClientError, Duration) + 'a;

impl Client {
    /// A client of this server. Nothing is sent yet.
    pub fn new(server: Server, road: Road) -> Self {
        Self::with_patience(server, road, Patience::default())
    }

    /// The same with other limits.
    pub fn with_patience(server: Server, road: Road, patience: Patience) -> Self {
        Self {
            agent: exchange::agent(&server, &patience),
            streams: exchange::stream_agent(&server, &patience),
            server,
            road,
            patience,
        }
    }

    /// Who is asked.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Reads a path of the service. Nothing changes by it, so it is tried again where that may help.
    pub(crate) fn read(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        let request = Request {
            method: "GET",
            path: format!("{}{path}", self.road.prefix()),
            headers: vec![("accept", "application/json".to_owned())],
            body: &[],
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        let mut pauses = Pauses::new(&self.patience, self.patience.read_again_for);
        loop {
            let error = match exchange::exchange(&self.agent, &self.server, &request) {
                Ok(body) => return Ok(body),
                Err(error) => error,
            };
            let pause = match &error {
                ClientError::Lost { .. } => pauses.next(None),
                ClientError::Refused { problem, .. } if is_passing(problem.status) => {
                    pauses.next(problem.retry_after)
                }
                _ => None,
            };
            match pause {
                Some(pause) => thread::sleep(pause),
                None => return Err(error),
            }
        }
    }

    /// The same as an object.
    pub(crate) fn read_json<T: DeserializeOwned>(&self, path: &str) -> Result<Got<T>, ClientError> {
        self.understood(&self.read(path)?)
    }

    /// Sends a signed request again as it is until its answer is there. A request whose answer is lost may have been taken;
    /// the service answers a byte-identical repeat as it answered the first one.
    pub(crate) fn insist(
        &self,
        request: &Request<'_>,
        again: &mut Again<'_>,
    ) -> Result<Vec<u8>, ClientError> {
        let mut pauses = Pauses::new(&self.patience, self.patience.signed_again_for);
        let mut may_have_arrived = false;
        let begun = Instant::now();
        loop {
            let error = match exchange::exchange(&self.agent, &self.server, request) {
                Ok(body) => return Ok(body),
                Err(error) => error,
            };
            may_have_arrived |= matches!(error, ClientError::Lost { .. });
            let pause = match &error {
                ClientError::Lost { .. } => pauses.next(None),
                // Whoever was there before is being started again.
                ClientError::Unreachable { .. } if may_have_arrived => pauses.next(None),
                ClientError::Refused { problem, .. } if is_passing(problem.status) => {
                    pauses.next(problem.retry_after)
                }
                // A master that knows the nonce and has kept no answer: the first request was taken.
                ClientError::Refused { problem, .. } if problem.status == 409 && may_have_arrived => {
                    let cause = "its answer was lost on the way, and it gives none a second time".to_owned();
                    return Err(exchange::lost(&self.server, cause));
                }
                _ => None,
            };
            let is_in_time = |pause| begun.elapsed() + pause <= self.patience.signed_again_for;
            let Some(pause) = pause.filter(|&pause| is_in_time(pause)) else {
                return Err(error);
            };
            again(&error, pause);
            thread::sleep(pause);
        }
    }

    pub(crate) fn understood<T: DeserializeOwned>(&self, body: &[u8]) -> Result<Got<T>, ClientError> {
        Got::read(body).map_err(|what| exchange::unexpected(&self.server, what))
    }
}

/// Whether a refusal of this status may pass by itself.
pub(crate) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 502 | 503 | 504)
}
