//! The tensors of a snapshot: names, roles, dtypes, shapes, and where each lies in the segment.
//!
//! Fixed at the first READY of a run and equal in learner and auditor. Parsed from hostile frames: sizes are
//! multiplied with overflow checks. Never reads a tensor's values.

use std::collections::HashSet;

use prism_core::{failure::Failure, outcome::Reason, recipe::Caps};

/// Tensors start at multiples of this, in bytes.
const ALIGNMENT_BYTES: u64 = 64;

/// Whether a tensor is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TensorRole {
    /// Counts towards the parameter cap.
    Parameter,
    /// Counts towards the snapshot cap only.
    Buffer,
}

/// What an element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "torch's names")]
pub enum Dtype {
    F32,
    Bf16,
    F16,
    F64,
    I64,
    I32,
    I16,
    I8,
    U8,
    Bool,
}

impl Dtype {
    /// The dtype with this number in the protocol.
    pub fn from_code(code: u8) -> Option<Self> {
        use Dtype::{Bf16, Bool, F16, F32, F64, I8, I16, I32, I64, U8};
        [F32, Bf16, F16, F64, I64, I32, I16, I8, U8, Bool]
            .get(usize::from(code))
            .copied()
    }

    /// Size of an element, in bytes.
    pub fn bytes(self) -> u64 {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::Bf16 | Self::F16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }
}

/// One tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    /// Its name, without `module.` and `_orig_mod.` in front.
    pub name: String,
    /// Parameter or buffer.
    pub role: TensorRole,
    /// Type of its elements.
    pub dtype: Dtype,
    /// Its sizes.
    pub shape: Vec<u64>,
}

impl TensorSpec {
    fn elements(&self) -> Option<u64> {
        self.shape
            .iter()
            .try_fold(1_u64, |product, &size| product.checked_mul(size))
    }

    /// Length in the segment, in bytes.
    pub fn bytes(&self) -> u64 {
        self.elements()
            .unwrap_or(u64::MAX)
            .saturating_mul(self.dtype.bytes())
    }
}

/// All tensors of a snapshot, in the order of the segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    tensors: Vec<TensorSpec>,
    parameters: u64,
    bytes: u64,
}

impl Layout {
    /// `None` if two names are equal or a size overflows.
    pub fn new(tensors: Vec<TensorSpec>) -> Option<Self> {
        let mut names = HashSet::with_capacity(tensors.len());
        let (mut parameters, mut bytes) = (0_u64, 0_u64);
        for tensor in &tensors {
            if !names.insert(tensor.name.as_str()) {
                return None;
            }
            let elements = tensor.elements()?;
            if tensor.role == TensorRole::Parameter {
                parameters = parameters.checked_add(elements)?;
            }
            bytes = bytes.checked_next_multiple_of(ALIGNMENT_BYTES)?;
            bytes = bytes.checked_add(elements.checked_mul(tensor.dtype.bytes())?)?;
        }
        Some(Self {
            tensors,
            parameters,
            bytes,
        })
    }

    /// Number of parameters, tied tensors once.
    pub fn parameters(&self) -> u64 {
        self.parameters
    }

    /// Length of a snapshot in the segment, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The tensors, each with the place of its first byte in the segment.
    pub fn placed(&self) -> impl Iterator<Item = (u64, &TensorSpec)> {
        // `new` has shown that none of this overflows; saturating keeps it so by itself.
        let mut end_bytes = 0_u64;
        self.tensors.iter().map(move |tensor| {
            let start_bytes = end_bytes
                .checked_next_multiple_of(ALIGNMENT_BYTES)
                .unwrap_or(u64::MAX);
            end_bytes = start_bytes.saturating_add(tensor.bytes());
            (start_bytes, tensor)
        })
    }

    /// Refuses a model above a cap of the recipe.
    pub fn check_caps(&self, caps: &Caps) -> Result<(), Failure> {
        if self.parameters > caps.max_params {
            return Err(Failure::new(
                Reason::ParameterCap,
                format!(
                    "the model has {} parameters; at most {} are allowed",
                    self.parameters, caps.max_params
                ),
            ));
        }
        if self.bytes > caps.max_snapshot_bytes {
            return Err(Failure::new(
                Reason::SnapshotCap,
                format!(
                    "parameters and buffers take {} bytes; at most {} are allowed",
                    self.bytes, caps.max_snapshot_bytes
                ),
            ));
        }
        Ok(())
    }

    /// The first difference to `other`, in words for the miner; `None` if they are equal.
    pub fn difference(&self, other: &Self) -> Option<String> {
        for (mine, theirs) in self.tensors.iter().zip(&other.tensors) {
            if mine != theirs {
                return Some(format!("{} here, {} there", describe(mine), describe(theirs)));
            }
        }
        let (mine, theirs) = (self.tensors.len(), other.tensors.len());
        (mine != theirs).then(|| format!("{mine} tensors here, {theirs} there"))
    }
}

fn describe(tensor: &TensorSpec) -> String {
    let role = match tensor.role {
        TensorRole::Parameter => "parameter",
        TensorRole::Buffer => "buffer",
    };
    format!("{role} `{}` {:?} {:?}", tensor.name, tensor.dtype, tensor.shape)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// One tensor; also for tests of what is done with a layout.
    pub(crate) fn tensor(name: &str, role: TensorRole, dtype: Dtype, shape: &[u64]) -> TensorSpec {
        TensorSpec {
            name: name.into(),
            role,
            dtype,
            shape: shape.into(),
        }
    }

    #[test]
    fn parameters_and_bytes_are_counted_here_and_nowhere_else() {
        let layout = Layout::new(vec![
            tensor("w", TensorRole::Parameter, Dtype::F32, &[3, 5]),
            tensor("scale", TensorRole::Parameter, Dtype::Bf16, &[]),
            tensor("mask", TensorRole::Buffer, Dtype::Bool, &[7]),
        ])
        .unwrap();
        assert_eq!(layout.parameters(), 16);
        assert_eq!(layout.bytes(), 128 + 7);
        let places: Vec<(u64, u64)> = layout
            .placed()
            .map(|(start, tensor)| (start, tensor.bytes()))
            .collect();
        assert_eq!(places, [(0, 60), (64, 2), (128, 7)]);
    }

    #[test]
    fn overflowing_sizes_and_repeated_names_are_refused() {
        let big = |shape: &[u64]| Layout::new(vec![tensor("w", TensorRole::Parameter, Dtype::F64, shape)]);
        assert!(big(&[u64::MAX, 2]).is_none());
        assert!(big(&[u64::MAX / 2]).is_none());
        assert!(big(&[0, u64::MAX]).is_some(), "an empty tensor has no bytes");
        let twice = vec![tensor("w", TensorRole::Buffer, Dtype::U8, &[1]); 2];
        assert!(Layout::new(twice).is_none());
    }

    #[test]
    fn differences_are_named() {
        let a = Layout::new(vec![tensor("w", TensorRole::Parameter, Dtype::F32, &[2])]).unwrap();
        let b = Layout::new(vec![tensor("w", TensorRole::Parameter, Dtype::F32, &[3])]).unwrap();
        let c = Layout::new(vec![]).unwrap();
        assert_eq!(a.difference(&a), None);
        assert_eq!(
            a.difference(&b).unwrap(),
            "parameter `w` F32 [2] here, parameter `w` F32 [3] there"
        );
        assert_eq!(a.difference(&c).unwrap(), "1 tensors here, 0 there");
    }
}
