//! Sizes as people write them: `500MB`, `8MiB`, `1_000_000`.

/// Bytes of a size, in powers of 1000, or of 1024 with an `i`.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let split = text
        .find(|c: char| !(c.is_ascii_digit() || c == '_' || c == '.'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "kB" | "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return Err("a size is a number with B, kB, MB, GB, TB, KiB, MiB, GiB or TiB".to_owned()),
    };
    let number = number.replace('_', "");
    let (whole, part) = number.split_once('.').unwrap_or((&number, ""));
    let too_large = || "the size is too large".to_owned();
    let whole: u64 = whole
        .parse()
        .map_err(|_| "a size begins with a number".to_owned())?;
    let bytes = whole.checked_mul(factor).ok_or_else(too_large)?;
    if part.is_empty() {
        return Ok(bytes);
    }
    if part.len() > 9 || factor == 1 {
        return Err("a size has at most nine decimals, and bytes have none".to_owned());
    }
    // Nine digits times a factor of at most 2^40 fit.
    let digits: u128 = part
        .parse()
        .map_err(|_| "a size has one decimal point".to_owned())?;
    let scale = 10u128.pow(u32::try_from(part.len()).unwrap_or(9));
    let rest = u64::try_from(digits * u128::from(factor) / scale).map_err(|_| too_large())?;
    bytes.checked_add(rest).ok_or_else(too_large)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("0", 0),
            ("1_000", 1000),
            ("500MB", 500_000_000),
            ("1.5 GB", 1_500_000_000),
            ("8MiB", 8 << 20),
            ("0.5KiB", 512),
            ("12B", 12),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "MB",
            "1 apple",
            "-1",
            "1.2.3GB",
            "1.5",
            "99999999999TB",
            "1e9",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
