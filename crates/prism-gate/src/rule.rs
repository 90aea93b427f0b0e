//! What a rule is: its metadata, its page, the names it refuses and the places where it looks.
//!
//! A rule is one file under `rules/`. The `//!` comment at the top of that file *is* the rule's page: `prism explain`
//! and `docs/rules/` show it, so page and code cannot drift apart. Nothing here looks at a submission.

use ruff_python_ast as ast;

use crate::check::Checker;
use crate::finding::Severity;
use crate::semantic::{Call, Reference, Store};

/// The metadata of a rule.
#[derive(Debug)]
pub struct Rule {
    /// `PRS` and three digits. Never given to another rule.
    pub code: &'static str,
    /// The stable name that programs match on.
    pub id: &'static str,
    /// What most of its findings are; a rule may give a finding less weight, never more.
    pub severity: Severity,
    /// The version of PRISM that had it first.
    pub since: &'static str,
    /// The source file, whose first comment is the page, or the page itself.
    source: &'static str,
}

impl Rule {
    pub(crate) const fn error(code: &'static str, id: &'static str, source: &'static str) -> Self {
        Self {
            code,
            id,
            severity: Severity::Error,
            since: "0.1.0",
            source,
        }
    }

    pub(crate) const fn warning(code: &'static str, id: &'static str, source: &'static str) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, id, source)
        }
    }

    /// The page, in Markdown, without the metadata.
    pub fn page(&self) -> String {
        if !self.source.starts_with("//!") {
            return self.source.to_owned();
        }
        let mut page = String::new();
        for line in self.source.lines().map_while(|line| line.strip_prefix("//!")) {
            page.push_str(line.strip_prefix(' ').unwrap_or(line));
            page.push('\n');
        }
        page
    }

    /// The title: the first line of the page, without its mark.
    pub fn title(&self) -> &'static str {
        let line = self.source.lines().next().unwrap_or_default();
        line.trim_start_matches("//!")
            .trim()
            .trim_start_matches('#')
            .trim()
    }

    /// The first paragraph under "What it does", as one line.
    pub fn summary(&self) -> String {
        let page = self.page();
        let (_, rest) = page.split_once("## What it does").unwrap_or_default();
        let lines = rest.lines().map(str::trim).skip_while(|line| line.is_empty());
        let words: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
        words.join(" ")
    }
}

/// A dotted name that may not be referenced, and all below it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Denied {
    /// Names with spaces between, for example `torch.hub`; a first component alone is a whole module.
    pub(crate) paths: &'static str,
    /// What to write instead.
    pub(crate) hint: &'static str,
}

/// Shortens the tables.
pub(crate) const fn denied(paths: &'static str, hint: &'static str) -> Denied {
    Denied { paths, hint }
}

/// A rule with what the checker needs of it: what it refuses by name, and where it looks. A hook is called once for every
/// place of its kind, in the order of the source.
pub(crate) struct RuleSet {
    pub(crate) rule: &'static Rule,
    /// What a refused name does, after the name: a verb and its object.
    pub(crate) reason: &'static str,
    /// Library names and builtins (as `builtins.eval`) that this rule refuses wherever they are referenced.
    pub(crate) denied: &'static [Denied],
    /// Attributes that the reference hook wants to see of any object; those with two underscores it sees anyway.
    pub(crate) attributes: &'static str,
    /// A name or a chain of attributes that may stand for something, or in which an attribute is notable.
    pub(crate) reference: Option<ReferenceHook>,
    /// A call, before its callee is seen as a reference.
    pub(crate) call: Option<CallHook>,
    /// Any expression but a name by itself, a number, `True`, `False` and `None`.
    pub(crate) expression: Option<ExpressionHook>,
    /// A statement.
    pub(crate) statement: Option<StatementHook>,
    /// An attribute that is stored, in whatever way.
    pub(crate) store: Option<StoreHook>,
    /// A pattern of a `match` statement.
    pub(crate) pattern: Option<PatternHook>,
    /// A module, before anything in it.
    pub(crate) module: Option<WholeHook>,
    /// The whole bundle, after all modules. Findings need a place: the module is that of the architecture.
    pub(crate) bundle: Option<WholeHook>,
}

pub(crate) type ReferenceHook = for<'r, 'a> fn(&mut Checker<'_, 'a>, &'r Reference<'a>);
pub(crate) type CallHook = for<'r, 'a> fn(&mut Checker<'_, 'a>, &'r Call<'a>);
pub(crate) type ExpressionHook = for<'a> fn(&mut Checker<'_, 'a>, &'a ast::Expr);
pub(crate) type StatementHook = for<'a> fn(&mut Checker<'_, 'a>, &'a ast::Stmt);
pub(crate) type StoreHook = for<'r, 'a> fn(&mut Checker<'_, 'a>, &'r Store<'r>);
pub(crate) type PatternHook = for<'a> fn(&mut Checker<'_, 'a>, &'a ast::Pattern);
pub(crate) type WholeHook = for<'a> fn(&mut Checker<'_, 'a>);

impl RuleSet {
    /// A rule that refuses nothing and looks nowhere.
    pub(crate) const fn of(rule: &'static Rule) -> Self {
        Self {
            rule,
            reason: "",
            denied: &[],
            attributes: "",
            reference: None,
            call: None,
            expression: None,
            statement: None,
            store: None,
            pattern: None,
            module: None,
            bundle: None,
        }
    }
}
