//! The test vectors of `protocol/vectors.json`, which the Python tests read too.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use prism_referee::{
    frame::{FrameError, HEADER_BYTES, Header, Kind},
    message::{self, ClaimsMode, EndReason, Phase, WeightSource},
};
use serde_json::{Value, json};

fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../protocol/vectors.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes();
    digits
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn u64_of(fields: &Value, name: &str) -> u64 {
    fields[name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name} in {fields}"))
}

fn u32_of(fields: &Value, name: &str) -> u32 {
    u32::try_from(u64_of(fields, name)).unwrap()
}

fn i32s(fields: &Value, name: &str) -> Vec<i32> {
    let all = fields[name].as_array().unwrap();
    all.iter()
        .map(|token| i32::try_from(token.as_i64().unwrap()).unwrap())
        .collect()
}

/// The bit patterns of the floats of a vector, however it writes them.
fn float_bits(fields: &Value, name: &str) -> Vec<u32> {
    if let Some(bits) = fields.get(format!("{name}_bits")) {
        let all = bits.as_array().unwrap();
        return all
            .iter()
            .map(|hex| u32::from_str_radix(hex.as_str().unwrap(), 16).unwrap())
            .collect();
    }
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the vectors are exact in single precision"
    )]
    let bits = |value: &Value| (value.as_f64().unwrap() as f32).to_bits();
    fields[name].as_array().unwrap().iter().map(bits).collect()
}

fn bits_of(floats: &[f32]) -> Vec<u32> {
    floats.iter().map(|float| float.to_bits()).collect()
}

/// What the referee would send for these fields; `None` for a kind that only workers send.
fn encode(kind: Kind, f: &Value) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match kind {
        Kind::Shape => message::write_shape(&mut out, u32_of(f, "batch_size"), u32_of(f, "seq_len")),
        Kind::Opened => out.extend_from_slice(&u64_of(f, "batches").to_le_bytes()),
        Kind::Resume => out.extend_from_slice(&u64_of(f, "step").to_le_bytes()),
        Kind::End => message::write_end(
            &mut out,
            if u64_of(f, "reason") == 0 {
                EndReason::EndOfData
            } else {
                EndReason::Budget
            },
        ),
        Kind::Load => {
            let source = match u64_of(f, "source") {
                0 => WeightSource::Segment,
                1 => WeightSource::RandomInit,
                2 => WeightSource::SegmentParameters,
                _ => WeightSource::SegmentParametersInTrainMode,
            };
            message::write_load(&mut out, source, u64_of(f, "id"));
        }
        Kind::Question => {
            let row = i32s(f, "row");
            message::write_question(
                &mut out,
                u64_of(f, "id"),
                u32_of(f, "lane"),
                u32_of(f, "column"),
                &row,
            );
        }
        Kind::Batch | Kind::Score => {
            let id = u64_of(f, if kind == Kind::Batch { "step" } else { "id" });
            let mask: Vec<u8> = i32s(f, "mask")
                .iter()
                .map(|&m| u8::try_from(m).unwrap())
                .collect();
            let rows = message::Rows {
                batch_size: u32_of(f, "batch_size"),
                seq_len: u32_of(f, "seq_len"),
                tokens: &i32s(f, "tokens"),
                mask: &mask,
            };
            match kind {
                Kind::Batch => message::write_batch(&mut out, id, u64_of(f, "read_bytes"), &rows),
                _ => message::write_score(&mut out, id, &rows),
            }
        }
        _ => return None,
    }
    Some(out)
}

/// Parses a body as the referee would; the fields where there is something to compare.
fn decode(kind: Kind, body: &[u8], f: &Value) -> Result<Option<Value>, FrameError> {
    Ok(Some(match kind {
        Kind::Hello => {
            let (role, torch_version) = message::parse_hello(body)?;
            // The greeter is checked against the role that was started.
            if !(1..=3).contains(&role) {
                return Err(FrameError::Field { kind, field: "role" });
            }
            json!({ "role": role, "torch_version": torch_version })
        }
        Kind::Failed => {
            let failed = message::parse_failed(body)?;
            let phases = [
                Phase::ImportArchitecture,
                Phase::ImportTraining,
                Phase::BuildModel,
                Phase::Train,
                Phase::Forward,
            ];
            json!({
                "phase": phases.iter().position(|&phase| phase == failed.phase).unwrap(),
                "reason": failed.reason, "exception": failed.exception,
                "message": failed.message, "traceback": failed.traceback,
            })
        }
        Kind::Note => json!({ "text": message::parse_note(body)? }),
        Kind::Open => {
            let open = message::parse_open(body)?;
            let claims = u8::from(open.claims == ClaimsMode::Eval);
            json!({ "batch_size": open.batch_size, "seq_len": open.seq_len, "claims": claims })
        }
        Kind::Ready => json!({ "step": message::parse_u64(kind, body)? }),
        Kind::Loaded => json!({ "id": message::parse_u64(kind, body)? }),
        Kind::Log => json!({ "metrics": message::parse_log(body)? }),
        Kind::Done => json!({ "has_snapshot": u8::from(message::parse_done(body)?) }),
        Kind::Layout => {
            message::parse_layout(body)?;
            return Ok(None);
        }
        Kind::Claims | Kind::Scores => {
            let id = f.get("step").or(f.get("id")).and_then(Value::as_u64).unwrap_or(0);
            let count = f.get("count").and_then(Value::as_u64).unwrap_or(1);
            let mut nats = Vec::new();
            message::parse_nats(kind, body, id, usize::try_from(count).unwrap(), &mut nats)?;
            assert_eq!(bits_of(&nats), float_bits(f, "nats"));
            return Ok(None);
        }
        Kind::Answer => {
            let answer = message::parse_answer(body, 3)?;
            if let Some(logits) = answer.logits {
                assert_eq!(bits_of(&logits), float_bits(f, "logits"));
            }
            return Ok(None);
        }
        Kind::Built if body.is_empty() => json!({}),
        Kind::Built => {
            return Err(FrameError::Trailing {
                kind,
                left_bytes: body.len(),
            });
        }
        // The referee sends these and accepts none of them.
        Kind::Config
        | Kind::Shape
        | Kind::Opened
        | Kind::Batch
        | Kind::Resume
        | Kind::End
        | Kind::Load
        | Kind::Question
        | Kind::Score => {
            return Err(FrameError::Unexpected {
                got: kind,
                expected: "a worker's frame".to_owned(),
            });
        }
    }))
}

#[test]
fn both_sides_agree_on_every_vector() {
    let document = vectors();
    let mut kinds = std::collections::HashSet::new();
    for vector in document["vectors"].as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let kind = Kind::from_code(u8::try_from(vector["kind"].as_u64().unwrap()).unwrap()).unwrap();
        assert_eq!(vector["kind_name"], kind.name(), "{name}");
        kinds.insert(kind);
        let (fields, body) = (&vector["fields"], bytes(vector["body_hex"].as_str().unwrap()));
        assert!(body.len() <= kind.max_body_bytes(), "{name}");
        if let Some(encoded) = encode(kind, fields) {
            assert_eq!(encoded, body, "{name}");
            continue;
        }
        if kind == Kind::Config {
            assert_eq!(
                serde_json::from_slice::<Value>(&body).unwrap(),
                fields["settings"],
                "{name}"
            );
            continue;
        }
        match decode(kind, &body, fields) {
            Ok(Some(decoded)) => assert_eq!(&decoded, fields, "{name}"),
            Ok(None) => {}
            // A tensor that no memory can hold is well-formed and refused all the same.
            Err(error) => assert_eq!(name, "layout_huge_dimension", "{error}"),
        }
    }
    assert_eq!(kinds.len(), Kind::ALL.len(), "every kind has a vector");
}

#[test]
fn every_invalid_frame_is_refused() {
    let document = vectors();
    for vector in document["invalid"].as_array().unwrap() {
        let frame = bytes(vector["hex"].as_str().unwrap());
        let (header, body) = frame.split_first_chunk::<HEADER_BYTES>().unwrap();
        let refused = match Header::parse(*header) {
            Err(_) => true,
            Ok(header) => header.body_bytes != body.len() || decode(header.kind, body, &Value::Null).is_err(),
        };
        assert!(refused, "{}: {}", vector["name"], vector["why"]);
    }
}
