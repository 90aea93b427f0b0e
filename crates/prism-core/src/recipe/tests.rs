//! Recipes that parse, and those that are refused.

use super::*;

#[test]
fn built_in_recipes_parse_and_survive_a_round_trip() {
    for recipe in [Recipe::official(), Recipe::demo(), Recipe::small()] {
        let again = Recipe::parse(&recipe.to_toml()).unwrap();
        assert_eq!(recipe, again);
        assert_eq!(recipe.sha256(), again.sha256());
        assert_eq!(
            serde_json::from_str::<Recipe>(&recipe.canonical_json()).unwrap(),
            recipe
        );
    }
    assert_ne!(Recipe::official().sha256(), Recipe::demo().sha256());
}

#[test]
fn a_changed_constant_changes_the_hash() {
    let mut recipe = Recipe::demo();
    let before = recipe.sha256();
    recipe.audit.rate_per_byte *= 1.000_000_1;
    assert_ne!(recipe.sha256(), before);
}

#[test]
fn an_official_stream_is_long_enough_to_rank() {
    let recipe = Recipe::official();
    let bpb = recipe.bundle.allowance_bytes as f64 * 8.0 / recipe.stream.max_bytes as f64;
    assert!(bpb <= recipe.bundle.max_allowance_bpb);
}

#[test]
fn a_recipe_whose_stream_holds_too_few_steps_is_refused() {
    let mut recipe = Recipe::demo();
    assert_eq!(recipe.stream.min_targets_per_step, 512);
    for (max_bytes, fits) in [(51_199, false), (51_200, true), (511, false), (1, false)] {
        recipe.stream.max_bytes = max_bytes;
        let refused = recipe.check().err().map(|error| error.told());
        assert_eq!(refused.is_none(), fits, "{max_bytes}: {refused:?}");
        let says = |text: String| {
            text.contains(&format!(
                "`stream.max_bytes` in the recipe is {max_bytes}, which is less than 51200; "
            ))
        };
        assert!(refused.is_none_or(says));
    }
    // Where a step may have a thousandth of the stream at most, the stream must hold a thousand.
    recipe.stream.max_step_ppm = 1_000;
    for (max_bytes, fits) in [(51_200, false), (511_999, false), (512_000, true)] {
        recipe.stream.max_bytes = max_bytes;
        let refused = recipe.check().err().map(|error| error.told());
        assert_eq!(refused.is_none(), fits, "{max_bytes}");
        assert!(refused.is_none_or(|text| text.contains("less than 512000; ")));
    }
    recipe.stream.min_targets_per_step = u64::MAX;
    recipe.stream.max_bytes = u64::MAX;
    assert!(
        recipe.check().is_err(),
        "a product that overflows is no small one"
    );
}

#[test]
fn rows_of_a_step_are_those_that_both_bounds_allow() {
    let stream = Recipe::official().stream;
    // Two rows are below the least step, three above the most: neither may be advised.
    assert_eq!(stream.step_targets(220_000), (2_048, 2_200));
    for (total, seq_len, rows) in [
        (220_000, 1_023, None),
        (220_000, 128, Some((16, 17))),
        (220_000, 2_100, Some((1, 1))),
        (450_000, 1_023, Some((3, 4))),
        (1_000_000_000, 1_023, Some((3, 1_024))),
        (1_000_000_000, 1, None),
        (204_800, 2_048, Some((1, 1))),
        (0, 1, Some((1, 1))),
    ] {
        assert_eq!(stream.step_rows(total, seq_len), rows, "{total} {seq_len}");
    }
}

#[test]
fn a_heldout_sample_that_is_hardly_audited_is_refused() {
    let mut recipe = Recipe::demo();
    recipe.heldout.val_bytes = 10_000;
    for (gap_bytes, rate, fits) in [
        (10_000, 2e-3, true),
        (10_000, 1.9e-3, false),
        (9_000, 2e-3, false),
        (0, 2e-3, true),
    ] {
        (recipe.heldout.gap_bytes, recipe.heldout.rate_per_byte) = (gap_bytes, rate);
        assert_eq!(recipe.check().is_ok(), fits, "{gap_bytes} {rate}");
    }
}

#[test]
fn missing_unknown_and_absurd_values_are_refused() {
    let good = DEMO_TOML;
    assert!(Recipe::parse(good).is_ok());
    let bad = [
        good.replace("max_bytes = 1_000_000", ""),
        good.replace("[audit]", "[audit]\nsurprise = 1"),
        good.replace("schema = 1", "schema = 2"),
        good.replace("rate_per_byte = 1e-3", "rate_per_byte = 0.0"),
        good.replace("rate_per_byte = 1e-3", "rate_per_byte = nan"),
        good.replace("rate_per_byte = 1e-3", "rate_per_byte = 1.5"),
        good.replace("smoothing = 1e-6", "smoothing = 0.0"),
        good.replace("device = \"cpu\"", "device = \"tpu\""),
        good.replace("max_seq_len = 4_096", "max_seq_len = 4_097"),
        good.replace("min_targets_per_step = 512", "min_targets_per_step = -1"),
        good.replace("claims_rms_nats = 0.02", ""),
        good.replace("claims_rms_nats = 0.02", "claims_rms_nats = 0.0"),
        good.replace("claims_rms_nats = 0.02", "claims_rms_nats = -0.02"),
        good.replace("claims_rms_nats = 0.02", "claims_rms_nats = inf"),
        good.replace("claims_rms_nats = 0.02", "claims_rms_nats = nan"),
        "x".repeat(RECIPE_BYTES_MAX + 1),
    ];
    for text in bad {
        assert_ne!(text, good, "the replacement must have matched");
        assert!(Recipe::parse(&text).is_err(), "{text}");
    }
}
