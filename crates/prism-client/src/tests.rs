//! The client against a server that does what it likes.

#![allow(clippy::unwrap_used, reason = "tests")]

mod answers;
mod following;
mod signed;

use std::time::Duration;

use prism_key::{Keypair, Seed};

use crate::scripted::{Scripted, hurried};
use crate::wire::Id;
use crate::{Client, Patience, Road};

const SUBMISSION: &str =
    r#"{"id":"s-1","hotkey":"5x","epoch_id":1,"status":"pending","code_hash":"00","created_at":"t"}"#;
const COMPLETED: &str = r#"{"id":"s-1","hotkey":"5x","status":"completed","final_score":0.25,"rank":1}"#;

fn client(scripted: &Scripted) -> Client {
    Client::with_patience(scripted.server(), Road::Direct, hurried())
}

/// For a server that does not answer: as short as can be.
fn impatient() -> Patience {
    let short = Duration::from_millis(150);
    Patience {
        answer: short,
        body: short,
        silence: short,
        read_again_for: Duration::ZERO,
        signed_again_for: Duration::ZERO,
        follow_again_for: Duration::ZERO,
        ..hurried()
    }
}

fn id() -> Id {
    Id::parse("s-1").unwrap()
}

fn key() -> Keypair {
    Seed::from_bytes(&[3; 32]).keypair()
}
