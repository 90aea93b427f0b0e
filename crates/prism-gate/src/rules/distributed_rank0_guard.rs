//! # Every process writes
//!
//! ## What it does
//!
//! Where a bundle calls `torch.distributed.init_process_group`, it looks for `torch.save` and `print` that all processes
//! would do: those that stand under no condition about the rank. A condition counts if it names something with `rank`,
//! `main` or `master` in it, and so does a `return` under such a condition before. What is found is a warning, or an
//! error where the operator decides so.
//!
//! ## Why is this a finding?
//!
//! Eight processes that save to one path destroy each other's file, and print each line eight times.
//!
//! ## Example
//!
//! ```python
//! torch.save(model.state_dict(), f"{ctx.artifacts_dir}/model.pt")
//! ```
//!
//! Use instead:
//!
//! ```python
//! if ctx.rank == 0:
//!     torch.save(model.state_dict(), f"{ctx.artifacts_dir}/model.pt")
//! ```

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{BoolOp, Expr, ExprCall, Stmt};
use ruff_text_size::Ranged;
use rustc_hash::FxHashSet;

use super::distributed_contract::{beginning, mentions, weight};
use crate::check::Checker;
use crate::rule::{Rule, RuleSet};

pub(crate) static RULE: Rule = Rule::error(
    "PRS502",
    "prism:distributed-rank0-guard",
    include_str!("distributed_rank0_guard.rs"),
);

pub(crate) static SET: RuleSet = RuleSet {
    reason: "is done by every process",
    bundle: Some(bundle),
    ..RuleSet::of(&RULE)
};

const WRITERS: &[&str] = &["torch.save", "builtins.print"];

fn bundle(checker: &mut Checker<'_, '_>) {
    let Some(severity) = weight(*checker.options) else {
        return;
    };
    let mentions = mentions(checker);
    if beginning(&mentions).is_none() {
        return;
    }
    let home = checker.module;
    for module in 0..checker.sources.len() {
        let Ok(parsed) = &checker.trees[module] else {
            continue;
        };
        let mut guards = Guards::default();
        guards.block(&parsed.syntax().body);
        checker.module = module;
        for mention in mentions.iter().filter(|mention| mention.module == module) {
            let Some(call) = mention.call else {
                continue;
            };
            if WRITERS.contains(&&*mention.path) && !guards.guarded.contains(&std::ptr::from_ref(call)) {
                let name = mention.path.trim_start_matches("builtins.");
                let message = format!("every process does this `{name}`");
                checker.report_as(
                    &RULE,
                    severity,
                    call.range(),
                    message,
                    "write `if ctx.rank == 0:` before it",
                );
            }
        }
    }
    checker.module = home;
}

/// The calls under a condition about the rank.
#[derive(Default)]
struct Guards {
    depth: usize,
    guarded: FxHashSet<*const ExprCall>,
}

impl Guards {
    /// Statements in a row: after `if rank != 0: return` the rest is guarded.
    fn block<'a>(&mut self, body: &'a [Stmt]) {
        let mut after = 0;
        for stmt in body {
            <Self as Visitor<'a>>::visit_stmt(self, stmt);
            if let Stmt::If(branch) = stmt
                && is_about_rank(&branch.test)
                && matches!(
                    branch.body.last(),
                    Some(Stmt::Return(_) | Stmt::Continue(_) | Stmt::Break(_))
                )
            {
                after += 1;
                self.depth += 1;
            }
        }
        self.depth -= after;
    }

    fn under(&mut self, holds: bool, work: impl FnOnce(&mut Self)) {
        self.depth += usize::from(holds);
        work(self);
        self.depth -= usize::from(holds);
    }
}

impl<'a> Visitor<'a> for Guards {
    fn visit_body(&mut self, body: &'a [Stmt]) {
        self.block(body);
    }

    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::If(branch) => {
                let holds = is_about_rank(&branch.test)
                    || branch
                        .elif_else_clauses
                        .iter()
                        .filter_map(|clause| clause.test.as_ref())
                        .any(is_about_rank);
                self.under(holds, |guards| visitor::walk_stmt(guards, stmt));
            }
            Stmt::FunctionDef(function) => {
                let holds = function
                    .decorator_list
                    .iter()
                    .any(|decorator| is_about_rank(&decorator.expression));
                self.under(holds, |guards| visitor::walk_stmt(guards, stmt));
            }
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        let holds = match expr {
            Expr::BoolOp(all) => all.op == BoolOp::And && all.values.iter().any(is_about_rank),
            Expr::If(either) => is_about_rank(&either.test),
            Expr::Call(call) => {
                if self.depth > 0 {
                    self.guarded.insert(std::ptr::from_ref(call));
                }
                false
            }
            _ => false,
        };
        self.under(holds, |guards| visitor::walk_expr(guards, expr));
    }
}

/// Whether a condition names something that tells one process from the others.
fn is_about_rank(condition: &Expr) -> bool {
    struct Finder(bool);
    impl<'a> Visitor<'a> for Finder {
        fn visit_expr(&mut self, expr: &'a Expr) {
            let name = match expr {
                Expr::Name(name) => Some(name.id.as_str()),
                Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
                _ => None,
            };
            let tells = |name: &str| {
                let name = name.to_ascii_lowercase();
                ["rank", "main", "master", "primary", "leader"]
                    .iter()
                    .any(|word| name.contains(word))
            };
            self.0 |= name.is_some_and(tells);
            visitor::walk_expr(self, expr);
        }
    }
    let mut finder = Finder(false);
    finder.visit_expr(condition);
    finder.0
}
