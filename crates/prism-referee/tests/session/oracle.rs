//! A predictor that cannot be better: it knows the grammar of the text and tells its true distribution.
//!
//! What it pays is the entropy of the text, known to the corpus from the grammar's choices and not from this code. So
//! the session's whole arithmetic (lanes, claims, smoothing, audits, total) is checked against a number that it had no
//! part in. It learns nothing and its weights mean nothing; it forgets a document at the end of a row, so every row holds
//! whole ones.

use std::{collections::BTreeMap, io, sync::Arc};

use prism_core::hash::Sha256Hash;
use prism_corpus::synth::{END_SYMBOL, Grammar, GrammarPredictor, SynthDocument};
use prism_referee::{
    frame::Kind, lanes::TokenDocument, message::Role, plan::TokenizerInfo, record::verify, verdict::Flag,
    worker::Exit,
};

use crate::sessions::{Text, run_threads};
use crate::threads::{Cheat, Peer, Threads, VOCAB, batch_rows, i32s, u32_at};

/// Rows of the one step, two documents each.
const ROWS: usize = 20;
const SEQ_LEN: usize = 4096;
/// 256 bytes and the end of text, which the grammar's predictor numbers as the byte tokenizer does.
const BYTE_VOCAB: u32 = 257;

/// Learner and auditor alike.
#[derive(Clone)]
pub(crate) struct Oracle(Arc<Grammar>);

/// Where the grammar stands in a row.
struct Reader<'g> {
    grammar: &'g Grammar,
    predictor: GrammarPredictor<'g>,
}

impl<'g> Reader<'g> {
    /// A row starts with the end of the document before it.
    fn new(grammar: &'g Grammar, first: i32) -> Self {
        assert_eq!(usize::try_from(first), Ok(END_SYMBOL), "the row cuts a document");
        let predictor = grammar.predictor();
        Self { grammar, predictor }
    }

    fn read(&mut self, token: i32) {
        let known = match u8::try_from(token) {
            Ok(byte) => self.predictor.advance(byte),
            Err(_) => self.predictor.finish(),
        };
        assert!(known, "the grammar does not write this");
        if token > i32::from(u8::MAX) {
            self.predictor = self.grammar.predictor();
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "logits are single precision")]
    fn logits(&mut self) -> Vec<f32> {
        self.predictor
            .probabilities()
            .iter()
            .map(|p| p.ln() as f32)
            .collect()
    }
}

impl Oracle {
    pub(crate) fn learner(&self, mut peer: Peer) -> io::Result<Exit> {
        let rows = ROWS;
        peer.hello(Role::Learner)?;
        let mut open = u32::try_from(rows).unwrap().to_le_bytes().to_vec();
        open.extend_from_slice(&u32::try_from(SEQ_LEN).unwrap().to_le_bytes());
        open.push(0);
        peer.send(Kind::Open, &open)?;
        peer.receive()?;
        peer.layout(u64::from(VOCAB))?;
        for step in 0_u64.. {
            peer.send(Kind::Ready, &step.to_le_bytes())?;
            let (kind, body) = peer.receive()?;
            if kind == Kind::End {
                break;
            }
            let (tokens, mask) = batch_rows(&body, rows, SEQ_LEN);
            let mut frame = step.to_le_bytes().to_vec();
            frame.extend_from_slice(&u32::try_from(rows * SEQ_LEN).unwrap().to_le_bytes());
            for (row, mask) in tokens.chunks(SEQ_LEN + 1).zip(mask.chunks(SEQ_LEN)) {
                frame.extend(self.claims(row, mask).iter().flat_map(|nats| nats.to_le_bytes()));
            }
            peer.send(Kind::Claims, &frame)?;
            peer.receive()?;
        }
        peer.send(Kind::Done, &[1])?;
        peer.receive()?;
        Ok(Exit::Code(0))
    }

    fn claims(&self, row: &[i32], mask: &[u8]) -> Vec<f32> {
        let mut claims = vec![0.0; mask.len()];
        let targets = row[1..].iter().zip(mask).take_while(|&(_, &real)| real == 1);
        let mut reader = Reader::new(&self.0, row[0]);
        for (claim, (&target, _)) in claims.iter_mut().zip(targets) {
            *claim = -reader.logits()[usize::try_from(target).unwrap()];
            reader.read(target);
        }
        claims
    }

    pub(crate) fn auditor(&self, mut peer: Peer) -> io::Result<Exit> {
        peer.hello(Role::Auditor)?;
        peer.send(Kind::Built, &[])?;
        peer.receive()?;
        peer.layout(u64::from(VOCAB))?;
        loop {
            let (kind, body) = peer.receive()?;
            if kind == Kind::Load {
                peer.send(Kind::Loaded, &body[1..9])?;
                continue;
            }
            assert_eq!(kind, Kind::Question);
            let (column, row) = (u32_at(&body, 12) as usize, i32s(&body[20..]));
            let mut reader = Reader::new(&self.0, row[0]);
            row[1..=column].iter().for_each(|&token| reader.read(token));
            let mut answer = body[..8].to_vec();
            answer.extend_from_slice(&BYTE_VOCAB.to_le_bytes());
            answer.extend(reader.logits().iter().flat_map(|logit| logit.to_le_bytes()));
            peer.send(Kind::Answer, &answer)?;
        }
    }
}

/// Documents of which each two in turn, with their ends, are as long as a row.
fn pairs_that_fill_a_row(grammar: &Grammar) -> Vec<SynthDocument> {
    let mut single: BTreeMap<usize, SynthDocument> = BTreeMap::new();
    let mut pairs = Vec::new();
    let mut number = 0;
    while pairs.len() < 2 * ROWS {
        let document = grammar.document(number);
        number += 1;
        let wanted = SEQ_LEN.checked_sub(document.text.len() + 2);
        match wanted.and_then(|len| single.remove(&len)) {
            Some(other) => pairs.extend([document, other]),
            None => _ = single.insert(document.text.len(), document),
        }
    }
    pairs
}

#[test]
fn who_knows_the_grammar_pays_the_entropy_of_the_text() {
    let grammar = Arc::new(Grammar::new(7).unwrap());
    let written = pairs_that_fill_a_row(&grammar);
    let documents = (0..)
        .zip(&written)
        .map(|(number, document)| TokenDocument {
            number,
            ids: document.text.bytes().map(u32::from).collect(),
            byte_lengths: vec![1; document.text.len()],
        })
        .collect();
    let text = Text {
        documents,
        val: Vec::new(),
    };
    let bytes = text.totals().bytes;
    let floor_bpb = written.iter().map(|document| document.bits).sum::<f64>() / bytes as f64;

    let mut threads = Threads::new(Cheat::Honest);
    threads.oracle = Some(Oracle(grammar));
    let tokenizer = TokenizerInfo {
        name: "bytes".into(),
        vocab_size: BYTE_VOCAB,
        end_of_text: BYTE_VOCAB - 1,
    };
    let ran = run_threads(&text, threads, tokenizer, 1, |recipe| {
        // The whole stream is one step.
        recipe.stream.max_step_ppm = 1_000_000;
        recipe.audit.rate_per_byte = 0.01;
    });
    let (record, targets) = ran.result.unwrap();
    let verdict = &record.verdict;

    assert_eq!((record.measured.bytes, verdict.unread_bytes), (bytes, 0));
    assert!((0.3..1.2).contains(&floor_bpb), "{floor_bpb}");
    // Smoothing takes a millionth from every certainty and gives nothing back.
    let above_bpb = verdict.bpb - floor_bpb;
    assert!(
        (0.0..1e-5).contains(&above_bpb),
        "{} bpb, the entropy is {floor_bpb}",
        verdict.bpb
    );
    assert!(verdict.bpb_se < 1e-6, "{}", verdict.bpb_se);
    assert!(record.measured.audits > 500, "{}", record.measured.audits);
    assert_eq!(
        verdict.flags,
        [Flag::Step0Anomaly],
        "it knew the text's language before the first batch"
    );
    verify(&record, targets.as_slice(), Sha256Hash::of(&targets)).unwrap();
}
