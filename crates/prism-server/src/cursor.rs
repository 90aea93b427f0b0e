//! Where a list goes on: a number of the store, as a text that says nothing to a client.

use crate::app::Answer;
use crate::params::Params;
use crate::problem::{Fault, Problem};

/// What a cursor begins with; another form would begin otherwise.
const PREFIX: &str = "s";
const CHARACTERS_MAX: usize = 32;

/// The cursor of a number, which is not negative.
pub(crate) fn text(number: i64) -> String {
    format!("{PREFIX}{number:x}")
}

/// The number of the parameter `cursor`, if it is there.
pub(crate) fn of(params: &Params) -> Answer<Option<i64>> {
    let Some(text) = params.short_text("cursor", CHARACTERS_MAX)? else {
        return Ok(None);
    };
    let number = text
        .strip_prefix(PREFIX)
        .and_then(|digits| i64::from_str_radix(digits, 16).ok())
        // In one form only: that which was given.
        .filter(|&number| number >= 0 && self::text(number) == text);
    number.map(Some).ok_or_else(|| {
        let message = "Should be `next` of an earlier answer";
        let fault = Fault::new("value_error", "query", "cursor", message);
        Problem::invalid(vec![fault.with_input(text)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_and_nothing_else_is_taken() {
        for number in [0, 1, 255, i64::MAX] {
            let params = Params::parse(&format!("cursor={}", text(number)));
            assert_eq!(of(&params), Ok(Some(number)));
        }
        assert_eq!(of(&Params::default()), Ok(None));
        for bad in [
            "",
            "5",
            "s",
            "s-1",
            "s%2B1",
            "sx",
            "sffffffffffffffff",
            "s0000000000000000000000000000000000000001",
            "s01",
            "sA",
            "s+1",
        ] {
            assert!(of(&Params::parse(&format!("cursor={bad}"))).is_err(), "{bad}");
        }
    }
}
