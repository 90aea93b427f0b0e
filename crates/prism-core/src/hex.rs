//! Bytes to hexadecimal digits and back, without a detour over text that would have to be wiped.
//!
//! Used for hashes, keys and nonces. Never guesses: a length that is not exactly twice the bytes is refused.

/// Lower-case digits.
pub fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 0x0f] {
            text.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
    text
}

/// Digits of either case into exactly these bytes; `false` where the text is anything else, and then `out` is of no use.
#[must_use]
pub fn decode_into(text: &str, out: &mut [u8]) -> bool {
    let digits = text.as_bytes();
    if digits.len() != out.len() * 2 {
        return false;
    }
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let value = |digit: u8| char::from(digit).to_digit(16);
        let (Some(high), Some(low)) = (value(pair[0]), value(pair[1])) else {
            return false;
        };
        let Ok(value) = u8::try_from(high * 16 + low) else {
            return false;
        };
        *byte = value;
    }
    true
}

/// The digits without `0x`, where they have it. `0X` is not taken off: nobody writes it.
pub fn without_prefix(text: &str) -> &str {
    text.strip_prefix("0x").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_back_and_nothing_else_is_taken() {
        let mut out = [0; 3];
        assert!(decode_into("00fFa7", &mut out));
        assert_eq!((out, encode(&out).as_str()), ([0x00, 0xff, 0xa7], "00ffa7"));
        for bad in [
            "", "00fFa", "00fFa70", "00fFa70a", "00fFag", "é00f", " 0fFa7", "+1+1+1",
        ] {
            assert!(!decode_into(bad, &mut out), "{bad}");
        }
        assert_eq!(without_prefix("0x12"), "12");
        assert_eq!(without_prefix("0X12"), "0X12");
    }
}
