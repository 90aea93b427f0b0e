//! Made-up weights of a given layout: no layer of a model is silent under them.
//!
//! Used by [`crate::smoke`] alone. Many an honest model starts with a head of zeros and predicts the same whatever
//! happens inside of it; what it remembers shows only under other weights. Always the same for the same layout.
//! Never part of a measurement.

use crate::layout::{Dtype, Layout, TensorRole, TensorSpec};

/// Half the width of the values around 1 that gains, biases and buffers get.
const SPREAD: f32 = 0.5;

/// Writes the weights into the start of a segment that has at least the layout's length.
pub(crate) fn fill(layout: &Layout, segment: &mut [u8]) {
    let mut random = Random(0);
    for (start_bytes, tensor) in layout.placed() {
        let start = usize::try_from(start_bytes).unwrap_or(usize::MAX);
        let len = usize::try_from(tensor.bytes()).unwrap_or(usize::MAX);
        let Some(place) = segment.get_mut(start..).and_then(|rest| rest.get_mut(..len)) else {
            return;
        };
        fill_tensor(tensor, place, &mut random);
    }
}

fn fill_tensor(tensor: &TensorSpec, place: &mut [u8], random: &mut Random) {
    let (middle, spread) = range(tensor);
    let mut float = || middle + spread * random.symmetric();
    match tensor.dtype {
        Dtype::F32 => each(place, || float().to_le_bytes()),
        Dtype::F64 => each(place, || f64::from(float()).to_le_bytes()),
        // The upper half of a single is a bf16.
        Dtype::Bf16 => each(place, || {
            let [_, _, low, high] = float().to_le_bytes();
            [low, high]
        }),
        Dtype::F16 => each(place, || half(float()).to_le_bytes()),
        // Indices point at something; a mask lets everything through.
        Dtype::I64 | Dtype::I32 | Dtype::I16 | Dtype::I8 | Dtype::U8 => place.fill(0),
        Dtype::Bool => place.fill(1),
    }
}

fn each<const N: usize>(place: &mut [u8], mut value: impl FnMut() -> [u8; N]) {
    for element in place.as_chunks_mut::<N>().0 {
        *element = value();
    }
}

/// Middle and half-width of a tensor's values: matrices keep the size of what goes through them, vectors are near 1,
/// and so are buffers, of which some are variances.
fn range(tensor: &TensorSpec) -> (f32, f32) {
    match (tensor.role, tensor.shape.as_slice()) {
        (TensorRole::Parameter, [_, inner @ ..]) if !inner.is_empty() => {
            let fan_in = inner.iter().fold(1.0_f64, |product, &size| product * size as f64);
            #[allow(clippy::cast_possible_truncation, reason = "weights of no consequence")]
            let spread = (3.0 / fan_in.max(1.0)).sqrt() as f32;
            (0.0, spread)
        }
        _ => (1.0, SPREAD),
    }
}

/// The bits of the half-precision number below `value`, which is far from the largest one; tiny values become zero.
fn half(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = ((bits >> 16) & 0x8000) as u16;
    // From a bias of 127 to one of 15.
    match ((bits >> 23) & 0xff).checked_sub(112) {
        Some(exponent @ 1..31) => sign | (((exponent << 10) | ((bits >> 13) & 0x3ff)) & 0x7fff) as u16,
        _ => sign,
    }
}

/// A short sequence of numbers without a pattern that a model could fall into step with (`SplitMix64`).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// The next one.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from -1 to 1, never both of its ends alike.
    fn symmetric(&mut self) -> f32 {
        // 24 bits are exact in a single.
        (self.next() >> 40) as f32 / 8_388_608.0 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::tests::tensor;

    #[test]
    fn every_tensor_gets_values_of_its_kind_in_its_own_place() {
        let layout = Layout::new(vec![
            tensor("w", TensorRole::Parameter, Dtype::F32, &[5, 12]),
            tensor("gain", TensorRole::Parameter, Dtype::Bf16, &[3]),
            tensor("half", TensorRole::Buffer, Dtype::F16, &[2]),
            tensor("double", TensorRole::Buffer, Dtype::F64, &[]),
            tensor("position", TensorRole::Buffer, Dtype::I64, &[2]),
            tensor("mask", TensorRole::Buffer, Dtype::Bool, &[7]),
        ])
        .unwrap();
        let mut segment = vec![0xaa; usize::try_from(layout.bytes()).unwrap() + 1];
        fill(&layout, &mut segment);
        let (floats, _) = segment[..240].as_chunks::<4>();
        let floats: Vec<f32> = floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        assert!(floats.iter().all(|x| x.abs() <= 0.5), "{floats:?}");
        assert!(floats.iter().any(|x| *x > 0.25) && floats.iter().any(|x| *x < -0.25));
        assert_eq!(
            segment[240..256],
            [0xaa; 16],
            "between tensors nothing is written"
        );
        for two in segment[256..262].as_chunks::<2>().0 {
            let gain = f32::from_le_bytes([0, 0, two[0], two[1]]);
            assert!((0.49..1.5).contains(&gain), "{gain}");
        }
        for two in segment[320..324].as_chunks::<2>().0 {
            // From 0.5 to 1.5 the exponent's field is 14 or 15.
            assert!(matches!(u16::from_le_bytes(*two) >> 10, 14 | 15), "{two:?}");
        }
        let double = f64::from_le_bytes(*segment[384..].first_chunk().unwrap());
        assert!((0.5..=1.5).contains(&double), "{double}");
        assert_eq!(segment[448..464], [0; 16]);
        assert_eq!(segment[512..], [1, 1, 1, 1, 1, 1, 1, 0xaa]);

        let mut again = segment.clone();
        fill(&layout, &mut again);
        assert_eq!(again, segment);
        // A segment that is too short is left alone from there on, not written past.
        fill(&layout, &mut segment[..300]);
    }

    #[test]
    fn halves_are_those_of_the_standard() {
        let cases = [
            (0.0, 0x0000),
            (1.0, 0x3c00),
            (-1.5, 0xbe00),
            (0.5, 0x3800),
            (1e-9, 0),
        ];
        for (value, bits) in cases {
            assert_eq!(half(value), bits, "{value}");
        }
    }
}
