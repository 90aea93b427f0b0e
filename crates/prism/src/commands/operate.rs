//! What the operator's commands have in common: where the service lies, and how it is asked.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use prism_service::config::{Config, ConfigError, FILE_BYTES_MAX, Settings};
use prism_service::{Operation, ask};
use serde_json::Value;

use super::runtime;
use crate::failure::Failure;

/// The admin socket, beside the store.
pub(crate) const SOCKET_FILE: &str = "admin.sock";
/// Where a service lies that was not told otherwise, in PRISM's data directory.
const SERVE_DIR: &str = "serve";
/// Where that of `prism serve --demo` lies.
const DEMO_DIR: &str = "serve-demo";

/// Where the service lies.
#[derive(Debug, Args)]
pub(crate) struct PlaceArgs {
    /// The configuration
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where store, blobs and attempts lie
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// The service of `prism serve --demo`
    #[arg(long)]
    pub(crate) demo: bool,
}

impl PlaceArgs {
    /// Every setting with its origin.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let text = match &self.config {
            Some(path) => read(path)?,
            None => String::new(),
        };
        let mut settings = Settings::new(&text, &variable)?;
        if let Some(dir) = &self.dir {
            settings.set("store.dir", dir.display().to_string());
        }
        if self.demo {
            settings.set("review.mode", "off".to_owned());
        }
        Ok(settings)
    }

    /// All of them, checked, with a place.
    pub(crate) fn checked(&self) -> Result<Config, Failure> {
        let mut config = self.settings()?.checked()?;
        if config.dir.as_os_str().is_empty() {
            let name = if self.demo { DEMO_DIR } else { SERVE_DIR };
            config.dir = runtime::settings()?.data_dir.join(name);
        }
        Ok(config)
    }

    /// Asks the service that runs there.
    pub(crate) fn ask(&self, operation: &Operation) -> Result<Value, Failure> {
        let socket = self.checked()?.dir.join(SOCKET_FILE);
        ask(&socket, operation).map_err(|error| match error {
            prism_service::SocketError::Refused(_) => Failure::usage("refused", &error),
            prism_service::SocketError::Unreachable { .. } | prism_service::SocketError::Broken(_) => {
                Failure::machine("no_service", &error)
            }
        })
    }
}

/// A variable of the environment, if it is set and readable.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Whom the reviewer is asked at and where its key comes from, or in a sentence what is missing.
#[allow(clippy::type_complexity, reason = "an access with its origin, or a sentence")]
pub(crate) fn access(config: &Config) -> Result<Result<(prism_review::Access, String), String>, Failure> {
    Ok(prism_service::config::access(&config.reviewer, &variable)?)
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage("config", &error)
    }
}

/// A path that does not depend on where the service was started.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path)
        .map_err(|error| Failure::usage("usage", &format!("{}: {error}", path.display())))
}

fn read(path: &Path) -> Result<String, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::usage(
            "config",
            &format!("cannot read the configuration {}: {error}", path.display()),
        )
    };
    let mut text = String::new();
    File::open(path)
        .map_err(unreadable)?
        .take(FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    Ok(text)
}

/// A value of a service as text for people: names and values, a line each.
pub(crate) fn shown(value: &Value) -> String {
    let mut rows = Vec::new();
    flatten("", value, &mut rows);
    let rows: Vec<(&str, String)> = rows
        .iter()
        .map(|(name, value)| (name.as_str(), crate::show::line(value)))
        .collect();
    crate::show::pairs(&rows)
}

fn flatten(name: &str, value: &Value, rows: &mut Vec<(String, String)>) {
    let below = |key: &str| {
        if name.is_empty() {
            key.to_owned()
        } else {
            format!("{name}.{key}")
        }
    };
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(key, value)| flatten(&below(key), value, rows)),
        Value::Array(items) if items.is_empty() => rows.push((name.to_owned(), "none".to_owned())),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(at, value)| flatten(&below(&(at + 1).to_string()), value, rows)),
        Value::String(text) => rows.push((name.to_owned(), text.clone())),
        Value::Null => rows.push((name.to_owned(), "-".to_owned())),
        Value::Bool(_) | Value::Number(_) => rows.push((name.to_owned(), value.to_string())),
    }
}
