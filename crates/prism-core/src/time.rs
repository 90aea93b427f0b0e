//! Points in time, as numbers that somebody else read from a clock.
//!
//! Used by the store, the service and their interfaces. There is no clock here: whoever needs the present passes it in,
//! so that tests can jump.

use std::fmt;

use serde::{Deserialize, Serialize};

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// Length of an epoch of the contract, in seconds.
pub const EPOCH_SECONDS: i64 = 21_600;

/// Microseconds since the start of 1970, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// From whole seconds since 1970.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// Whole seconds since 1970, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// So many seconds later (earlier where negative).
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(MICROS_PER_SECOND)))
    }

    /// The epoch of the contract that this lies in.
    pub fn epoch_id(self) -> i64 {
        self.seconds().div_euclid(EPOCH_SECONDS)
    }

    /// Days since 1970-01-01, UTC: what budgets a day are counted by.
    pub fn day(self) -> i64 {
        self.seconds().div_euclid(SECONDS_PER_DAY)
    }

    /// `2026-11-28` of a number of days since 1970-01-01.
    pub fn date_of_day(day: i64) -> String {
        let (year, month, day) = civil(day);
        format!("{year:04}-{month:02}-{day:02}")
    }
}

/// As ISO 8601 with microseconds: `2026-11-28T18:26:03.828177Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.rem_euclid(MICROS_PER_SECOND);
        let of_day = self.seconds().rem_euclid(SECONDS_PER_DAY);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        let date = Self::date_of_day(self.day());
        write!(f, "{date}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

/// Year, month and day of a number of days since 1970-01-01, in the Gregorian calendar.
///
/// Counts in eras of 400 years (146,097 days) that begin on the first of March, so that a leap day is the last of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_the_contract_has_them() {
        for (micros, shown) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (1_767_225_600_000_000, "2026-01-01T00:00:00.000000Z"),
            (951_782_400_000_001, "2000-02-29T00:00:00.000001Z"),
            (1_709_251_199_999_999, "2024-02-29T23:59:59.999999Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
        ] {
            assert_eq!(Timestamp(micros).to_string(), shown);
        }
    }

    #[test]
    fn days_follow_each_other() {
        let mut before = String::new();
        for day in -1000..60_000 {
            let date = Timestamp::date_of_day(day);
            assert!(date > before, "{before} {date}");
            before = date;
        }
    }

    #[test]
    fn epochs_and_days_are_counted_from_1970() {
        let time = Timestamp::from_seconds(21_600 * 7 + 5);
        assert_eq!((time.epoch_id(), time.day()), (7, 1));
        assert_eq!(Timestamp(-1).epoch_id(), -1);
        assert_eq!(time.plus_seconds(-5).seconds(), 151_200);
    }
}
