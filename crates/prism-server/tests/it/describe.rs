//! The description of the interface is complete, and its pages load nothing from elsewhere.

use serde_json::Value;

use crate::world::{Request, World};

fn description(world: &World) -> Value {
    let answer = world.get("/openapi.json");
    assert_eq!(answer.status, 200);
    answer.json()
}

#[test]
fn it_is_of_version_3_1_and_has_every_route() {
    let world = World::new();
    let description = description(&world);
    assert_eq!(description["openapi"], "3.1.0");
    assert_eq!(description["info"]["license"]["name"], "MIT OR Apache-2.0");
    let paths = description["paths"].as_object().unwrap();
    assert!(paths.len() >= 35, "{}", paths.len());
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            for status in ["429", "500", "503"] {
                assert!(responses.contains_key(status), "{method} {path} {status}");
            }
            for (status, response) in responses {
                let content = &response["content"];
                assert!(!content.is_null(), "{method} {path} {status} has no body");
                if status.starts_with('4') {
                    let schema = &content["application/json"]["schema"]["$ref"];
                    assert_eq!(
                        schema, "#/components/schemas/ProblemDocument",
                        "{method} {path} {status}"
                    );
                }
            }
            assert!(operation["summary"].is_string(), "{method} {path}");
            // What it says is there, is there.
            let request = Request::new(&method.to_uppercase(), &path.replace(['{', '}'], ""));
            let answer = world.send(&request);
            let status = answer.status.to_string();
            assert!(
                responses.contains_key(&status),
                "{method} {path} is answered {status}: {}",
                answer.text()
            );
            assert_ne!(answer.status, 405);
            if answer.status == 404 {
                assert_ne!(answer.json()["detail"], "Not Found", "{method} {path}");
            }
        }
    }
}

#[test]
fn what_is_answered_has_the_fields_that_are_described() {
    let world = World::new();
    let description = description(&world);
    let mut checked = 0;
    for (path, item) in description["paths"].as_object().unwrap() {
        let schema = &item["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"];
        let Some(pointer) = schema.as_str().filter(|_| !path.contains('{')) else {
            continue;
        };
        let answer = world.get(path);
        if answer.status != 200 {
            continue;
        }
        let described = description.pointer(pointer.trim_start_matches('#')).unwrap();
        for field in described["required"].as_array().unwrap() {
            let json = answer.json();
            assert!(
                json.get(field.as_str().unwrap()).is_some(),
                "{path} has no {field}: {json}"
            );
        }
        checked += 1;
    }
    assert!(checked >= 10, "{checked}");
}

#[test]
fn every_reference_leads_somewhere() {
    let world = World::new();
    let description = description(&world);
    let text = description.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(description.pointer(pointer).is_some(), "{pointer}");
    }
}

#[test]
fn its_pages_load_nothing_from_elsewhere() {
    let world = World::new();
    let docs = world.get("/docs");
    assert!((300..400).contains(&docs.status));
    let page = world.get(docs.header("location").unwrap());
    assert_eq!(page.status, 200);
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .contains("script-src 'self'")
    );
    for source in page
        .text()
        .split(['"', '\''])
        .filter(|part| [".js", ".css"].iter().any(|suffix| part.ends_with(suffix)))
    {
        assert!(!source.contains("//"), "{source}");
        let file = world.get(&format!("/docs/{}", source.trim_start_matches("./")));
        assert_eq!(file.status, 200, "{source}");
    }
    assert_eq!(world.get("/docs/none.js").status, 404);
    let listing = world.get("/redoc");
    assert_eq!(listing.status, 200);
    assert!(listing.text().contains("/v1/submissions/{id}/curve") && !listing.text().contains("<script"));
}

#[test]
fn bounds_of_headers_and_filters_are_described_and_are_those_that_hold() {
    let world = World::new();
    let description = description(&world);
    let mut headers = 0;
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let (name, schema) = (parameter["name"].as_str().unwrap(), &parameter["schema"]);
                let is_short = ["Hotkey", "Nonce"].iter().any(|end| name.ends_with(end));
                if parameter["in"] == "header" && name.starts_with("X-") && is_short {
                    assert_eq!(
                        (&schema["minLength"], &schema["maxLength"]),
                        (&1.into(), &128.into()),
                        "{method} {path} {name}"
                    );
                    headers += 1;
                }
                if name.ends_with("Timestamp") || name.ends_with("Signature") {
                    assert!(schema["pattern"].is_string(), "{method} {path} {name}");
                }
            }
        }
    }
    assert_eq!(
        headers, 13,
        "two of an upload, two of each of five routes of owners, one of the bridge"
    );
    let list = description["paths"]["/v1/submissions"]["get"]["parameters"]
        .as_array()
        .unwrap();
    let pattern = |name: &str| {
        let found = list.iter().find(|parameter| parameter["name"] == name).unwrap();
        let text = found["schema"]["pattern"].as_str().unwrap();
        let words = text.trim_start_matches("^(").trim_end_matches(")$");
        words.split('|').map(str::to_owned).collect::<Vec<_>>()
    };
    let stages: Vec<_> = prism_core::submission::Stage::ALL
        .iter()
        .map(|stage| stage.as_str())
        .collect();
    assert_eq!(pattern("stage"), stages);
    for (name, words) in [("stage", pattern("stage")), ("status", pattern("status"))] {
        for word in words {
            assert_eq!(
                world.get(&format!("/v1/submissions?{name}={word}")).status,
                200,
                "{word}"
            );
        }
    }
}
