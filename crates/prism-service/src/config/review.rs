//! What can be set about the reviewer, and where its key comes from. The key itself is never shown, not even by half.

use std::ops::RangeBounds;
use std::str::FromStr;
use std::time::Duration;

use prism_review::{Access, Key, Settings as ReviewSettings, Structured};
use prism_store::reviews::Limits;

use super::{ConfigError, Settings, read_secret};

/// Where BASE's deployments of a reviewer put the key, unless something else is said.
const KEY_FILE: &str = "/run/secrets/openrouter_api_key";
/// Longest key that is looked at is that of any secret; shortest time of a call, in seconds.
const TIMEOUT_SECONDS_MAX: u64 = 3600;
/// Most calls at once.
const CONCURRENCY_MAX: usize = 64;

/// How submissions are reviewed. Everything but the key.
#[derive(Clone, Debug)]
pub struct ReviewConfig {
    /// The endpoint, unless BASE names a gateway.
    pub base_url: String,
    /// The file of the key; empty where it was not said.
    pub key_file: String,
    /// Models, form and bounds.
    pub settings: ReviewSettings,
    /// What may be spent in a day.
    pub limits: Limits,
    /// Calls at once.
    pub concurrency: usize,
}

impl Settings {
    pub(super) fn reviewer(&self) -> Result<ReviewConfig, ConfigError> {
        let mut settings = ReviewSettings::new(self.text("review.model").trim());
        if settings.model.is_empty() {
            return Err(self.wrong("review.model", "the name of a model"));
        }
        let second = self.text("review.second_model").trim();
        if !second.is_empty() {
            second.clone_into(&mut settings.second_model);
        }
        settings.structured = match self.text("review.structured") {
            "schema" => Structured::Schema,
            "tool" => Structured::Tool,
            _ => return Err(self.wrong("review.structured", "`schema` or `tool`")),
        };
        settings.temperature =
            self.maybe("review.temperature", "a number from 0 to 2, or empty", 0.0..=2.0)?;
        settings.seed = self.maybe("review.seed", "a whole number, or empty", ..)?;
        settings.max_answer_tokens =
            self.bounded("review.max_answer_tokens", "from 256 to 100000", 256..=100_000)?;
        settings.context_tokens = self.bounded(
            "review.context_tokens",
            "from 2000 to 10000000",
            2000..=10_000_000,
        )?;
        settings.max_source_bytes = self.bounded(
            "review.max_source_bytes",
            "from 1 to 262144, which is what the gate allows",
            1..=prism_gate::limits::SOURCE_BYTES_MAX,
        )?;
        let seconds = self.bounded(
            "review.timeout_seconds",
            "from 1 to 3600",
            1..=TIMEOUT_SECONDS_MAX,
        )?;
        settings.timeout = Duration::from_secs(seconds);
        let money = |key| self.bounded(key, "a number of US dollars from 0 to 1000000", 0.0..=1e6);
        settings.usd_per_million_input_tokens = money("review.usd_per_million_input_tokens")?;
        settings.usd_per_million_output_tokens = money("review.usd_per_million_output_tokens")?;
        Ok(ReviewConfig {
            base_url: self.text("review.base_url").trim().to_owned(),
            key_file: self.text("review.key_file").trim().to_owned(),
            settings,
            limits: Limits {
                calls: self.parsed("review.calls_per_day", "a number of calls")?,
                usd: money("review.usd_per_day")?,
                calls_of_hotkey: self.parsed("review.calls_per_hotkey_per_day", "a number of calls")?,
            },
            concurrency: self.bounded("review.concurrency", "from 1 to 64", 1..=CONCURRENCY_MAX)?,
        })
    }

    pub(super) fn bounded<T: FromStr + PartialOrd>(
        &self,
        key: &'static str,
        expected: &'static str,
        bounds: impl RangeBounds<T>,
    ) -> Result<T, ConfigError> {
        let value: T = self.parsed(key, expected)?;
        if bounds.contains(&value) {
            Ok(value)
        } else {
            Err(self.wrong(key, expected))
        }
    }

    pub(super) fn maybe<T: FromStr + PartialOrd>(
        &self,
        key: &'static str,
        expected: &'static str,
        bounds: impl RangeBounds<T>,
    ) -> Result<Option<T>, ConfigError> {
        if self.text(key).trim().is_empty() {
            return Ok(None);
        }
        self.bounded(key, expected, bounds).map(Some)
    }
}

/// Whom to ask and with which key; where the key came from, not what it is, is shown. The gateway of BASE goes first where it is
/// named. An `Err` of the inner result says in a sentence what is missing: then there is no reviewer.
#[allow(clippy::type_complexity, reason = "an access with its origin, or a sentence")]
pub fn access(
    config: &ReviewConfig,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Result<(Access, String), String>, ConfigError> {
    let said = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let gateway = ["PRISM_LLM_GATEWAY_URL", "BASE_LLM_GATEWAY_URL"]
        .into_iter()
        .find_map(said);
    let is_gateway = gateway.is_some();
    let (names, file): (&[&str], Option<String>) = if is_gateway {
        let file = ["PRISM_GATEWAY_TOKEN_FILE", "BASE_GATEWAY_TOKEN_FILE"]
            .into_iter()
            .find_map(said);
        (&["PRISM_GATEWAY_TOKEN", "BASE_GATEWAY_TOKEN"], file)
    } else {
        let file = Some(config.key_file.clone()).filter(|file| !file.is_empty());
        (&["PRISM_REVIEW_API_KEY", "OPENROUTER_API_KEY"], file)
    };
    let base_url = gateway.unwrap_or_else(|| config.base_url.clone());
    let of_variable = names
        .iter()
        .find_map(|name| Some((said(name)?, format!("the variable {name}"))));
    let found = match (of_variable, file) {
        (Some(found), _) => Some(found),
        (None, Some(path)) => match read_secret(&path) {
            Ok(text) => Some((text, path)),
            Err(source) => return Err(ConfigError::Secret { path, source }),
        },
        (None, None) if is_gateway => None,
        (None, None) => read_secret(KEY_FILE).ok().map(|text| (text, KEY_FILE.to_owned())),
    };
    let missing = if is_gateway {
        "the gateway of BASE is named and its token is not: set PRISM_GATEWAY_TOKEN or PRISM_GATEWAY_TOKEN_FILE"
    } else {
        "no key of the reviewer is set: set PRISM_REVIEW_API_KEY or OPENROUTER_API_KEY, or name a file by `review.key_file`"
    };
    let Some((text, origin)) = found else {
        return Ok(Err(missing.to_owned()));
    };
    let Some(key) = Key::new(&text) else {
        return Ok(Err(format!("{origin} holds no key; {missing}")));
    };
    Ok(match Access::new(&base_url, key, is_gateway) {
        Ok(access) => Ok((access, origin)),
        Err(error) => Err(error.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(file: &str, set: &[(&str, &str)]) -> Result<(Access, String), String> {
        let set: Vec<(String, String)> = set
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let variable = move |name: &str| {
            set.iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
        };
        let config = Settings::new(file, &variable).unwrap().checked().unwrap();
        access(&config.reviewer, &variable).unwrap()
    }

    #[test]
    fn the_gateway_goes_first_and_nothing_falls_back() {
        let own = ("OPENROUTER_API_KEY", "own");
        let (access, origin) = of("", &[own]).unwrap();
        assert_eq!(
            (access.host(), origin.as_str()),
            ("openrouter.ai", "the variable OPENROUTER_API_KEY")
        );
        let gateway = ("PRISM_LLM_GATEWAY_URL", "http://master:8081/llm/openrouter");
        let (access, origin) = of("", &[own, gateway, ("BASE_GATEWAY_TOKEN", "t")]).unwrap();
        assert_eq!(
            (access.host(), origin.as_str()),
            ("master", "the variable BASE_GATEWAY_TOKEN")
        );
        let missing = of("", &[own, gateway]).unwrap_err();
        assert!(missing.contains("PRISM_GATEWAY_TOKEN"), "{missing}");
        let missing = of("", &[]).unwrap_err();
        assert!(missing.contains("OPENROUTER_API_KEY"), "{missing}");
        let open = of("[review]\nbase_url = \"http://example.org\"", &[own]).unwrap_err();
        assert!(open.contains("https"), "{open}");
    }

    #[test]
    fn a_key_of_a_file_is_read_and_one_that_is_missing_is_told() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("key");
        let file = format!("[review]\nkey_file = \"{}\"", path.display());
        std::fs::write(&path, " s3cret \n").unwrap();
        let (access, origin) = of(&file, &[]).unwrap();
        assert_eq!(origin, path.display().to_string());
        assert!(!format!("{access:?}").contains("s3cret"));
        std::fs::write(&path, "\n").unwrap();
        assert!(of(&file, &[]).unwrap_err().contains("holds no key"));
        std::fs::remove_file(&path).unwrap();
        let config = Settings::new(&file, &|_| None).unwrap().checked().unwrap();
        assert!(super::access(&config.reviewer, &|_| None).is_err());
    }

    #[test]
    fn what_is_out_of_bounds_is_named() {
        for (key, value) in [
            ("model", "\"\""),
            ("structured", "\"maybe\""),
            ("temperature", "3"),
            ("seed", "\"x\""),
            ("max_answer_tokens", "1"),
            ("context_tokens", "5"),
            ("max_source_bytes", "300000"),
            ("timeout_seconds", "0"),
            ("concurrency", "0"),
            ("usd_per_day", "-1"),
            ("usd_per_day", "\"NaN\""),
            ("calls_per_day", "-1"),
        ] {
            let file = format!("[review]\n{key} = {value}");
            let error = Settings::new(&file, &|_| None)
                .unwrap()
                .checked()
                .unwrap_err()
                .to_string();
            assert!(error.contains(&format!("`review.{key}`")), "{error}");
        }
        let file = "[review]\nmodel = \"m\"\ntemperature = 0\nseed = 7\nmode = \"advisory\"";
        let config = Settings::new(file, &|_| None).unwrap().checked().unwrap();
        let settings = config.reviewer.settings;
        assert_eq!(
            (
                settings.second_model.as_str(),
                settings.seed,
                settings.temperature
            ),
            ("m", Some(7), Some(0.0))
        );
        let default = Settings::new("", &|_| None)
            .unwrap()
            .checked()
            .unwrap()
            .reviewer
            .settings;
        assert_eq!(
            (default.temperature, default.seed),
            (None, None),
            "some models refuse them"
        );
    }
}
