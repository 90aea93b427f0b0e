//! Whether a completed run takes a rank, and which one.
//!
//! The estimate of a code length stands whatever the claims are; a rank needs more: claims that are true. So what is
//! ranked exists only where a rank is taken. There is no field that a leaderboard could read beside a flag that it
//! forgot. Called once, when a run is concluded, and by `prism verify`.

use serde::{Deserialize, Serialize};

/// What the audits of the stream say about its claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claims {
    /// They are what the weights predict, as far as the recipe asks.
    True,
    /// They are not.
    Untrue,
    /// Nothing was audited: nobody knows.
    Unaudited,
}

impl Claims {
    /// From `audits` audits that differ from their claims by `rms_nats` (root mean square), where at most `most_nats`
    /// are allowed. What is not known to be true is untrue: NaN is below no bound.
    pub fn of(audits: u64, rms_nats: f64, most_nats: f64) -> Self {
        if audits == 0 {
            Self::Unaudited
        } else if rms_nats <= most_nats {
            Self::True
        } else {
            Self::Untrue
        }
    }
}

crate::words! {
    /// Why a completed run takes no rank.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum NoRank, code {
        ClaimsUntrue = "claims_untrue"
            => "what it claimed and what its weights predict differ by more than the recipe allows",
        NoAudits = "no_audits" => "nothing of it was audited, so nothing says that its claims are true",
    }
}

/// Where a completed run stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Standing {
    /// It takes a rank, with these two figures.
    Ranked {
        /// What is ranked, in bits per byte: `bpb + 3 se`.
        bpb_ranked: f64,
        /// The score, higher is better.
        final_score: f64,
    },
    /// It takes none.
    NoRank(NoRank),
}

impl Standing {
    /// What is ranked, of a run that takes a rank.
    pub fn bpb_ranked(&self) -> Option<f64> {
        match self {
            Self::Ranked { bpb_ranked, .. } => Some(*bpb_ranked),
            Self::NoRank(_) => None,
        }
    }

    /// The score, of a run that takes a rank.
    pub fn final_score(&self) -> Option<f64> {
        match self {
            Self::Ranked { final_score, .. } => Some(*final_score),
            Self::NoRank(_) => None,
        }
    }

    /// Why it takes no rank, if it takes none.
    pub fn no_rank(&self) -> Option<NoRank> {
        match self {
            Self::Ranked { .. } => None,
            Self::NoRank(why) => Some(*why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_true_only_where_audits_say_so() {
        assert_eq!(Claims::of(1000, 0.0, 0.02), Claims::True);
        assert_eq!(Claims::of(1000, 0.02, 0.02), Claims::True);
        assert_eq!(Claims::of(1000, 0.020_000_1, 0.02), Claims::Untrue);
        for unknown in [f64::NAN, f64::INFINITY] {
            assert_eq!(Claims::of(1000, unknown, 0.02), Claims::Untrue);
        }
        assert_eq!(Claims::of(1000, 0.0, f64::NAN), Claims::Untrue);
        assert_eq!(Claims::of(0, 0.0, 0.02), Claims::Unaudited);
    }

    #[test]
    fn a_run_without_a_rank_has_no_figure_that_could_be_ranked() {
        let ranked = Standing::Ranked {
            bpb_ranked: 2.0,
            final_score: 0.33,
        };
        assert_eq!(
            (ranked.bpb_ranked(), ranked.final_score()),
            (Some(2.0), Some(0.33))
        );
        assert_eq!(ranked.no_rank(), None);
        for why in [NoRank::ClaimsUntrue, NoRank::NoAudits] {
            let none = Standing::NoRank(why);
            assert_eq!((none.bpb_ranked(), none.final_score()), (None, None));
            assert_eq!(none.no_rank(), Some(why));
            assert_eq!(NoRank::parse(why.code()), Some(why));
            let json = serde_json::to_string(&none).unwrap();
            assert_eq!(json, format!("{{\"no_rank\":\"{}\"}}", why.code()));
            assert_eq!(serde_json::from_str::<Standing>(&json).unwrap(), none);
        }
        let json = serde_json::to_string(&ranked).unwrap();
        assert_eq!(json, r#"{"ranked":{"bpb_ranked":2.0,"final_score":0.33}}"#);
    }
}
