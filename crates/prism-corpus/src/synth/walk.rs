//! Two walks over the grammar: writing a document, and predicting the next byte.
//!
//! The corpus writer uses the first; tests of the measurement use the other. Both drive the same machine.

use super::choice::{Range, Symbol};
use super::grammar::Grammar;
use super::machine::{Machine, Step};
use super::random::Random;

/// One document of the grammar and its exact code length.
#[derive(Debug, Clone, PartialEq)]
pub struct SynthDocument {
    /// The text.
    pub text: String,
    /// Code length of all its choices, the end included.
    pub bits: f64,
}

impl Grammar {
    /// Document `number` of the grammar: the same on every machine, whichever others were written before.
    pub fn document(&self, number: u64) -> SynthDocument {
        let mut random = Random::new(self.seed, number.wrapping_add(1));
        let (mut bytes, mut bits) = (Vec::with_capacity(4096), 0.0);
        let mut machine = Machine::new(self);
        loop {
            match machine.step() {
                Step::Fixed(text) => bytes.extend_from_slice(text),
                Step::Choose(choice) => {
                    let option = choice.option_at(random.below(choice.total_weight()));
                    bytes.extend_from_slice(choice.codeword(option));
                    bits += choice.bits(option);
                    machine.take(option);
                }
                Step::End => break,
            }
        }
        // Every word of the grammar is text, so their join is too.
        SynthDocument {
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bits,
        }
    }

    /// A predictor at the start of a document.
    pub fn predictor(&self) -> GrammarPredictor<'_> {
        GrammarPredictor::new(self)
    }
}

/// The true conditional distribution of the next byte, or of the end of the document, given the bytes before it.
#[derive(Clone)]
pub struct GrammarPredictor<'g> {
    machine: Machine<'g>,
    position: Position<'g>,
}

#[derive(Clone)]
enum Position<'g> {
    Fixed(&'g [u8]),
    Choosing(Range),
    Ended,
}

/// The index of the end of the document among the probabilities: the end-of-text id of the byte tokenizer.
pub const END_SYMBOL: usize = 256;

impl<'g> GrammarPredictor<'g> {
    /// A predictor at the start of a document.
    pub fn new(grammar: &'g Grammar) -> Self {
        let mut predictor = Self {
            machine: Machine::new(grammar),
            position: Position::Ended,
        };
        predictor.settle();
        predictor
    }

    /// Exact probabilities of the 256 bytes and, last, of the end of the document. After the end all are zero.
    pub fn probabilities(&mut self) -> [f64; 257] {
        let mut probabilities = [0.0; 257];
        match self.position {
            Position::Fixed(text) => {
                if let Some(byte) = text.first() {
                    probabilities[usize::from(*byte)] = 1.0;
                }
            }
            Position::Choosing(range) => {
                if let Step::Choose(choice) = self.machine.step() {
                    choice.next_symbols(range, &mut |symbol, probability| {
                        probabilities[index(symbol)] = probability;
                    });
                }
            }
            Position::Ended => {}
        }
        probabilities
    }

    /// Reads the next byte; `false` if the grammar gives it no probability, and then nothing changes.
    pub fn advance(&mut self, byte: u8) -> bool {
        self.advance_by(Symbol::Byte(byte))
    }

    /// Reads the end of the document; `false` if the grammar gives it no probability, and then nothing changes.
    pub fn finish(&mut self) -> bool {
        self.advance_by(Symbol::End)
    }

    fn advance_by(&mut self, symbol: Symbol) -> bool {
        match (&self.position, symbol) {
            (Position::Fixed([first, rest @ ..]), Symbol::Byte(byte)) if *first == byte => {
                self.position = Position::Fixed(rest);
            }
            (Position::Choosing(range), symbol) => {
                let range = *range;
                let Step::Choose(choice) = self.machine.step() else {
                    return false;
                };
                let Some(narrowed) = choice.narrow(range, symbol) else {
                    return false;
                };
                match choice.decided(narrowed) {
                    Some(option) => {
                        self.machine.take(option);
                        self.position = Position::Fixed(&[]);
                    }
                    None => self.position = Position::Choosing(narrowed),
                }
            }
            _ => return false,
        }
        self.settle();
        true
    }

    /// Goes on to the next position where a byte is due.
    fn settle(&mut self) {
        while matches!(self.position, Position::Fixed([]) | Position::Ended) {
            self.position = match self.machine.step() {
                Step::Fixed(text) => Position::Fixed(text),
                Step::Choose(choice) => Position::Choosing(choice.all()),
                Step::End => {
                    self.position = Position::Ended;
                    return;
                }
            };
        }
    }
}

fn index(symbol: Symbol) -> usize {
    match symbol {
        Symbol::Byte(byte) => usize::from(byte),
        Symbol::End => END_SYMBOL,
    }
}
