//! A whole review at once, for a command that has nothing else to do. The service makes the same calls from its queue.

use crate::case::Case;
use crate::client::{Called, Client};
use crate::decision::{self, Next, Outcome, Past, Purpose, ReviewVerdict};
use crate::judge::NoVote;
use crate::prompt::Draw;

/// Where 32 bytes that nobody could know come from.
pub type Random<'r> = &'r mut dyn FnMut() -> [u8; 32];

/// What a review came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The verdict; nothing where the bundle is too large, with the sentence that says so.
    pub verdict: Result<ReviewVerdict, String>,
    /// Every call, the earliest first.
    pub calls: Vec<(Purpose, Called)>,
}

/// Reviews a case. `pause` waits for so many seconds.
pub fn review(client: &Client, case: &Case, random: Random<'_>, pause: &mut dyn FnMut(u64)) -> Run {
    let mut calls: Vec<(Purpose, Called)> = Vec::new();
    loop {
        let past: Vec<Past> = calls
            .iter()
            .map(|(purpose, called)| Past {
                purpose: *purpose,
                outcome: called.outcome.clone(),
            })
            .collect();
        let (purpose, charges, failures) = match decision::next(&past) {
            Next::End(verdict) => {
                return Run {
                    verdict: Ok(verdict),
                    calls,
                };
            }
            Next::Call {
                purpose,
                charges,
                failures,
            } => (purpose, charges, failures),
        };
        if let Some(Outcome::Unreachable {
            retry_after_seconds, ..
        }) = past.last().map(|last| &last.outcome)
        {
            let seed = u64::from_le_bytes(std::array::from_fn(|at| random()[at]));
            pause(decision::pause_seconds(failures, *retry_after_seconds, seed));
        }
        let draw = draw(&past, purpose, client.settings().plant_one_in, random());
        let prompt = Client::prompt(case, purpose, &charges, &draw);
        if let Some(why) = client.too_large(case, &prompt) {
            return Run {
                verdict: Err(why),
                calls,
            };
        }
        calls.push((purpose, client.call(case, purpose, &prompt)));
    }
}

/// The draw of the next call: only bare readings are tested by something planted, and one that missed it is tested again.
pub fn draw(past: &[Past], purpose: Purpose, plant_one_in: u64, random: [u8; 32]) -> Draw {
    let has_missed = past.iter().any(|call| {
        matches!(
            call.outcome,
            Outcome::NoVote {
                why: NoVote::PlantMissed
            }
        )
    });
    match purpose {
        Purpose::Bare if has_missed => Draw::new(random, true),
        Purpose::Bare => Draw::with_chance(random, plant_one_in),
        Purpose::Full | Purpose::Refute => Draw::new(random, false),
    }
}
