//! Finding a recipe by name or file, and the explanation of each of its fields.
//!
//! An explanation is the comment of the field in `prism-core`'s source, so that code and help cannot drift apart.
//! Used by `eval` and `recipe`.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};

use prism_core::recipe::{RECIPE_BYTES_MAX, Recipe};
use prism_report::figures;

use crate::failure::Failure;

/// The recipe of a rehearsal, where none is named.
pub(crate) const DEFAULT: &str = "demo";

const SOURCE: &str = include_str!("../../prism-core/src/recipe.rs");

/// A built-in recipe, or the one in a file.
pub(crate) fn load(name: &str) -> Result<Recipe, Failure> {
    if let Some(recipe) = Recipe::by_name(name) {
        return Ok(recipe);
    }
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => {
            let text = format!("there is no built-in recipe and no file called `{name}`");
            Failure::usage("recipe_not_found", &text).hint("use `demo`, `official` or the path of a file")
        }
        _ => Failure::usage(
            "recipe_unreadable",
            &format!("cannot read the recipe {name}: {error}"),
        ),
    };
    let mut text = String::new();
    File::open(name)
        .and_then(|file| file.take(RECIPE_BYTES_MAX as u64 + 1).read_to_string(&mut text))
        .map_err(unreadable)?;
    Recipe::parse(&text).map_err(|error| Failure::usage("recipe_invalid", &error).about(name))
}

/// One field of a recipe.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub(crate) struct Explained {
    /// `table.key`.
    pub(crate) field: String,
    /// Its value; absent fields of this recipe are null.
    pub(crate) value: serde_json::Value,
    /// What it means.
    pub(crate) explanation: String,
}

/// Every field that a recipe can have, in the order of the file.
pub(crate) fn fields(recipe: &Recipe) -> Vec<Explained> {
    let values = serde_json::to_value(recipe).unwrap_or_default();
    let structs = documented_structs(SOURCE);
    let of = |name: &str| {
        structs
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, fields)| fields)
    };
    let mut out = Vec::new();
    for Documented { name, kind, text } in of("Recipe").into_iter().flatten() {
        match of(kind) {
            None => out.push(Explained {
                field: name.clone(),
                value: values[name].clone(),
                explanation: text.clone(),
            }),
            Some(table) => out.extend(table.iter().map(|inner| Explained {
                field: format!("{name}.{}", inner.name),
                value: values[name][&inner.name].clone(),
                explanation: inner.text.clone(),
            })),
        }
    }
    out
}

/// The recipe as a file that explains itself.
pub(crate) fn explained_toml(recipe: &Recipe) -> String {
    let mut out = String::new();
    let mut table = "";
    let fields = fields(recipe);
    for Explained {
        field,
        value,
        explanation,
    } in &fields
    {
        let (in_table, key) = field.split_once('.').unwrap_or(("", field));
        if in_table != table {
            let _ = write!(out, "\n[{in_table}]\n");
            table = in_table;
        }
        for line in wrapped(explanation, 100) {
            let _ = writeln!(out, "# {line}");
        }
        match toml_value(value) {
            Some(value) => drop(writeln!(out, "{key} = {value}")),
            None => drop(writeln!(out, "# {key} is absent")),
        }
    }
    out
}

/// A value as TOML writes it; `None` for an absent one.
fn toml_value(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::Null => None,
        serde_json::Value::Number(number) if number.is_u64() => {
            Some(figures::grouped(number.as_u64().unwrap_or(0)).replace(',', "_"))
        }
        // A float keeps all its digits, and TOML wants a point or an exponent.
        serde_json::Value::Number(number) => Some(format!("{:?}", number.as_f64().unwrap_or(f64::NAN))),
        serde_json::Value::String(text) => Some(toml::Value::from(text.as_str()).to_string()),
        other => Some(other.to_string()),
    }
}

/// Words in lines of at most `width` columns.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A field as the source declares it.
struct Documented {
    name: String,
    kind: String,
    text: String,
}

/// The structs of a Rust source file with their fields and comments. It need only understand the one file that it is
/// compiled with; the tests see to it that it does.
fn documented_structs(source: &str) -> Vec<(String, Vec<Documented>)> {
    let mut structs: Vec<(String, Vec<Documented>)> = Vec::new();
    let mut open = false;
    let mut text = String::new();
    for line in source.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("///") {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(comment.trim());
        } else if let Some(name) = line
            .strip_prefix("pub struct ")
            .and_then(|rest| rest.strip_suffix(" {"))
        {
            structs.push((name.to_owned(), Vec::new()));
            open = true;
            text.clear();
        } else if line == "}" {
            open = false;
            text.clear();
        } else if let Some((name, kind)) = line.strip_prefix("pub ").and_then(|rest| rest.split_once(": ")) {
            if let (true, Some((_, fields))) = (open, structs.last_mut()) {
                let kind = kind.trim_end_matches(',').to_owned();
                fields.push(Documented {
                    name: name.to_owned(),
                    kind,
                    text: std::mem::take(&mut text),
                });
            }
            text.clear();
        } else if !line.starts_with("#[") {
            text.clear();
        }
    }
    structs
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn leaves(value: &toml::Table, prefix: &str, out: &mut BTreeSet<String>) {
        for (key, value) in value {
            match value {
                toml::Value::Table(table) => leaves(table, &format!("{prefix}{key}."), out),
                _ => drop(out.insert(format!("{prefix}{key}"))),
            }
        }
    }

    #[test]
    fn every_field_of_every_recipe_is_explained() {
        let mut recipe = Recipe::official();
        recipe.budget.max_steps = Some(1);
        recipe.budget.max_tokens = Some(1);
        let mut expected = BTreeSet::new();
        leaves(&toml::from_str(&recipe.to_toml()).unwrap(), "", &mut expected);
        let found = fields(&recipe);
        assert_eq!(
            found.iter().map(|f| f.field.clone()).collect::<BTreeSet<_>>(),
            expected
        );
        for Explained {
            field,
            value,
            explanation,
        } in found
        {
            assert!(
                explanation.ends_with('.') && explanation.len() > 10,
                "{field}: {explanation:?}"
            );
            assert!(!value.is_null(), "{field}");
        }
    }

    #[test]
    fn an_explained_recipe_is_the_same_recipe() {
        let mut budgets = Recipe::demo();
        budgets.budget.max_steps = Some(12_345);
        budgets.name = "with \"quotes\"".into();
        for recipe in [Recipe::official(), Recipe::demo(), budgets] {
            assert_eq!(Recipe::parse(&explained_toml(&recipe)).unwrap(), recipe);
        }
    }

    #[test]
    fn a_recipe_is_found_by_name_or_file_and_bad_ones_are_named() {
        assert_eq!(load("official").unwrap(), Recipe::official());
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("mine.toml");
        std::fs::write(&path, Recipe::demo().to_toml()).unwrap();
        assert_eq!(load(path.to_str().unwrap()).unwrap(), Recipe::demo());
        std::fs::write(
            &path,
            Recipe::demo().to_toml().replace("threads = 2", "threads = 0"),
        )
        .unwrap();
        let failed = |name: &str| load(name).unwrap_err();
        let invalid = failed(path.to_str().unwrap());
        assert_eq!(invalid.code, "recipe_invalid");
        assert!(invalid.detail.contains("compute.threads"), "{invalid:?}");
        // What was typed is no advice, whatever is in it.
        let absent = failed("q; sudo rm -rf");
        assert_eq!(absent.code, "recipe_not_found");
        assert_eq!(
            absent.hint.as_deref(),
            Some("use `demo`, `official` or the path of a file")
        );
        assert_eq!(failed(temp.path().to_str().unwrap()).code, "recipe_unreadable");
    }
}
