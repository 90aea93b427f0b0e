//! Scopes and bindings of one module, as the binder leaves them.

use std::rc::Rc;

use ruff_python_ast as ast;
use ruff_text_size::{TextRange, TextSize};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Meaning;
use super::shadow::Hidden;
use crate::limits::SCOPE_DEPTH_MAX;

/// The number of a scope within its module; the module itself is 0.
pub(crate) type ScopeId = usize;

/// What makes a scope. Names of a class body are not seen by the functions in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ScopeKind<'a> {
    Module,
    Class(&'a ast::StmtClassDef),
    Function(&'a ast::StmtFunctionDef),
    Lambda(&'a ast::ExprLambda),
    /// With what it runs over.
    Comprehension(&'a [ast::Comprehension]),
}

impl ScopeKind<'_> {
    /// Whether a name that is bound in it can never mean that of an outer scope.
    pub(crate) fn is_local(self) -> bool {
        matches!(self, Self::Function(_) | Self::Lambda(_) | Self::Comprehension(_))
    }
}

/// How a name comes to stand for something.
#[derive(Clone, Debug)]
pub(crate) enum BindingKind<'a> {
    /// An import of this dotted path.
    Import(Rc<str>),
    /// An assignment of this expression, to a single name.
    Value(&'a ast::Expr),
    Function(&'a ast::StmtFunctionDef),
    Class(&'a ast::StmtClassDef),
    /// A parameter, with the number of its place.
    Parameter(&'a ast::Parameter, usize),
    /// The variable of a loop that counts, with what is called: `range`, or `enumerate`, whose first variable it is.
    Counter(&'a ast::Expr),
    /// The first variable of a loop over pairs, with the call that gives them.
    Key(&'a ast::ExprCall),
    /// The variable of a loop over what a call gives.
    Element(&'a ast::ExprCall),
    /// Anything else: a loop, a pattern, an unpacking.
    Other,
}

/// One binding of one name.
#[derive(Debug)]
pub(crate) struct Binding<'a> {
    pub(crate) kind: BindingKind<'a>,
    /// Where its expression is evaluated.
    pub(crate) scope: ScopeId,
}

/// All bindings of one name in one scope.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    pub(crate) bindings: Vec<usize>,
    /// Where the first statement ends that surely binds it, if one does.
    pub(crate) certain_from: Option<TextSize>,
    /// What the name may stand for; grows while aliases settle.
    pub(crate) meanings: Vec<Meaning>,
    /// Whether it may stand for something that nobody sees, too.
    pub(crate) is_open: bool,
}

#[derive(Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) kind: ScopeKind<'a>,
    pub(crate) parent: Option<ScopeId>,
    pub(crate) depth: usize,
    pub(crate) names: FxHashMap<&'a str, Entry>,
    /// Names that `global` or `nonlocal` send to another scope.
    pub(crate) elsewhere: FxHashMap<&'a str, ScopeId>,
    /// Names that a `del` may uncover again.
    pub(crate) deleted: FxHashSet<&'a str>,
}

/// The scopes of one module.
#[derive(Debug)]
pub(crate) struct ModuleScopes<'a> {
    pub(crate) scopes: Vec<Scope<'a>>,
    pub(crate) bindings: Vec<Binding<'a>>,
    /// The dotted paths of which everything was imported.
    pub(crate) stars: Vec<Rc<str>>,
    /// The deepest nesting of scopes.
    pub(crate) depth: usize,
    classes: FxHashMap<TextSize, ScopeId>,
    functions: FxHashMap<TextSize, ScopeId>,
    /// Attributes that the module gives to `self`, and its methods.
    pub(crate) attributes: FxHashSet<&'a str>,
    /// Where builtins are surely hidden by names of the module.
    pub(crate) hidden: Hidden<'a>,
    /// Every name that the module gives to anything that may become an attribute: what classes and the module itself bind,
    /// what `self` is given, keywords of calls, and strings that could be names.
    pub(crate) defined: FxHashSet<&'a str>,
    /// Names that are stored as attributes of anything, and of anything but the first parameter of a method.
    pub(crate) stored: FxHashSet<&'a str>,
    pub(crate) stored_elsewhere: FxHashSet<&'a str>,
    /// Names as Python spells those with two underscores within classes.
    pub(crate) spelled: Vec<(&'a str, TextRange)>,
    /// Calls by name, with the scope they stand in: what they hand on settles like an alias.
    pub(crate) calls: Vec<(ScopeId, &'a ast::ExprCall)>,
}

impl<'a> ModuleScopes<'a> {
    pub(crate) fn new() -> Self {
        let mut scopes = Self {
            scopes: Vec::new(),
            bindings: Vec::new(),
            stars: Vec::new(),
            depth: 0,
            classes: FxHashMap::default(),
            functions: FxHashMap::default(),
            attributes: FxHashSet::default(),
            hidden: Hidden::default(),
            defined: FxHashSet::default(),
            stored: FxHashSet::default(),
            stored_elsewhere: FxHashSet::default(),
            spelled: Vec::new(),
            calls: Vec::new(),
        };
        scopes.open(ScopeKind::Module, None);
        scopes
    }

    pub(crate) fn open(&mut self, kind: ScopeKind<'a>, parent: Option<ScopeId>) -> ScopeId {
        let depth = parent.map_or(0, |parent| self.scopes[parent].depth + 1);
        self.depth = self.depth.max(depth);
        match kind {
            ScopeKind::Class(class) => self.classes.insert(class.range.start(), self.scopes.len()),
            ScopeKind::Function(function) => self.functions.insert(function.range.start(), self.scopes.len()),
            ScopeKind::Module | ScopeKind::Lambda(_) | ScopeKind::Comprehension(_) => None,
        };
        self.scopes.push(Scope {
            kind,
            parent,
            depth,
            names: FxHashMap::default(),
            elsewhere: FxHashMap::default(),
            deleted: FxHashSet::default(),
        });
        self.scopes.len() - 1
    }

    /// The scope of a function.
    pub(crate) fn function_scope(&self, function: &ast::StmtFunctionDef) -> Option<ScopeId> {
        self.functions.get(&function.range.start()).copied()
    }

    /// The scope of a class.
    pub(crate) fn class_scope(&self, class: &ast::StmtClassDef) -> Option<ScopeId> {
        self.classes.get(&class.range.start()).copied()
    }

    /// The nearest enclosing scope that is no comprehension: where a walrus binds.
    pub(crate) fn not_comprehension(&self, mut scope: ScopeId) -> ScopeId {
        while let (ScopeKind::Comprehension(_), Some(parent)) =
            (self.scopes[scope].kind, self.scopes[scope].parent)
        {
            scope = parent;
        }
        scope
    }

    /// The scope that a `nonlocal` name belongs to: the nearest function around that binds it without such a statement.
    pub(crate) fn owner_of_nonlocal(&self, scope: ScopeId, name: &str) -> ScopeId {
        let mut at = self.scopes[scope].parent;
        let mut nearest = None;
        // A file that goes deeper is refused anyway.
        for _ in 0..=SCOPE_DEPTH_MAX {
            let Some(outer) = at else { break };
            let around = &self.scopes[outer];
            if matches!(around.kind, ScopeKind::Function(_) | ScopeKind::Lambda(_)) {
                nearest = nearest.or(Some(outer));
                if around.names.contains_key(name) && !around.elsewhere.contains_key(name) {
                    return outer;
                }
            }
            at = around.parent;
        }
        nearest.unwrap_or_default()
    }
}
