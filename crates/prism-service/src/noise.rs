//! The noise floor of a round: its reference bundle, measured under fresh seeds.
//!
//! With the sample standard deviation `s` of the bits per byte of `n` runs, two runs of one bundle differ by less than
//! `1.96 * sqrt(2) * s` in 95 of 100 cases (normal approximation). That is the floor: a smaller difference is none.

use prism_store::{
    attempts::Of,
    results,
    rounds::{self, Round},
};

use prism_engine::slot::Slot;

use crate::{
    orders,
    problem::{Result, ServiceProblem},
    random,
    service::Service,
    similar::UPLOAD_BYTES_MAX,
};

/// Fewest runs that give a floor.
pub(crate) const RUNS_MIN: u32 = 3;
/// Most runs that are asked for at once.
pub(crate) const RUNS_MAX: u32 = 50;

/// The floor, in bits per byte.
pub(crate) fn floor_bpb(bpb: &[f64]) -> Option<f64> {
    if bpb.len() < RUNS_MIN as usize {
        return None;
    }
    let count = bpb.len() as f64;
    // In the order of the runs: the same runs give the same bits.
    let mean = bpb.iter().sum::<f64>() / count;
    let squares: f64 = bpb.iter().map(|value| (value - mean) * (value - mean)).sum();
    let deviation = (squares / (count - 1.0)).sqrt();
    Some(1.96 * std::f64::consts::SQRT_2 * deviation)
}

impl Service {
    /// Asks for runs of the reference bundle. They are made when no submission waits.
    pub(crate) fn ask_for_noise(&self, runs: u32) -> Result<Round> {
        let refused = |why: &str| Err(ServiceProblem::Refused(why.to_owned()));
        if !(RUNS_MIN..=RUNS_MAX).contains(&runs) {
            return refused("the noise floor takes 3 to 50 runs");
        }
        let Some(round) = self.store.read(rounds::current)? else {
            return refused("no round is open");
        };
        if round.reference.is_none() {
            return refused(
                "the round has no reference bundle: name one when you open it, with `--reference`",
            );
        }
        self.store.write(move |tx| orders::set_noise_runs(tx, runs))?;
        self.touch();
        Ok(round)
    }

    /// Gives a slot a run of the reference bundle, where some were asked for; stores the floor when all are there.
    pub(crate) fn fill_with_noise(&self, number: usize, slot: &Slot) -> Result<bool> {
        if self.store.read(orders::noise_runs_left)? == 0 {
            return Ok(false);
        }
        let Some(round) = self.store.read(rounds::current)? else {
            // They were of a round that has closed.
            self.store.write(|tx| orders::set_noise_runs(tx, 0))?;
            return Ok(false);
        };
        let Some(reference) = round.reference else {
            return Ok(false);
        };
        let bundle = self.store.blobs().read(&reference, UPLOAD_BYTES_MAX)?;
        self.begin(
            number,
            slot,
            Of::Noise {
                round_id: round.id.clone(),
            },
            &round,
            random::seed()?,
            bundle,
        )?;
        Ok(true)
    }

    /// Stores the floor of what has been measured so far.
    pub(crate) fn store_noise(&self, round_id: &str) -> Result<()> {
        let measured: Vec<f64> = self
            .store
            .read(|tx| results::of_noise(tx, round_id))?
            .iter()
            .filter(|stored| stored.invalidated.is_none())
            .map(|stored| stored.result.bpb)
            .collect();
        if let Some(floor) = floor_bpb(&measured) {
            let id = round_id.to_owned();
            self.store.write(move |tx| rounds::set_noise(tx, &id, floor))?;
            self.touch();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_what_two_runs_of_one_bundle_may_differ_by() {
        assert_eq!(floor_bpb(&[]), None);
        assert_eq!(floor_bpb(&[2.0, 2.0]), None, "too few");
        assert_eq!(floor_bpb(&[2.0, 2.0, 2.0]), Some(0.0));
        // s = 0.1, so that the floor is 0.1 * 1.96 * 1.41421.
        let floor = floor_bpb(&[1.9, 2.0, 2.1]).unwrap();
        assert!((floor - 0.277_186).abs() < 1e-6, "{floor}");
    }
}
