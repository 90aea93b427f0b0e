//! How figures are written: for the report, the leaderboard and the command line.
//!
//! Pure functions; a figure is never rounded to look better than it is, only shorter.

/// Digits in groups of three.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A size in decimal units.
pub fn bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 999.5 {
            let digits = usize::from(unit != "B" && value < 99.95);
            return format!("{value:.digits$} {unit}");
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// A part of a size, in the unit of the whole: `7.7 of 29.2 kB`. What would be none there has a unit of its own.
pub fn part_of(part: u64, whole: u64) -> String {
    let all = bytes(whole);
    let unit = all.rsplit(' ').next().unwrap_or_default();
    let (scale, digits) = match unit {
        "kB" => (1e3, 1),
        "MB" => (1e6, 1),
        "GB" => (1e9, 1),
        "TB" => (1e12, 1),
        _ => (1.0, 0),
    };
    let value = part as f64 / scale;
    if digits > 0 && value < 0.05 {
        return format!("{} of {all}", bytes(part));
    }
    format!("{value:.digits$} of {all}")
}

/// A rate of work in the unit that reads best: `1.23 TFLOP/s`.
pub fn flops(per_second: f64) -> String {
    let mut value = per_second;
    for unit in ["FLOP/s", "kFLOP/s", "MFLOP/s", "GFLOP/s", "TFLOP/s"] {
        if value < 999.5 {
            return format!("{value:.2} {unit}");
        }
        value /= 1000.0;
    }
    format!("{value:.2} PFLOP/s")
}

/// A time in the unit that reads best.
pub fn seconds(seconds: f64) -> String {
    if seconds < 120.0 {
        format!("{seconds:.1} s")
    } else if seconds < 7200.0 {
        format!("{:.1} min", seconds / 60.0)
    } else {
        format!("{:.1} h", seconds / 3600.0)
    }
}

/// A value of any size with four significant digits or so.
pub fn figure(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if !value.is_finite() || !(1e-3..1e6).contains(&size) {
        format!("{value:.2e}")
    } else if size < 10.0 {
        format!("{value:.4}")
    } else if size < 1000.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        let shown = [
            0.0,
            0.000_012,
            0.123_456,
            3.805_21,
            123.456,
            12_345.6,
            3.2e12,
            f64::NAN,
        ]
        .map(figure);
        assert_eq!(
            shown,
            [
                "0", "1.20e-5", "0.1235", "3.8052", "123.46", "12346", "3.20e12", "NaN"
            ]
        );
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(
            [
                part_of(7_740, 29_200),
                part_of(0, 120),
                part_of(1, 2_000_000_000),
                part_of(30_720, 2_400_000),
                part_of(50_000, 2_400_000),
                part_of(0, 2_400_000)
            ],
            [
                "7.7 of 29.2 kB",
                "0 of 120 B",
                "1 B of 2.0 GB",
                "30.7 kB of 2.4 MB",
                "0.1 of 2.4 MB",
                "0 B of 2.4 MB"
            ]
        );
        assert_eq!(
            [flops(12.0), flops(3.21e9), flops(4.5e15)],
            ["12.00 FLOP/s", "3.21 GFLOP/s", "4.50 PFLOP/s"]
        );
        assert_eq!(
            [bytes(1_300_000), seconds(34.21), seconds(360.0)],
            ["1.3 MB", "34.2 s", "6.0 min"]
        );
    }
}
