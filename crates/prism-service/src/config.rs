//! `prism.toml`: what an operator can set, each with a default but the secrets, and where each value came from.
//!
//! Order of precedence: flags, then `PRISM_<TABLE>__<KEY>` (and the names that BASE sets), then the file, then the default. An
//! unknown key in the file is an error with the nearest name; an unknown variable is left alone, since the master sets some.
//! Secrets come from variables or files, are wiped from memory and never shown.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::PathBuf,
};

use prism_core::advice::{Advice, Hint, nearest};
use prism_engine::slot::Slot;
use prism_server::network::Network;
use secrecy::SecretString;
use serde::Serialize;
use thiserror::Error;

use crate::review::ReviewMode;

mod review;

pub use review::{ReviewConfig, access};

/// Largest file that is read, in bytes.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Where BASE puts its token, unless it says otherwise.
const BASE_TOKEN_FILE: &str = "/run/secrets/base/challenge_token";
/// Largest file of a secret, in bytes.
const SECRET_BYTES_MAX: u64 = 4096;

/// Something that can be set.
pub struct Key {
    /// `table.key`.
    pub name: &'static str,
    /// Where nothing else is said.
    pub default: &'static str,
    /// The variables of BASE's contract that set it too, in the order in which they are asked.
    also: &'static [&'static str],
    /// For people.
    pub help: &'static str,
}

macro_rules! keys {
    ($($name:literal = $default:literal $(also $also:literal)?, $help:literal;)*) => {
        /// All of them, in the order in which they are shown.
        pub const KEYS: &[Key] = &[$(Key {
            name: $name, default: $default, also: &[$($also)?], help: $help,
        },)*];
    };
}

keys! {
    "server.listen" = "127.0.0.1:8080", "Address of the API";
    "server.metrics_listen" = "", "Address of the metrics, which are not for the public; none where it is empty";
    "server.slug" = "prism", "The name under which BASE knows this challenge";
    "server.challenge_version" = "0.1.0" also "PRISM_VERSION", "The version that BASE's registry has";
    "server.public_submissions" = "true" also "PRISM_PUBLIC_SUBMISSIONS_ENABLED", "Whether miners may upload directly";
    "server.signature_ttl_seconds" = "300" also "PRISM_SIGNATURE_TTL_SECONDS", "How far the time of a signed request may be from now";
    "server.max_code_bytes" = "7500000" also "PRISM_MAX_CODE_BYTES", "Largest upload, as base64 text";
    "server.reserve_bytes" = "2147483648", "Bytes of the disk that uploads do not fill";
    "server.validator_hotkeys" = "" also "PRISM_VALIDATOR_HOTKEYS", "Addresses that may not submit, separated by commas";
    "server.trusted_proxies" = "", "Networks whose `X-Forwarded-For` is believed, separated by commas";
    "server.unlimited_clients" = "", "Networks that are not limited by address, such as BASE's master";
    "store.dir" = "", "Where store, blobs and attempts lie; a local disk";
    "executor.slots" = "", "CPUs of each slot, separated by semicolons, as `0-7/0; 8-15/1` (CPUs/device); all CPUs where it is empty";
    "review.mode" = "enforce", "`enforce`, `advisory` (the reviewer stops nothing) or `off`: shown on everything that it concerns";
    "review.base_url" = "https://openrouter.ai/api/v1" also "PRISM_OPENROUTER_BASE_URL", "An OpenAI-compatible endpoint; the gateway of BASE goes before it";
    "review.model" = "anthropic/claude-opus-4.8" also "PRISM_OPENROUTER_MODEL", "The model that reads";
    "review.second_model" = "", "The model that must try to refute what is charged; the same where it is empty";
    "review.key_file" = "" also "PRISM_OPENROUTER_API_KEY_FILE", "The file of the endpoint's key, where no variable holds it";
    "review.structured" = "schema", "`schema`, or `tool` for an endpoint without JSON schemas";
    "review.temperature" = "" also "PRISM_LLM_REVIEW_TEMPERATURE", "From 0 to 2; not sent where it is empty, since some models refuse it";
    "review.seed" = "", "A whole number; not sent where it is empty";
    "review.max_answer_tokens" = "8192" also "PRISM_LLM_REVIEW_MAX_TOKENS", "Most tokens of an answer";
    "review.context_tokens" = "200000", "Tokens that the model takes, question and answer together";
    "review.max_source_bytes" = "262144", "Most bytes of source; never more than the gate allows";
    "review.timeout_seconds" = "180" also "PRISM_LLM_REVIEW_TIMEOUT_SECONDS", "Longest time of a call";
    "review.concurrency" = "4", "Calls at once";
    "review.calls_per_day" = "2000", "Most calls in a day, UTC";
    "review.usd_per_day" = "50", "Most US dollars in a day, UTC";
    "review.calls_per_hotkey_per_day" = "40", "Most calls for one hotkey in a day, UTC";
    "review.usd_per_million_input_tokens" = "5", "Price of a question's tokens, where the endpoint says no cost";
    "review.usd_per_million_output_tokens" = "25", "Price of an answer's tokens, where the endpoint says no cost";
    "log.format" = "text", "`text` or `json`";
    "log.level" = "info", "What is logged: `error`, `warn`, `info`, `debug`";
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Nobody has said anything.
    Default,
    /// The file.
    File,
    /// This variable.
    Variable(String),
    /// A flag of the command.
    Flag,
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Value {
    /// As text.
    pub value: String,
    /// From where.
    pub origin: Origin,
}

/// What is wrong with a configuration.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum ConfigError {
    #[error("the configuration is not valid: {}", .0.to_string().trim_end())]
    Syntax(#[from] toml::de::Error),
    #[error("there is no setting `{key}`")]
    Unknown {
        key: String,
        nearest: Option<&'static str>,
    },
    #[error("`{key}` is `{value}` ({origin:?})")]
    Value {
        key: &'static str,
        value: String,
        origin: Origin,
        expected: &'static str,
    },
    #[error("the secret in {path} cannot be read: {source}")]
    Secret { path: String, source: std::io::Error },
}

impl Advice for ConfigError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::Syntax(_) => "write it as TOML: `[server]`, then `listen = \"127.0.0.1:8080\"`".into(),
            Self::Unknown {
                nearest: Some(name), ..
            } => format!("did you mean `{name}`?").into(),
            Self::Unknown { .. } => "`prism config show` lists the settings that there are".into(),
            Self::Value { expected, .. } => format!("it must be {expected}").into(),
            Self::Secret { .. } => {
                "name a file that the server may read, or give the secret in its variable".into()
            }
        })
    }
}

/// Every setting with its origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Settings {
    values: BTreeMap<&'static str, Value>,
}

impl Settings {
    /// From the text of a file and the variables that are set.
    pub fn new(file: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let said = flat(&toml::from_str(file)?);
        for key in said.keys() {
            if !KEYS.iter().any(|known| known.name == key) {
                return Err(ConfigError::Unknown {
                    key: key.clone(),
                    nearest: nearest(key, KEYS.iter().map(|known| known.name)),
                });
            }
        }
        let values = KEYS
            .iter()
            .map(|key| {
                let own = format!("PRISM_{}", key.name.replace('.', "__").to_uppercase());
                let names = std::iter::once(own.as_str()).chain(key.also.iter().copied());
                let set = names
                    .filter_map(|name| variable(name).map(|value| (name.to_owned(), value)))
                    .find(|(_, value)| !value.is_empty());
                let (value, origin) = match (set, said.get(key.name)) {
                    (Some((name, value)), _) => (value, Origin::Variable(name)),
                    (None, Some(value)) => (value.clone(), Origin::File),
                    (None, None) => (key.default.to_owned(), Origin::Default),
                };
                (key.name, Value { value, origin })
            })
            .collect();
        Ok(Self { values })
    }

    /// What a flag says goes above everything.
    pub fn set(&mut self, key: &'static str, value: String) {
        let origin = Origin::Flag;
        self.values.insert(key, Value { value, origin });
    }

    /// Every setting, by name.
    pub fn values(&self) -> &BTreeMap<&'static str, Value> {
        &self.values
    }

    /// The text of a setting.
    pub fn text(&self, key: &'static str) -> &str {
        self.values.get(key).map_or("", |value| value.value.as_str())
    }

    fn wrong(&self, key: &'static str, expected: &'static str) -> ConfigError {
        let found = self.values.get(key).cloned().unwrap_or(Value {
            value: String::new(),
            origin: Origin::Default,
        });
        ConfigError::Value {
            key,
            value: found.value,
            origin: found.origin,
            expected,
        }
    }

    fn parsed<T: std::str::FromStr>(
        &self,
        key: &'static str,
        expected: &'static str,
    ) -> Result<T, ConfigError> {
        self.text(key)
            .trim()
            .parse()
            .map_err(|_| self.wrong(key, expected))
    }

    fn networks(&self, key: &'static str) -> Result<Vec<Network>, ConfigError> {
        list(self.text(key))
            .map(|item| {
                item.parse()
                    .map_err(|_| self.wrong(key, "networks as `10.0.0.0/8`, separated by commas"))
            })
            .collect()
    }

    /// Everything, checked.
    pub fn checked(&self) -> Result<Config, ConfigError> {
        let seconds = "a number of seconds from 1 to 86400";
        let metrics_listen = "an address as `127.0.0.1:9090`, or empty";
        Ok(Config {
            listen: self.parsed("server.listen", "an address as `127.0.0.1:8080`")?,
            metrics_listen: self.maybe("server.metrics_listen", metrics_listen, ..)?,
            slug: self.text("server.slug").to_owned(),
            challenge_version: self.text("server.challenge_version").to_owned(),
            public_submissions: self.switch("server.public_submissions")?,
            signature_ttl_seconds: self.bounded("server.signature_ttl_seconds", seconds, 1..=86_400)?,
            max_code_bytes: self.parsed("server.max_code_bytes", "a number of bytes")?,
            reserve_bytes: self.parsed("server.reserve_bytes", "a number of bytes")?,
            // BASE sets a JSON list.
            validator_hotkeys: list(
                self.text("server.validator_hotkeys")
                    .trim()
                    .trim_start_matches('[')
                    .trim_end_matches(']'),
            )
            .map(|item| item.trim_matches('"').to_owned())
            .filter(|item| !item.is_empty())
            .collect(),
            trusted_proxies: self.networks("server.trusted_proxies")?,
            unlimited_clients: self.networks("server.unlimited_clients")?,
            dir: PathBuf::from(self.text("store.dir")),
            slots: self.slots()?,
            review: ReviewMode::parse(self.text("review.mode"))
                .ok_or_else(|| self.wrong("review.mode", "`enforce`, `advisory` or `off`"))?,
            reviewer: self.reviewer()?,
            logs_are_json: match self.text("log.format") {
                "text" => false,
                "json" => true,
                _ => return Err(self.wrong("log.format", "`text` or `json`")),
            },
            log_level: match self.text("log.level") {
                level @ ("error" | "warn" | "info" | "debug") => level.to_owned(),
                _ => return Err(self.wrong("log.level", "`error`, `warn`, `info` or `debug`")),
            },
        })
    }

    fn switch(&self, key: &'static str) -> Result<bool, ConfigError> {
        match self.text(key).trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(self.wrong(key, "`true` or `false`")),
        }
    }

    fn slots(&self) -> Result<Vec<Slot>, ConfigError> {
        self.text("executor.slots")
            .split(';')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(|item| {
                let (cpus, device) = match item.split_once('/') {
                    Some((cpus, device)) => (cpus, Some(device.trim().parse().ok()?)),
                    None => (item, None),
                };
                let cpus = Slot::parse_cpus(cpus)?;
                Some(Slot { cpus, device })
            })
            .collect::<Option<_>>()
            .ok_or_else(|| {
                self.wrong(
                    "executor.slots",
                    "CPUs and devices of each slot, as `0-7/0; 8-15/1`",
                )
            })
    }
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// Everything, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address of the API.
    pub listen: SocketAddr,
    /// Address of the metrics.
    pub metrics_listen: Option<SocketAddr>,
    /// The name under which BASE knows this challenge.
    pub slug: String,
    /// The version that BASE's registry has.
    pub challenge_version: String,
    /// Whether miners may upload directly.
    pub public_submissions: bool,
    /// How far the time of a signed request may be from now, in seconds.
    pub signature_ttl_seconds: i64,
    /// Largest upload, as base64 text, in bytes.
    pub max_code_bytes: usize,
    /// Bytes of the disk that uploads do not fill.
    pub reserve_bytes: u64,
    /// Addresses that may not submit.
    pub validator_hotkeys: BTreeSet<String>,
    /// Networks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Networks that are not limited by address.
    pub unlimited_clients: Vec<Network>,
    /// Where everything lies; empty where it was not said.
    pub dir: PathBuf,
    /// Empty where it was not said.
    pub slots: Vec<Slot>,
    /// Whether submissions are reviewed.
    pub review: ReviewMode,
    /// How.
    pub reviewer: ReviewConfig,
    /// Whether log lines are JSON.
    pub logs_are_json: bool,
    /// What is logged.
    pub log_level: String,
}

/// The token that BASE proves itself with, from a variable or from the file that one names; where it came from, not what it
/// is, is shown. `None` where there is none: then no internal route answers.
pub fn token(
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<(SecretString, String)>, ConfigError> {
    let said = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    for name in ["PRISM_SHARED_TOKEN", "CHALLENGE_SHARED_TOKEN"] {
        if let Some(value) = said(name) {
            return Ok(Some((
                SecretString::from(value.trim().to_owned()),
                format!("the variable {name}"),
            )));
        }
    }
    let named = ["PRISM_SHARED_TOKEN_FILE", "CHALLENGE_SHARED_TOKEN_FILE"]
        .into_iter()
        .find_map(said);
    let is_named = named.is_some();
    let path = named.unwrap_or_else(|| BASE_TOKEN_FILE.to_owned());
    match read_secret(&path) {
        Ok(text) if text.trim().is_empty() => Ok(None),
        Ok(text) => Ok(Some((SecretString::from(text.trim().to_owned()), path))),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound && !is_named => Ok(None),
        Err(source) => Err(ConfigError::Secret { path, source }),
    }
}

fn read_secret(path: &str) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)?
        .take(SECRET_BYTES_MAX)
        .read_to_string(&mut text)?;
    Ok(text)
}

/// `table.key` to text. Lists are joined by commas, or by semicolons where an item may hold commas.
fn flat(table: &toml::Table) -> BTreeMap<String, String> {
    fn text(value: &toml::Value) -> String {
        match value {
            toml::Value::String(text) => text.clone(),
            toml::Value::Array(items) => {
                let items: Vec<String> = items.iter().map(text).collect();
                let separator = if items.iter().any(|item| item.contains(',')) {
                    ";"
                } else {
                    ","
                };
                items.join(separator)
            }
            other => other.to_string(),
        }
    }
    let mut said = BTreeMap::new();
    for (name, value) in table {
        match value {
            toml::Value::Table(inner) => {
                said.extend(
                    inner
                        .iter()
                        .map(|(key, value)| (format!("{name}.{key}"), text(value))),
                );
            }
            value => said.extend([(name.clone(), text(value))]),
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn the_defaults_are_valid_and_an_example_reads() {
        let settings = Settings::new("", &nothing).unwrap();
        let config = settings.checked().unwrap();
        assert_eq!(config.listen, "127.0.0.1:8080".parse().unwrap());
        assert_eq!((config.review, config.slots.len()), (ReviewMode::Enforce, 0));
        let file = r#"
            [server]
            listen = "0.0.0.0:8080"
            signature_ttl_seconds = 60
            trusted_proxies = ["10.0.0.0/8", "::1/128"]
            [executor]
            slots = "0-1/0; 2,3/1"
            [review]
            mode = "off"
        "#;
        let config = Settings::new(file, &nothing).unwrap().checked().unwrap();
        assert_eq!(config.signature_ttl_seconds, 60);
        assert_eq!((config.trusted_proxies.len(), config.slots.len()), (2, 2));
        assert_eq!(config.slots[1].device, Some(1));
    }

    #[test]
    fn flags_go_above_variables_above_the_file_and_each_says_where_it_is_from() {
        let file = "[server]\nchallenge_version = \"0.2.0\"\nlisten = \"127.0.0.1:1\"\n";
        let variable = |name: &str| match name {
            "PRISM_VERSION" => Some("0.3.0".to_owned()),
            "PRISM_SERVER__SLUG" => Some("other".to_owned()),
            "PRISM_SERVER__NO_SUCH" => Some("is left alone".to_owned()),
            _ => None,
        };
        let mut settings = Settings::new(file, &variable).unwrap();
        settings.set("server.slug", "third".into());
        let of = |key| &settings.values()[key];
        assert_eq!(of("server.challenge_version").value, "0.3.0");
        assert_eq!(
            of("server.challenge_version").origin,
            Origin::Variable("PRISM_VERSION".into())
        );
        assert_eq!(of("server.slug").origin, Origin::Flag);
        assert_eq!(of("server.listen").origin, Origin::File);
        assert_eq!(of("review.mode").origin, Origin::Default);
    }

    #[test]
    fn what_is_unknown_or_wrong_is_named() {
        let error = |file: &str| match Settings::new(file, &nothing).and_then(|settings| settings.checked()) {
            Ok(_) => panic!("{file}"),
            Err(error) => error.told(),
        };
        assert!(error("[server]\nlistne = 1").contains("did you mean `server.listen`?"));
        assert!(error("[nothing]\nat_all = 1").starts_with("there is no setting `nothing.at_all`"));
        for (file, key) in [
            ("[server]\nlisten = 8080", "server.listen"),
            (
                "[server]\npublic_submissions = \"perhaps\"",
                "server.public_submissions",
            ),
            (
                "[server]\nsignature_ttl_seconds = 0",
                "server.signature_ttl_seconds",
            ),
            ("[server]\ntrusted_proxies = \"x\"", "server.trusted_proxies"),
            ("[executor]\nslots = \"a\"", "executor.slots"),
            ("[executor]\nslots = \"0/x\"", "executor.slots"),
            ("[review]\nmode = \"maybe\"", "review.mode"),
            ("[log]\nlevel = \"loud\"", "log.level"),
        ] {
            assert!(error(file).contains(&format!("`{key}`")), "{file}");
        }
        assert!(error("[server").contains("not valid"));
    }

    #[test]
    fn hotkeys_are_a_list_in_toml_in_json_and_by_commas() {
        for file in [
            "[server]\nvalidator_hotkeys = [\"a\", \"b\"]",
            "[server]\nvalidator_hotkeys = \"a, b\"",
            "[server]\nvalidator_hotkeys = '[\"a\",\"b\"]'",
        ] {
            let config = Settings::new(file, &nothing).unwrap().checked().unwrap();
            assert_eq!(config.validator_hotkeys.len(), 2, "{file}");
            assert!(config.validator_hotkeys.contains("b"), "{file}");
        }
    }

    #[test]
    fn a_token_comes_from_a_variable_or_a_file_and_is_never_shown() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("token").display().to_string();
        std::fs::write(&path, " s3cret\n").unwrap();
        let of = |set: &[(&str, &str)]| {
            let set: Vec<(String, String)> = set
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            token(&move |name| {
                set.iter()
                    .find(|(known, _)| known == name)
                    .map(|(_, value)| value.clone())
            })
        };
        let (secret, origin) = of(&[("PRISM_SHARED_TOKEN_FILE", &path)]).unwrap().unwrap();
        assert_eq!(origin, path);
        assert!(!format!("{secret:?}").contains("s3cret"));
        let both = [
            ("CHALLENGE_SHARED_TOKEN", "x"),
            ("PRISM_SHARED_TOKEN_FILE", path.as_str()),
        ];
        assert_eq!(
            of(&both).unwrap().unwrap().1,
            "the variable CHALLENGE_SHARED_TOKEN"
        );
        assert!(of(&[("PRISM_SHARED_TOKEN", "  ")]).unwrap().is_none());
        assert!(of(&[]).unwrap().is_none(), "none is no error");
        let missing = format!("{path}.none");
        assert!(
            of(&[("PRISM_SHARED_TOKEN_FILE", &missing)]).is_err(),
            "one that was named is"
        );
        std::fs::write(&path, "\n").unwrap();
        assert!(of(&[("PRISM_SHARED_TOKEN_FILE", &path)]).unwrap().is_none());
    }
}
