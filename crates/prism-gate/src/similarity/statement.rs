//! The statements of one piece of code to tokens, in an order that does not depend on the one they were written in.
//!
//! Left out: what only tells, hints or checks, what cannot run, what nobody reads, and names that are used once (their
//! value stands where they are used). Called by [`super::analysis`] for each piece.

use std::iter::once;

use ruff_python_ast::helpers::Truthiness;
use ruff_python_ast::visitor::Visitor;
use ruff_python_ast::{self as ast, Expr, Operator, Stmt};
use ruff_text_size::Ranged;
use rustc_hash::FxHashMap;

use super::effects::{Collector, Effects};
use super::expression::{Place, Writer, positive};
use super::helpers::Helpers;
use super::order::{self, Piece};
use super::resolve::Bundled;
use super::token::{self, Token, word};
use super::units::Unit;
use super::vocabulary;

/// The longest code that takes the place of a name, in tokens.
pub(super) const REPLACED_TOKENS_MAX: usize = 96;

/// The only statements of an `if` that can run: its condition is a literal, or asks whether the file is a program.
pub(super) fn live(stmt: &Stmt) -> Option<&[Stmt]> {
    let branch = stmt.as_if_stmt()?;
    let truth = match &*branch.test {
        Expr::Compare(comparison) => {
            let asked = comparison.left.as_name_expr()?;
            (asked.id.as_str() == "__name__").then_some(false)
        }
        literal if literal.is_literal_expr() => Truthiness::from_expr(literal, |_| false).into_bool(),
        _ => None,
    };
    match (truth?, &branch.elif_else_clauses[..]) {
        (true, _) => Some(&branch.body),
        (false, []) => Some(&[]),
        (false, [only]) if only.test.is_none() => Some(&only.body),
        (false, _) => None,
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
                collector.target(target);
                if op.is_some() {
                    let written = collector.effects.writes.clone();
                    collector.effects.reads.extend(written);
                }
            }
            Self::Other(stmt) => collector.visit_stmt(stmt),
        }
        collector.effects
    }

    /// The one plain name that it assigns.
    pub(super) fn name(self) -> Option<&'a str> {
        match self {
            Self::Assign { target, .. } => Some(target.as_name_expr()?.id.as_str()),
            Self::Other(_) => None,
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
pub(super) fn tokens<'u>(
    unit: &Unit<'u>,
    bundled: &'u Bundled<'u>,
    helpers: &'u Helpers<'u>,
    inlined_tokens_left: &mut usize,
) -> Vec<Token> {
    let mut collector = Collector::new(unit.own);
    collector.visit_body(unit.body);
    let Effects { reads, writes } = collector.effects;
    let mut totals = FxHashMap::default();
    for (name, _) in reads.into_iter().chain(writes) {
        *totals.entry(name).or_insert(0) += 1;
    }
    let mut blocks = Blocks {
        writer: Writer {
            place: Place {
                names: &bundled.files[unit.file],
                own: unit.own,
                sets_up: unit.sets_up,
                aliases: FxHashMap::default(),
                replaced: FxHashMap::default(),
                line: None,
            },
            bundled,
            helpers,
            depth: 0,
            inlined: 0,
            inlined_tokens_left,
        },
        totals,
        may_replace: unit.is_function,
    };
    blocks.block(unit.body)
}

struct Blocks<'w, 'u> {
    writer: Writer<'w, 'u>,
    /// Mentions of each name in the whole piece.
    totals: FxHashMap<&'u str, usize>,
    may_replace: bool,
}

/// What becomes of a step.
#[derive(Clone, Copy)]
enum Fate<'u> {
    Kept,
    Dropped,
    /// Its value stands in a later step, for this name.
    MovedTo(usize, &'u str),
}

/// Where a block mentions a name.
#[derive(Default)]
struct Mentioned {
    times: usize,
    reads: usize,
    /// The steps, with how often each reads it.
    steps: Vec<(usize, usize)>,
}

impl<'u> Blocks<'_, 'u> {
    fn block(&mut self, body: &'u [Stmt]) -> Vec<Token> {
        let mut steps = Vec::new();
        flatten(body, &mut steps);
        let own = self.writer.place.own;
        let mut effects: Vec<Effects<'u>> = steps.iter().map(|step| step.effects(own)).collect();
        let fates = self.fates(&steps, &effects);
        let mut pieces: Vec<Piece<'u>> = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            let mut tokens = Vec::new();
            self.step(*step, &mut tokens);
            for (name, _) in &effects[at].reads {
                self.writer.place.replaced.remove(name);
            }
            match fates[at] {
                Fate::Dropped => {}
                Fate::MovedTo(to, name) if tokens.len() <= REPLACED_TOKENS_MAX => {
                    tokens.remove(0);
                    self.writer.place.replaced.insert(name, tokens);
                    let reads = std::mem::take(&mut effects[at].reads);
                    let later = &mut effects[to].reads;
                    later.extend(reads);
                    later.sort_unstable();
                    later.dedup();
                }
                _ => {
                    let says = |token: &Token| ![token::ATOM, word("=")].contains(&token.word);
                    if tokens.iter().any(says) {
                        pieces.push(Piece {
                            tokens,
                            effects: std::mem::take(&mut effects[at]),
                            is_last: matches!(step, Step::Other(Stmt::Return(_))),
                        });
                    }
                }
            }
        }
        let (names, bundled) = (self.writer.place.names, self.writer.bundled);
        for Piece { effects, .. } in &mut pieces {
            for paths in [&mut effects.reads, &mut effects.writes] {
                paths.retain(|(name, _)| !names.is_fixed(name) && !bundled.is_setting(name));
            }
        }
        order::canonical(&pieces)
    }

    /// What becomes of each assignment.
    fn fates(&mut self, steps: &[Step<'u>], effects: &[Effects<'u>]) -> Vec<Fate<'u>> {
        let mut fates = vec![Fate::Kept; steps.len()];
        if !self.may_replace {
            return fates;
        }
        let mut mentions: FxHashMap<&str, Mentioned> = FxHashMap::default();
        for (at, effect) in effects.iter().enumerate() {
            let reads = effect.reads.iter().map(|(name, _)| (name, 1));
            for (name, read) in reads.chain(effect.writes.iter().map(|(name, _)| (name, 0))) {
                let mentioned = mentions.entry(name).or_default();
                mentioned.times += 1;
                mentioned.reads += read;
                match mentioned.steps.last_mut() {
                    Some((last, reads)) if *last == at => *reads += read,
                    _ => mentioned.steps.push((at, read)),
                }
            }
        }
        for (at, step) in steps.iter().enumerate() {
            let (Some(name), Step::Assign { value, .. }) = (step.name(), step) else {
                continue;
            };
            let mentioned = &mentions[name];
            let is_whole = self.totals.get(name) == Some(&mentioned.times);
            if let Some(path) = self.writer.library(value) {
                self.writer.place.aliases.insert(name, path);
                fates[at] = Fate::Dropped;
                continue;
            }
            if is_whole && mentioned.reads == 0 {
                fates[at] = Fate::Dropped;
                continue;
            }
            let mut later = mentioned.steps.partition_point(|(step, _)| *step <= at)..mentioned.steps.len();
            let Some(&(next, reads)) = later.next().map(|next| &mentioned.steps[next]) else {
                continue;
            };
            let ends = steps[next].name() == Some(name) || (is_whole && later.is_empty());
            if ends && reads == 1 && steps[next].is_simple() {
                fates[at] = Fate::MovedTo(next, name);
            }
        }
        fates
    }

    fn step(&mut self, step: Step<'u>, out: &mut Vec<Token>) {
        let (target, op, value) = match step {
            Step::Assign { target, op, value } => (target, op, value),
            Step::Other(stmt) => return self.statement(stmt, out),
        };
        let writer = &mut self.writer;
        let line = writer.line(target.start());
        out.push(Token::new("=", line));
        if !matches!(target, Expr::Name(_) | Expr::Tuple(_) | Expr::List(_)) {
            writer.expr(target, out);
        }
        if let Some(op) = op {
            out.push(Token::new(op.as_str(), line));
        }
        match op {
            None => drop(writer.expr(value, out)),
            Some(Operator::Add | Operator::Mult) => drop(writer.in_any_order([target, value], out)),
            Some(_) => {
                writer.expr(target, out);
                writer.expr(value, out);
            }
        }
    }

    fn statement(&mut self, stmt: &'u Stmt, out: &mut Vec<Token>) {
        type Clause<'u> = (Option<&'u Expr>, &'u [Stmt]);
        let (head, clauses): (&str, Vec<Clause<'u>>) = match stmt {
            Stmt::Expr(alone) => ("", vec![(Some(&*alone.value), &[])]),
            Stmt::Return(returned) => ("return", vec![(returned.value.as_deref(), &[])]),
            Stmt::If(branch) => {
                let others = branch.elif_else_clauses.iter();
                let others = others.map(|clause| (clause.test.as_ref(), &clause.body[..]));
                let first = (Some(&*branch.test), &branch.body[..]);
                ("if", once(first).chain(others).collect())
            }
            Stmt::For(repeated) => {
                let head = (Some(&*repeated.iter), &[][..]);
                (
                    "for",
                    vec![head, (None, &repeated.body), (None, &repeated.orelse)],
                )
            }
            Stmt::While(repeated) => {
                let body = (Some(&*repeated.test), &repeated.body[..]);
                ("while", vec![body, (None, &repeated.orelse)])
            }
            Stmt::With(with) => {
                let items = with.items.iter().map(|item| (Some(&item.context_expr), &[][..]));
                ("with", items.chain(once((None, &with.body[..]))).collect())
            }
            Stmt::Try(attempt) => {
                let handlers = attempt.handlers.iter();
                let handlers = handlers.map(|ast::ExceptHandler::ExceptHandler(handler)| &handler.body[..]);
                let bodies = [&attempt.body[..], &attempt.orelse].into_iter().chain(handlers);
                let bodies = bodies.chain(once(&attempt.finalbody[..]));
                ("", bodies.map(|body| (None, body)).collect())
            }
            Stmt::Match(choice) => {
                let cases = choice.cases.iter();
                let cases = cases.map(|case| (case.guard.as_deref(), &case.body[..]));
                (
                    "match",
                    once((Some(&*choice.subject), &[][..])).chain(cases).collect(),
                )
            }
            _ => return,
        };
        let bodies: Vec<Vec<Token>> = clauses.iter().map(|(_, body)| self.block(body)).collect();
        if matches!(stmt, Stmt::If(_) | Stmt::For(_)) && bodies.iter().all(Vec::is_empty) {
            return;
        }
        if !head.is_empty() {
            out.push(Token::new(head, self.writer.line(stmt.start())));
        }
        if let (Stmt::If(_), [(Some(test), _), (None, _)]) = (stmt, &clauses[..]) {
            // Which branch comes first is a matter of taste.
            self.writer.expr(positive(test).0, out);
            token::append_sorted(out, bodies);
            return;
        }
        for ((test, _), body) in clauses.iter().zip(&bodies) {
            if let Some(test) = test {
                self.writer.expr(test, out);
            }
            token::append(out, body);
        }
    }
}

/// The steps of a body that can run and that do something.
pub(super) fn flatten<'a>(body: &'a [Stmt], steps: &mut Vec<Step<'a>>) {
    for stmt in body {
        match stmt {
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
            Stmt::Expr(alone) if only_tells(&alone.value) => {}
            Stmt::Return(_) => {
                steps.push(Step::Other(stmt));
                return;
            }
            Stmt::Raise(_) | Stmt::Break(_) | Stmt::Continue(_) => return,
            Stmt::If(_)
            | Stmt::Expr(_)
            | Stmt::For(_)
            | Stmt::While(_)
            | Stmt::With(_)
            | Stmt::Try(_)
            | Stmt::Match(_) => match live(stmt) {
                Some(body) => flatten(body, steps),
                None => steps.push(Step::Other(stmt)),
            },
            _ => {}
        }
    }
}

fn assigned<'a>(target: &'a Expr, value: &'a Expr, steps: &mut Vec<Step<'a>>) {
    let op = None;
    match (target, value) {
        (Expr::Tuple(targets), Expr::Tuple(values))
            if targets.elts.len() == values.elts.len() && !targets.elts.iter().any(Expr::is_starred_expr) =>
        {
            let pairs = targets.elts.iter().zip(&values.elts);
            steps.extend(pairs.map(|(target, value)| Step::Assign { target, op, value }));
        }
        _ => steps.push(Step::Assign { target, op, value }),
    }
}

/// Whether an expression that stands alone does nothing to the model: a docstring, a message, the base class's set-up.
fn only_tells(expr: &Expr) -> bool {
    let Expr::Call(call) = expr else {
        return expr.is_literal_expr() || matches!(expr, Expr::Name(_) | Expr::FString(_));
    };
    match &*call.func {
        Expr::Name(name) => vocabulary::only_tells(&name.id),
        Expr::Attribute(attribute) => {
            attribute.attr.as_str() == "__init__" || vocabulary::only_tells(&attribute.attr)
        }
        _ => false,
    }
}
