//! What everybody may read: a submission, its events, the board, weights, budgets, the recipe; and the check of a bundle
//! before it is submitted, which stores nothing.

use prism_key::Hotkey;
use serde::Deserialize;
use serde_json::Value;

use crate::client::{ANSWER_BYTES_MAX, Client};
use crate::error::ClientError;
use crate::exchange::{self, Request};
use crate::wire::board::{Board, Leaderboard};
use crate::wire::weights::Weights;
use crate::wire::{Budget, Event, Got, Id, Submission};

/// Events of one page.
const EVENTS_PER_PAGE: usize = 200;
/// Pages that are read: no submission has as many.
const PAGES_MAX: usize = 100;

#[derive(Deserialize)]
struct EventPage {
    events: Vec<Event>,
}

impl Client {
    /// How a submission stands.
    pub fn status(&self, id: &Id) -> Result<Got<Submission>, ClientError> {
        self.read_json(&format!("/v1/submissions/{id}"))
    }

    /// What has happened to a submission after an event, all pages of it.
    pub fn events(&self, id: &Id, after: Option<u64>) -> Result<Vec<Event>, ClientError> {
        let mut all: Vec<Event> = Vec::new();
        let mut last = after.unwrap_or(0);
        for _ in 0..PAGES_MAX {
            let path = format!("/v1/submissions/{id}/events?after={last}&limit={EVENTS_PER_PAGE}");
            let page = self.read_json::<EventPage>(&path)?.value.events;
            let is_last = page.len() < EVENTS_PER_PAGE;
            for event in page {
                if event.seq <= last {
                    let what = format!("event {} comes after event {last}", event.seq);
                    return Err(exchange::unexpected(&self.server, what));
                }
                last = event.seq;
                all.push(event);
            }
            if is_last {
                return Ok(all);
            }
        }
        let what = format!("it has more than {PAGES_MAX} pages of events");
        Err(exchange::unexpected(&self.server, what))
    }

    /// The board of the round.
    pub fn board(&self) -> Result<Got<Board>, ClientError> {
        self.read_json("/v1/board")
    }

    /// The leaderboard of an epoch, or of the present one.
    pub fn leaderboard(&self, epoch: Option<u64>) -> Result<Got<Leaderboard>, ClientError> {
        let query = epoch
            .map(|epoch| format!("?epoch_id={epoch}"))
            .unwrap_or_default();
        self.read_json(&format!("/v1/leaderboard{query}"))
    }

    /// The weights with their reasons.
    pub fn weights(&self) -> Result<Got<Weights>, ClientError> {
        self.read_json("/v1/weights")
    }

    /// What a hotkey has left today.
    pub fn budget(&self, hotkey: &Hotkey) -> Result<Got<Budget>, ClientError> {
        self.read_json(&format!("/v1/budget?hotkey={hotkey}"))
    }

    /// The recipe of the round.
    pub fn recipe(&self) -> Result<Got<Value>, ClientError> {
        self.read_json("/v1/recipe")
    }

    /// What the gate and the comparison with earlier bundles say of this one.
    pub fn precheck(&self, archive: &[u8]) -> Result<Got<Value>, ClientError> {
        let request = Request {
            method: "POST",
            path: format!("{}/v1/precheck", self.road.prefix()),
            headers: vec![
                ("accept", "application/json".to_owned()),
                ("content-type", "application/zip".to_owned()),
            ],
            body: archive,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        self.understood(&exchange::exchange(&self.agent, &self.server, &request)?)
    }
}
