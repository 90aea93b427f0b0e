//! The kept snapshot: one of the last tenth of a run's steps, drawn by the audit key, however the run ends.
//!
//! The memorisation gap is measured under it. Weights that are emptied before the end would show no gap, so nobody but
//! the key may know which weights are measured: a submission that hides what it has memorised must hide it in all of
//! the last tenth, and pays for that in its code length.
//!
//! **The draw.** How many steps a run makes is known when it ends, so the choice is made anew at every step, with two
//! snapshots kept at most (sampling from a sliding window, after Braverman, Ostrovsky and Zaniolo, 2009). After N steps
//! the window is the last `w(N) = ceil(N / 10)` of them; it starts at `s(N) = N - w(N)`. Steps are cut into blocks: a
//! new one begins when the window has left the block before the present one behind, which is when `s(N)` has reached
//! the start `b` of the present one. Of either block one step is kept, and each is uniform over its block: of the
//! present one by a reservoir (the c-th step replaces the kept one with probability `1 / c`). At the end let `m` be the
//! length of the block before, `a = b - s(N)` the number of its steps that are in the window, `c = N - b` the length of
//! the present block, so that `w = a + c`. Its kept step `x` is in the window with probability `a / m`. If so, `x` is
//! taken with probability `m / w`; else the present block's step is. So a step of the block before is taken with
//! probability `1/m * m/w = 1/w`; one of the present block with `(1 - a/m * m/w) / c = (w - a) / (w c) = 1/w`. Every
//! step of the window is drawn with exactly the same probability. (`m <= w`, because a block is cut when its length is the
//! window's, and windows never shrink.)
//!
//! **No tell-tale.** Every snapshot is copied into a spare buffer once its batch is out, while the learner trains on
//! it, and what the key decides afterwards only swaps buffers: a step whose snapshot is kept takes as long as any other.
//! That is why the buffers are memory and not files: writing to a disk could be heard. They are as large as the model
//! is, not as the recipe allows.
//!
//! **Which text.** The train documents that were newest at that step ([`crate::newest`]): those that the kept weights have
//! just been trained on. Those that are newest at the end would be new to it and show no gap. Nobody knows beforehand which
//! step it is, so nobody knows which documents these are.
//!
//! Filled by the learner's session, read by [`crate::heldout`]; [`drawn`] is what `prism verify` replays. Never asks a
//! process anything.

use prism_shm::OwnSegment;

use crate::{
    draws::{AuditKey, Draws, Purpose},
    plan::Plan,
};

/// The window is this fraction of the steps made: one in so many, rounded up.
const WINDOW: u64 = 10;

/// Where the snapshot of a step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It is not kept.
    Nowhere,
    /// It replaces the kept one of the present block.
    Present,
    /// It is the first of a new block: the kept one of the present block becomes that of the block before.
    NewBlock,
}

/// Which of the two is drawn at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Before,
    Present,
}

/// The draw, without any snapshot.
struct Window {
    draws: Draws,
    steps: u64,
    start: u64,
    present: u64,
    before: Option<u64>,
    before_steps: u64,
}

/// The first step of the window after `steps` steps.
fn window_start(steps: u64) -> u64 {
    steps - steps.div_ceil(WINDOW)
}

impl Window {
    fn new(key: &AuditKey) -> Self {
        Self {
            draws: Draws::new(key, Purpose::KeptSnapshot),
            steps: 0,
            start: 0,
            present: 0,
            before: None,
            before_steps: 0,
        }
    }

    /// Takes note of the next step.
    fn step(&mut self) -> Place {
        let step = self.steps;
        self.steps += 1;
        if step > 0 && window_start(step) >= self.start {
            self.before = Some(self.present);
            self.before_steps = step - self.start;
            (self.start, self.present) = (step, step);
            return Place::NewBlock;
        }
        if self.draws.below(step - self.start + 1) == 0 {
            self.present = step;
            return Place::Present;
        }
        Place::Nowhere
    }

    /// Which step is drawn; `None` if there was none.
    fn conclude(mut self) -> Option<(u64, Block)> {
        if self.steps == 0 {
            return None;
        }
        let start = window_start(self.steps);
        let window = self.steps - start;
        let before = self
            .before
            .filter(|&step| step >= start)
            .filter(|_| (self.draws.below(window) as u64) < self.before_steps);
        Some(match before {
            Some(step) => (step, Block::Before),
            None => (self.present, Block::Present),
        })
    }
}

/// The step whose snapshot the key draws in a run of `steps` steps, counted from 0; `None` without a step.
pub fn drawn(key: &AuditKey, steps: u64) -> Option<u64> {
    let mut window = Window::new(key);
    for _ in 0..steps {
        window.step();
    }
    window.conclude().map(|(step, _)| step)
}

/// The snapshot that was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Its step, counted from 0: the snapshot was taken before the batch of this step.
    pub step: u64,
    /// The snapshot.
    pub weights: Vec<u8>,
}

/// The snapshots of a run that may be drawn, two at most, and that of the step under way.
pub struct Kept(Option<Buffers>);

struct Buffers {
    window: Window,
    under_way: Vec<u8>,
    present: Vec<u8>,
    before: Vec<u8>,
}

impl Kept {
    /// For a run under this plan; keeps nothing where nothing is to be measured under it.
    pub fn new(plan: &Plan<'_>) -> Self {
        let heldout = &plan.recipe.heldout;
        let wanted = heldout.val_bytes > 0 && heldout.gap_bytes > 0;
        Self(wanted.then(|| Buffers {
            window: Window::new(&plan.key),
            under_way: Vec::new(),
            present: Vec::new(),
            before: Vec::new(),
        }))
    }

    /// Copies the snapshot of the step whose batch has just gone out.
    pub fn copy(&mut self, snapshot: &OwnSegment, bytes: u64) {
        let Some(Buffers { under_way, .. }) = &mut self.0 else {
            return;
        };
        let all = snapshot.as_slice();
        let len = usize::try_from(bytes).unwrap_or(usize::MAX).min(all.len());
        under_way.resize(len, 0);
        under_way.copy_from_slice(&all[..len]);
    }

    /// The claims of that step are accepted: now it counts, and the key decides whether its snapshot stays.
    pub fn accept(&mut self) {
        let Some(buffers) = &mut self.0 else { return };
        let Buffers {
            window,
            under_way,
            present,
            before,
        } = buffers;
        match window.step() {
            Place::Nowhere => {}
            Place::Present => std::mem::swap(under_way, present),
            Place::NewBlock => {
                std::mem::swap(present, before);
                std::mem::swap(under_way, present);
            }
        }
    }

    /// The snapshot that the key draws of those that the run came to; `None` if nothing is kept.
    pub fn conclude(self) -> Option<Drawn> {
        let Buffers {
            window,
            present,
            before,
            ..
        } = self.0?;
        let (step, block) = window.conclude()?;
        let weights = match block {
            Block::Before => before,
            Block::Present => present,
        };
        Some(Drawn { step, weights })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> AuditKey {
        let mut bytes = [9; 32];
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        AuditKey::new(bytes)
    }

    #[test]
    fn every_step_of_the_last_tenth_is_drawn_alike_whatever_the_length() {
        const KEYS: u32 = 1000;
        // Lengths at, before and after a cut, and far from one.
        for steps in [
            1, 2, 9, 10, 11, 12, 20, 57, 100, 101, 105, 111, 112, 131, 240, 333, 1000,
        ] {
            let start = window_start(steps);
            let window = steps - start;
            assert_eq!(window, steps.div_ceil(10));
            let mut counts = vec![0_u32; usize::try_from(window).unwrap()];
            for number in 0..KEYS {
                let step = drawn(&key(number), steps).unwrap();
                assert!((start..steps).contains(&step), "{step} of {steps}");
                counts[usize::try_from(step - start).unwrap()] += 1;
            }
            let expected = f64::from(KEYS) / window as f64;
            let chi_square: f64 = counts
                .iter()
                .map(|&count| (f64::from(count) - expected).powi(2) / expected)
                .sum();
            // Mean and spread of the statistic are n - 1 and sqrt(2 (n - 1)); the keys are fixed ones.
            let freedom = (window - 1) as f64;
            assert!(
                chi_square <= freedom + 4.0 * (2.0 * freedom).sqrt(),
                "{steps} steps: {chi_square} at {freedom}: {counts:?}"
            );
        }
        assert_eq!(drawn(&key(0), 0), None);
    }

    #[test]
    fn what_is_kept_is_what_is_drawn_wherever_a_run_ends() {
        let bytes = 16_u64;
        let mut segment = OwnSegment::create(4096).unwrap();
        for number in 0..20 {
            for steps in [1_u64, 3, 10, 11, 25, 64, 131] {
                let mut kept = Kept(Some(Buffers {
                    window: Window::new(&key(number)),
                    under_way: Vec::new(),
                    present: Vec::new(),
                    before: Vec::new(),
                }));
                for step in 0..steps {
                    segment.write(&[u8::try_from(step).unwrap(); 16]).unwrap();
                    kept.copy(&segment, bytes);
                    kept.accept();
                }
                // A batch whose claims never came does not count.
                segment.write(&[255; 16]).unwrap();
                kept.copy(&segment, bytes);
                let found = kept.conclude().unwrap();
                assert_eq!(Some(found.step), drawn(&key(number), steps), "{steps}");
                assert_eq!(found.weights, [u8::try_from(found.step).unwrap(); 16]);
            }
        }
    }

    #[test]
    fn the_draw_depends_on_the_key_alone() {
        let of = |number| {
            (1..400)
                .map(|steps| drawn(&key(number), steps))
                .collect::<Vec<_>>()
        };
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        assert!(Kept(None).conclude().is_none());
    }
}
