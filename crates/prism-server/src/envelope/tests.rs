//! Both forms of an upload, what is refused of them, and that nothing panics.

use proptest::prelude::*;

use super::*;

const LIMITS: EnvelopeLimits = EnvelopeLimits {
    base64_bytes: 400,
    metadata_bytes: 100,
};
const JSON: Form<'_> = Form {
    content_type: Some("Application/JSON; charset=utf-8"),
    filename: None,
};

fn parse_json(body: &str) -> Result<Envelope, EnvelopeError> {
    parse(JSON, body.as_bytes().to_vec(), LIMITS)
}

fn fault(result: Result<Envelope, EnvelopeError>) -> (String, &'static str) {
    match result {
        Err(EnvelopeError::Invalid(fault)) => (fault.place(), fault.kind()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_forms_of_one_file_have_one_hash() {
    let zip = b"PK\x05\x06 anything";
    let raw = parse(Form::default(), zip.to_vec(), LIMITS).unwrap();
    let text = STANDARD.encode(zip);
    let json = parse_json(&format!(
        r#"{{"filename":"a.zip","code":"{text}","metadata":{{"a":1}},"b":[]}}"#
    ))
    .unwrap();
    assert_eq!(raw.bytes, zip);
    assert_eq!(raw.bytes, json.bytes);
    assert_eq!(raw.code_hash, Sha256Hash::of(text.as_bytes()));
    assert_eq!(raw.code_hash, json.code_hash);
    assert_eq!(
        (raw.filename.as_str(), json.filename.as_str()),
        ("submission.zip", "a.zip")
    );
    assert_eq!(raw.metadata["bridge"], true);
    assert_eq!(json.metadata["a"], 1);
}

#[test]
fn a_script_is_its_text() {
    let script = parse_json(r#"{"code":"print()\n"}"#).unwrap();
    assert_eq!(
        (script.filename.as_str(), script.bytes.as_slice()),
        ("model.py", &b"print()\n"[..])
    );
    assert_eq!(script.code_hash, Sha256Hash::of(b"print()\n"));
}

#[test]
fn base64_may_be_folded_and_unpadded() {
    for code in ["UEsFBg==", "UEsFBg", "UEsF\\nBg==\\n", " UEsFBg== "] {
        let envelope = parse_json(&format!(r#"{{"filename":"a.zip","code":"{code}"}}"#)).unwrap();
        assert_eq!(envelope.bytes, b"PK\x05\x06", "{code}");
    }
    for code in ["UEsFB", "UEs_Bg==", "!", "=", " ", "UEsFBg===", "é"] {
        let result = parse_json(&format!(r#"{{"filename":"a.zip","code":"{code}"}}"#));
        assert_eq!(fault(result).0, "body.code", "{code}");
    }
}

#[test]
fn what_is_no_json_is_told_from_what_is_the_wrong_json() {
    for body in [
        "{not json",
        "{\"code\":\"a\"",
        "{\"code\":NaN}",
        "nul",
        "{\"code\":\"a\",\"code\":\"b\"}",
        "{}x",
    ] {
        assert!(matches!(parse_json(body), Err(EnvelopeError::Json(_))), "{body}");
    }
    assert!(matches!(
        parse(JSON, b"{\"code\":\"\xff\"}".to_vec(), LIMITS),
        Err(EnvelopeError::Json(_))
    ));
    let deep = format!(
        "{{\"code\":\"a\",\"metadata\":{}1{}}}",
        "[".repeat(300),
        "]".repeat(300)
    );
    assert!(matches!(parse_json(&deep), Err(EnvelopeError::Json(_))));
    for (body, place, kind) in [
        ("", "body.code", "missing"),
        ("{}", "body.code", "missing"),
        ("[]", "body", "model_attributes_type"),
        (" \"x\"", "body", "model_attributes_type"),
        (r#"{"code":""}"#, "body.code", "string_too_short"),
        (r#"{"code":null}"#, "body.code", "missing"),
        (r#"{"code":5}"#, "body.code", "string_type"),
        (r#"{"code":[{"a":[]}]}"#, "body.code", "string_type"),
        (r#"{"code":{"a":5}}"#, "body.code", "string_type"),
        (r#"{"code":"a","filename":-5.5}"#, "body.filename", "string_type"),
        (r#"{"code":"a","filename":true}"#, "body.filename", "string_type"),
        (
            r#"{"code":"a","filename":"../a.zip"}"#,
            "body.filename",
            "string_pattern_mismatch",
        ),
        (
            r#"{"code":"a","filename":".py"}"#,
            "body.filename",
            "string_pattern_mismatch",
        ),
        (
            r#"{"code":"a","filename":"a.PY"}"#,
            "body.filename",
            "string_pattern_mismatch",
        ),
        (r#"{"code":"a","metadata":null}"#, "body.metadata", "dict_type"),
        (r#"{"code":"a","metadata":[]}"#, "body.metadata", "dict_type"),
    ] {
        assert_eq!(fault(parse_json(body)), (place.to_owned(), kind), "{body}");
    }
}

#[test]
fn names_of_raw_bodies() {
    let parse_named = |filename| {
        let form = Form {
            content_type: Some("application/zip"),
            filename: Some(filename),
        };
        parse(form, b"PK".to_vec(), LIMITS)
    };
    for (name, becomes) in [
        ("project-1.zip", "project-1.zip"),
        ("x.txt", "submission.zip"),
        ("x", "submission.zip"),
        ("", "submission.zip"),
        ("a.py", "a.py"),
        ("a.ZIP", "submission.zip"),
    ] {
        assert_eq!(parse_named(name).unwrap().filename, becomes);
    }
    let long = format!("{}.zip", "a".repeat(300));
    for name in ["a b.zip", "../a.zip", "a/b", "ä.zip", ".zip", "a\u{0}.zip", &long] {
        assert_eq!(
            fault(parse_named(name)).0,
            "header.x-submission-filename",
            "{name}"
        );
    }
}

#[test]
fn sizes_are_those_of_the_base64_text() {
    assert!(parse(Form::default(), vec![0; 300], LIMITS).is_ok());
    let error = EnvelopeError::TooLarge { limit_bytes: 400 };
    let too_large = Err(error.clone());
    assert_eq!(parse(Form::default(), vec![0; 301], LIMITS), too_large);
    let of = |bytes: usize| {
        parse_json(&format!(
            r#"{{"filename":"a.zip","code":"{}"}}"#,
            "A".repeat(bytes)
        ))
    };
    assert!(of(400).is_ok());
    assert_eq!(of(401), too_large);
    let long = format!(r#"{{"code":"a","metadata":{{"a":"{}"}}}}"#, "x".repeat(100));
    assert_eq!(fault(parse_json(&long)), ("body.metadata".to_owned(), "too_long"));
    let problem = Problem::from(error);
    assert_eq!(problem.code(), Code::TooLarge);
}

proptest! {
    #[test]
    fn whatever_comes_has_an_answer(
        body in prop::collection::vec(any::<u8>(), 0..600),
        content_type in prop::option::of("(application/json)?[ -~]{0,20}"),
        filename in prop::option::of("\\PC{0,20}(\\.zip|\\.py)?"),
    ) {
        let form = Form { content_type: content_type.as_deref(), filename: filename.as_deref() };
        if let Ok(envelope) = parse(form, body, LIMITS) {
            prop_assert!(envelope.bytes.len() <= LIMITS.base64_bytes);
            prop_assert!(!envelope.bytes.is_empty());
            prop_assert!(checked_name("", "", &envelope.filename).is_ok());
        }
    }

    #[test]
    fn whatever_json_comes_has_an_answer(
        code in "\\PC{0,30}|[A-Za-z0-9+/=]{0,40}",
        filename in "[a-z.]{0,4}(\\.zip|\\.py)?",
        metadata in "null|\\{\\}|[0-9]|\\[\\]|\\{\"a\":\"b\"\\}",
        cut in 0_usize..80,
    ) {
        let code = serde_json::to_string(&code).unwrap();
        let filename = serde_json::to_string(&filename).unwrap();
        let body = format!(r#"{{"code":{code},"filename":{filename},"metadata":{metadata}}}"#);
        let whole = parse_json(&body);
        if whole.is_ok() {
            let end = body.floor_char_boundary(cut);
            if end < body.len() {
                prop_assert!(parse_json(&body[..end]).is_err());
            }
        }
    }

    #[test]
    fn the_hash_in_pieces_is_the_hash_of_the_whole(length in 0_usize..200_000, byte: u8) {
        let bytes = vec![byte; length];
        prop_assert_eq!(hash_of_base64(&bytes), Sha256Hash::of(STANDARD.encode(&bytes).as_bytes()));
    }
}
