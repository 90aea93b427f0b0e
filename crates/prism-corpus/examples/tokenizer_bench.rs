//! How fast the tokenizers of the referee are, the lossless check included: on one core, then GPT-2's on all of them.
//!
//! Run by hand: `cargo run --release -p prism-corpus --example tokenizer_bench [-- CORPUS_DIR]`. Without a directory
//! it takes 8 MB of the synthetic corpus. Rounds of all tokenizers alternate; the median of each is printed. Time is
//! that of the processor, where Linux tells it, so that other work on the machine counts for less.
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod gpt2_json;

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Instant;

use prism_corpus::synth::Grammar;
use prism_corpus::{Corpus, Encoded, Split, Tokenizer, TokenizerSpec};

const ROUNDS: usize = 9;
/// Least time of a round: the clock of the processor is coarse.
const ROUND_SECONDS: f64 = 0.2;
const SAMPLE_BYTES: usize = 8_000_000;

type Encode = Box<dyn Fn(&str, &mut Encoded) -> Result<(), Box<dyn Error>>>;

fn main() -> Result<(), Box<dyn Error>> {
    let documents = match std::env::args().nth(1) {
        Some(dir) => of_corpus(Path::new(&dir))?,
        None => of_grammar()?,
    };
    let bytes: usize = documents.iter().map(String::len).sum();
    println!("{} documents, {bytes} bytes", documents.len());
    let candidates = candidates()?;
    let mut seconds = vec![Vec::new(); candidates.len()];
    let mut out = Encoded::default();
    let mut tokens = 0;
    for _ in 0..ROUNDS {
        for ((_, encode), seconds) in candidates.iter().zip(&mut seconds) {
            let start = processor_seconds();
            let mut passes = 0;
            while processor_seconds() - start < ROUND_SECONDS {
                for document in &documents {
                    encode(document, &mut out)?;
                    tokens += black_box(&out).ids.len();
                }
                passes += 1;
            }
            seconds.push((processor_seconds() - start) / f64::from(passes));
        }
    }
    for ((name, _), seconds) in candidates.iter().zip(&mut seconds) {
        seconds.sort_by(f64::total_cmp);
        let rate = |seconds: f64| bytes as f64 / 1e6 / seconds;
        println!(
            "{name:32} {:8.1} MB/s (from {:.1} to {:.1})",
            rate(seconds[ROUNDS / 2]),
            rate(seconds[ROUNDS - 1]),
            rate(seconds[0])
        );
    }
    println!("{tokens} tokens in all");
    on_all_cores(&documents)
}

/// One pass of the GPT-2 tokenizer with one thread and with one a core, as an evaluation counts its tokens.
fn on_all_cores(documents: &[String]) -> Result<(), Box<dyn Error>> {
    let tokenizer = Tokenizer::load(&TokenizerSpec::Gpt2)?;
    let cores = std::thread::available_parallelism()?.get();
    let bytes: usize = documents.iter().map(String::len).sum();
    let tokenizer = &tokenizer;
    for threads in [1, cores] {
        let mut seconds: Vec<f64> = (0..ROUNDS)
            .map(|_| {
                let start = Instant::now();
                std::thread::scope(|scope| {
                    for share in documents.chunks(documents.len().div_ceil(threads)) {
                        scope.spawn(move || {
                            let mut out = Encoded::default();
                            for document in share {
                                black_box(tokenizer.encode(document, &mut out).is_ok());
                            }
                        });
                    }
                });
                start.elapsed().as_secs_f64()
            })
            .collect();
        seconds.sort_by(f64::total_cmp);
        println!(
            "gpt2, {threads} threads: {:.1} MB/s of wall time",
            bytes as f64 / 1e6 / seconds[ROUNDS / 2]
        );
    }
    Ok(())
}

/// Seconds that this thread has run so far; on other systems, seconds since the first call.
fn processor_seconds() -> f64 {
    static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = statistics
        .split(' ')
        .next()
        .and_then(|field| field.parse::<f64>().ok());
    nanoseconds.map_or_else(|| FIRST.elapsed().as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}

fn candidates() -> Result<Vec<(&'static str, Encode)>, Box<dyn Error>> {
    let ours = |spec: TokenizerSpec| -> Result<Encode, Box<dyn Error>> {
        let start = processor_seconds();
        let tokenizer = Tokenizer::load(&spec)?;
        println!(
            "loads in {:.0} ms: {}",
            (processor_seconds() - start) * 1e3,
            tokenizer.vocab_size()
        );
        Ok(Box::new(
            move |document, out| Ok(tokenizer.encode(document, out)?),
        ))
    };
    let merges = tiktoken_rs::r50k_base()?;
    let plain: Encode = Box::new(move |document, out| {
        out.ids = merges.encode_ordinary(document);
        Ok(())
    });
    Ok(vec![
        ("bytes", ours(TokenizerSpec::Bytes)?),
        ("gpt2", ours(TokenizerSpec::Gpt2)?),
        (
            "gpt2 as tokenizer.json",
            ours(TokenizerSpec::Bundle(gpt2_json::gpt2_json()?))?,
        ),
        ("tiktoken-rs, no lossless check", plain),
    ])
}

fn of_grammar() -> Result<Vec<String>, Box<dyn Error>> {
    let grammar = Grammar::new(1)?;
    let (mut documents, mut bytes) = (Vec::new(), 0);
    while bytes < SAMPLE_BYTES {
        let text = grammar.document(documents.len() as u64).text;
        bytes += text.len();
        documents.push(text);
    }
    Ok(documents)
}

fn of_corpus(dir: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let reader = Corpus::open(dir)?.split(Split::Train);
    let prefix = reader.prefix(SAMPLE_BYTES as u64)?;
    (0..prefix.documents).map(|i| Ok(reader.document(i)?)).collect()
}
