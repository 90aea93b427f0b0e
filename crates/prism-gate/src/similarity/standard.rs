//! The building blocks that everybody uses, and that therefore are nobody's: their k-grams are subtracted.
//!
//! Sources under `standard/`, the examples, and the honest bundles of the red team: whoever reads this repository may
//! build upon them. All k-grams count here, not only winnowed ones.

use std::sync::OnceLock;

use rustc_hash::FxHashSet;

use super::analysis::{Pieces, grams};
use super::winnow;
use crate::source::{Role, Source};

/// Each is read as if it were a bundle of its own.
const BLOCKS: [&str; 10] = [
    include_str!("standard/norms.py"),
    include_str!("standard/rotary.py"),
    include_str!("standard/mlp.py"),
    include_str!("standard/attention.py"),
    include_str!("standard/block.py"),
    include_str!("standard/gpt.py"),
    include_str!("standard/optimizer.py"),
    include_str!("standard/muon.py"),
    include_str!("standard/schedule.py"),
    include_str!("standard/training.py"),
];

macro_rules! bundles {
    ($root:literal: $($name:literal $(+ $more:literal)*),* $(,)?) => {
        &[$((
            $name,
            &[
                ("architecture.py", include_str!(concat!($root, $name, "/architecture.py"))),
                ("training.py", include_str!(concat!($root, $name, "/training.py"))),
                $(($more, include_str!(concat!($root, $name, "/", $more)))),*
            ],
        )),*]
    };
}

/// Published bundles: their names, with their files.
type Published = &'static [(&'static str, Files)];
/// The paths of a bundle's files, with their texts.
type Files = &'static [(&'static str, &'static str)];

#[rustfmt::skip]
const EXAMPLES: Published = bundles![
    "../../../../examples/":
    "bundle-tokenizer", "cheat-leak", "ema-predictor", "gpt2-tokenizer", "legacy-interface", "legacy-parallel",
    "recurrent-small", "scaffold", "transformer-small",
];

#[rustfmt::skip]
const HONEST: Published = bundles![
    "../../../../redteam/honest/":
    "ademamix-cautious", "bitnet-layerdrop", "char-rnn-2015", "conv-ngram-mixer", "count-ngram-buffers",
    "cross-layer-kv", "cuda-knobs", "ddp-wrapped",
    "deltanet" + "model/__init__.py" + "model/conv.py" + "model/delta_rule.py" + "model/mlp.py", "diff-attention",
    "flex-attention", "fsdp-wrapped" + "net.py", "gla-chunked" + "layers.py", "griffin-typed",
    "gru-config" + "config.py", "hash-ngram", "helper-style-attention", "hyena-fft", "hypernetwork-lora",
    "jit-scripted", "kan", "legacy-interface", "linear-attention-autograd", "llama-gqa", "lookahead-sam", "lstm-amp",
    "mamba-scan", "megabyte-patches", "memory-tokens-reexport" + "core/layers.py" + "core/model.py",
    "mixture-of-depths", "mixture-of-softmaxes", "mla-hf" + "latent/configuration.py" + "latent/modeling.py",
    "moe-topk", "mqa-functional", "multi-token", "nanogpt", "ngpt", "optimizer-in-backward", "performer-features",
    "product-key-memory", "replay-dataloader", "retnet", "rwkv", "s4d-fft", "schedule-free", "shampoo-orthogonal",
    "sliding-window-alibi", "soap-optimizer" + "optim.py", "sophia-checkpoint", "sru-qrnn", "ssd-mamba2",
    "state-dict-dance", "stdlib-tour" + "util.py", "suspicious-names", "terse-hacker", "trainer-object", "tree-of-hooks",
    "ttt-linear", "universal-transformer", "value-residual-unet", "wavelet-constants", "xlstm",
];

/// The k-grams of what is nobody's.
pub(super) struct Standard {
    /// Of the building blocks and the examples.
    blocks: FxHashSet<u64>,
    /// Of the honest bundles.
    honest: FxHashSet<u64>,
}

impl Standard {
    pub(super) fn contains(&self, hash: u64) -> bool {
        self.is_a_building_block(hash) || self.honest.contains(&hash)
    }

    pub(super) fn is_a_building_block(&self, hash: u64) -> bool {
        self.blocks.contains(&hash)
    }
}

/// The building blocks, read at the first call. Must be called on a large stack.
pub(super) fn standard() -> &'static Standard {
    static STANDARD: OnceLock<Standard> = OnceLock::new();
    STANDARD.get_or_init(|| {
        let blocks = BLOCKS.iter().flat_map(|text| hashes(&[("block.py", text)]));
        let published = |bundles: Published| bundles.iter().flat_map(|(_, files)| hashes(files));
        Standard {
            blocks: blocks.chain(published(EXAMPLES)).collect(),
            honest: published(HONEST).collect(),
        }
    })
}

/// These are files of this repository; a test shows that each can be read.
fn hashes(files: &[(&str, &str)]) -> Vec<u64> {
    let sources: Vec<Source<'_>> = files
        .iter()
        .map(|(path, text)| Source::new(path, text, Role::Helper))
        .collect();
    let grams = grams(&sources, Pieces::All, winnow::all).unwrap_or_default();
    grams.into_iter().map(|(hash, _)| hash).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_building_block_can_be_read() {
        let found = |files: &[(&str, &str)]| crate::check::on_a_large_stack(|| hashes(files).len()).unwrap();
        for text in BLOCKS {
            assert!(found(&[("block.py", text)]) >= 3, "{text}");
        }
        for (name, files) in EXAMPLES.iter().chain(HONEST) {
            assert!(found(files) >= 3, "{name}");
        }
    }

    #[test]
    fn every_published_bundle_is_subtracted() {
        fn python_below(dir: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    python_below(&path, found);
                } else if path.extension().is_some_and(|extension| extension == "py") {
                    found.push(path);
                }
            }
        }
        let repository = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for (folder, listed) in [("examples", EXAMPLES), ("redteam/honest", HONEST)] {
            let root = repository.join(folder);
            let mut there = Vec::new();
            python_below(&root, &mut there);
            let mut named: Vec<_> = listed
                .iter()
                .flat_map(|(name, files)| {
                    let dir = root.join(name);
                    files.iter().map(move |(file, _)| dir.join(file))
                })
                .collect();
            there.sort();
            named.sort();
            assert_eq!(there, named, "the list in {} and {folder} differ", file!());
        }
    }
}
