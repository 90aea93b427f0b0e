//! The pages of the gate's rules under `docs/rules/`, made from the comments at the top of the rules' source files.
//!
//! `xtask rules` writes them, `xtask check` compares. Nobody edits them by hand: the next write would undo it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use prism_gate::render;

/// Where the pages are, in the repository.
pub(crate) const FOLDER: &str = "docs/rules";

/// Every file of the folder by its name.
fn pages() -> BTreeMap<String, String> {
    let mut pages: BTreeMap<String, String> = prism_gate::list()
        .map(|rule| (format!("{}.md", rule.code), render::page(rule)))
        .collect();
    pages.insert("README.md".to_owned(), index());
    pages
}

fn index() -> String {
    let mut out = String::from(
        "# The rules of the gate\n\n\
         `prism check` applies them in seconds, `prism eval` before a run. An error stops a submission, a warning never does.\n\
         `prism explain <code>` prints a page. All of this folder is written by `cargo run -p xtask -- rules`.\n\n\
         | code | name | weight | what it is about |\n| --- | --- | --- | --- |\n",
    );
    for rule in prism_gate::list() {
        let _ = writeln!(
            out,
            "| [{code}]({code}.md) | `{}` | {} | {} |",
            rule.id,
            rule.severity.as_str(),
            rule.title().replace('|', "\\|"),
            code = rule.code
        );
    }
    out
}

/// Writes the folder; how many files it has then.
pub(crate) fn write(root: &Path) -> Result<usize, String> {
    let folder = root.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| format!("{FOLDER}: {error}"))?;
    let pages = pages();
    for name in strangers(root, &pages)? {
        fs::remove_file(folder.join(&name)).map_err(|error| format!("{FOLDER}/{name}: {error}"))?;
    }
    for (name, text) in &pages {
        fs::write(folder.join(name), text).map_err(|error| format!("{FOLDER}/{name}: {error}"))?;
    }
    Ok(pages.len())
}

/// Names every page that is not what the code says.
pub(crate) fn check(root: &Path, complaints: &mut Vec<String>) -> Result<(), String> {
    const REPAIR: &str = "run `cargo run -p xtask -- rules`";
    let pages = pages();
    for (name, text) in &pages {
        match fs::read_to_string(root.join(FOLDER).join(name)) {
            Ok(found) if found == *text => {}
            Ok(_) => complaints.push(format!("{FOLDER}/{name} is not what the code says; {REPAIR}")),
            Err(error) => complaints.push(format!("{FOLDER}/{name}: {error}; {REPAIR}")),
        }
    }
    for name in strangers(root, &pages)? {
        complaints.push(format!("{FOLDER}/{name} belongs to no rule; {REPAIR}"));
    }
    Ok(())
}

/// Files of the folder that no rule has.
fn strangers(root: &Path, pages: &BTreeMap<String, String>) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(root.join(FOLDER)).map_err(|error| format!("{FOLDER}: {error}"))?;
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !pages.contains_key(name))
        .collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stale_missing_or_left_over_is_named() {
        let temp = std::env::temp_dir().join(format!("prism-xtask-{}", std::process::id()));
        fs::create_dir_all(&temp).unwrap();
        let count = write(&temp).unwrap();
        assert_eq!(count, prism_gate::list().count() + 1);
        let complaints = || {
            let mut found = Vec::new();
            check(&temp, &mut found).unwrap();
            found
        };
        assert_eq!(complaints(), Vec::<String>::new());
        let folder = temp.join(FOLDER);
        fs::write(folder.join("PRS001.md"), "old").unwrap();
        fs::write(folder.join("PRS999.md"), "").unwrap();
        fs::remove_file(folder.join("README.md")).unwrap();
        let found = complaints();
        for name in ["PRS001.md is not", "PRS999.md belongs to no", "README.md: "] {
            assert!(found.iter().any(|line| line.contains(name)), "{name}: {found:?}");
        }
        write(&temp).unwrap();
        assert_eq!(complaints(), Vec::<String>::new());
        fs::remove_dir_all(&temp).unwrap();
    }
}
