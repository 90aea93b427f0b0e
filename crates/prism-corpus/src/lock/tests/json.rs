//! JSON lines: errors with line, column and advice; what is none of our business is passed over.

use super::*;

#[test]
fn json_errors_give_the_line_of_the_file_and_advice() {
    let good = r#"{"text":"good \ud83d\ude00"}"#;
    let half = "half a character: a surrogate without its other half";
    let cases = [
        (
            r#"{"text":"a \ud83d smile"}"#,
            format!(r"line 3 of IN/a.jsonl has the escape `\ud83d`, {half}, at column 12; put `\ufffd` in its place"),
        ),
        (
            "{\"text\":\"\u{e9}\u{e9} \\uDE00\"}",
            format!(r"line 3 of IN/a.jsonl has the escape `\uDE00`, {half}, at column 13; "),
        ),
        (r#"{"text":"\ud83d"}"#, format!(r"the escape `\ud83d`, {half}, at column 10; ")),
        (r#"{"\udc00":1,"text":"x"}"#, format!(r"the escape `\udc00`, {half}, at column 3; ")),
        (
            r#"{"text":"x","n":01}"#,
            "line 3 of IN/a.jsonl is no JSON object: invalid number, at column 18; mend the line or drop it".to_owned(),
        ),
        (r#"{"text":"x","n":nan}"#, "line 3 of IN/a.jsonl is no JSON object: ".to_owned()),
        (r#"{"text":"x","n":Infinite}"#, "line 3 of IN/a.jsonl is no JSON object: ".to_owned()),
        (
            "{",
            "line 3 of IN/a.jsonl is no JSON object: it does not end on its line, at column 1; write each object on \
             one line, as `jq -c .` does"
                .to_owned(),
        ),
        (r#"["x"]"#, "line 3 of IN/a.jsonl is no JSON object, at column 1; write one object a line".to_owned()),
        (r#""x""#, "; write one object a line, as `jq -c '.[]'` does with a list of them".to_owned()),
        (
            "hello world",
            "line 3 of IN/a.jsonl is no JSON object, at column 1; write each document as an object, `{\"text\": \"...\"}`, or \
             call a file of plain text `.txt`"
                .to_owned(),
        ),
        (
            "{'text': 'x'}",
            "line 3 of IN/a.jsonl is no JSON object: it has a single quote, where JSON has double ones, at column 2; write \
             the lines with a JSON library"
                .to_owned(),
        ),
        (
            r#"{"text":NaN}"#,
            "line 3 of IN/a.jsonl has a number instead of text in the field `text`; ".to_owned(),
        ),
        (
            r#"{"a":1,"b\n":2}"#,
            r"line 3 of IN/a.jsonl has no field `text`, but `a`, `b\n`; name the field that holds the text with".to_owned(),
        ),
        ("{}", "line 3 of IN/a.jsonl has no field `text`, nor any other; drop the record".to_owned()),
    ];
    for (line, expected) in cases {
        for end in ["\n", "\r\n", ""] {
            let message = refusal("a.jsonl", format!("{good}\n\n{line}{end}"));
            assert!(message.contains(&expected), "{message}\nexpected: {expected}");
            assert!(!message.contains("line 1 "), "{message}");
        }
    }
}

#[test]
fn numbers_that_are_none_are_passed_over_where_they_are_not_read() {
    let place = Place::new();
    let odd = r#"{"text":"has NaN and Infinity","score":NaN,"all":[Infinity,{"x":-Infinity}]}"#;
    let last = r#"{"score": NaN , "text":"comes after, with an escape: \u00e9"}"#;
    place.write("a.jsonl", jsonl(numbered(0..60)) + odd + "\n" + last + "\n");
    assert_eq!(place.lock(&options()).unwrap().documents, 62);
    let all = all_documents(&Corpus::open(&place.out()).unwrap());
    assert!(all.iter().any(|text| text == "has NaN and Infinity"));
    assert!(
        all.iter()
            .any(|text| text == "comes after, with an escape: \u{e9}")
    );
}

#[test]
fn nulls_are_passed_over_and_counted_if_asked_for() {
    let lines = [
        r#"{"text":null,"id":1}"#,
        r#"{"text":""}"#,
        r#"{"text":" \u00a0\ufeff"}"#,
        r#"{"text":null}"#,
    ];
    let text = jsonl(numbered(0..60)) + &lines.join("\n");
    let message = refusal("a.jsonl", &text);
    assert!(
        message.starts_with("line 61 of IN/a.jsonl has null in the field `text`; "),
        "{message}"
    );
    let place = Place::new();
    place.write("a.jsonl", &text);
    let skipping = LockOptions {
        skip_empty: true,
        ..options()
    };
    let manifest = place.lock(&skipping).unwrap();
    assert_eq!(manifest.documents, 60);
    assert!(
        matches!(
            manifest.origin,
            Origin::Locked {
                documents_read: 64,
                documents_null: 2,
                documents_empty: 2,
                ..
            }
        ),
        "{:?}",
        manifest.origin
    );
    // A field that is not there is no null: it would be the wrong name for all of them.
    place.write("b.jsonl", "{\"body\":\"x\"}\n");
    let elsewhere = place.dir.path().join("elsewhere");
    let error = lock(&[place.input()], &elsewhere, &skipping, &mut quiet).unwrap_err();
    assert!(
        error.to_string().contains("has no field `text`, but `body`"),
        "{error}"
    );
}
