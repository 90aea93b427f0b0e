//! Workers made of threads: a real little learner (a bigram model that counts) and its auditor, honest or not.
//!
//! They speak the protocol over real sockets and share real segments, so that everything of a session but the sandbox
//! and Python is exercised. The model: one parameter table `(V, V)` of logits; the row of the last input token is the
//! prediction.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::OwnedFd,
        unix::{fs::FileExt, net::UnixStream},
    },
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use prism_core::failure::Failure;
use prism_referee::{
    frame::{HEADER_BYTES, Header, Kind, VERSION},
    message::Role,
    party::Party,
    worker::{ControlError, Exit, Launcher, Process, Usage},
};

use crate::oracle::Oracle;

pub(crate) const VOCAB: u32 = 17;
pub(crate) const EOT: u32 = 16;
/// What was done to whom, in order.
pub(crate) type Acts = Arc<Mutex<Vec<(Party, Act)>>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Launched,
    Sealed,
    Frozen,
    Thawed,
    Killed,
    /// A learner got its first batch, or a claimant its first rows.
    GotText,
}

/// Lane, column and row of every question.
pub(crate) type Questions = Arc<Mutex<Vec<(u32, u32, Vec<i32>)>>>;
pub(crate) const V: usize = VOCAB as usize;

/// How a thread misbehaves. `Honest` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cheat {
    Honest,
    ZeroClaims,
    NanClaims,
    /// Lies about half of the targets.
    HalfClaims,
    /// Puts the answers into the weights after the batch is out.
    LateSnapshot,
    SkipClaims,
    WrongStep,
    ShortClaims,
    TrailingByte,
    UnknownKind,
    HugeFrame,
    ForgedResume,
    ReadyTwice,
    OtherLayout,
    DoneAtOnce,
    DoneInTheMiddle,
    /// Counts the batches, and asks for none after the last one.
    DoneAfterTheLast,
    Exit,
    AuditorNan,
    AuditorWide,
    AuditorWrongId,
    AuditorDies,
    AuditorOtherLayout,
    HugeBatch,
    /// Learns from the questions, whatever weights it is given.
    AuditorLearns,
    /// Never answers and never falls silent.
    AuditorChatters,
    /// Never claims and never falls silent.
    LearnerChatters,
    /// Answers each time within the limit of one answer, and never comes to an end.
    ClaimantDawdles,
    /// Leaves weights that know nothing.
    EmptiesAtEnd,
    /// Claims that everything was certain.
    ClaimantZero,
    /// Claims that the first row of a batch was dear.
    ClaimantLiesToOne,
    /// Ends with a status of its own choice.
    ClaimantExits,
    /// Gives up with words of its own choice.
    ClaimantFails,
    /// Is gone the moment that it is to stand still.
    DiesAsItIsFrozen,
    /// Does not stand still.
    NeverStands,
    /// Answers depend on how many there were.
    ScoresDrift,
    /// The same, but only with other weights than those of the start.
    ScoresDriftWhenShaken,
    DiesWhenShaken,
    DiesOfTwoRows,
    ScoresNan,
    ScoresShort,
    /// A prediction depends on the token after it.
    LooksAhead,
    /// Costs of a row depend on the other one.
    MixesRows,
    /// Costs depend on how many rows there are.
    CountsRows,
    /// Costs are others in train mode.
    TrainsOtherwise,
    /// The training script cannot be imported.
    FailsInImport,
    /// Says of itself that it is somebody else.
    OtherRole,
    /// Is gone before it has said anything.
    Mute,
    /// Gives up in `build_model`, and says so for this reason.
    FailsInBuild(&'static str),
}

/// A thread as a process: it can be stopped at its next frame, which is all that a session can see of a freeze.
struct Thread {
    party: Party,
    acts: Acts,
    gate: Arc<Gate>,
    socket: UnixStream,
    ended: mpsc::Receiver<Exit>,
    exit: Option<Exit>,
    /// A learner's cheat.
    cheat: Option<Cheat>,
}

#[derive(Default)]
struct Gate {
    frozen: Mutex<bool>,
    changed: Condvar,
    running: AtomicBool,
}

impl Gate {
    fn pass(&self) {
        let mut frozen = self.frozen.lock().unwrap();
        while *frozen {
            frozen = self.changed.wait(frozen).unwrap();
        }
    }
}

impl Thread {
    fn note(&self, act: Act) {
        self.acts.lock().unwrap().push((self.party, act));
    }
}

impl Process for Thread {
    fn seal(&mut self) -> Result<(), ControlError> {
        self.note(Act::Sealed);
        Ok(())
    }
    fn freeze(&mut self) -> Result<(), ControlError> {
        match self.cheat {
            Some(Cheat::DiesAsItIsFrozen) => {
                let _ = self.socket.shutdown(std::net::Shutdown::Both);
                return Err(ControlError::Ended);
            }
            Some(Cheat::NeverStands) => return Err(ControlError::Restless("it dances".into())),
            _ => {}
        }
        self.note(Act::Frozen);
        *self.gate.frozen.lock().unwrap() = true;
        Ok(())
    }
    fn thaw(&mut self) -> Result<(), ControlError> {
        self.note(Act::Thawed);
        *self.gate.frozen.lock().unwrap() = false;
        self.gate.changed.notify_all();
        Ok(())
    }
    fn wait(&mut self, timeout: Duration) -> Option<Exit> {
        if self.exit.is_none() {
            self.exit = self.ended.recv_timeout(timeout).ok();
        }
        self.exit.clone()
    }
    fn kill(&mut self) -> Exit {
        self.note(Act::Killed);
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
        *self.gate.frozen.lock().unwrap() = false;
        self.gate.changed.notify_all();
        self.wait(Duration::from_secs(20)).unwrap_or(Exit::Killed)
    }
    fn usage(&mut self) -> Usage {
        Usage::default()
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts threads and remembers who was runnable together.
pub(crate) struct Threads {
    pub(crate) cheat: Cheat,
    /// Plays all roles with the true distribution instead of the bigram model.
    pub(crate) oracle: Option<Oracle>,
    pub(crate) launched: Vec<Party>,
    pub(crate) acts: Acts,
    /// Every token id that an auditor was ever shown, by question.
    pub(crate) questions: Questions,
    gates: HashMap<&'static str, Arc<Gate>>,
    /// Set if an auditor answered while the learner was not frozen after the first batch.
    pub(crate) overlap: Arc<AtomicBool>,
}

impl Threads {
    pub(crate) fn new(cheat: Cheat) -> Self {
        Self {
            cheat,
            oracle: None,
            launched: Vec::new(),
            acts: Arc::default(),
            questions: Arc::default(),
            gates: HashMap::new(),
            overlap: Arc::default(),
        }
    }
}

impl Launcher for Threads {
    fn launch(&mut self, party: Party, segment: OwnedFd) -> Result<(UnixStream, Box<dyn Process>), Failure> {
        let role = party.role();
        self.launched.push(party);
        self.acts.lock().unwrap().push((party, Act::Launched));
        let (ours, theirs) = UnixStream::pair().unwrap();
        let gate = Arc::new(Gate::default());
        gate.running.store(true, Ordering::SeqCst);
        if role == Role::Learner {
            self.gates.insert("learner", Arc::clone(&gate));
        }
        let peer = Peer {
            socket: theirs,
            segment: File::from(segment),
            gate: Arc::clone(&gate),
            cheat: self.cheat,
            questions: Arc::clone(&self.questions),
            learner: self.gates.get("learner").cloned(),
            overlap: Arc::clone(&self.overlap),
            party,
            acts: Arc::clone(&self.acts),
        };
        let (sender, ended) = mpsc::channel();
        let socket = ours.try_clone().unwrap();
        let oracle = self.oracle.clone();
        std::thread::spawn(move || {
            let gate = Arc::clone(&peer.gate);
            let exit = match (role, oracle) {
                (Role::Learner, None) => peer.learner(),
                (Role::Learner, Some(oracle)) => oracle.learner(peer),
                (Role::Auditor | Role::Claimant, None) => peer.forwarder(role),
                (Role::Auditor | Role::Claimant, Some(oracle)) => oracle.auditor(peer),
            };
            gate.running.store(false, Ordering::SeqCst);
            let _ = sender.send(exit.unwrap_or(Exit::Code(0)));
        });
        Ok((
            ours,
            Box::new(Thread {
                party,
                acts: Arc::clone(&self.acts),
                gate,
                socket,
                ended,
                exit: None,
                cheat: (role == Role::Learner).then_some(self.cheat),
            }),
        ))
    }
}

pub(crate) struct Peer {
    socket: UnixStream,
    segment: File,
    gate: Arc<Gate>,
    cheat: Cheat,
    questions: Questions,
    learner: Option<Arc<Gate>>,
    overlap: Arc<AtomicBool>,
    party: Party,
    acts: Acts,
}

pub(crate) fn u32_at(body: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(body[at..at + 4].try_into().unwrap())
}

pub(crate) fn i32s(body: &[u8]) -> Vec<i32> {
    body.chunks_exact(4)
        .map(|four| i32::from_le_bytes(four.try_into().unwrap()))
        .collect()
}

/// Tokens and mask of BATCH, whose rows begin after step, bytes read, `B` and `T`.
pub(crate) fn batch_rows(body: &[u8], b: usize, t: usize) -> (Vec<i32>, &[u8]) {
    let (tokens, mask) = body[24..].split_at(4 * b * (t + 1));
    (i32s(tokens), mask)
}

/// The body of FAILED: where, why, and an exception with its message.
fn failed(phase: u8, reason: &str, said: [&str; 2]) -> Vec<u8> {
    let mut body = vec![phase, u8::try_from(reason.len()).unwrap()];
    body.extend_from_slice(reason.as_bytes());
    for text in said {
        body.extend_from_slice(&u16::try_from(text.len()).unwrap().to_le_bytes());
        body.extend_from_slice(text.as_bytes());
    }
    body.extend_from_slice(&[2, 0, 0, 0, b't', b'b']);
    body
}

pub(crate) fn nats(table: &[f32], input: i32, target: i32) -> f32 {
    let row = &table[usize::try_from(input).unwrap() * V..][..V];
    let sum: f64 = row.iter().map(|&x| f64::from(x).exp()).sum();
    #[allow(clippy::cast_possible_truncation, reason = "claims are single precision")]
    let nats = (sum.ln() - f64::from(row[usize::try_from(target).unwrap()])) as f32;
    nats
}

impl Peer {
    pub(crate) fn send(&mut self, kind: Kind, body: &[u8]) -> io::Result<()> {
        self.gate.pass();
        self.socket.write_all(
            &Header {
                kind,
                body_bytes: body.len(),
            }
            .encode(),
        )?;
        self.socket.write_all(body)
    }

    pub(crate) fn receive(&mut self) -> io::Result<(Kind, Vec<u8>)> {
        let mut header = [0; HEADER_BYTES];
        self.socket.read_exact(&mut header)?;
        let header = Header::parse(header).unwrap();
        let mut body = vec![0; header.body_bytes];
        self.socket.read_exact(&mut body)?;
        self.gate.pass();
        Ok((header.kind, body))
    }

    pub(crate) fn hello(&mut self, role: Role) -> io::Result<()> {
        self.send(Kind::Hello, &[role as u8, 3, b'r', b's', b't'])?;
        let (kind, config) = self.receive()?;
        assert_eq!(kind, Kind::Config);
        let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
        assert_eq!(config["role"], role.as_str());
        assert_eq!(config.get("training_file").is_some(), role == Role::Learner);
        let only_import = config.get("only_import").is_some_and(|value| value == true);
        assert_eq!(only_import, self.party == Party::SmokeLearner);
        Ok(())
    }

    pub(crate) fn layout(&mut self, width: u64) -> io::Result<()> {
        let mut body = 1_u32.to_le_bytes().to_vec();
        body.extend_from_slice(&5_u16.to_le_bytes());
        body.extend_from_slice(b"table");
        body.extend_from_slice(&[0, 0, 2]);
        body.extend_from_slice(&u64::from(VOCAB).to_le_bytes());
        body.extend_from_slice(&width.to_le_bytes());
        self.send(Kind::Layout, &body)
    }

    fn write_table(&self, table: &[f32]) {
        let bytes: Vec<u8> = table.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.segment.write_all_at(&bytes, 0).unwrap();
    }

    fn learner(mut self) -> io::Result<Exit> {
        self.hello(Role::Learner)?;
        if self.party == Party::SmokeLearner {
            if self.cheat == Cheat::FailsInImport {
                let body = failed(1, "exception", ["ImportError", "no parent package"]);
                self.send(Kind::Failed, &body)?;
                return Ok(Exit::Code(1));
            }
            if self.cheat == Cheat::Exit {
                return Ok(Exit::Code(0));
            }
            self.send(Kind::Done, &[0])?;
            self.receive()?;
        }
        if self.cheat == Cheat::DoneAtOnce {
            self.send(Kind::Done, &[0])?;
            self.receive()?;
        }
        let (b, t) = if self.cheat == Cheat::HugeBatch {
            (1024_usize, 4096_usize)
        } else {
            (4, 24)
        };
        let mut open = u32::try_from(b).unwrap().to_le_bytes().to_vec();
        open.extend_from_slice(&u32::try_from(t).unwrap().to_le_bytes());
        open.push(0);
        self.send(Kind::Open, &open)?;
        let (_, opened) = self.receive()?;
        self.layout(if self.cheat == Cheat::OtherLayout {
            5
        } else {
            u64::from(VOCAB)
        })?;

        let mut counts = vec![0.05_f32; V * V];
        // Every token of the text is a byte, every end of a document none.
        let (mut step, mut read_bytes) = (0_u64, 0_u64);
        loop {
            let table: Vec<f32> = counts.iter().map(|count| count.ln()).collect();
            self.write_table(&table);
            let number = if self.cheat == Cheat::WrongStep {
                step + 1
            } else {
                step
            };
            self.send(Kind::Ready, &number.to_le_bytes())?;
            let (kind, body) = self.receive()?;
            if kind == Kind::End {
                if self.cheat == Cheat::EmptiesAtEnd {
                    self.write_table(&vec![0.0; V * V]);
                }
                self.send(Kind::Done, &[1])?;
                self.receive()?;
                return Ok(Exit::Code(0));
            }
            assert_eq!(kind, Kind::Batch);
            if step == 0 {
                self.acts.lock().unwrap().push((self.party, Act::GotText));
            }
            assert_eq!(u64::from_le_bytes(body[8..16].try_into().unwrap()), read_bytes);
            let (tokens, mask) = batch_rows(&body, b, t);
            let mut claims = vec![0.0_f32; b * t];
            for row in 0..b {
                for column in 0..t {
                    if mask[row * t + column] == 1 {
                        let at = row * (t + 1) + column;
                        claims[row * t + column] = nats(&table, tokens[at], tokens[at + 1]);
                        read_bytes += u64::from(tokens[at + 1] != EOT.cast_signed());
                        counts[usize::try_from(tokens[at]).unwrap() * V
                            + usize::try_from(tokens[at + 1]).unwrap()] += 1.0;
                    }
                }
            }
            match self.cheat {
                Cheat::ZeroClaims => claims.fill(0.0),
                Cheat::NanClaims => claims.fill(f32::NAN),
                Cheat::HalfClaims => claims.iter_mut().step_by(2).for_each(|claim| *claim = 0.0),
                Cheat::LateSnapshot => {
                    // Weights that know this batch, where the old ones were.
                    let knowing: Vec<f32> = counts.iter().map(|count| (count * count * count).ln()).collect();
                    self.write_table(&knowing);
                    for row in 0..b {
                        for column in 0..t {
                            let at = row * (t + 1) + column;
                            claims[row * t + column] = nats(&knowing, tokens[at], tokens[at + 1]);
                        }
                    }
                }
                Cheat::SkipClaims | Cheat::ReadyTwice => {
                    self.send(Kind::Ready, &(step + 1).to_le_bytes())?;
                }
                Cheat::UnknownKind => self.socket.write_all(&[0, 0, 0, 0, VERSION, 0xee, 0, 0])?,
                Cheat::HugeFrame => {
                    self.socket
                        .write_all(&[0xff, 0xff, 0xff, 0x7f, VERSION, Kind::Claims as u8, 0, 0])?;
                }
                Cheat::ForgedResume => self.send(Kind::Resume, &step.to_le_bytes())?,
                Cheat::DoneInTheMiddle if step == 3 => {
                    self.send(Kind::Done, &[1])?;
                    self.receive()?;
                }
                Cheat::Exit if step == 2 => return Ok(Exit::Code(7)),
                Cheat::LearnerChatters if step == 2 => loop {
                    self.send(Kind::Log, &[0])?;
                },
                _ => {}
            }
            let mut frame = step.to_le_bytes().to_vec();
            let count = if self.cheat == Cheat::ShortClaims {
                1
            } else {
                b * t
            };
            frame.extend_from_slice(&u32::try_from(count).unwrap().to_le_bytes());
            frame.extend(claims[..count].iter().flat_map(|claim| claim.to_le_bytes()));
            if self.cheat == Cheat::TrailingByte {
                frame.push(0);
            }
            self.send(Kind::Claims, &frame)?;
            self.receive()?;
            step += 1;
            if self.cheat == Cheat::DoneAfterTheLast && step.to_le_bytes() == opened[..] {
                self.send(Kind::Done, &[1])?;
                self.receive()?;
                return Ok(Exit::Code(0));
            }
        }
    }

    fn forwarder(mut self, role: Role) -> io::Result<Exit> {
        match self.cheat {
            Cheat::Mute => return Ok(Exit::Code(1)),
            Cheat::OtherRole => {
                self.send(Kind::Hello, &[Role::Learner as u8, 1, b'r'])?;
                self.receive()?;
            }
            _ => self.hello(role)?,
        }
        if let Cheat::FailsInBuild(reason) = self.cheat {
            let body = failed(2, reason, ["ValueError", "no model today"]);
            self.send(Kind::Failed, &body)?;
            return Ok(Exit::Code(1));
        }
        self.send(Kind::Built, &[])?;
        let (_, shape) = self.receive()?;
        assert_eq!(shape.len(), 8);
        self.layout(if self.cheat == Cheat::AuditorOtherLayout {
            6
        } else {
            u64::from(VOCAB)
        })?;
        let mut seen = vec![0.0_f32; V * V];
        let init = vec![0.0_f32; V * V];
        let mut table = init.clone();
        let mut is_training = false;
        loop {
            let (kind, body) = self.receive()?;
            match kind {
                Kind::Load => {
                    is_training = body[0] == 3;
                    if body[0] == 1 {
                        table.clone_from(&init);
                    } else {
                        let mut bytes = vec![0; V * V * 4];
                        self.segment.read_exact_at(&mut bytes, 0)?;
                        table = bytes
                            .chunks_exact(4)
                            .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
                            .collect();
                    }
                    self.send(Kind::Loaded, &body[1..9])?;
                }
                Kind::Question => {
                    if let Some(learner) = &self.learner {
                        let runnable =
                            learner.running.load(Ordering::SeqCst) && !*learner.frozen.lock().unwrap();
                        self.overlap.fetch_or(runnable, Ordering::SeqCst);
                    }
                    let (lane, column) = (u32_at(&body, 8), u32_at(&body, 12));
                    let row = i32s(&body[20..]);
                    let logits = &table[usize::try_from(row[column as usize]).unwrap() * V..][..V];
                    let mut answer = body[..8].to_vec();
                    let mut logits = logits.to_vec();
                    self.questions.lock().unwrap().push((lane, column, row.clone()));
                    match self.cheat {
                        Cheat::AuditorNan => logits[3] = f32::NAN,
                        Cheat::LooksAhead => {
                            let next = row.get(column as usize + 1).copied().unwrap_or(EOT.cast_signed());
                            logits[usize::try_from(next).unwrap()] += 1.0;
                        }
                        Cheat::AuditorLearns => {
                            for pair in row[..=column as usize].windows(2) {
                                let [input, next] = [0, 1].map(|i| usize::try_from(pair[i]).unwrap());
                                seen[input * V + next] += 0.1;
                            }
                            let input = usize::try_from(row[column as usize]).unwrap();
                            let learned = &seen[input * V..][..V];
                            logits
                                .iter_mut()
                                .zip(learned)
                                .for_each(|(logit, seen)| *logit += seen);
                        }
                        Cheat::AuditorChatters => loop {
                            self.send(Kind::Note, b"\x08\x00a moment")?;
                        },
                        Cheat::AuditorWrongId => answer[0] ^= 1,
                        Cheat::AuditorDies => return Ok(Exit::Signal(11)),
                        Cheat::AuditorWide => {
                            answer.extend_from_slice(&(VOCAB + 1).to_le_bytes());
                            self.send(Kind::Answer, &answer)?;
                            continue;
                        }
                        _ => {}
                    }
                    answer.extend_from_slice(&VOCAB.to_le_bytes());
                    answer.extend(logits.iter().flat_map(|x| x.to_le_bytes()));
                    self.send(Kind::Answer, &answer)?;
                }
                Kind::Score => {
                    let (b, t) = (u32_at(&body, 8) as usize, u32_at(&body, 12) as usize);
                    match self.cheat {
                        Cheat::ScoresDrift => table[0] += 0.25,
                        Cheat::ScoresDriftWhenShaken if table != init => table[0] += 0.25,
                        Cheat::DiesWhenShaken if table != init => return Ok(Exit::Signal(11)),
                        Cheat::DiesOfTwoRows if b == 2 => return Ok(Exit::Signal(11)),
                        Cheat::ClaimantExits => return Ok(Exit::Code(77)),
                        Cheat::ClaimantFails => {
                            let body = failed(4, "exception", ["secret", "secret words"]);
                            self.send(Kind::Failed, &body)?;
                            return Ok(Exit::Code(1));
                        }
                        Cheat::ClaimantDawdles => std::thread::sleep(Duration::from_secs(2)),
                        Cheat::ScoresNan => table.fill(f32::NAN),
                        Cheat::ScoresShort => {
                            self.send(Kind::Scores, &body[..8])?;
                            continue;
                        }
                        _ => {}
                    }
                    let tokens = i32s(&body[16..16 + 4 * b * (t + 1)]);
                    let mut scores = body[..8].to_vec();
                    scores.extend_from_slice(&u32::try_from(b * t).unwrap().to_le_bytes());
                    for row in 0..b {
                        for column in 0..t {
                            let at = row * (t + 1) + column;
                            let nats = match self.cheat {
                                Cheat::ClaimantZero => 0.0,
                                Cheat::ClaimantLiesToOne if row == 0 => 9.0,
                                Cheat::MixesRows if b == 2 => {
                                    let other = (1 - row) * (t + 1) + column;
                                    nats(&table, tokens[at], tokens[at + 1])
                                        + 0.1 * nats(&table, tokens[other], 0)
                                }
                                Cheat::TrainsOtherwise if is_training => {
                                    nats(&table, tokens[at], tokens[at + 1]) + 0.5 * (column % 2) as f32
                                }
                                Cheat::CountsRows => nats(&table, tokens[at], tokens[at + 1]) / (b as f32),
                                _ => nats(&table, tokens[at], tokens[at + 1]),
                            };
                            scores.extend_from_slice(&nats.to_le_bytes());
                        }
                    }
                    self.send(Kind::Scores, &scores)?;
                }
                kind => panic!("unexpected {kind:?}"),
            }
        }
    }
}
