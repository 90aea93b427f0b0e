//! Coverage of the estimator, by simulation: `cargo run --release -p prism-referee --example coverage`.
//!
//! One stream of 40,000 byte targets whose true costs are known; learners that claim honestly, with dropout's noise,
//! nothing at all, lies about some targets, or what a model that sees its targets would. For each 1,000 audit keys.
//! Prints the mean error of the estimate in units of its own standard error of the mean, the mean standard error that
//! a run reports, and how often `bpb + 3 se` falls below the truth.

use prism_core::{nats::Audited, recipe::Recipe};
use prism_referee::{
    account::{Account, Run},
    draws::{AuditKey, Draws, Purpose},
};

const TARGETS: usize = 40_000;
const DRAWS: u32 = 1_000;
/// About 1,000 audits a run.
const RATE_PER_BYTE: f64 = 0.025;

/// Costs as a byte model's are: most targets cheap, a tail of dear ones, falling over the run. In nats.
fn true_costs() -> Vec<f64> {
    let mut noise = Noise::new(1);
    (0..TARGETS)
        .map(|i| {
            let level = 1.3 + 3.0 * (-(i as f64) / 6_000.0).exp();
            // A Gamma(1/2) variable: mean 1/2, long tail.
            let z = noise.normal();
            (level * z * z).min(13.0)
        })
        .collect()
}

/// Deterministic noise, from the same generator as the draws.
struct Noise(Draws);

impl Noise {
    fn new(seed: u8) -> Self {
        Self(Draws::new(&AuditKey::new([seed; 32]), Purpose::Step0))
    }

    fn unit(&mut self) -> f64 {
        // 20 fair bits are plenty for a simulation.
        (0..20).fold(0.0, |sum, bit| {
            sum + if self.0.hit(0.5) {
                0.5_f64.powi(bit + 1)
            } else {
                0.0
            }
        })
    }

    /// Irwin and Hall's sum of twelve.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

#[allow(clippy::cast_possible_truncation, reason = "claims are single precision")]
#[allow(clippy::print_stdout, reason = "printing is what it is for")]
fn main() {
    let truth = true_costs();
    let mut recipe = Recipe::demo();
    recipe.audit.rate_per_byte = RATE_PER_BYTE;
    let mut noise = Noise::new(2);
    let mut claims_of = |kind: &str| -> Vec<f32> {
        let by = |i: usize, cost: f64, noise: &mut Noise| match kind {
            "honest, fp32" => cost + 1e-7 * noise.normal(),
            "honest, bf16 learner" => cost + 1e-2 * noise.normal(),
            "dropout 0.1" => cost + 0.26 * noise.normal(),
            "zero" => 0.0,
            "lies on 30 %" if noise.unit() < 0.3 => 0.0,
            "lies on the dearest 1 %" if cost > 11.0 => 0.0,
            "lies on half, by place" if i.is_multiple_of(2) => 0.0,
            "one step of 240" if (20_000..20_000 + TARGETS / 240).contains(&i) => 0.0,
            "leak" => 0.05,
            "mask off by one" => 0.6 * cost,
            _ => cost,
        };
        truth
            .iter()
            .enumerate()
            .map(|(i, &cost)| by(i, cost, &mut noise).max(0.0) as f32)
            .collect()
    };
    println!(
        "| claims | claimed bpb | true bpb | mean error / its se | mean se, bpb | below truth: bpb | bpb + 3 se |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for kind in [
        "honest, fp32",
        "honest, bf16 learner",
        "dropout 0.1",
        "zero",
        "lies on 30 %",
        "lies on half, by place",
        "lies on the dearest 1 %",
        "one step of 240",
        "mask off by one",
        "leak",
    ] {
        println!("{}", simulate(kind, &truth, &claims_of(kind), &recipe));
    }
}

fn simulate(kind: &str, truth: &[f64], claims: &[f32], recipe: &Recipe) -> String {
    let run = Run {
        document: 0,
        targets: u32::try_from(TARGETS).unwrap_or(0),
        completes: false,
    };
    let byte_lengths = vec![1_u16; TARGETS];
    let (mut errors, mut ses, mut claimed) = (Vec::new(), 0.0, 0.0);
    let (mut below, mut below_ranked) = (0_u32, 0_u32);
    let mut true_nats = 0.0;
    for key in 0..DRAWS {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&key.to_le_bytes());
        let mut account = Account::new(recipe, 257, &AuditKey::new(bytes), Purpose::Stream);
        let smoothing = *account.smoothing();
        if key == 0 {
            true_nats = truth.iter().map(|&cost| smoothing.apply(cost)).sum();
        }
        for drawn in account.step([run], claims, &byte_lengths) {
            account.audit(&drawn, Audited::Valid(smoothing.apply(truth[drawn.index])));
        }
        let estimate = account.estimate();
        claimed = estimate.claimed_nats;
        errors.push(estimate.nats - true_nats);
        ses += estimate.se_nats;
        // Rounding of honest claims to f32 is no lie: a shortfall below 1e-9 of the whole counts as none.
        let slack = 1e-9 * true_nats;
        below += u32::from(estimate.nats < true_nats - slack);
        below_ranked += u32::from(estimate.nats + 3.0 * estimate.se_nats < true_nats - slack);
    }
    let n = f64::from(DRAWS);
    let mean = errors.iter().sum::<f64>() / n;
    let sd = (errors.iter().map(|error| (error - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let bpb = |nats: f64| nats / std::f64::consts::LN_2 / TARGETS as f64;
    format!(
        "| {kind} | {:.3} | {:.3} | {:+.2} | {:.1e} | {:.1} % | {:.1} % |",
        bpb(claimed),
        bpb(true_nats),
        mean / (sd / n.sqrt()),
        bpb(ses / n),
        100.0 * f64::from(below) / n,
        100.0 * f64::from(below_ranked) / n,
    )
}
