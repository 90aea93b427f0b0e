//! A miner's upload: checked in the order of the contract, made durable, answered.
//!
//! ```text
//! address's rate -> headers -> switched on -> time stamp -> validator -> body and hash -> signature -> nonce
//!   -> hotkey's rate -> form -> round and budget -> room -> blob -> one transaction -> wake the service
//! ```
//!
//! What the master hands over joins at "form". Nothing is written before a request has passed everything before it; the
//! only trace of a refusal is its nonce, once the signature was good.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use http::{HeaderMap, header};
use prism_core::hash::Sha256Hash;
use prism_core::time::Timestamp;
use prism_key::message;
use prism_store::uploads::{self, Kind, NewUpload, Nonce, NonceUse, Refused};
use prism_store::{Read, budgets, rounds, submissions};
use serde_json::Value;
use tracing::info;

use crate::answer::{given, json};
use crate::app::{Answer, App, disk_full};
use crate::body::ReadBody;
use crate::edge::Client;
use crate::envelope::{self, Envelope, Form};
use crate::metrics::{Outcome, Way};
use crate::problem::{Code, Problem};
use crate::random;
use crate::signed::{self, Claim};
use crate::wire::{BudgetView, UploadView};

const FILENAME_HEADER: &str = "x-submission-filename";
/// Submissions of a hotkey that are looked through when its budget is spent.
const EARLIER_MAX: u32 = 1000;
const SECONDS_OF_DAY: i64 = 86_400;

/// Submit a bundle.
///
/// The signature is over `prism:{X-Hotkey}:{X-Nonce}:{X-Timestamp}:{sha256 hex of the body}`, plain or in `<Bytes>`. The
/// same request sent again gets the same answer; the same bytes of the same hotkey are the same submission.
#[utoipa::path(
    post, path = "/v1/submissions", tag = "submissions",
    params(
        ("X-Hotkey" = String, Header, description = "SS58 address", min_length = 1, max_length = 128),
        (
            "X-Signature" = String, Header, description = "sr25519 in hexadecimal digits",
            pattern = "^(0x)?[0-9A-Fa-f]{128}$"
        ),
        (
            "X-Nonce" = String, Header, description = "a text that the hotkey uses once, 1 to 128 characters",
            min_length = 1, max_length = 128
        ),
        ("X-Timestamp" = String, Header, description = "unix seconds", pattern = "^-?[0-9]+$"),
        ("X-Submission-Filename" = Option<String>, Header, description = "of a raw body; submission.zip if missing"),
    ),
    request_body(
        content(
            (String = "application/zip", example = "the archive"),
            (UploadForm = "application/json"),
        )
    ),
    responses((status = 200, body = UploadView))
)]
pub(super) async fn submit(State(app): State<Arc<App>>, Client(client): Client, request: Request) -> Answer {
    let answer = direct(&app, client, request).await;
    if answer.is_err() {
        app.metrics.uploaded(Way::Direct, Outcome::Refused);
    }
    answer
}

/// The JSON form of an upload.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "a description of what is parsed elsewhere")]
pub(super) struct UploadForm {
    /// Base64 of the zip.
    #[schema(min_length = 1)]
    code: String,
    /// Ends in `.zip`; or in `.py`, of a single script, which is no bundle and is rejected later.
    #[schema(pattern = r"^[A-Za-z0-9_.-]+\.(py|zip)$", default = "model.py")]
    filename: Option<String>,
    /// Anything.
    #[schema(value_type = Option<Object>)]
    metadata: Option<serde_json::Value>,
}

async fn direct(app: &Arc<App>, client: IpAddr, request: Request) -> Answer {
    app.count(&app.rates.uploads, client)?;
    let (parts, body) = request.into_parts();
    let claim = Claim::read(&parts.headers, signed::UPLOAD)?;
    if !app.settings.public_submissions {
        return Err(Problem::new(
            Code::PublicSubmissionsOff,
            "direct submissions are switched off; submit through BASE",
        ));
    }
    let claim = claim.fresh(&app.settings, false)?;
    let read = app.read_upload(&parts.headers, body).await?;
    let hash = read.sha256;
    let signed = app
        .look(move |_| {
            let message = message::upload(claim.stamp(), &hash);
            claim.verify(&message)
        })
        .await?;
    let used = NonceUse::from(&signed);
    let asked = used.clone();
    let is_repeat = match app.read(move |tx| uploads::nonce(tx, &asked)).await? {
        Nonce::Used => return Err(nonce_used()),
        Nonce::Repeat(uploads::Answer::Given { status_code, body }) => return Ok(given(status_code, body)),
        Nonce::Repeat(uploads::Answer::Accepted { .. }) => true,
        Nonce::Free => {
            // Not before: whoever has seen a request could spend its hotkey's budget by sending it again.
            app.count_hotkey(&app.rates.uploaders, &signed.hotkey)?;
            false
        }
    };
    let upload = Upload {
        hotkey: signed.hotkey,
        nonce: Some(used.clone()),
        is_repeat,
        form: OwnedForm::of(&parts.headers),
        body: read,
    };
    match take(app, Way::Direct, upload).await {
        Err(problem) if uses_up_nonce(&problem) => refused_for_good(app, used, problem).await,
        other => other,
    }
}

/// Refusals of what was sent, as against those that may go away by themselves.
fn uses_up_nonce(problem: &Problem) -> bool {
    matches!(
        problem.code(),
        Code::InvalidJson | Code::TooLarge | Code::InvalidRequest
    )
}

/// Stores that the nonce was used for something that is refused, with the answer.
async fn refused_for_good(app: &App, used: NonceUse, problem: Problem) -> Answer {
    let now = app.now();
    let status_code = problem.status().as_u16();
    let body = problem.body().to_string().into_bytes();
    let known = app
        .write(move |tx| uploads::answer(tx, &used, status_code, &body, now))
        .await?;
    match known {
        Nonce::Used => Err(nonce_used()),
        // Two tries of one request came at once: both are answered alike.
        Nonce::Free | Nonce::Repeat(_) => Err(problem),
    }
}

pub(super) fn nonce_used() -> Problem {
    Problem::new(
        Code::NonceUsed,
        "nonce already used: sign again with another one; only the very same request may be repeated",
    )
}

/// An upload of which everything is known but what is in it.
pub(super) struct Upload {
    pub(super) hotkey: String,
    pub(super) nonce: Option<NonceUse>,
    /// The very same request was accepted before.
    pub(super) is_repeat: bool,
    pub(super) form: OwnedForm,
    pub(super) body: ReadBody,
}

/// The headers that tell what a body is.
pub(super) struct OwnedForm {
    content_type: Option<String>,
    filename: Option<String>,
}

impl OwnedForm {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        // What is no text is told as a name that is none.
        let text = |name: &str| {
            headers
                .get(name)
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Self {
            content_type: text(header::CONTENT_TYPE.as_str()),
            filename: text(FILENAME_HEADER),
        }
    }

    pub(super) fn form(&self) -> Form<'_> {
        Form {
            content_type: self.content_type.as_deref(),
            filename: self.filename.as_deref(),
        }
    }
}

/// Reads the form, makes the file durable and the submission of it.
pub(super) async fn take(app: &Arc<App>, way: Way, upload: Upload) -> Answer {
    let Upload {
        hotkey,
        nonce,
        is_repeat,
        form,
        body,
    } = upload;
    let now = app.now();
    let new = app
        .work(move |app| {
            // Dropped at the end, and with it the claim on memory.
            let ReadBody {
                bytes,
                memory: _memory,
                ..
            } = body;
            let envelope = envelope::parse(form.form(), bytes, app.envelope_limits())?;
            put(app, hotkey, nonce, is_repeat, envelope, now)
        })
        .await?;
    let accepted = app
        .write(move |tx| {
            let accepted = match uploads::accept(tx, &new, now)? {
                Ok(accepted) => accepted,
                Err(refused) => return Ok(Err(refused)),
            };
            let round = rounds::get(tx, &accepted.submission.round_id)?;
            Ok(Ok((accepted, round)))
        })
        .await?;
    let (accepted, round) = match accepted {
        Ok(accepted) => accepted,
        Err(Refused::Answered { status_code, body }) => return Ok(given(status_code, body)),
        Err(refused) => return Err(refusal(&refused, now)),
    };
    let outcome = match accepted.kind {
        Kind::New => {
            app.challenge.wake();
            Outcome::New
        }
        Kind::Repeat => Outcome::Repeated,
        Kind::SameBytes => Outcome::Known,
    };
    app.metrics.uploaded(way, outcome);
    info!(submission = %accepted.submission.id, ?outcome, "an upload was accepted");
    let budget = BudgetView::of(accepted.used, &round, now);
    json(&UploadView::of(&accepted.submission, accepted.answered, budget))
}

/// Puts the file into the store, unless it is plain already that no submission will be made of it.
fn put(
    app: &App,
    hotkey: String,
    nonce: Option<NonceUse>,
    is_repeat: bool,
    envelope: Envelope,
    now: Timestamp,
) -> Answer<NewUpload> {
    let zip_sha256 = Sha256Hash::of(&envelope.bytes);
    if !is_repeat && let Some(refused) = app.store.read(|tx| foreseen(tx, &hotkey, &zip_sha256, now))? {
        return Err(refusal(&refused, now));
    }
    let blobs = app.store.blobs();
    if !blobs.has(&zip_sha256)? && app.store.free_bytes()? < app.settings.limits.reserve_bytes {
        return Err(disk_full());
    }
    // Also where it is there already: then it is kept for long enough to be named.
    blobs.put(&envelope.bytes)?;
    Ok(NewUpload {
        id: random::uuid()?,
        hotkey,
        nonce,
        filename: envelope.filename,
        code_hash: envelope.code_hash,
        zip_sha256,
        zip_bytes: envelope.bytes.len() as u64,
        metadata_json: Value::Object(envelope.metadata).to_string(),
    })
}

/// Whether an upload would be refused now. The transaction that accepts it asks again.
fn foreseen(
    tx: &Read,
    hotkey: &str,
    zip_sha256: &Sha256Hash,
    now: Timestamp,
) -> prism_store::Result<Option<Refused>> {
    let Some(round) = rounds::current(tx)? else {
        return Ok(Some(Refused::NoRound));
    };
    let (used, allowed) = (budgets::of(tx, hotkey, now.day())?.uploads, round.uploads_per_day);
    if used < allowed {
        return Ok(None);
    }
    let earlier = submissions::by_hotkey(tx, hotkey, EARLIER_MAX)?;
    let is_known = earlier
        .iter()
        .any(|earlier| earlier.round_id == round.id && earlier.zip_sha256 == *zip_sha256);
    Ok((!is_known).then_some(Refused::UploadBudget { used, allowed }))
}

fn refusal(refused: &Refused, now: Timestamp) -> Problem {
    match refused {
        // An answer of before is given word for word by whoever asked.
        Refused::NonceUsed | Refused::Answered { .. } => nonce_used(),
        Refused::NoRound => Problem::new(
            Code::NoRound,
            "no round is open, so there is nothing to submit to; send the same request again when one is",
        ),
        Refused::UploadBudget { used, allowed } => {
            let left = SECONDS_OF_DAY - now.seconds().rem_euclid(SECONDS_OF_DAY);
            let sentence =
                format!("{used} of {allowed} uploads of the day are used; the next day begins at 00:00 UTC");
            Problem::new(Code::BudgetSpent, sentence).retry_after(left.unsigned_abs())
        }
    }
}
