//! The price of one prediction, in nats: smoothing of claims, log-softmax of an auditor's logits.
//!
//! Called by the referee for every target and by `prism verify`. Uses the `libm` crate, and on the road that nearly every
//! target takes nothing but sums and products of doubles, so that every machine gets the same bits; never `f64::exp` or
//! `f64::ln`, whose last bit depends on the platform.

/// `ln 2`, to turn nats into bits.
pub const NATS_PER_BIT: f64 = std::f64::consts::LN_2;

/// The smoothing map `p' = (1 - e) p + e / V`, which keeps every code length finite and a real code.
///
/// It is applied to claims and to audited values alike. In nats: `c' = -ln((1 - e) exp(-c) + e / V)`, clamped to
/// `[0, ln(V / e)]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smoothing {
    epsilon: f64,
    epsilon_over_vocab: f64,
    uniform_nats: f64,
    top_nats: f64,
}

impl Smoothing {
    /// A smoothing of weight `epsilon` (between 0 and 1, both excluded) over `vocab_size` classes.
    pub fn new(epsilon: f64, vocab_size: u32) -> Self {
        let vocab = f64::from(vocab_size);
        Self {
            epsilon,
            epsilon_over_vocab: epsilon / vocab,
            uniform_nats: libm::log(vocab),
            top_nats: libm::log(vocab / epsilon),
        }
    }

    /// `ln V`: what a prediction without information costs, in nats.
    pub fn uniform_nats(&self) -> f64 {
        self.uniform_nats
    }

    /// `ln(V / e)`: the most that one target can cost, in nats.
    pub fn top_nats(&self) -> f64 {
        self.top_nats
    }

    /// The smoothed cost of a prediction that claims `nats` for its target. NaN counts as the top.
    pub fn apply(&self, nats: f64) -> f64 {
        let smoothed = self.apply_fast(nats);
        if smoothed.is_nan() {
            self.apply_slowly(nats)
        } else {
            smoothed
        }
    }

    /// [`Smoothing::apply`] of every claim, into `out`.
    pub fn apply_all(&self, claims: &[f32], out: &mut Vec<f64>) {
        out.clear();
        // Without a branch, so that several claims are computed at once; those that need the other road come after.
        out.extend(claims.iter().map(|&claim| self.apply_fast(f64::from(claim))));
        for (smoothed, &claim) in out.iter_mut().zip(claims) {
            if smoothed.is_nan() {
                *smoothed = self.apply_slowly(f64::from(claim));
            }
        }
    }

    /// The smoothed cost of nearly every claim; NaN for one that needs the slow road.
    #[inline]
    fn apply_fast(&self, nats: f64) -> f64 {
        // c' = c - ln(1 + x) with x = (e / V) exp(c) - e, which is tiny here: three terms of the series are exact to
        // the last bit of a double and save the logarithm on nearly every target. Neither end of the range is in reach:
        // 1 + x is at most exp(c), and c' = ln(V / e) would need an x of one.
        let x = self.epsilon_over_vocab * small_exp(nats) - self.epsilon;
        let smoothed = nats - x * (1.0 - x * (0.5 - x * (1.0 / 3.0)));
        // A probability above one is no prediction: it is priced as certainty, on the slow road.
        #[allow(
            clippy::needless_bitwise_bool,
            reason = "a branch would keep claims from being computed at once"
        )]
        let fast = (nats > 0.0) & (nats < SMALL_NATS) & (x.abs() <= SERIES_BOUND);
        if fast { smoothed } else { f64::NAN }
    }

    fn apply_slowly(&self, nats: f64) -> f64 {
        if nats.is_nan() {
            return self.top_nats;
        }
        let p = libm::exp(-nats.max(0.0));
        let smoothed = -libm::log((1.0 - self.epsilon) * p + self.epsilon_over_vocab);
        smoothed.clamp(0.0, self.top_nats)
    }
}

/// Above this claim the series is not tried.
const SMALL_NATS: f64 = 12.0;
/// The series `x - x^2/2 + x^3/3` is exact to 3e-18 for |x| up to this.
const SERIES_BOUND: f64 = 6e-5;

/// `exp(x)` for x between 0 and [`SMALL_NATS`], to 2e-14 of itself, in sums and products alone; outside some number.
///
/// `libm::exp` is exact to the last bit and would take half of the referee's time on a stream. The correction that this
/// one feeds is below 1e-4, so that what is lost is below the last bit of the result.
#[inline]
fn small_exp(x: f64) -> f64 {
    // exp(x) = 2^k exp(r) with |r| <= ln(2) / 2. Added to 1.5 * 2^52, a small number is rounded to a whole one, which
    // then stands in the last bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let shifted = x * std::f64::consts::LOG2_E + ROUND;
    let r = x - (shifted - ROUND) * std::f64::consts::LN_2;
    let power_of_two = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1_f64.to_bits()));
    // Two short chains of the series, even and odd powers, instead of a long one.
    let square = r * r;
    let (mut even, mut odd) = (0.0, 0.0);
    for pair in SERIES {
        even = even * square + pair[0];
        odd = odd * square + pair[1];
    }
    (even + r * odd) * power_of_two
}

/// `1/n!` for n = 10 and 11, 8 and 9, and so on down to 0 and 1.
const SERIES: [[f64; 2]; 6] = [
    [1.0 / 3_628_800.0, 1.0 / 39_916_800.0],
    [1.0 / 40_320.0, 1.0 / 362_880.0],
    [1.0 / 720.0, 1.0 / 5_040.0],
    [1.0 / 24.0, 1.0 / 120.0],
    [1.0 / 2.0, 1.0 / 6.0],
    [1.0, 1.0],
];

/// What an auditor's logits say about the hidden target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Audited {
    /// The smoothed cost of the target, in nats.
    Valid(f64),
    /// NaN, +inf or nothing but -inf among the logits, or a wrong number of them: charged as uniform.
    Invalid(f64),
}

impl Audited {
    /// The charge, in nats.
    pub fn nats(self) -> f64 {
        match self {
            Self::Valid(nats) | Self::Invalid(nats) => nats,
        }
    }
}

/// Log-softmax in `f64`, in index order, of `logits` at `target`, then smoothing.
///
/// -inf means probability zero. NaN, +inf, all -inf or a wrong width cost `ln V`.
pub fn audited_nats(logits: &[f32], target: u32, vocab_size: u32, smoothing: &Smoothing) -> Audited {
    let invalid = Audited::Invalid(smoothing.uniform_nats());
    if u32::try_from(logits.len()) != Ok(vocab_size) {
        return invalid;
    }
    let Some(&of_target) = usize::try_from(target).ok().and_then(|target| logits.get(target)) else {
        return invalid;
    };
    let mut top = f32::NEG_INFINITY;
    for &logit in logits {
        if logit.is_nan() || logit == f32::INFINITY {
            return invalid;
        }
        top = top.max(logit);
    }
    if top == f32::NEG_INFINITY {
        return invalid;
    }
    let top = f64::from(top);
    let mut sum = 0.0;
    for &logit in logits {
        sum += libm::exp(f64::from(logit) - top);
    }
    let nats = libm::log(sum) - (f64::from(of_target) - top);
    Audited::Valid(smoothing.apply(nats))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn smoothing() -> Smoothing {
        Smoothing::new(1e-6, 257)
    }

    #[test]
    fn hostile_claims_are_priced_inside_the_range() {
        let s = smoothing();
        assert_eq!(s.apply(f64::NAN), s.top_nats());
        assert_eq!(s.apply(f64::INFINITY), s.top_nats());
        assert_eq!(s.apply(-5.0), s.apply(0.0));
        assert_eq!(s.apply(f64::NEG_INFINITY), s.apply(0.0));
        assert!(s.apply(0.0) > 0.0, "certainty is never free");
        assert!((s.apply(0.0) - 1e-6).abs() < 1e-8);
    }

    #[test]
    fn hostile_logits_are_charged_as_uniform() {
        let s = Smoothing::new(1e-6, 3);
        let uniform = libm::log(3.0);
        let cases: [&[f32]; 6] = [
            &[f32::NAN, 0.0, 0.0],
            &[f32::INFINITY, 0.0, 0.0],
            &[f32::NEG_INFINITY; 3],
            &[0.0, 0.0],
            &[0.0; 4],
            &[],
        ];
        for logits in cases {
            assert_eq!(
                audited_nats(logits, 0, 3, &s),
                Audited::Invalid(uniform),
                "{logits:?}"
            );
        }
        assert_eq!(
            audited_nats(&[0.0; 3], 3, 3, &s),
            Audited::Invalid(uniform),
            "target out of range"
        );
        let zero = audited_nats(&[f32::NEG_INFINITY, 0.0, 0.0], 0, 3, &s);
        assert_eq!(zero, Audited::Valid(s.top_nats()));
        let extreme = audited_nats(&[f32::MAX, f32::MIN, 0.0], 1, 3, &s);
        assert_eq!(extreme, Audited::Valid(s.top_nats()));
    }

    proptest! {
        #[test]
        fn both_roads_agree(nats in 0.0_f64..40.0, vocab in 2_u32..131_072, power in 3_i32..9) {
            let s = Smoothing::new(10.0_f64.powi(-power), vocab);
            let (fast, slow) = (s.apply(nats), s.apply_slowly(nats));
            prop_assert!((fast - slow).abs() <= 1e-14 * (1.0 + slow), "{fast} {slow}");
        }

        #[test]
        fn many_claims_are_priced_as_each_alone(
            claims in prop::collection::vec(prop_oneof![0.0_f32..16.0, any::<f32>()], 0..40),
            vocab in 2_u32..131_072,
        ) {
            let s = Smoothing::new(1e-6, vocab);
            let mut all = vec![7.0];
            s.apply_all(&claims, &mut all);
            let each: Vec<u64> = claims.iter().map(|&claim| s.apply(f64::from(claim)).to_bits()).collect();
            prop_assert_eq!(all.iter().map(|nats| nats.to_bits()).collect::<Vec<_>>(), each);
            prop_assert!(all.iter().all(|nats| (0.0..=s.top_nats()).contains(nats)));
        }

        #[test]
        fn the_short_exponential_is_good_to_fourteen_digits(x in 0.0..SMALL_NATS) {
            let (short, exact) = (small_exp(x), libm::exp(x));
            prop_assert!((short - exact).abs() <= 2e-14 * exact, "{short} {exact}");
        }

        #[test]
        fn smoothing_keeps_the_order(a in 0.0_f64..40.0, b in 0.0_f64..40.0) {
            let s = smoothing();
            if a < b {
                prop_assert!(s.apply(a) <= s.apply(b) + 1e-15);
            }
        }

        #[test]
        fn smoothed_probabilities_sum_to_one(logits in prop::collection::vec(-30.0_f32..30.0, 2..300)) {
            let vocab = u32::try_from(logits.len()).unwrap();
            let s = Smoothing::new(1e-6, vocab);
            let sum: f64 = (0..vocab).map(|t| (-audited_nats(&logits, t, vocab, &s).nats()).exp()).sum();
            prop_assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        }
    }
}
