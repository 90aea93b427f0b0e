//! One choice of the grammar: options with weights, each written as a codeword, none the start of another.
//!
//! The generator samples from it, the parser and the predictor read it back. Weights are integers, so every
//! probability is an exact ratio; the logarithm comes from `libm`, so every machine finds the same code length.

/// What the document does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    Byte(u8),
    End,
}

/// An option as the grammar states it. No text means: the document ends here.
pub(super) struct Candidate {
    pub(super) text: Option<String>,
    pub(super) weight: u64,
    pub(super) value: u16,
}

impl Candidate {
    pub(super) fn new(text: impl Into<String>, weight: u64, value: usize) -> Self {
        Self {
            text: Some(text.into()),
            weight,
            value: u16::try_from(value).unwrap_or(u16::MAX),
        }
    }

    pub(super) fn end(weight: u64, value: usize) -> Self {
        Self {
            text: None,
            weight,
            value: u16::try_from(value).unwrap_or(u16::MAX),
        }
    }
}

/// The options sorted by codeword, the end of the document last.
#[derive(Debug)]
pub(super) struct Choice {
    options: Vec<ChoiceOption>,
    /// Sum of the weights before each option, and of all.
    weight_before: Vec<u64>,
}

#[derive(Debug)]
struct ChoiceOption {
    /// Empty only for the end of the document.
    codeword: Box<[u8]>,
    value: u16,
    bits: f64,
}

/// The options that agree with what was read of a codeword so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) first: usize,
    pub(super) after: usize,
    pub(super) depth: usize,
}

impl Choice {
    /// `None` if there is no option, a weight is zero, or one codeword is empty or the start of another.
    pub(super) fn new(candidates: Vec<Candidate>) -> Option<Self> {
        let mut candidates = candidates;
        candidates.sort_by(|a, b| (a.text.is_none(), &a.text).cmp(&(b.text.is_none(), &b.text)));
        let mut weight_before = vec![0u64];
        for (i, candidate) in candidates.iter().enumerate() {
            let next = candidates.get(i + 1);
            // In sorted order a codeword that starts others stands directly before one of them.
            let is_prefix = match (&candidate.text, next) {
                (Some(text), Some(Candidate { text: Some(next), .. })) => next.starts_with(text.as_str()),
                (Some(_), _) => false,
                (None, next) => next.is_some(),
            };
            let is_empty = candidate.text.as_ref().is_some_and(String::is_empty);
            if is_prefix || is_empty || candidate.weight == 0 {
                return None;
            }
            weight_before.push(weight_before[i].checked_add(candidate.weight)?);
        }
        let total = *weight_before.last().filter(|total| **total > 0)?;
        let options = candidates
            .into_iter()
            .map(|candidate| ChoiceOption {
                codeword: candidate.text.unwrap_or_default().into_bytes().into(),
                value: candidate.value,
                bits: libm::log2(total as f64 / candidate.weight as f64),
            })
            .collect();
        Some(Self {
            options,
            weight_before,
        })
    }

    pub(super) fn total_weight(&self) -> u64 {
        self.weight_before[self.options.len()]
    }

    /// The option that a number below the total weight falls on.
    pub(super) fn option_at(&self, point: u64) -> usize {
        self.weight_before.partition_point(|before| *before <= point) - 1
    }

    /// The codeword of an option; empty means the end of the document.
    pub(super) fn codeword(&self, option: usize) -> &[u8] {
        &self.options[option].codeword
    }

    /// What the grammar calls the option.
    pub(super) fn value(&self, option: usize) -> u16 {
        self.options[option].value
    }

    /// Code length of the option.
    pub(super) fn bits(&self, option: usize) -> f64 {
        self.options[option].bits
    }

    /// All options, nothing read yet.
    pub(super) fn all(&self) -> Range {
        Range {
            first: 0,
            after: self.options.len(),
            depth: 0,
        }
    }

    fn symbol(&self, option: usize, depth: usize) -> Symbol {
        self.options[option]
            .codeword
            .get(depth)
            .map_or(Symbol::End, |byte| Symbol::Byte(*byte))
    }

    fn weight(&self, range: Range) -> u64 {
        self.weight_before[range.after] - self.weight_before[range.first]
    }

    /// The options of the range that go on with this symbol; `None` if none does.
    pub(super) fn narrow(&self, range: Range, symbol: Symbol) -> Option<Range> {
        let options = &self.options[range.first..range.after];
        let rank = |depth: usize, option: &ChoiceOption| {
            option.codeword.get(depth).map_or(256, |byte| usize::from(*byte))
        };
        let wanted = match symbol {
            Symbol::Byte(byte) => usize::from(byte),
            Symbol::End => 256,
        };
        let first = range.first + options.partition_point(|option| rank(range.depth, option) < wanted);
        let after = range.first + options.partition_point(|option| rank(range.depth, option) <= wanted);
        (first < after).then_some(Range {
            first,
            after,
            depth: range.depth + 1,
        })
    }

    /// The option, if the range is one whose codeword is read to its end.
    pub(super) fn decided(&self, range: Range) -> Option<usize> {
        let is_one = range.after - range.first == 1;
        let length = self.options[range.first].codeword.len().max(1);
        (is_one && range.depth == length).then_some(range.first)
    }

    /// Calls back with each symbol that may come next and its exact probability.
    pub(super) fn next_symbols(&self, range: Range, visit: &mut dyn FnMut(Symbol, f64)) {
        let total = self.weight(range) as f64;
        let mut rest = range;
        while rest.first < rest.after {
            let symbol = self.symbol(rest.first, rest.depth);
            let Some(part) = self.narrow(rest, symbol) else {
                return;
            };
            visit(symbol, self.weight(part) as f64 / total);
            rest.first = part.after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(options: &[(&str, u64)]) -> Option<Choice> {
        Choice::new(
            options
                .iter()
                .map(|(text, weight)| Candidate::new(*text, *weight, 0))
                .collect(),
        )
    }

    #[test]
    fn refuses_what_could_not_be_read_back() {
        assert!(choice(&[("the", 1), ("then", 1)]).is_none());
        assert!(choice(&[("a", 1), ("a", 1)]).is_none());
        assert!(choice(&[("", 1), ("a", 1)]).is_none());
        assert!(choice(&[("a", 0), ("b", 1)]).is_none());
        assert!(choice(&[]).is_none());
        assert!(Choice::new(vec![Candidate::end(1, 0), Candidate::end(1, 1)]).is_none());
    }

    #[test]
    fn probabilities_are_the_shares_of_the_weights() {
        let candidates = vec![
            Candidate::new("ab", 1, 0),
            Candidate::new("ac", 2, 1),
            Candidate::new("b", 4, 2),
            Candidate::end(1, 3),
        ];
        let choice = Choice::new(candidates).unwrap();
        let mut seen = Vec::new();
        choice.next_symbols(choice.all(), &mut |symbol, p| seen.push((symbol, p)));
        assert_eq!(
            seen,
            [
                (Symbol::Byte(b'a'), 0.375),
                (Symbol::Byte(b'b'), 0.5),
                (Symbol::End, 0.125)
            ]
        );
        let a = choice.narrow(choice.all(), Symbol::Byte(b'a')).unwrap();
        assert_eq!(choice.decided(a), None);
        let ac = choice.narrow(a, Symbol::Byte(b'c')).unwrap();
        assert_eq!(choice.decided(ac).map(|option| choice.value(option)), Some(1));
        assert_eq!(choice.narrow(ac, Symbol::Byte(b'c')), None);
        let end = choice.narrow(choice.all(), Symbol::End).unwrap();
        assert_eq!(
            choice.decided(end).map(|option| choice.bits(option).to_bits()),
            Some(3f64.to_bits())
        );
        assert_eq!([0, 1, 3, 7].map(|point| choice.option_at(point)), [0, 1, 2, 3]);
    }
}
