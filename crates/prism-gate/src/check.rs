//! The checker: parse, bind, walk once, let every rule look where it wants to.
//!
//! [`check`] is the only way in. It runs on a thread of its own with a large stack, because the parser recurses; all
//! trees are dropped there too. It does no I/O, reads no clock and starts nothing: the same bundle, the same report.

use std::cell::{Cell, OnceCell, RefCell};
use std::ptr;
use std::thread;

use prism_bundle::Bundle;
use ruff_python_ast::{self as ast, Expr, ExprContext, ModModule, Pattern, Stmt};
use ruff_python_parser::{Mode, ParseOptions, Parsed};
use ruff_text_size::{Ranged, TextRange};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::finding::{Finding, Report, Severity};
use crate::knowledge::verdict;
use crate::limits::{FINDINGS_MAX, ORIGIN_STEPS_MAX, SCOPE_DEPTH_MAX, STACK_BYTES};
use crate::options::Options;
use crate::prescan;
use crate::reading::census::Mention;
use crate::reading::texts;
use crate::rule::Rule;
use crate::rules;
use crate::rules::hooks;
use crate::semantic::uses::{self, Assigned, Spot, Uses};
use crate::semantic::walk::{Pass, Walker};
use crate::semantic::{
    Call, Meaning, Meant as _, Names, Reference, ScopeId, ScopeKind, Store, Usage, binder,
};
use crate::source::Source;

/// Why there is no report: the machine, never the bundle.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The thread could not be started.
    #[error("the gate's thread with a stack of {STACK_BYTES} bytes cannot be started: {0}; free some memory")]
    Thread(#[source] std::io::Error),
    /// A defect of the gate.
    #[error("the gate itself failed on this bundle; please report it")]
    Defect,
}

/// Checks every Python file of a bundle.
pub fn check(bundle: &Bundle, options: &Options) -> Result<Report, GateError> {
    let mut reports = check_all([bundle], options)?;
    reports.pop().ok_or(GateError::Defect)
}

/// Checks several bundles, each by itself, on one thread: a report for each, in their order.
pub fn check_all<'b>(
    bundles: impl IntoIterator<Item = &'b Bundle> + Send,
    options: &Options,
) -> Result<Vec<Report>, GateError> {
    on_a_large_stack(|| {
        let bundles = bundles.into_iter();
        bundles
            .map(|bundle| check_sources(&Source::all(bundle), options))
            .collect()
    })
}

/// Runs something that recurses as deeply as the scan before the parser allows.
pub(crate) fn on_a_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, GateError> {
    thread::scope(|scope| {
        thread::Builder::new()
            .name("prism-gate".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work)
            .map_err(GateError::Thread)?
            .join()
            .map_err(|_| GateError::Defect)
    })
}

/// The tree of one file. A file that goes too deep is not parsed; one with syntax errors is checked as far as it goes.
pub(crate) fn parse(source: &Source<'_>) -> Result<Parsed<ModModule>, TextRange> {
    if let Some(range) = prescan::too_deep(source.text) {
        return Err(range);
    }
    let options = ParseOptions::from(Mode::Module).with_target_version(rules::syntax::VERSION);
    let parsed = ruff_python_parser::parse_unchecked(source.text, options);
    parsed.try_into_module().ok_or_else(TextRange::default)
}

pub(crate) fn check_sources(sources: &[Source<'_>], options: &Options) -> Report {
    if rules::source_size::is_beyond_reading(sources) {
        return rules::source_size::unread(sources);
    }
    let trees: Vec<Result<Parsed<ModModule>, TextRange>> = sources.iter().map(parse).collect();
    let bodies: Vec<&[Stmt]> = trees
        .iter()
        .map(|tree| tree.as_ref().map_or(&[][..], |parsed| &parsed.syntax().body[..]))
        .collect();
    let bound: Vec<_> = sources
        .iter()
        .zip(&bodies)
        .map(|(source, body)| binder::bind(source, body))
        .collect();
    let mut names = Names::new(sources, bound);
    let settled = names.settle(sources);
    let mut checker = Checker {
        sources,
        trees: &trees,
        names: &names,
        options,
        module: 0,
        scopes: Vec::new(),
        opened: 0,
        callee: None,
        inner: ptr::null(),
        mentions: Vec::new(),
        report: Report::default(),
        has_errors: false,
        seen: FxHashSet::default(),
        module_places: FxHashSet::default(),
        type_places: FxHashSet::default(),
        told_types: FxHashSet::default(),
        wrappers: FxHashSet::default(),
        registers: FxHashSet::default(),
        assigned: Assigned::default(),
        harmless: FxHashSet::default(),
        uses: OnceCell::new(),
        has_texts: OnceCell::new(),
        has_numbers: OnceCell::new(),
        loads_functions: OnceCell::new(),
        uses_fields: OnceCell::new(),
        origin_steps_left: Cell::new(ORIGIN_STEPS_MAX),
        selves: RefCell::default(),
    };
    for (module, tree) in trees.iter().enumerate() {
        checker.module = module;
        checker.file(tree, bodies[module]);
    }
    if let Err(too_indirect) = settled {
        checker.module = too_indirect.module;
        rules::nesting::too_indirect(&mut checker);
    } else if names.is_too_indirect() {
        checker.module = 0;
        rules::nesting::too_indirect(&mut checker);
    }
    checker.module = sources
        .iter()
        .position(|source| source.role == crate::source::Role::Architecture)
        .unwrap_or_default();
    if !sources.is_empty() {
        for hook in &hooks().bundle {
            hook(&mut checker);
        }
    }
    let mut report = checker.report;
    report
        .findings
        .sort_by(|a, b| (&a.file, a.place, a.rule.code).cmp(&(&b.file, b.place, b.rule.code)));
    report
}

/// Whether a chain holds an attribute that some rule wants to see of any object, and the name that it begins with.
fn is_notable(mut expr: &Expr) -> (bool, Option<&str>) {
    let attributes = &hooks().attributes;
    let mut notable = false;
    loop {
        match expr {
            Expr::Name(name) => return (notable || name.id.starts_with("__"), Some(name.id.as_str())),
            Expr::Attribute(attribute) => {
                let name = attribute.attr.as_str();
                notable = notable || name.starts_with("__") || attributes.contains(name);
                expr = &attribute.value;
            }
            _ => return (notable, None),
        }
    }
}

/// What a rule sees, and where it puts what it finds.
pub(crate) struct Checker<'c, 'a> {
    pub(crate) sources: &'a [Source<'a>],
    pub(crate) trees: &'a [Result<Parsed<ModModule>, TextRange>],
    pub(crate) names: &'c Names<'a>,
    pub(crate) options: &'c Options,
    /// The module that is being walked.
    pub(crate) module: usize,
    scopes: Vec<ScopeId>,
    opened: usize,
    /// The callee of the call that was met last.
    callee: Option<(*const Expr, &'a ast::ExprCall, Vec<Meaning>)>,
    /// The rest of a chain of attributes whose end was already reported.
    inner: *const Expr,
    /// Every reference to a library, for rules that look at the whole.
    pub(crate) mentions: Vec<Mention<'a>>,
    report: Report,
    has_errors: bool,
    seen: FxHashSet<(usize, &'static str, TextRange)>,
    /// Places where a whole module may stand: the name gets no other use there.
    pub(crate) module_places: FxHashSet<*const Expr>,
    /// Places where a class of classes may stand: nothing is made by it there.
    pub(crate) type_places: FxHashSet<*const Expr>,
    /// Calls of which nothing but the name of what they give is asked.
    pub(crate) told_types: FxHashSet<*const ast::ExprCall>,
    /// Decorators of functions that are called: what they are called with is seen.
    pub(crate) wrappers: FxHashSet<*const ast::ExprCall>,
    /// The `f.register` that stand before a `def`.
    pub(crate) registers: FxHashSet<*const Expr>,
    /// What is assigned to the attributes that come next.
    assigned: Assigned<'a>,
    /// Paths that were judged and are not refused.
    harmless: FxHashSet<Box<str>>,
    /// Made when the first rule asks.
    uses: OnceCell<Uses<'a>>,
    /// What is asked of all classes of the bundle, answered once.
    pub(crate) has_texts: OnceCell<bool>,
    /// Whether one may be a whole number.
    pub(crate) has_numbers: OnceCell<bool>,
    pub(crate) loads_functions: OnceCell<bool>,
    /// Whether the bundle may get at a field of a dataclass; made when the first rule asks.
    pub(crate) uses_fields: OnceCell<bool>,
    /// What may still be looked at to see whose an object is.
    pub(crate) origin_steps_left: Cell<usize>,
    /// Methods of which it is known whether they are called on objects of their class alone.
    pub(crate) selves: RefCell<FxHashMap<*const ast::StmtFunctionDef, bool>>,
}

impl<'a> Checker<'_, 'a> {
    /// The file that is being walked.
    pub(crate) fn source(&self) -> &'a Source<'a> {
        &self.sources[self.module]
    }

    /// The scope that is being walked.
    pub(crate) fn scope(&self) -> ScopeId {
        self.scopes.last().copied().unwrap_or_default()
    }

    /// The place that is being walked.
    pub(crate) fn spot(&self) -> Spot {
        let (module, scope) = (self.module, self.scope());
        Spot { module, scope }
    }

    /// What makes the scope that is being walked.
    pub(crate) fn scope_kind(&self) -> ScopeKind<'a> {
        self.names.modules[self.module].scopes[self.scope()].kind
    }

    /// Whether a class statement lies around this place.
    pub(crate) fn is_in_a_class(&self) -> bool {
        let scopes = &self.names.modules[self.module].scopes;
        self.scopes
            .iter()
            .any(|&scope| matches!(scopes[scope].kind, ScopeKind::Class(_)))
    }

    /// What an expression in this place may stand for.
    pub(crate) fn meanings(&self, expr: &Expr) -> Vec<Meaning> {
        self.names.meanings(self.module, self.scope(), expr)
    }

    /// Whether an expression in this place may stand for a library's path.
    pub(crate) fn may_be(&self, expr: &Expr, path: &str) -> bool {
        self.meanings(expr).any_path(|found| found == path)
    }

    /// Whether the bundle itself gives its objects an attribute of this name: `self.name = ...` or a method.
    pub(crate) fn defines_attribute(&self, name: &str) -> bool {
        self.names
            .modules
            .iter()
            .any(|module| module.attributes.contains(name))
    }

    /// Whether an object of the bundle may have an attribute of this name, because the bundle gives it one.
    pub(crate) fn may_have_given(&self, name: &str) -> bool {
        self.names
            .modules
            .iter()
            .any(|module| module.defined.contains(name))
    }

    fn bodies(&self) -> impl Iterator<Item = &'a [Stmt]> + use<'a> {
        let trees = self.trees;
        trees.iter().map(|tree| match tree {
            Ok(parsed) => &parsed.syntax().body[..],
            Err(_) => &[],
        })
    }

    /// What the bundle does with its names.
    pub(crate) fn uses(&self) -> &Uses<'a> {
        self.uses.get_or_init(|| Uses::of(self.bodies(), self.names))
    }

    /// Counts findings that are not worth a place of their own.
    pub(crate) fn omit(&mut self, count: usize) {
        self.report.omitted += count;
    }

    /// Adds a finding of the rule's own severity.
    pub(crate) fn report(&mut self, rule: &'static Rule, at: impl Ranged, message: String, hint: &str) {
        self.report_as(rule, rule.severity, at, message, hint);
    }

    /// Adds a finding; one place has at most one finding of a rule.
    pub(crate) fn report_as(
        &mut self,
        rule: &'static Rule,
        severity: Severity,
        at: impl Ranged,
        message: String,
        hint: &str,
    ) {
        let range = at.range();
        if !self.seen.insert((self.module, rule.code, range)) {
            return;
        }
        if self.report.findings.len() >= FINDINGS_MAX {
            // What does not fit is counted, and an error always makes the report one of errors.
            self.report.omitted += 1;
            if severity == Severity::Warning || self.has_errors {
                return;
            }
        }
        self.has_errors |= severity == Severity::Error;
        let source = self.source();
        self.report.findings.push(Finding {
            rule,
            severity,
            file: source.path.clone(),
            place: source.place(range),
            message,
            hint: hint.to_owned(),
            traceback: None,
        });
    }

    fn file(&mut self, tree: &'a Result<Parsed<ModModule>, TextRange>, body: &'a [Stmt]) {
        match tree {
            Err(range) => {
                rules::nesting::too_deep(self, *range);
                return;
            }
            Ok(parsed) => rules::syntax::errors(self, parsed),
        }
        if self.names.modules[self.module].depth > SCOPE_DEPTH_MAX {
            rules::nesting::too_many_scopes(self);
            return;
        }
        self.scopes = vec![0];
        self.opened = 1;
        for hook in &hooks().module {
            hook(self);
        }
        Walker::module(self, body);
    }

    fn import(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => {
                for alias in &import.names {
                    let path = alias.name.as_str();
                    if !self.names.is_bundled(path) {
                        self.refuse(verdict::of_import(path), path, alias.range);
                    }
                }
            }
            Stmt::ImportFrom(import) => {
                let base = binder::absolute(self.source(), import);
                if self.names.is_bundled(&base) || (base.is_empty() && import.level > 0) {
                    return;
                }
                let whole = import.module.as_ref().map_or(import.range, |module| module.range);
                if let Some(refusal) = verdict::of_import(&base) {
                    self.refuse(Some(refusal), &base, whole);
                    return;
                }
                for alias in &import.names {
                    if alias.name.as_str() == "*" {
                        continue;
                    }
                    let path = format!("{base}.{}", alias.name.as_str());
                    self.refuse(verdict::of_reference(&path), &path, alias.range);
                }
            }
            _ => {}
        }
    }

    fn refuse(&mut self, refusal: Option<verdict::Refusal>, path: &str, range: TextRange) {
        if let Some(refusal) = refusal {
            let shown = path.strip_prefix("builtins.").unwrap_or(path);
            let message = format!("`{shown}` {}", refusal.reason);
            self.report(refusal.set.rule, range, message, refusal.hint);
        }
    }

    fn store(&mut self, store: &Store<'_>) {
        for hook in &hooks().store {
            hook(self, store);
        }
    }

    /// `setattr(x, "name", value)` stores as a dot does.
    fn stores_by_name(&mut self, call: &'a ast::ExprCall, callee: &[Meaning]) {
        let [object, name, ..] = &*call.arguments.args else {
            return;
        };
        if !callee.any_path(|path| matches!(path, "builtins.setattr" | "builtins.delattr")) {
            return;
        }
        for name in texts::of(self, name).unwrap_or_default() {
            self.store(&Store {
                place: call.range(),
                object,
                name: &name,
                value: call.arguments.args.get(2),
            });
        }
    }

    fn call(&mut self, call: &'a ast::ExprCall) {
        let event = Call {
            expr: call,
            callee: self.meanings(&call.func),
        };
        self.stores_by_name(call, &event.callee);
        for hook in &hooks().call {
            hook(self, &event);
        }
        self.callee = Some((&raw const *call.func, call, event.callee));
    }

    fn reference(&mut self, expr: &'a Expr, context: ExprContext) {
        let (notable, root) = is_notable(expr);
        if !notable && !root.is_none_or(|root| self.names.may_stand(self.module, root)) {
            return;
        }
        let called = self.callee.take_if(|(callee, ..)| ptr::eq(*callee, expr));
        let bare = matches!(expr, Expr::Name(_));
        let (usage, meanings) = match (context, called) {
            (ExprContext::Store, _) if bare => (Usage::Store, Vec::new()),
            (ExprContext::Del, _) if bare => (Usage::Delete, Vec::new()),
            (ExprContext::Store, _) => (Usage::Store, self.meanings(expr)),
            (ExprContext::Del, _) => (Usage::Delete, self.meanings(expr)),
            (_, Some((_, call, meanings))) => (Usage::Call(call), meanings),
            _ => (Usage::Load, self.meanings(expr)),
        };
        if meanings.is_empty() && !notable {
            return;
        }
        let reference = Reference {
            expr,
            meanings,
            usage,
        };
        for path in reference.paths() {
            if self.harmless.contains(path) {
                continue;
            }
            match verdict::of_reference(path) {
                None => {
                    self.harmless.insert(path.into());
                }
                refusal => self.refuse(refusal, path, expr.range()),
            }
        }
        let call = match reference.usage {
            Usage::Call(call) => Some(call),
            Usage::Load | Usage::Store | Usage::Delete => None,
        };
        for meaning in &reference.meanings {
            if let Meaning::Library(path) = meaning {
                self.mentions.push(Mention {
                    module: self.module,
                    path: path.clone(),
                    call,
                });
            }
        }
        for hook in &hooks().reference {
            hook(self, &reference);
        }
    }
}

impl<'a> Pass<'a> for Checker<'_, 'a> {
    fn enter(&mut self, _kind: ScopeKind<'a>) {
        self.scopes.push(self.opened);
        self.opened += 1;
    }

    fn leave(&mut self) {
        self.scopes.pop();
    }

    fn statement(&mut self, stmt: &'a Stmt) {
        self.import(stmt);
        uses::assigned(stmt, &mut self.assigned);
        // `x += y` reads before it stores, and hands what it reads to a method of `y`.
        if let Stmt::AugAssign(assign) = stmt
            && matches!(&*assign.target, Expr::Name(_) | Expr::Attribute(_))
        {
            self.reference(&assign.target, ExprContext::Load);
        }
        for hook in &hooks().statement {
            hook(self, stmt);
        }
    }

    fn expression(&mut self, expr: &'a Expr) -> bool {
        if ptr::eq(self.inner, expr) {
            // Within a chain; its parts were judged with the whole.
            self.inner = match expr {
                Expr::Attribute(attribute) => &raw const *attribute.value,
                _ => ptr::null(),
            };
            if matches!(expr, Expr::Name(_) | Expr::Attribute(_)) {
                return true;
            }
        }
        match expr {
            Expr::Name(name) => self.reference(expr, name.ctx),
            Expr::Attribute(attribute) => {
                self.inner = &raw const *attribute.value;
                self.reference(expr, attribute.ctx);
            }
            Expr::Call(call) => self.call(call),
            _ => {}
        }
        if let Expr::Attribute(attribute) = expr
            && !matches!(attribute.ctx, ExprContext::Load)
        {
            let value = self.assigned.remove(&(&raw const *expr));
            self.store(&Store {
                place: expr.range(),
                object: &attribute.value,
                name: attribute.attr.as_str(),
                value,
            });
        }
        let is_bare = matches!(
            expr,
            Expr::Name(_) | Expr::NumberLiteral(_) | Expr::BooleanLiteral(_) | Expr::NoneLiteral(_)
        );
        if !is_bare {
            for hook in &hooks().expression {
                hook(self, expr);
            }
        }
        true
    }

    fn pattern(&mut self, pattern: &'a Pattern) {
        for hook in &hooks().pattern {
            hook(self, pattern);
        }
    }
}
