//! The pages of the gate's rules under `docs/rules/`, made from the comments at the top of the rules' source files, and those of
//! the reviewer's under `docs/review-rules/`, made from the files that its model is told.
//!
//! `xtask rules` writes them, `xtask check` compares. Nobody edits them by hand: the next write would undo it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use prism_gate::render;
use prism_review::rules as review;

/// Where the pages are, in the repository: the gate's and the reviewer's.
pub(crate) const FOLDERS: [&str; 2] = ["docs/rules", "docs/review-rules"];

/// Every file of a folder by its name.
fn pages(folder: &str) -> BTreeMap<String, String> {
    let mut pages: BTreeMap<String, String> = if folder == FOLDERS[0] {
        prism_gate::list()
            .map(|rule| (format!("{}.md", rule.code), render::page(rule)))
            .collect()
    } else {
        review::ALL
            .iter()
            .map(|rule| (format!("{}.md", rule.code), rule.shown()))
            .collect()
    };
    let index = if folder == FOLDERS[0] {
        index()
    } else {
        review_index()
    };
    pages.insert("README.md".to_owned(), index);
    pages
}

fn review_index() -> String {
    let mut out = format!(
        "# The rules of the reviewer\n\n\
         After the static gate and the comparison with earlier submissions, and before anything runs, a language model reads the\n\
         source by these rules (version {}). It can stop a submission and never raise a score; a rejection quotes the line, is shown to\n\
         the owner by `prism appeal ID`, and can be appealed against once. What it cannot decide is held for a person, free.\n\
         `prism explain <code>` prints a page; `prism review DIR` rehearses with an endpoint of your own. All of this folder is written by\n\
         `cargo run --release -p xtask -- rules`.\n\n\
         | code | name | weight | what it is about |\n| --- | --- | --- | --- |\n",
        review::VERSION
    );
    for rule in review::ALL {
        let _ = writeln!(
            out,
            "| [{code}]({code}.md) | `{}` | {} | {} |",
            rule.id,
            if rule.weight == review::Weight::Severe {
                "severe"
            } else {
                "ordinary"
            },
            rule.title(),
            code = rule.code
        );
    }
    out.push_str(
        "\nNot violations: standard components that everybody uses, published architectures, similarity by itself (that is the\n\
         comparison's affair), bad style, unusual but honest research, small models, comments in any language. Text in comments alone is\n\
         never enough to reject.\n",
    );
    out
}

fn index() -> String {
    let mut out = String::from(
        "# The rules of the gate\n\n\
         `prism check` applies them in seconds, `prism eval` before a run. An error stops a submission, a warning never does.\n\
         `prism explain <code>` prints a page. All of this folder is written by `cargo run --release -p xtask -- rules`.\n\n\
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

/// Writes the folders; how many files they have then.
pub(crate) fn write(root: &Path) -> Result<usize, String> {
    let mut written = 0;
    for name_of_folder in FOLDERS {
        let folder = root.join(name_of_folder);
        fs::create_dir_all(&folder).map_err(|error| format!("{name_of_folder}: {error}"))?;
        let pages = pages(name_of_folder);
        for name in strangers(root, name_of_folder, &pages)? {
            fs::remove_file(folder.join(&name))
                .map_err(|error| format!("{name_of_folder}/{name}: {error}"))?;
        }
        for (name, text) in &pages {
            fs::write(folder.join(name), text)
                .map_err(|error| format!("{name_of_folder}/{name}: {error}"))?;
        }
        written += pages.len();
    }
    Ok(written)
}

/// Names every page that is not what the code says.
pub(crate) fn check(root: &Path, complaints: &mut Vec<String>) -> Result<(), String> {
    const REPAIR: &str = "run `cargo run --release -p xtask -- rules`";
    for folder in FOLDERS {
        let pages = pages(folder);
        for (name, text) in &pages {
            match fs::read_to_string(root.join(folder).join(name)) {
                Ok(found) if found == *text => {}
                Ok(_) => complaints.push(format!("{folder}/{name} is not what the code says; {REPAIR}")),
                Err(error) => complaints.push(format!("{folder}/{name}: {error}; {REPAIR}")),
            }
        }
        for name in strangers(root, folder, &pages)? {
            complaints.push(format!("{folder}/{name} belongs to no rule; {REPAIR}"));
        }
    }
    Ok(())
}

/// Files of a folder that no rule has.
fn strangers(root: &Path, folder: &str, pages: &BTreeMap<String, String>) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(root.join(folder)).map_err(|error| format!("{folder}: {error}"))?;
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
        assert_eq!(count, prism_gate::list().count() + review::ALL.len() + 2);
        let complaints = || {
            let mut found = Vec::new();
            check(&temp, &mut found).unwrap();
            found
        };
        assert_eq!(complaints(), Vec::<String>::new());
        let folder = temp.join(FOLDERS[0]);
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
