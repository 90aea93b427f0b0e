//! The wire: what a process in a sandbox sends, cut into frames and read as messages.
//!
//! It must not crash or make room for what was only promised; what is read is written again by an encoder of this file's own, to
//! the same bytes; a layout lies in its segment without overlaps; and a socket gives the same frames as the bytes do.
#![no_main]

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use prism_core::recipe::Recipe;
use prism_referee::connection::{Cancel, Connection};
use prism_referee::frame::{FrameError, HEADER_BYTES, Header, Kind};
use prism_referee::layout::{Layout, TensorRole};
use prism_referee::message::{self, ClaimsMode, Phase};

/// What goes into a socket that nobody reads yet.
const SOCKET_BYTES: usize = 32 * 1024;
/// Longer than any input takes.
const PATIENCE: Duration = Duration::from_secs(60);

fuzz_target!(|data: &[u8]| {
    let mut frames = Vec::new();
    let mut rest = data;
    while let Some((head, after)) = rest.split_first_chunk::<HEADER_BYTES>() {
        let Ok(header) = Header::parse(*head) else {
            break;
        };
        assert_eq!(header.encode(), *head);
        let Some((body, after)) = after.split_at_checked(header.body_bytes) else {
            break;
        };
        if let Ok(written) = again(header.kind, body) {
            assert_eq!(written, body, "{:?}", header.kind);
        }
        frames.push((header.kind, body));
        rest = after;
    }
    // Slower than all the rest: a part of the inputs is enough.
    if data.len() % 8 == 0 && data.len() <= SOCKET_BYTES {
        through_a_socket(data, &frames);
    }
});

fn through_a_socket(data: &[u8], frames: &[(Kind, &[u8])]) {
    let (ours, mut theirs) = UnixStream::pair().expect("a pair of sockets");
    theirs.write_all(data).expect("a socket takes so much");
    drop(theirs);
    let mut connection = Connection::new(ours, Cancel::new()).expect("a socket has timeouts");
    let deadline = Instant::now() + PATIENCE;
    for frame in frames {
        assert_eq!(connection.receive(deadline).expect("a whole frame"), *frame);
    }
    assert!(connection.receive(deadline).is_err(), "more than was sent");
}

/// Reads a message, and writes what was read.
fn again(kind: Kind, body: &[u8]) -> Result<Vec<u8>, FrameError> {
    let mut out = Vec::new();
    match kind {
        Kind::Hello => {
            let (role, version) = message::parse_hello(body)?;
            out.push(role);
            text(&mut out, 1, &version);
        }
        Kind::Failed => {
            let failed = message::parse_failed(body)?;
            out.push(match failed.phase {
                Phase::ImportArchitecture => 0,
                Phase::ImportTraining => 1,
                Phase::BuildModel => 2,
                Phase::Train => 3,
                Phase::Forward => 4,
            });
            text(&mut out, 1, &failed.reason);
            text(&mut out, 2, &failed.exception);
            text(&mut out, 2, &failed.message);
            text(&mut out, 4, &failed.traceback);
            let name = prism_core::escape::escape_line(&failed.exception);
            assert!(failed.raised().starts_with(&name) && !name.contains(char::is_control));
        }
        Kind::Note => text(&mut out, 2, &message::parse_note(body)?),
        Kind::Log => {
            let entries = message::parse_log(body)?;
            out.push(u8::try_from(entries.len()).expect("a count of one byte"));
            for (key, value) in entries {
                text(&mut out, 1, &key);
                out.extend(value.to_le_bytes());
            }
        }
        Kind::Open => {
            let open = message::parse_open(body)?;
            out.extend(open.batch_size.to_le_bytes());
            out.extend(open.seq_len.to_le_bytes());
            out.push(u8::from(open.claims == ClaimsMode::Eval));
        }
        Kind::Ready | Kind::Loaded => out.extend(message::parse_u64(kind, body)?.to_le_bytes()),
        Kind::Done => out.push(u8::from(message::parse_done(body)?)),
        Kind::Claims | Kind::Scores => {
            let (step, count) = step_and_count(kind, body)?;
            let mut nats = Vec::new();
            message::parse_nats(kind, body, step, count as usize, &mut nats)?;
            assert!(message::parse_nats(kind, body, step ^ 1, count as usize, &mut Vec::new()).is_err());
            out.extend(step.to_le_bytes());
            out.extend(count.to_le_bytes());
            out.extend(nats.iter().flat_map(|claim| claim.to_le_bytes()));
        }
        Kind::Answer => {
            let (_, width) = step_and_count(kind, body)?;
            let answer = message::parse_answer(body, width)?;
            out.extend(answer.id.to_le_bytes());
            out.extend(width.to_le_bytes());
            let logits = answer.logits.expect("logits of the asked width");
            out.extend(logits.iter().flat_map(|logit| logit.to_le_bytes()));
        }
        Kind::Layout => {
            let layout = message::parse_layout(body)?;
            lies_in_its_segment(&layout);
            out.extend(
                u32::try_from(layout.placed().count())
                    .expect("a bounded count")
                    .to_le_bytes(),
            );
            for (_, tensor) in layout.placed() {
                text(&mut out, 2, &tensor.name);
                out.push(u8::from(tensor.role == TensorRole::Buffer));
                out.push(tensor.dtype as u8);
                out.push(u8::try_from(tensor.shape.len()).expect("at most 8 sizes"));
                out.extend(tensor.shape.iter().flat_map(|size| size.to_le_bytes()));
            }
        }
        // The referee's own, which it never reads.
        Kind::Config | Kind::Built | Kind::Shape | Kind::Opened | Kind::Batch | Kind::Resume => {
            return Ok(body.to_vec());
        }
        Kind::End | Kind::Load | Kind::Question | Kind::Score => return Ok(body.to_vec()),
    }
    Ok(out)
}

/// A text with its length before it, in so many bytes.
fn text(out: &mut Vec<u8>, length_bytes: usize, text: &str) {
    out.extend(&text.len().to_le_bytes()[..length_bytes]);
    out.extend(text.as_bytes());
}

fn step_and_count(kind: Kind, body: &[u8]) -> Result<(u64, u32), FrameError> {
    let mut cursor = message::Cursor::new(kind, body);
    Ok((cursor.u64()?, cursor.u32()?))
}

fn lies_in_its_segment(layout: &Layout) {
    let mut end = 0;
    for (start, tensor) in layout.placed() {
        assert!(start >= end && start - end < 64 && start % 64 == 0);
        end = start
            .checked_add(tensor.bytes())
            .expect("a layout does not overflow");
    }
    assert_eq!(end, layout.bytes());
    assert_eq!(layout.difference(layout), None);
    let _ = layout.check_caps(&Recipe::demo().caps);
}
