//! The paired block bootstrap: how far the difference of two code lengths may be chance.
//!
//! Two things of a measurement are chance: which text the stream holds, and which targets the audit key drew. For the
//! first, the blocks of the stream are drawn again, as many as there are, with replacement; both runs are added up over the
//! same draw (Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, chapters 13 and 16; Koehn, *Statistical
//! significance tests for machine translation evaluation*, EMNLP 2004, for pairs). Blocks of neighbouring documents, rather
//! than single ones, keep what neighbours have in common together (Carlstein, *Annals of Statistics* 14, 1986). For the
//! second, each draw gets a normal error of the two runs' standard error. The interval holds the middle 95 % of
//! [`RESAMPLES`] draws (percentile method).
//!
//! The draws are the same for every pair and every machine: a fixed seed, a generator of a few lines, rejection instead of
//! remainders. Because they are, the sums over a draw are made once for each run, and a pair costs one subtraction a draw.
//! Those sums are whole numbers; no float is ever added up, so no order of adding matters.
//!
//! Called by [`super::compare`]; knows nothing of ranks.

use super::profile::{CodeProfile, MICRONATS_PER_NAT};
use crate::nats::NATS_PER_BIT;

/// How many times the blocks are drawn.
pub const RESAMPLES: usize = 2_000;
/// Draws outside of the interval, on each side: 2.5 %.
const TAIL: usize = RESAMPLES / 40;
/// Fewer blocks than this say too little about text that was not drawn.
pub const BLOCKS_MIN: usize = 30;
/// Fixed for all rounds: `PRISM` and a version.
const SEED: u64 = 0x5052_4953_4d00_0001;
/// Runs whose draws are added up together.
const LANES: usize = 4;

/// An interval of a difference, in bits per byte of the stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low_bpb: f64,
    /// Its upper end.
    pub high_bpb: f64,
}

impl Interval {
    /// Whether no difference at all is among what it holds.
    pub fn holds_zero(&self) -> bool {
        self.low_bpb <= 0.0 && self.high_bpb >= 0.0
    }
}

/// The draws for streams of one number of blocks.
pub(super) struct Draws {
    blocks: usize,
    /// [`RESAMPLES`] rows of as many numbers of blocks as there are blocks.
    rows: Vec<u16>,
    /// One standard normal number a row.
    normals: Vec<f64>,
}

/// What one run saved in each draw, in millionths of a nat.
pub(super) struct Totals(Vec<i64>);

impl Draws {
    /// Draws for this many blocks, of which there are at least one and at most [`super::profile::BLOCKS_MAX`].
    pub(super) fn new(blocks: usize) -> Self {
        let mut generator = SplitMix64(SEED);
        let count = blocks as u64;
        let rows = (0..RESAMPLES * blocks)
            .map(|_| u16::try_from(generator.below(count)).unwrap_or(u16::MAX))
            .collect();
        // Two at a time (Box and Muller, 1958), with the same arithmetic on every machine.
        let normals = (0..RESAMPLES.div_ceil(2))
            .flat_map(|_| {
                let radius = libm::sqrt(-2.0 * libm::log(generator.unit()));
                let angle = std::f64::consts::TAU * generator.unit();
                [radius * libm::cos(angle), radius * libm::sin(angle)]
            })
            .take(RESAMPLES)
            .collect();
        Self {
            blocks,
            rows,
            normals,
        }
    }

    /// Adds up each run over each draw. All have as many blocks as this.
    pub(super) fn totals(&self, runs: &[&CodeProfile]) -> Vec<Totals> {
        let mut all = Vec::with_capacity(runs.len());
        for some in runs.chunks(LANES) {
            // Block by block, so that one look at a block serves them all.
            let mut saved = vec![[0_i64; LANES]; self.blocks];
            for (lane, run) in some.iter().enumerate() {
                for (block, &micronats) in saved.iter_mut().zip(run.saved_micronats()) {
                    block[lane] = micronats;
                }
            }
            let mut totals = vec![Vec::with_capacity(RESAMPLES); some.len()];
            for row in self.rows.chunks_exact(self.blocks) {
                let mut sums = [0_i64; LANES];
                for &block in row {
                    let block = &saved[usize::from(block)];
                    for (sum, micronats) in sums.iter_mut().zip(block) {
                        *sum += micronats;
                    }
                }
                for (total, sum) in totals.iter_mut().zip(sums) {
                    total.push(sum);
                }
            }
            all.extend(totals.into_iter().map(Totals));
        }
        all
    }

    /// The interval of what `run` costs more than `base`.
    pub(super) fn interval(&self, run: (&CodeProfile, &Totals), base: (&CodeProfile, &Totals)) -> Interval {
        let mut differences: Vec<f64> = self.differences(run, base).collect();
        // `TAIL` draws lie below the one, and as many above the other.
        let (_, low, above) = differences.select_nth_unstable_by(TAIL, f64::total_cmp);
        let low = *low;
        let (_, high, _) = above.select_nth_unstable_by(RESAMPLES - 2 * TAIL - 2, f64::total_cmp);
        let bpb =
            |micronats: f64| micronats / MICRONATS_PER_NAT / NATS_PER_BIT / run.0.head().stream_bytes as f64;
        Interval {
            low_bpb: bpb(low),
            high_bpb: bpb(*high),
        }
    }

    /// Whether that interval holds zero; the same answer for less.
    pub(super) fn holds_zero(&self, run: (&CodeProfile, &Totals), base: (&CodeProfile, &Totals)) -> bool {
        let (mut below, mut above) = (0, 0);
        for difference in self.differences(run, base) {
            below += usize::from(difference <= 0.0);
            above += usize::from(difference >= 0.0);
        }
        below > TAIL && above > TAIL
    }

    /// What `run` costs more than `base` in each draw, in millionths of a nat.
    fn differences<'d>(
        &'d self,
        run: (&CodeProfile, &'d Totals),
        base: (&CodeProfile, &'d Totals),
    ) -> impl Iterator<Item = f64> + 'd {
        let (of_run, of_base) = (run.0.head(), base.0.head());
        // The audits and the bundle concern no block.
        let bundle_bits = of_run.bundle_bits as f64 - of_base.bundle_bits as f64;
        let nats = of_run.correction_nats - of_base.correction_nats + bundle_bits * NATS_PER_BIT;
        let fixed = nats * MICRONATS_PER_NAT;
        let error = libm::hypot(of_run.se_nats, of_base.se_nats) * MICRONATS_PER_NAT;
        let pairs = run.1.0.iter().zip(&base.1.0).zip(&self.normals);
        pairs.map(move |((run, base), normal)| (base - run) as f64 + (fixed + error * normal))
    }
}

/// `SplitMix64` (Steele, Lea and Flood, *Fast splittable pseudorandom number generators*, OOPSLA 2014): a counter and a
/// mixing function. Nobody gains by foreseeing these numbers: they are public.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A uniform number below `n`, which is not 0, by rejection.
    fn below(&mut self, n: u64) -> u64 {
        let zone = u64::MAX - u64::MAX % n;
        loop {
            let bits = self.next();
            if bits < zone {
                return bits % n;
            }
        }
    }

    /// A uniform number above 0 and up to 1, of 53 bits.
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ranking::testing::{bits_profile, profile};

    fn interval(run: &CodeProfile, base: &CodeProfile) -> Interval {
        let draws = Draws::new(run.saved_micronats().len());
        let totals = draws.totals(&[run, base]);
        let (run, base) = ((run, &totals[0]), (base, &totals[1]));
        let interval = draws.interval(run, base);
        assert_eq!(interval.holds_zero(), draws.holds_zero(run, base));
        assert!(interval.low_bpb <= interval.high_bpb);
        interval
    }

    #[test]
    fn the_generator_gives_the_published_numbers() {
        let mut generator = SplitMix64(1_234_567);
        let first = [(); 5].map(|()| generator.next());
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ]
        );
    }

    #[test]
    fn draws_are_fixed_uniform_and_normal() {
        let draws = Draws::new(50);
        assert_eq!(draws.rows, Draws::new(50).rows);
        let mut counts = [0_u32; 50];
        for &block in &draws.rows {
            counts[usize::from(block)] += 1;
        }
        // Each is expected 2,000 times, with a standard deviation of 45.
        assert!(
            counts.iter().all(|count| (1_750..2_250).contains(count)),
            "{counts:?}"
        );
        let n = RESAMPLES as f64;
        let mean = draws.normals.iter().sum::<f64>() / n;
        let variance = draws.normals.iter().map(|z| z * z).sum::<f64>() / n;
        assert!(
            mean.abs() < 0.1 && (variance - 1.0).abs() < 0.1,
            "{mean} {variance}"
        );
        let beyond = draws.normals.iter().filter(|z| z.abs() > 1.96).count();
        assert!((70..130).contains(&beyond), "{beyond}");
    }

    #[test]
    fn equal_runs_do_not_differ_and_a_constant_is_seen_however_small() {
        let base = profile(60, |block| (block % 7) as f64 * 50.0);
        let same = interval(&base, &base);
        assert_eq!((same.low_bpb, same.high_bpb), (0.0, 0.0));
        assert!(same.holds_zero());
        // The texts differ much, the runs by the same little everywhere.
        let worse = profile(60, |block| (block % 7) as f64 * 50.0 + 0.1);
        let found = interval(&worse, &base);
        assert!(
            !found.holds_zero() && found.low_bpb > 0.9e-4 && found.high_bpb < 1.1e-4,
            "{found:?}"
        );
        assert!(!interval(&base, &worse).holds_zero());
    }

    #[test]
    fn the_interval_is_that_of_the_mean_of_its_blocks() {
        // Half of the blocks cost 10 bits more and half 10 bits less than one bit more: 1 +- 2 * 10 / sqrt(400).
        let base = profile(400, |_| 0.0);
        let mixed = profile(400, |block| if block % 2 == 0 { 11.0 } else { -9.0 });
        let found = interval(&mixed, &base);
        let per_block = |bpb: f64| bpb * 1_000.0;
        assert!((per_block(found.low_bpb) - 0.02).abs() < 0.1, "{found:?}");
        assert!((per_block(found.high_bpb) - 1.98).abs() < 0.1, "{found:?}");
    }

    #[test]
    fn the_error_of_the_audits_widens_it_and_bundle_and_correction_move_it() {
        let base = bits_profile(100, 0, 0.0, 0.0, |_| 0.0);
        let with = |bundle_bits, correction_bits, se_bits| {
            interval(
                &bits_profile(100, bundle_bits, correction_bits, se_bits, |_| 0.0),
                &base,
            )
        };
        // Of 100,000 bytes.
        let moved = with(300, 200.0, 0.0);
        assert!(
            (moved.low_bpb - 0.005).abs() < 1e-9 && (moved.high_bpb - 0.005).abs() < 1e-9,
            "{moved:?}"
        );
        let wide = with(300, 200.0, 1_000.0);
        assert!(wide.holds_zero());
        assert!((wide.low_bpb - (0.005 - 0.0196)).abs() < 0.002, "{wide:?}");
        assert!((wide.high_bpb - (0.005 + 0.0196)).abs() < 0.002, "{wide:?}");
        // The errors of both count, in squares.
        let noisy = bits_profile(100, 0, 0.0, 1_000.0, |_| 0.0);
        let both = interval(&noisy, &noisy);
        assert!(
            (both.high_bpb - 0.0196 * 2.0_f64.sqrt()).abs() < 0.003,
            "{both:?}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn runs_added_up_together_are_added_up_as_each_alone(
            costs in prop::collection::vec(prop::collection::vec(-500_i32..500, 31), 1..7),
        ) {
            let runs: Vec<_> = costs
                .iter()
                .map(|costs| profile(31, |block| f64::from(costs[usize::try_from(block).unwrap()])))
                .collect();
            let draws = Draws::new(31);
            let together = draws.totals(&runs.iter().collect::<Vec<_>>());
            for (run, together) in runs.iter().zip(&together) {
                prop_assert_eq!(&draws.totals(&[run])[0].0, &together.0);
            }
        }
    }

    #[test]
    fn about_one_in_twenty_differs_by_chance_alone() {
        // 400 pairs of equal worth whose blocks differ by noise: 20 are expected to differ.
        let mut generator = SplitMix64(1);
        let base = profile(60, |_| 0.0);
        let draws = Draws::new(60);
        let of_base = draws.totals(&[&base]);
        let noisy: Vec<_> = (0..400)
            .map(|_| profile(60, |_| generator.unit() * 100.0 - 50.0))
            .collect();
        let totals = draws.totals(&noisy.iter().collect::<Vec<_>>());
        let pairs = noisy.iter().zip(&totals);
        let differing = pairs
            .filter(|&pair| !draws.holds_zero(pair, (&base, &of_base[0])))
            .count();
        assert!((10..32).contains(&differing), "{differing} of 400");
    }
}
