//! The contract's signature vector: another implementation made it, and what differs from it in one place is refused.

use crate::world::{ALICE, Request, T0, World};

const BODY: &str = r#"{"filename":"a.zip","code":"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==","metadata":{}}"#;
const PLAIN: &str = "3e500874850cb1b7dd9b77f5923a1c7fb3b76aa435680af2309a737466d0a6433ae2c50cc6c921c00702caf254442268755fa54556bc2b4c997398fb3171b588";
const WRAPPED: &str = "dce12a12cffe6cef30727e57a6688310f27ad53f5a324befc79aed59a4ab063b562eefdb6dc621dea54e5cc5b062e9b55502bffeea150a13d97a388a45512982";

fn request(signature: &str, nonce: &str) -> Request {
    Request::post("/v1/submissions", BODY.as_bytes())
        .header("Content-Type", "application/json")
        .header("X-Hotkey", ALICE)
        .header("X-Signature", signature)
        .header("X-Nonce", nonce)
        .header("X-Timestamp", &T0.to_string())
}

#[test]
fn both_signatures_are_taken_in_every_spelling() {
    for signature in [PLAIN, WRAPPED] {
        for spelled in [
            signature.to_owned(),
            format!("0x{signature}"),
            signature.to_uppercase(),
        ] {
            let world = World::new();
            let answer = world.send(&request(&spelled, "vector-1"));
            assert_eq!(answer.status, 200, "{}", answer.text());
            let json = answer.json();
            assert_eq!(json["hotkey"], ALICE);
            assert_eq!(json["epoch_id"], T0 / 21_600);
            assert_eq!(json["created_at"], "2026-01-01T00:00:00.000000Z");
        }
    }
}

#[test]
fn what_differs_in_one_place_is_refused_and_uses_nothing_up() {
    let world = World::new();
    for signature in [PLAIN, WRAPPED] {
        let last = if signature.ends_with("88") { "89" } else { "83" };
        let changed = format!("{}{last}", &signature[..126]);
        for (signature, nonce) in [
            (changed.as_str(), "vector-1"),
            (&format!("01{signature}"), "vector-1"),
            (&format!("0X{signature}"), "vector-1"),
            (signature, "vector-2"),
            ("", "vector-1"),
        ] {
            let answer = world.refused(&request(signature, nonce), 401);
            assert_eq!(answer.code(), "invalid_signature");
        }
        world.refused(&request(signature, "vector-1").with_body(b"{}"), 401);
    }
    assert_eq!(world.send(&request(PLAIN, "vector-1")).status, 200);
}
