//! Which claims are taken: the vector of the contract, everything that is not quite it, and the window of time.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use prism_key::message;

use super::*;

const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const BODY: &str = r#"{"filename":"a.zip","code":"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==","metadata":{}}"#;
const PLAIN: &str = "3e500874850cb1b7dd9b77f5923a1c7fb3b76aa435680af2309a737466d0a6433ae2c50cc6c921c00702caf254442268755fa54556bc2b4c997398fb3171b588";
const WRAPPED: &str = "dce12a12cffe6cef30727e57a6688310f27ad53f5a324befc79aed59a4ab063b562eefdb6dc621dea54e5cc5b062e9b55502bffeea150a13d97a388a45512982";
const NOW: i64 = 1_767_225_600;

fn settings(now: i64) -> Settings {
    Settings::new(Arc::new(move || Timestamp::from_seconds(now)))
}

fn headers(signature: &str, nonce: &str, timestamp: &str) -> HeaderMap {
    [
        (UPLOAD.hotkey, ALICE),
        (UPLOAD.signature, signature),
        (UPLOAD.nonce, nonce),
        (UPLOAD.timestamp, timestamp),
    ]
    .into_iter()
    .map(|(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        )
    })
    .collect()
}

fn upload(headers: &HeaderMap, body: &str, settings: &Settings) -> Result<Signed, Code> {
    let verify = || {
        let claim = Claim::read(headers, UPLOAD)?.fresh(settings, false)?;
        let message = message::upload(claim.stamp(), &Sha256Hash::of(body.as_bytes()));
        claim.verify(&message)
    };
    verify().map_err(|problem: Problem| problem.code())
}

#[test]
fn the_vector_verifies_and_what_differs_from_it_does_not() {
    let settings = settings(NOW);
    let time = NOW.to_string();
    let with = |signature: &str| upload(&headers(signature, "vector-1", &time), BODY, &settings);
    for signature in [PLAIN, WRAPPED] {
        for variant in [
            signature.to_owned(),
            format!("0x{signature}"),
            signature.to_uppercase(),
        ] {
            let signed = with(&variant).unwrap();
            assert_eq!(
                (signed.hotkey.as_str(), signed.nonce.as_str()),
                (ALICE, "vector-1")
            );
            assert_eq!(
                signed.fingerprint,
                with(signature).unwrap().fingerprint,
                "spelling is no difference"
            );
        }
        let changed = format!("{}ff", &signature[..126]);
        for bad in [
            changed,
            format!("01{signature}"),
            format!("0X{signature}"),
            String::new(),
            signature[2..].to_owned(),
            "z".repeat(128),
        ] {
            assert_eq!(with(&bad), Err(Code::InvalidSignature), "{bad}");
        }
        assert_eq!(
            upload(&headers(signature, "vector-2", &time), BODY, &settings),
            Err(Code::InvalidSignature)
        );
        assert_eq!(
            upload(&headers(signature, "vector-1", &time), "{}", &settings),
            Err(Code::InvalidSignature)
        );
    }
    assert_ne!(
        with(PLAIN).unwrap().fingerprint,
        with(WRAPPED).unwrap().fingerprint
    );
}

#[test]
fn the_time_stamp_is_an_integer_and_near() {
    let at = |text: &str, now| upload(&headers(PLAIN, "vector-1", text), BODY, &settings(now));
    let time = NOW.to_string();
    for now in [NOW - 300, NOW, NOW + 300] {
        assert!(at(&time, now).is_ok(), "{now}");
    }
    for now in [NOW - 301, NOW + 301, 0, i64::MAX / 2_000_000] {
        assert_eq!(at(&time, now), Err(Code::StaleSignature), "{now}");
    }
    for text in ["abc", "1.5", "", "-", "1e9", "+1", "0x10", "1 2"] {
        assert_eq!(at(text, NOW), Err(Code::InvalidTimestamp), "{text}");
    }
    for text in ["99999999999999999999999", "-1", "0"] {
        assert_eq!(at(text, NOW), Err(Code::StaleSignature), "{text}");
    }
}

#[test]
fn every_header_that_is_missing_or_too_long_is_told() {
    let Err(problem) = Claim::read(&HeaderMap::new(), UPLOAD) else {
        panic!("nothing is missing");
    };
    let detail = problem.body()["detail"].clone();
    let names: Vec<_> = detail
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["loc"][1].clone())
        .collect();
    assert_eq!(names, ["x-hotkey", "x-signature", "x-nonce", "x-timestamp"]);
    let long = "n".repeat(129);
    for (nonce, expected) in [(long.as_str(), "string_too_long"), ("", "string_too_short")] {
        let Err(problem) = Claim::read(&headers(PLAIN, nonce, "1"), UPLOAD) else {
            panic!("{nonce}");
        };
        assert_eq!(problem.body()["detail"][0]["type"], expected);
        assert!(!problem.body().to_string().contains(PLAIN));
    }
    let mut bytes = headers(PLAIN, "n", "1");
    bytes.insert(UPLOAD.nonce, HeaderValue::from_bytes(b"\xe4").unwrap());
    assert!(Claim::read(&bytes, UPLOAD).is_err());
}

#[test]
fn validators_are_refused_before_their_signature() {
    let mut settings = settings(NOW);
    settings.validator_hotkeys.insert(ALICE.to_owned());
    let time = NOW.to_string();
    assert_eq!(
        upload(&headers("bad", "n", &time), BODY, &settings),
        Err(Code::ValidatorHotkey)
    );
    assert_eq!(
        upload(&headers("bad", "n", "0"), BODY, &settings),
        Err(Code::StaleSignature)
    );
    let claim = Claim::read(&headers(PLAIN, "n", &time), UPLOAD).unwrap();
    assert!(claim.fresh(&settings, true).is_ok());
}

#[test]
fn a_hotkey_that_is_none_is_an_invalid_signature() {
    let time = NOW.to_string();
    for hotkey in ["hk", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ"] {
        let mut headers = headers(PLAIN, "vector-1", &time);
        headers.insert(UPLOAD.hotkey, HeaderValue::from_static(hotkey));
        assert_eq!(
            upload(&headers, BODY, &settings(NOW)),
            Err(Code::InvalidSignature)
        );
    }
}
