//! Which NVIDIA GPU the runs of this machine get, and its peak.
//!
//! The model is the driver's word in `/proc`; the peaks are those of the makers' data sheets, dense bfloat16 with 32-bit
//! sums, without sparsity. A model that is not in the table has no peak: a share of a guess would say nothing. Called by
//! [`crate::publish`].

use std::{fs, path::Path};

/// Where the driver lists its devices, one directory each.
const DRIVER_LIST: &str = "/proc/driver/nvidia/gpus";
/// The device that a run gets.
const MINOR: &str = "0";
/// Longest list entry that is read, in bytes.
const INFORMATION_BYTES_MAX: u64 = 16 * 1024;
const TERA: f64 = 1e12;

/// What a device can do at most.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Peak {
    /// Its model, as the driver calls it.
    pub(crate) device: String,
    /// Dense bfloat16 FLOP a second.
    pub(crate) flops_per_second: f64,
}

/// Models by the beginning of their name, and their peak in TFLOP/s; the longest that fits decides.
const PEAKS: [(&str, f64); 21] = [
    ("NVIDIA A10", 125.0),
    ("NVIDIA A100", 312.0),
    ("NVIDIA A30", 165.0),
    ("NVIDIA A40", 149.7),
    ("NVIDIA B200", 2250.0),
    ("NVIDIA GH200", 989.0),
    ("NVIDIA H100 80GB HBM3", 989.0),
    ("NVIDIA H100 NVL", 835.0),
    ("NVIDIA H100 PCIe", 756.0),
    ("NVIDIA H200", 989.0),
    ("NVIDIA H200 NVL", 835.0),
    ("NVIDIA L4", 121.0),
    ("NVIDIA L40", 181.0),
    ("NVIDIA L40S", 362.0),
    ("NVIDIA RTX 6000 Ada Generation", 364.2),
    ("NVIDIA RTX A6000", 154.8),
    ("NVIDIA GeForce RTX 3090", 71.2),
    ("NVIDIA GeForce RTX 3090 Ti", 80.0),
    ("NVIDIA GeForce RTX 4080", 97.5),
    ("NVIDIA GeForce RTX 4090", 165.2),
    ("NVIDIA GeForce RTX 5090", 209.5),
];

/// The peak of the device that runs get, if its model is known.
pub(crate) fn peak() -> Option<Peak> {
    peak_of(&model_in(Path::new(DRIVER_LIST))?)
}

fn peak_of(model: &str) -> Option<Peak> {
    let fits = |name: &str| {
        // `NVIDIA L4` is not the beginning of `NVIDIA L40`.
        model
            .strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '-']))
    };
    PEAKS
        .iter()
        .filter(|(name, _)| fits(name))
        .max_by_key(|(name, _)| name.len())
        .map(|(_, tera)| Peak {
            device: model.to_owned(),
            flops_per_second: tera * TERA,
        })
}

/// The model of the device with our minor number.
fn model_in(list: &Path) -> Option<String> {
    for entry in fs::read_dir(list).ok()?.flatten() {
        let Ok(Some(bytes)) = crate::run_dir::read(&entry.path().join("information"), INFORMATION_BYTES_MAX)
        else {
            continue;
        };
        let text = prism_core::escape::escape_for_terminal(bytes);
        let field = |name: &str| {
            text.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                (key.trim() == name).then(|| value.trim().to_owned())
            })
        };
        if field("Device Minor").as_deref() == Some(MINOR) {
            return field("Model");
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_that_of_our_device() {
        let temp = tempfile::tempdir().unwrap();
        for (slot, model, minor) in [
            ("0000:01:00.0", "NVIDIA L4", 1),
            ("0000:02:00.0", "NVIDIA H200", 0),
        ] {
            let dir = temp.path().join(slot);
            fs::create_dir(&dir).unwrap();
            let text = format!("Model: \t\t {model}\nIRQ:   \t\t 93\nDevice Minor: \t {minor}\n");
            fs::write(dir.join("information"), text).unwrap();
        }
        assert_eq!(model_in(temp.path()).as_deref(), Some("NVIDIA H200"));
        assert_eq!(model_in(&temp.path().join("none")), None);
    }

    #[test]
    fn the_longest_name_decides_and_an_unknown_model_has_no_peak() {
        let of = |model: &str| peak_of(model).map(|peak| peak.flops_per_second / TERA);
        assert_eq!(of("NVIDIA A100-SXM4-80GB"), Some(312.0));
        assert_eq!(of("NVIDIA H200"), Some(989.0));
        assert_eq!(of("NVIDIA H200 NVL"), Some(835.0));
        assert_eq!(of("NVIDIA L40S"), Some(362.0));
        for unknown in ["NVIDIA L400", "NVIDIA H100", "Somebody's L4", ""] {
            assert_eq!(of(unknown), None, "{unknown}");
        }
    }
}
