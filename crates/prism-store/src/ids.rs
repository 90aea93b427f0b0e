//! Ids of submissions and rounds: UUIDs of version 4, as lower-case text. Random bytes come from the caller.

use crate::{Result, StoreError};

/// The id that 16 random bytes make.
pub fn uuid_v4(random: [u8; 16]) -> String {
    let mut bytes = random;
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut id = String::with_capacity(36);
    for (i, byte) in bytes.into_iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            id.push('-');
        }
        for digit in [byte >> 4, byte & 0x0f] {
            id.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
        }
    }
    id
}

/// Whether this is such an id.
pub fn is_uuid_v4(id: &str) -> bool {
    let bytes = id.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(i, byte)| match i {
            8 | 13 | 18 | 23 => *byte == b'-',
            14 => *byte == b'4',
            19 => matches!(byte, b'8' | b'9' | b'a' | b'b'),
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// Refuses what is no id before it is stored.
pub(crate) fn must_be_id(what: &str, id: &str) -> Result<()> {
    if is_uuid_v4(id) {
        Ok(())
    } else {
        Err(StoreError::NotAllowed(format!(
            "`{}` is no id of a {what}: it must be a UUID of version 4 in lower case",
            id.escape_debug()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_bytes_become_ids() {
        for (random, id) in [
            ([0; 16], "00000000-0000-4000-8000-000000000000"),
            ([0xff; 16], "ffffffff-ffff-4fff-bfff-ffffffffffff"),
            (
                [
                    0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 1, 2, 3, 4, 5, 6, 7, 8,
                ],
                "12345678-9abc-4ef0-8102-030405060708",
            ),
        ] {
            assert_eq!(uuid_v4(random), id);
            assert!(is_uuid_v4(id), "{id}");
        }
    }

    #[test]
    fn nothing_else_is_an_id() {
        let good = uuid_v4([7; 16]);
        for bad in [
            "",
            "history",
            &good.to_uppercase().replace('0', "A"),
            &good.replace('-', "_"),
            &good[1..],
            &format!("{good}0"),
            &good.replacen("-4", "-1", 1),
            "é0000000-0000-4000-8000-00000000000",
        ] {
            assert!(!is_uuid_v4(bad), "{bad}");
            assert!(must_be_id("round", bad).is_err(), "{bad}");
        }
    }
}
