//! What an operator does, with the real binary: from a dataset of a Hub to a locked corpus and its twin, a rehearsal, a round,
//! and the text that is revealed after it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use prism_corpus::{Corpus, Split};
use serde_json::Value;

use crate::host::{host, prism, repository, seat, succeed};
use crate::hub;
use crate::serve::round_recipe;

/// Rows of a row group.
const GROUP_ROWS: usize = 500;
/// Standard errors that a rehearsal may be off.
const ERRORS_MAX: f64 = 3.0;

/// The columns of FineWeb-Edu.
const SCHEMA: &str = "message schema {
    optional binary text (UTF8);
    optional binary id (UTF8);
    optional binary dump (UTF8);
    optional binary url (UTF8);
    optional binary file_path (UTF8);
    optional binary language (UTF8);
    optional double language_score;
    optional int64 token_count;
    optional double score;
    optional int64 int_score;
}";

/// A Parquet file with these texts. Each fourth has a language score that a filter drops.
pub(crate) fn parquet_file(texts: &[String]) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let properties = Arc::new(WriterProperties::builder().build());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, properties).unwrap();
    for rows in texts.chunks(GROUP_ROWS) {
        let levels = vec![1; rows.len()];
        let mut group = writer.next_row_group().unwrap();
        let mut number = 0;
        while let Some(mut column) = group.next_column().unwrap() {
            match column.untyped() {
                ColumnWriter::ByteArrayColumnWriter(column) => {
                    let values: Vec<ByteArray> = rows
                        .iter()
                        .map(|text| if number == 0 { text.as_str() } else { "en" }.into())
                        .collect();
                    column.write_batch(&values, Some(&levels), None).unwrap();
                }
                ColumnWriter::DoubleColumnWriter(column) => {
                    let values: Vec<f64> = (0..rows.len())
                        .map(|i| if i % 4 == 3 { 0.3 } else { 0.9 })
                        .collect();
                    column.write_batch(&values, Some(&levels), None).unwrap();
                }
                ColumnWriter::Int64ColumnWriter(column) => {
                    column
                        .write_batch(&vec![4; rows.len()], Some(&levels), None)
                        .unwrap();
                }
                _ => panic!("a column of another kind"),
            }
            column.close().unwrap();
            number += 1;
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
    bytes
}

/// Documents of the grammar.
fn texts(dir: &Path) -> Vec<String> {
    let grammar = dir.join("grammar");
    succeed(
        prism()
            .args(["data", "synth", "--bytes", "500000", "--seed", "11", "--out"])
            .arg(&grammar),
    );
    let corpus = Corpus::open(&grammar).unwrap();
    let documents = Split::ALL.map(|split| {
        let reader = corpus.split(split);
        (0..reader.documents())
            .map(|number| reader.document(number).unwrap())
            .collect::<Vec<_>>()
    });
    documents.concat()
}

/// What a command says as JSON.
fn said(command: &mut Command) -> Value {
    let output = succeed(command.arg("--json"));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `prism data` in this directory, with this Hub.
fn data(dir: &Path, endpoint: &str, words: &str) -> Value {
    said(
        prism()
            .current_dir(dir)
            .env("HF_ENDPOINT", endpoint)
            .env("HF_TOKEN", hub::TOKEN)
            .arg("data")
            .args(words.split_whitespace()),
    )
}

/// An evaluation of the honest bundle on a corpus: what `prism verify` says of it.
fn rehearsed(dir: &Path, corpus: &str, run: &str) -> Value {
    let recipe = dir.join("recipe.toml");
    fs::write(&recipe, round_recipe().to_toml()).unwrap();
    let outcome = said(
        prism()
            .current_dir(dir)
            .args([
                "eval",
                "--seed",
                "5",
                "--data",
                corpus,
                "--run-dir",
                run,
                "--recipe",
            ])
            .arg(recipe)
            .arg(repository().join("redteam/honest-small")),
    );
    assert_eq!(outcome["reason"], "end_of_data", "{outcome}");
    said(prism().current_dir(dir).args(["verify", run]))
}

fn number(of: &Value, field: &str) -> f64 {
    of[field].as_f64().unwrap_or_else(|| panic!("{field} of {of}"))
}

/// Whether two figures on different text are the same within the error of their difference, in standard errors.
fn errors_apart(one: &Value, other: &Value) -> f64 {
    let variance: f64 = [one, other]
        .iter()
        .flat_map(|of| [number(of, "bpb_se"), number(of, "text_se_bpb")])
        .map(|error| error * error)
        .sum();
    (number(one, "bpb") - number(other, "bpb")).abs() / variance.sqrt()
}

/// A corpus that was fetched and locked, and its twin, all in one directory.
pub(crate) struct Official {
    dir: PathBuf,
    /// The locked corpus.
    pub(crate) corpus: PathBuf,
    /// What is published of it before a round.
    pub(crate) commitment: Value,
}

/// The corpus of the tests here; the first caller makes it. One command each fetches, locks, commits and makes the twin.
pub(crate) fn official() -> &'static Official {
    static OFFICIAL: OnceLock<Official> = OnceLock::new();
    OFFICIAL.get_or_init(|| {
        let dir: PathBuf = host().place("official");
        fs::create_dir_all(&dir).unwrap();
        let texts = texts(&dir);
        let (one, other) = texts.split_at(texts.len() / 2);
        let endpoint = hub::start_with(vec![
            ("sample/10BT/000_00000.parquet", hub::written_by_pyarrow()),
            ("sample/10BT/001_00000.parquet", parquet_file(one)),
            ("sample/10BT/002_00000.parquet", parquet_file(other)),
        ]);
        let fetched = data(
            &dir,
            &endpoint,
            "fetch --dataset owner/set --config sample-10BT --bytes 400kB --out raw",
        );
        assert_eq!(fetched["files"].as_array().unwrap().len(), 3, "{fetched}");
        let salt = dir.join("salt");
        fs::write(&salt, "a salt that nobody knows\n").unwrap();
        fs::set_permissions(&salt, fs::Permissions::from_mode(0o600)).unwrap();
        let locked = data(
            &dir,
            &endpoint,
            "lock --from raw --out corpus --salt-file salt --train 100kB --val 10kB --test 5kB --skip-empty \
             --min-language-score 0.65 --min-int-score 3",
        );
        assert_eq!(locked["manifest"]["revision"], hub::COMMIT);
        assert!(
            locked["manifest"]["origin"]["documents_filtered"]
                .as_u64()
                .unwrap()
                > 20
        );
        let commitment = data(&dir, &endpoint, "commit corpus")["corpus_sha256"].clone();
        assert_eq!(commitment, locked["manifest_sha256"]);
        data(&dir, &endpoint, "twin corpus --out public");
        Official {
            corpus: dir.join("corpus"),
            commitment,
            dir,
        }
    })
}

/// On the twin a miner hears what the official corpus says; afterwards everybody can hold a record against the text. That a
/// round runs on this corpus is seen in `serve`.
#[test]
fn a_fetched_corpus_is_evaluated_as_its_twin_foretells_and_revealed() {
    let _seat = seat();
    let Official { dir, commitment, .. } = official();
    let rehearsal = rehearsed(dir, "public", "run-public");
    let evaluated = rehearsed(dir, "corpus", "run-official");
    assert_eq!(&evaluated["corpus_sha256"], commitment);
    assert_ne!(&rehearsal["corpus_sha256"], commitment);
    let apart = errors_apart(&rehearsal, &evaluated);
    assert!(apart < ERRORS_MAX, "{apart}: {rehearsal}\n{evaluated}");
    // The error is none that excuses everything.
    assert!(number(&evaluated, "text_se_bpb") < 0.1, "{evaluated}");

    let revealed = data(dir, "", "reveal corpus --out revealed");
    assert_eq!(&revealed["corpus_sha256"], commitment);
    let checked = said(
        prism()
            .current_dir(dir)
            .args(["verify", "run-official", "--corpus", "revealed"]),
    );
    assert!(
        checked["corpus_checked"]
            .as_str()
            .unwrap()
            .contains("counted again"),
        "{checked}"
    );
    // The other run was on other text.
    let other = prism()
        .current_dir(dir)
        .args(["verify", "run-public", "--corpus", "revealed"])
        .output()
        .unwrap();
    assert_eq!(other.status.code(), Some(1));
}
