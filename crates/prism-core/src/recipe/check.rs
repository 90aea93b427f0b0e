//! The ranges of a recipe: what is refused when a recipe is made, not when a bundle meets it.
//!
//! Called wherever a recipe is read, and after flags have changed one. Never changes anything.

use super::{Device, HeldOutConstants, Recipe, RecipeError, SCHEMA, StreamLimits};

/// So many of its least steps a recipe's longest stream must hold.
const LEAST_STEPS: u64 = 100;
/// Fewer audits than this, expected of a held-out sample, say too little about its error.
const LEAST_HELDOUT_AUDITS: f64 = 20.0;

impl StreamLimits {
    /// Whether the longest stream has room for a hundred of the least steps, a target being a byte: a recipe that no
    /// bundle can satisfy is refused when it is made. Fewer steps would make each one worth too much.
    fn holds_enough_steps(&self) -> bool {
        let (least, most) = self.step_targets(self.max_bytes);
        self.min_targets_per_step
            .checked_mul(LEAST_STEPS)
            .is_some_and(|targets| targets <= self.max_bytes)
            && least <= most
    }

    /// The shortest longest stream that has.
    fn least_max_bytes(&self) -> u64 {
        let one_step = u128::from(self.min_targets_per_step) * 1_000_000;
        let one_step = one_step.div_ceil(u128::from(self.max_step_ppm.max(1)));
        let all_steps = u128::from(self.min_targets_per_step) * u128::from(LEAST_STEPS);
        u64::try_from(one_step.max(all_steps)).unwrap_or(u64::MAX)
    }
}

impl HeldOutConstants {
    /// Whether each sample that is measured is audited often enough for its error to mean something.
    fn audits_enough(&self) -> bool {
        [self.val_bytes, self.gap_bytes]
            .into_iter()
            .all(|bytes| bytes == 0 || bytes as f64 * self.rate_per_byte >= LEAST_HELDOUT_AUDITS)
    }
}

impl Recipe {
    /// Checks every range. Also called after flags have changed a field.
    pub fn check(&self) -> Result<(), RecipeError> {
        if self.schema != SCHEMA {
            return Err(RecipeError::Schema(self.schema));
        }
        let (s, a, c) = (&self.stream, &self.audit, &self.compute);
        let positive = |value: u64| value > 0;
        let rate = |value: f64| value > 0.0 && value <= 1.0;
        let k = &self.score;
        #[rustfmt::skip]
        let checks: &[(bool, &'static str, String, &'static str)] = &[
            (!self.name.is_empty() && self.name.len() <= 64, "name", self.name.clone(), "1 to 64 characters"),
            (positive(s.max_bytes), "stream.max_bytes", s.max_bytes.to_string(), "at least 1"),
            (s.holds_enough_steps(), "stream.max_bytes", format!("{}, which is less than {}", s.max_bytes, s.least_max_bytes()), "at least a hundred times stream.min_targets_per_step, and enough that stream.max_step_ppm allows one such step"),
            (positive(s.min_targets_per_step), "stream.min_targets_per_step", s.min_targets_per_step.to_string(), "at least 1"),
            ((1..=1_000_000).contains(&s.max_step_ppm), "stream.max_step_ppm", s.max_step_ppm.to_string(), "1 to 1000000"),
            ((1..=1024).contains(&s.max_batch_size), "stream.max_batch_size", s.max_batch_size.to_string(), "1 to 1024"),
            ((1..=4096).contains(&s.max_seq_len), "stream.max_seq_len", s.max_seq_len.to_string(), "1 to 4096"),
            ((257..=131_072).contains(&s.max_vocab_size), "stream.max_vocab_size", s.max_vocab_size.to_string(), "257 to 131072"),
            ((1..=s.max_seq_len).contains(&s.default_seq_len), "stream.default_seq_len", s.default_seq_len.to_string(), "1 to stream.max_seq_len"),
            ((1..=31_536_000).contains(&self.budget.time_limit_seconds), "budget.time_limit_seconds", self.budget.time_limit_seconds.to_string(), "1 to 31536000"),
            (self.budget.max_steps != Some(0), "budget.max_steps", "0".into(), "absent or at least 1"),
            (self.budget.max_tokens != Some(0), "budget.max_tokens", "0".into(), "absent or at least 1"),
            (rate(a.rate_per_byte), "audit.rate_per_byte", a.rate_per_byte.to_string(), "above 0, at most 1"),
            ((1..=4096).contains(&a.step0_audits), "audit.step0_audits", a.step0_audits.to_string(), "1 to 4096"),
            ((1..=1024).contains(&a.hidden_terms), "audit.hidden_terms", a.hidden_terms.to_string(), "1 to 1024"),
            ((1..=64).contains(&a.repeats), "audit.repeats", a.repeats.to_string(), "1 to 64"),
            (a.repeat_tolerance_nats >= 0.0 && a.repeat_tolerance_nats.is_finite(), "audit.repeat_tolerance_nats", a.repeat_tolerance_nats.to_string(), "0 or more"),
            (self.bundle.max_allowance_bpb > 0.0, "bundle.max_allowance_bpb", self.bundle.max_allowance_bpb.to_string(), "above 0"),
            ((1..=150_000_000).contains(&self.caps.max_params), "caps.max_params", self.caps.max_params.to_string(), "1 to 150000000"),
            ((64..=600_000_000).contains(&self.caps.max_snapshot_bytes), "caps.max_snapshot_bytes", self.caps.max_snapshot_bytes.to_string(), "64 to 600000000"),
            (rate(self.heldout.rate_per_byte), "heldout.rate_per_byte", self.heldout.rate_per_byte.to_string(), "above 0, at most 1"),
            (self.heldout.audits_enough(), "heldout.rate_per_byte", self.heldout.rate_per_byte.to_string(), "enough for 20 audits of heldout.val_bytes and of heldout.gap_bytes"),
            (k.smoothing > 0.0 && k.smoothing < 0.1, "score.smoothing", k.smoothing.to_string(), "above 0, below 0.1"),
            (k.se_multiplier >= 0.0 && k.se_multiplier.is_finite(), "score.se_multiplier", k.se_multiplier.to_string(), "0 or more"),
            ((0.0..=1.0).contains(&k.delta_weight), "score.delta_weight", k.delta_weight.to_string(), "0 to 1"),
            (k.tie_window_bpb >= 0.0 && k.tie_window_bpb.is_finite(), "score.tie_window_bpb", k.tie_window_bpb.to_string(), "0 or more"),
            (k.gap_threshold_bpb >= 0.0, "score.gap_threshold_bpb", k.gap_threshold_bpb.to_string(), "0 or more"),
            ((0.0..=1.0).contains(&k.gap_penalty), "score.gap_penalty", k.gap_penalty.to_string(), "0 to 1"),
            ((0.0..=1.0).contains(&k.step0_fraction), "score.step0_fraction", k.step0_fraction.to_string(), "0 to 1"),
            (k.claims_rms_nats > 0.0 && k.claims_rms_nats.is_finite(), "score.claims_rms_nats", k.claims_rms_nats.to_string(), "above 0 and finite"),
            (k.claims_differ_nats > 0.0, "score.claims_differ_nats", k.claims_differ_nats.to_string(), "above 0"),
            ((1..=1024).contains(&c.threads), "compute.threads", c.threads.to_string(), "1 to 1024"),
            ((c.device == Device::Cuda) == positive(c.gpu_memory_bytes), "compute.gpu_memory_bytes", c.gpu_memory_bytes.to_string(), "0 on the cpu, above 0 on cuda"),
            (positive(self.sandbox.startup_seconds), "sandbox.startup_seconds", "0".into(), "at least 1"),
            (positive(self.sandbox.question_seconds), "sandbox.question_seconds", "0".into(), "at least 1"),
            (self.sandbox.max_log_bytes >= 1024, "sandbox.max_log_bytes", self.sandbox.max_log_bytes.to_string(), "at least 1024"),
        ];
        match checks.iter().find(|(ok, ..)| !ok) {
            None => Ok(()),
            Some((_, field, value, expected)) => Err(RecipeError::Range {
                field,
                value: value.clone(),
                expected,
            }),
        }
    }
}
