//! The statements of one piece of code to tokens, in an order that does not depend on the one they were written in.
//!
//! Left out: what only tells, hints or checks, what cannot run, what nobody reads, and names that are used once (their
//! value stands where they are used). Called by [`super::fingerprints`] for each piece.

use ruff_python_ast::visitor::Visitor;
use ruff_python_ast::{self as ast, Expr, Operator, Stmt};
use ruff_text_size::Ranged;
use rustc_hash::FxHashMap;

use super::effects::{Collector, Effects};
use super::expression::{Writer, operator, positive};
use super::order::{self, Piece};
use super::token::{self, Token, word};
use super::units::{Kind, Unit};
use super::vocabulary;

/// The longest code that takes the place of a name, in tokens.
pub(super) const REPLACED_TOKENS_MAX: usize = 96;

/// What of an `if` can run.
pub(super) enum Live<'a> {
    /// The condition is a literal: these statements alone.
    One(&'a [Stmt]),
    /// All of it.
    Both,
}

/// Decides an `if` whose condition is a literal, or asks whether the file is a program.
pub(super) fn live(branch: &ast::StmtIf) -> Live<'_> {
    let truth = match &*branch.test {
        Expr::BooleanLiteral(literal) => literal.value,
        Expr::NoneLiteral(_) => false,
        Expr::NumberLiteral(literal) => match &literal.value {
            ast::Number::Int(value) => *value != 0,
            ast::Number::Float(value) => *value != 0.0,
            ast::Number::Complex { .. } => return Live::Both,
        },
        Expr::StringLiteral(literal) => !literal.value.is_empty(),
        Expr::Compare(comparison) => match &*comparison.left {
            Expr::Name(name) if name.id.as_str() == "__name__" => false,
            _ => return Live::Both,
        },
        _ => return Live::Both,
    };
    match (truth, &branch.elif_else_clauses[..]) {
        (true, _) => Live::One(&branch.body),
        (false, []) => Live::One(&[]),
        (false, [only]) if only.test.is_none() => Live::One(&only.body),
        (false, _) => Live::Both,
    }
}

/// One step of a block.
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    Assign {
        target: &'a Expr,
        op: Option<Operator>,
        value: &'a Expr,
    },
    Other(&'a Stmt),
}

impl<'a> Step<'a> {
    fn effects(self, own: Option<&'a str>) -> Effects<'a> {
        let mut collector = Collector::new(own);
        match self {
            Self::Assign { target, op, value } => {
                collector.visit_expr(value);
                if op.is_some() {
                    collector.target(target);
                    let written = collector.effects.writes.clone();
                    collector.effects.reads.extend(written);
                } else {
                    collector.target(target);
                }
            }
            Self::Other(stmt) => collector.visit_stmt(stmt),
        }
        collector.effects
    }

    /// The one plain name that it assigns.
    pub(super) fn name(self) -> Option<&'a str> {
        match self {
            Self::Assign {
                target: Expr::Name(name),
                ..
            } => Some(name.id.as_str()),
            _ => None,
        }
    }

    fn is_simple(self) -> bool {
        matches!(
            self,
            Self::Assign { .. } | Self::Other(Stmt::Return(_) | Stmt::Expr(_))
        )
    }
}

/// The tokens of one piece of code.
pub(super) fn tokens<'u>(writer: &mut Writer<'u>, unit: &Unit<'u>) -> Vec<Token> {
    let mut out = Vec::new();
    let mut totals = FxHashMap::default();
    let mut collector = Collector::new(unit.own);
    collector.visit_body(unit.body);
    for (name, _) in collector.effects.reads.iter().chain(&collector.effects.writes) {
        *totals.entry(*name).or_insert(0) += 1;
    }
    let mut blocks = Blocks {
        writer,
        own: unit.own,
        totals,
        may_replace: unit.kind == Kind::Function,
    };
    blocks.block(unit.body, &mut out);
    out
}

struct Blocks<'w, 'u> {
    writer: &'w mut Writer<'u>,
    own: Option<&'u str>,
    /// Mentions of each name in the whole piece.
    totals: FxHashMap<&'u str, usize>,
    may_replace: bool,
}

impl<'u> Blocks<'_, 'u> {
    fn block(&mut self, body: &'u [Stmt], out: &mut Vec<Token>) {
        let mut steps = Vec::new();
        flatten(body, &mut steps);
        let mut effects: Vec<Effects<'u>> = steps.iter().map(|step| step.effects(self.own)).collect();
        let fates = self.fates(&steps, &effects);
        let mut pieces: Vec<Piece<'u>> = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            let mut tokens = Vec::new();
            self.step(*step, &mut tokens);
            let consumed: Vec<&str> = effects[at].reads.iter().map(|(name, _)| *name).collect();
            for name in consumed {
                self.writer.place.replaced.remove(name);
            }
            let moved = match (fates[at], step) {
                (Fate::Dropped, _) => continue,
                (Fate::MovedTo(to), Step::Assign { .. }) if tokens.len() <= REPLACED_TOKENS_MAX => Some(to),
                _ => None,
            };
            if let (Some(to), Some(name)) = (moved, step.name()) {
                tokens.remove(0);
                self.writer.place.replaced.insert(name, tokens);
                let reads = std::mem::take(&mut effects[at].reads);
                let later = &mut effects[to].reads;
                later.extend(reads);
                later.sort_unstable();
                later.dedup();
            } else if tokens
                .iter()
                .any(|token| token.word != token::ATOM && token.word != word("="))
            {
                pieces.push(Piece {
                    tokens,
                    effects: std::mem::take(&mut effects[at]),
                    is_last: matches!(step, Step::Other(Stmt::Return(_))),
                });
            }
        }
        for piece in &mut pieces {
            for paths in [&mut piece.effects.reads, &mut piece.effects.writes] {
                paths.retain(|(name, _)| {
                    !self.writer.place.names.is_fixed(name) && !self.writer.bundled.is_setting(name)
                });
            }
        }
        for piece in order::canonical(pieces) {
            token::append(out, &piece);
        }
    }

    /// What becomes of each assignment.
    fn fates(&mut self, steps: &[Step<'u>], effects: &[Effects<'u>]) -> Vec<Fate> {
        let mut fates = vec![Fate::Kept; steps.len()];
        if !self.may_replace {
            return fates;
        }
        // For each name, the steps that mention it, with how often they read and write it.
        let mut mentions: FxHashMap<&str, Vec<(usize, usize, usize)>> = FxHashMap::default();
        for (at, effect) in effects.iter().enumerate() {
            let reads = effect.reads.iter().map(|path| (path, 1, 0));
            let writes = effect.writes.iter().map(|path| (path, 0, 1));
            for ((name, _), read, written) in reads.chain(writes) {
                let list = mentions.entry(name).or_default();
                match list.last_mut() {
                    Some((last, reads, writes)) if *last == at => {
                        *reads += read;
                        *writes += written;
                    }
                    _ => list.push((at, read, written)),
                }
            }
        }
        // Of each name: whether all its mentions are here, and whether none of them reads it.
        let summary: FxHashMap<&str, (bool, bool)> = mentions
            .iter()
            .map(|(name, list)| {
                let here: usize = list.iter().map(|(_, reads, writes)| reads + writes).sum();
                let is_unread = list.iter().all(|(_, reads, _)| *reads == 0);
                (*name, (self.totals.get(name) == Some(&here), is_unread))
            })
            .collect();
        for (at, step) in steps.iter().enumerate() {
            let (Some(name), Step::Assign { value, .. }) = (step.name(), step) else {
                continue;
            };
            if let Some(path) = self.writer.library(value) {
                self.writer.place.aliases.insert(name, path);
                fates[at] = Fate::Dropped;
                continue;
            }
            let list = &mentions[name];
            let (is_whole, is_unread) = summary[name];
            if is_whole && is_unread {
                fates[at] = Fate::Dropped;
                continue;
            }
            let position = list.partition_point(|(step, _, _)| *step < at);
            let Some(&(next, reads, _)) = list.get(position + 1) else {
                continue;
            };
            let ends = steps[next].name() == Some(name) || (is_whole && list.len() == position + 2);
            if ends && reads == 1 && steps[next].is_simple() {
                fates[at] = Fate::MovedTo(next);
            }
        }
        fates
    }

    fn step(&mut self, step: Step<'u>, out: &mut Vec<Token>) {
        match step {
            Step::Assign { target, op, value } => {
                let line = self.writer.line(target.start());
                out.push(Token {
                    word: word("="),
                    line,
                });
                if !matches!(target, Expr::Name(_) | Expr::Tuple(_) | Expr::List(_)) {
                    self.writer.expr(target, out);
                }
                match op {
                    None => {
                        self.writer.expr(value, out);
                    }
                    Some(op) => {
                        out.push(Token {
                            word: word(operator(op)),
                            line,
                        });
                        if matches!(op, Operator::Add | Operator::Mult) {
                            self.writer.in_any_order(vec![target, value], out);
                        } else {
                            self.writer.expr(target, out);
                            self.writer.expr(value, out);
                        }
                    }
                }
            }
            Step::Other(stmt) => self.statement(stmt, out),
        }
    }

    fn statement(&mut self, stmt: &'u Stmt, out: &mut Vec<Token>) {
        let line = self.writer.line(stmt.start());
        let head = |text: &str| Token {
            word: word(text),
            line,
        };
        match stmt {
            Stmt::Expr(alone) => {
                self.writer.expr(&alone.value, out);
            }
            Stmt::Return(returned) => {
                out.push(head("return"));
                if let Some(value) = &returned.value {
                    self.writer.expr(value, out);
                }
            }
            Stmt::If(branch) => self.branch(branch, line, out),
            Stmt::For(repeated) => {
                let mut body = Vec::new();
                self.block(&repeated.body, &mut body);
                self.block(&repeated.orelse, &mut body);
                if !body.is_empty() {
                    out.push(head("for"));
                    self.writer.expr(&repeated.iter, out);
                    token::append(out, &body);
                }
            }
            Stmt::While(repeated) => {
                let mut body = Vec::new();
                self.block(&repeated.body, &mut body);
                self.block(&repeated.orelse, &mut body);
                out.push(head("while"));
                self.writer.expr(&repeated.test, out);
                token::append(out, &body);
            }
            Stmt::With(with) => {
                out.push(head("with"));
                for item in &with.items {
                    self.writer.expr(&item.context_expr, out);
                }
                self.block(&with.body, out);
            }
            Stmt::Try(attempt) => {
                self.block(&attempt.body, out);
                self.block(&attempt.orelse, out);
                for handler in &attempt.handlers {
                    let ast::ExceptHandler::ExceptHandler(handler) = handler;
                    self.block(&handler.body, out);
                }
                self.block(&attempt.finalbody, out);
            }
            Stmt::Match(choice) => {
                out.push(head("match"));
                self.writer.expr(&choice.subject, out);
                for case in &choice.cases {
                    if let Some(guard) = &case.guard {
                        self.writer.expr(guard, out);
                    }
                    self.block(&case.body, out);
                }
            }
            _ => {}
        }
    }

    fn branch(&mut self, branch: &'u ast::StmtIf, line: u32, out: &mut Vec<Token>) {
        let mut bodies = Vec::with_capacity(1 + branch.elif_else_clauses.len());
        let mut first = Vec::new();
        self.block(&branch.body, &mut first);
        bodies.push(first);
        for clause in &branch.elif_else_clauses {
            let mut body = Vec::new();
            self.block(&clause.body, &mut body);
            bodies.push(body);
        }
        if bodies.iter().all(Vec::is_empty) {
            return;
        }
        out.push(Token {
            word: word("if"),
            line,
        });
        if let [only] = &branch.elif_else_clauses[..]
            && only.test.is_none()
        {
            // Which branch comes first is a matter of taste.
            self.writer.expr(positive(&branch.test).0, out);
            bodies.sort_by_key(|body| token::sort_key(body));
            for body in &bodies {
                token::append(out, body);
            }
            return;
        }
        let tests = branch.elif_else_clauses.iter().map(|clause| clause.test.as_ref());
        for (test, body) in std::iter::once(Some(&*branch.test)).chain(tests).zip(&bodies) {
            if let Some(test) = test {
                self.writer.expr(test, out);
            }
            token::append(out, body);
        }
    }
}

/// What becomes of a step.
#[derive(Clone, Copy)]
enum Fate {
    Kept,
    Dropped,
    MovedTo(usize),
}

/// The steps of a body that can run and that do something.
pub(super) fn flatten<'a>(body: &'a [Stmt], steps: &mut Vec<Step<'a>>) {
    for stmt in body {
        match stmt {
            Stmt::If(branch) => match live(branch) {
                Live::One(body) => flatten(body, steps),
                Live::Both => steps.push(Step::Other(stmt)),
            },
            Stmt::Assign(assign) => {
                for target in &assign.targets {
                    assigned(target, &assign.value, steps);
                }
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    assigned(&assign.target, value, steps);
                }
            }
            Stmt::AugAssign(assign) => steps.push(Step::Assign {
                target: &assign.target,
                op: Some(assign.op),
                value: &assign.value,
            }),
            Stmt::Expr(alone) if !only_tells(&alone.value) => steps.push(Step::Other(stmt)),
            Stmt::Return(_) => {
                steps.push(Step::Other(stmt));
                return;
            }
            Stmt::Raise(_) | Stmt::Break(_) | Stmt::Continue(_) => return,
            Stmt::For(_) | Stmt::While(_) | Stmt::With(_) | Stmt::Try(_) | Stmt::Match(_) => {
                steps.push(Step::Other(stmt));
            }
            _ => {}
        }
    }
}

fn assigned<'a>(target: &'a Expr, value: &'a Expr, steps: &mut Vec<Step<'a>>) {
    match (target, value) {
        (Expr::Tuple(targets), Expr::Tuple(values))
            if targets.elts.len() == values.elts.len() && !targets.elts.iter().any(Expr::is_starred_expr) =>
        {
            for (target, value) in targets.elts.iter().zip(&values.elts) {
                steps.push(Step::Assign {
                    target,
                    op: None,
                    value,
                });
            }
        }
        _ => steps.push(Step::Assign {
            target,
            op: None,
            value,
        }),
    }
}

/// Whether an expression that stands alone does nothing to the model: a docstring, a message, the base class's set-up.
fn only_tells(expr: &Expr) -> bool {
    let Expr::Call(call) = expr else {
        return expr.is_literal_expr() || matches!(expr, Expr::Name(_) | Expr::FString(_));
    };
    match &*call.func {
        Expr::Name(name) => vocabulary::only_tells(name.id.as_str()),
        Expr::Attribute(attribute) => {
            vocabulary::only_tells(attribute.attr.as_str()) || attribute.attr.as_str() == "__init__"
        }
        _ => false,
    }
}
