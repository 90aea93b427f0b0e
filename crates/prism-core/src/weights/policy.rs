//! The policies: positions and scores to shares.
//!
//! A policy is written as text in a configuration, shown as text on the board and hashed as text: `rank-geometric(ratio=0.5,
//! top=20)`. Its numbers are bounded when it is read, so that no share is ever zero, infinite or no number.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Most positions that a policy may pay.
pub const MOST_TOP: u32 = 256;
/// Least ratio of two positions: the smallest share is then above 1e-256.
pub const LEAST_RATIO: f64 = 0.1;

/// How weights follow from a ranking.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Policy {
    /// Position `p` has the share `ratio^(p - 1)`, up to position `top`.
    RankGeometric {
        /// Of a position to the one before.
        ratio: Ratio,
        /// Positions that have a share.
        top: Top,
    },
    /// Position 1 has everything.
    WinnerTakeAll,
    /// The first `k` positions have equal shares.
    TopKEqual {
        /// Positions that have a share.
        k: Top,
    },
    /// Everybody has his score as his share; ties change nothing.
    ScoreProportional,
}

/// The ratio of a geometric policy: at least [`LEAST_RATIO`], at most 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio(f64);

/// A number of positions: at least 1, at most [`MOST_TOP`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Top(u32);

/// A policy that is none.
#[derive(Clone, Debug, PartialEq, Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum PolicyError {
    #[error(
        "`{0}` is no weight policy; there are `rank-geometric(ratio=0.5, top=20)`, `winner-take-all`, `top-k-equal(k=10)` and \
         `score-proportional`"
    )]
    Unknown(String),
    /// The parentheses do not hold `name=value`, each name once.
    #[error("`{0}` in a weight policy is not written as `name=value`")]
    NotAPair(String),
    #[error("the weight policy `{policy}` has no parameter `{parameter}`, or has it twice")]
    Parameter { policy: &'static str, parameter: String },
    #[error("the ratio of a weight policy is a number from {LEAST_RATIO} to 1, not {0}")]
    Ratio(String),
    #[error("a weight policy pays 1 to {MOST_TOP} positions, not {0}")]
    Top(String),
}

impl Ratio {
    /// A ratio.
    pub fn new(ratio: f64) -> Result<Self, PolicyError> {
        if (LEAST_RATIO..=1.0).contains(&ratio) {
            Ok(Self(ratio))
        } else {
            Err(PolicyError::Ratio(ratio.to_string()))
        }
    }
}

impl Top {
    /// A number of positions.
    pub fn new(top: u32) -> Result<Self, PolicyError> {
        if (1..=MOST_TOP).contains(&top) {
            Ok(Self(top))
        } else {
            Err(PolicyError::Top(top.to_string()))
        }
    }

    /// Its value.
    pub fn value(self) -> u32 {
        self.0
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::RankGeometric {
            ratio: Ratio(0.5),
            top: Top(20),
        }
    }
}

impl Policy {
    /// What somebody at this position (from 1) and with this score (above 0) gets before all is divided by the sum; `None`
    /// where it pays nothing.
    pub(super) fn share(self, position: u32, final_score: f64) -> Option<f64> {
        match self {
            Self::RankGeometric { ratio, top } => (position <= top.0).then(|| {
                // One multiplication a position: the same bits on every machine.
                (1..position).fold(1.0, |share, _| share * ratio.0)
            }),
            Self::WinnerTakeAll => (position == 1).then_some(1.0),
            Self::TopKEqual { k } => (position <= k.0).then_some(1.0),
            Self::ScoreProportional => Some(final_score),
        }
    }

    /// That arithmetic in symbols and numbers.
    pub(super) fn arithmetic(self, position: u32) -> String {
        match self {
            Self::RankGeometric { ratio, top } if position <= top.0 => {
                format!("{}^({position} - 1)", ratio.0)
            }
            Self::RankGeometric { top: Top(most), .. } | Self::TopKEqual { k: Top(most) }
                if position > most =>
            {
                format!("position {position} is beyond the {most} that have a share")
            }
            Self::RankGeometric { .. } | Self::TopKEqual { .. } => "an equal share".into(),
            Self::WinnerTakeAll if position == 1 => "position 1 has everything".into(),
            Self::WinnerTakeAll => format!("position 1 has everything, and this is position {position}"),
            Self::ScoreProportional => "the score itself".into(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::RankGeometric { .. } => "rank-geometric",
            Self::WinnerTakeAll => "winner-take-all",
            Self::TopKEqual { .. } => "top-k-equal",
            Self::ScoreProportional => "score-proportional",
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::RankGeometric { ratio, top } => write!(f, "(ratio={}, top={})", ratio.0, top.0),
            Self::TopKEqual { k } => write!(f, "(k={})", k.0),
            Self::WinnerTakeAll | Self::ScoreProportional => Ok(()),
        }
    }
}

impl FromStr for Policy {
    type Err = PolicyError;

    /// Reads what is shown; parameters may be left out, each has a default.
    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let text = text.trim();
        let unknown = || PolicyError::Unknown(text.chars().take(60).collect());
        let (name, parameters) = match text.split_once('(') {
            Some((name, rest)) => (name.trim_end(), rest.strip_suffix(')').ok_or_else(unknown)?),
            None => (text, ""),
        };
        let mut policy = match name {
            "rank-geometric" => Self::default(),
            "winner-take-all" => Self::WinnerTakeAll,
            "top-k-equal" => Self::TopKEqual { k: Top(10) },
            "score-proportional" => Self::ScoreProportional,
            _ => return Err(unknown()),
        };
        let short = |text: &str| text.chars().take(60).collect::<String>();
        let mut seen = Vec::new();
        for pair in parameters.split(',').map(str::trim) {
            if pair.is_empty() && parameters.trim().is_empty() {
                continue;
            }
            let (parameter, value) = pair
                .split_once('=')
                .map(|(parameter, value)| (parameter.trim(), value.trim()))
                .ok_or_else(|| PolicyError::NotAPair(short(pair)))?;
            let fresh = !seen.contains(&parameter);
            seen.push(parameter);
            let name = policy.name();
            let top_of = |value: &str| {
                let top = value.parse().map_err(|_| PolicyError::Top(short(value)))?;
                Top::new(top)
            };
            match (&mut policy, parameter) {
                (Self::RankGeometric { ratio, .. }, "ratio") if fresh => {
                    let value = value.parse().map_err(|_| PolicyError::Ratio(short(value)))?;
                    *ratio = Ratio::new(value)?;
                }
                (Self::RankGeometric { top, .. }, "top") if fresh => *top = top_of(value)?,
                (Self::TopKEqual { k }, "k") if fresh => *k = top_of(value)?,
                (
                    Self::RankGeometric { .. }
                    | Self::TopKEqual { .. }
                    | Self::WinnerTakeAll
                    | Self::ScoreProportional,
                    _,
                ) => {
                    return Err(PolicyError::Parameter {
                        policy: name,
                        parameter: short(parameter),
                    });
                }
            }
        }
        Ok(policy)
    }
}

impl From<Policy> for String {
    fn from(policy: Policy) -> Self {
        policy.to_string()
    }
}

impl TryFrom<String> for Policy {
    type Error = PolicyError;

    fn try_from(text: String) -> Result<Self, PolicyError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_read_back_and_have_defaults() {
        for (text, shown) in [
            ("rank-geometric", "rank-geometric(ratio=0.5, top=20)"),
            ("rank-geometric()", "rank-geometric(ratio=0.5, top=20)"),
            (
                "rank-geometric(ratio=0.5, top=20)",
                "rank-geometric(ratio=0.5, top=20)",
            ),
            (
                " rank-geometric ( top = 3 , ratio = 1 ) ",
                "rank-geometric(ratio=1, top=3)",
            ),
            (
                "rank-geometric(ratio=0.1,top=256)",
                "rank-geometric(ratio=0.1, top=256)",
            ),
            ("winner-take-all", "winner-take-all"),
            ("winner-take-all()", "winner-take-all"),
            ("top-k-equal", "top-k-equal(k=10)"),
            ("top-k-equal(k=1)", "top-k-equal(k=1)"),
            ("score-proportional", "score-proportional"),
        ] {
            let policy: Policy = text.parse().unwrap();
            assert_eq!(policy.to_string(), shown, "{text}");
            assert_eq!(shown.parse(), Ok(policy));
            let json = serde_json::to_string(&policy).unwrap();
            assert_eq!(json, format!("\"{shown}\""));
            assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
        }
        assert_eq!(Policy::default().to_string(), "rank-geometric(ratio=0.5, top=20)");
    }

    #[test]
    fn what_is_no_policy_is_refused_with_its_reason() {
        let long = "x".repeat(100_000);
        for (text, reason) in [
            ("", "is no weight policy"),
            ("rank_geometric", "is no weight policy"),
            ("Rank-Geometric", "is no weight policy"),
            ("rank-geometric(", "is no weight policy"),
            ("rank-geometric(top=2)(", "is no weight policy"),
            (&long, "is no weight policy"),
            ("rank-geometric(2)", "not written as `name=value`"),
            ("rank-geometric(top=2,)", "not written as `name=value`"),
            ("rank-geometric(k=2)", "no parameter `k`"),
            ("rank-geometric(top=2, top=2)", "or has it twice"),
            ("winner-take-all(top=2)", "no parameter `top`"),
            ("score-proportional(ratio=0.5)", "no parameter `ratio`"),
            ("rank-geometric(ratio=NaN)", "from 0.1 to 1, not NaN"),
            ("rank-geometric(ratio=inf)", "from 0.1 to 1"),
            ("rank-geometric(ratio=0)", "from 0.1 to 1"),
            ("rank-geometric(ratio=-0.5)", "from 0.1 to 1"),
            ("rank-geometric(ratio=1.01)", "from 0.1 to 1"),
            ("rank-geometric(ratio=half)", "from 0.1 to 1, not half"),
            ("rank-geometric(top=0)", "1 to 256 positions"),
            ("top-k-equal(k=257)", "1 to 256 positions"),
            ("top-k-equal(k=-1)", "1 to 256 positions"),
            ("top-k-equal(k=99999999999)", "1 to 256 positions"),
        ] {
            let error = text.parse::<Policy>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
            assert!(error.len() < 300, "{} bytes", error.len());
        }
    }

    #[test]
    fn shares_by_hand() {
        let of = |text: &str, position, score| text.parse::<Policy>().unwrap().share(position, score);
        assert_eq!(of("rank-geometric", 1, 0.3), Some(1.0));
        assert_eq!(of("rank-geometric", 3, 0.3), Some(0.25));
        assert_eq!(of("rank-geometric", 20, 0.3), Some(0.5_f64.powi(19)));
        assert_eq!(of("rank-geometric", 21, 0.3), None);
        assert_eq!(of("winner-take-all", 1, 0.3), Some(1.0));
        assert_eq!(of("winner-take-all", 2, 0.3), None);
        assert_eq!(of("top-k-equal(k=2)", 2, 0.3), Some(1.0));
        assert_eq!(of("top-k-equal(k=2)", 3, 0.3), None);
        assert_eq!(of("score-proportional", 900, 0.3), Some(0.3));
        // The smallest share of all is a number.
        assert!(of("rank-geometric(ratio=0.1, top=256)", 256, 0.3).unwrap() > 1e-256);
    }
}
