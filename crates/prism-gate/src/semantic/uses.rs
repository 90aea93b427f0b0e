//! What a bundle does with its names: where they are called, stored, defined and handed on. Over all files, by their text.
//!
//! [`crate::reading::own`] asks it. An index by text and not by meaning: two functions of one name share their calls, and a
//! class is handed on where anything of its name is, so that an answer is never too narrow. It decides nothing.

mod reader;

use std::ptr;

use ruff_python_ast::{self as ast, Expr, ExprCall, Stmt};
use rustc_hash::{FxHashMap, FxHashSet};

use super::binder::parts_of;
use super::{BindingKind, Names, ScopeId, ScopeKind};

/// A place in a bundle: its file and the scope.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    pub(crate) module: usize,
    pub(crate) scope: ScopeId,
}

impl Spot {
    /// Another scope of the same file.
    pub(crate) fn at(self, scope: ScopeId) -> Self {
        Self { scope, ..self }
    }
}

/// The index.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is asked for by itself")]
pub(crate) struct Uses<'a> {
    /// Calls by the last name of what is called.
    pub(crate) calls: FxHashMap<&'a str, Vec<(Spot, &'a ExprCall)>>,
    /// Names that become values somewhere: they are read, and neither called at once nor only looked at. So do classes of
    /// which a method is read, and the bases of such.
    values: FxHashSet<&'a str>,
    /// Attributes that are read and not called at once, and functions that a class body hands on.
    read: FxHashSet<&'a str>,
    /// What could be a name and stands in a text.
    texts: FxHashSet<&'a str>,
    /// The names of functions and of classes.
    functions: FxHashSet<&'a str>,
    classes: FxHashSet<&'a str>,
    /// The last names of all bases.
    pub(crate) bases: FxHashSet<&'a str>,
    /// The classes that have a base of this name, each with its file.
    pub(crate) below: FxHashMap<&'a str, Vec<(usize, &'a ast::StmtClassDef)>>,
    /// What is assigned to attributes of this name; `None` where that is not a single expression.
    pub(crate) stored: FxHashMap<&'a str, Vec<(Spot, Option<&'a Expr>)>>,
    /// What class bodies bind to this name; `None` where that is not a single expression.
    pub(crate) in_classes: FxHashMap<&'a str, Vec<(Spot, Option<&'a Expr>)>>,
    /// Names whose elements or attributes are changed, and those that a method is called on.
    pub(crate) changed: FxHashSet<&'a str>,
    /// Whether a class may derive from one that its statement does not name.
    pub(crate) has_unseen_bases: bool,
    /// Whether anything sets attributes by computed names.
    pub(crate) sets_computed: bool,
    /// Whether anything reads attributes by computed names.
    pub(crate) gets_computed: bool,
    /// Whether the dictionary of an object is taken.
    pub(crate) takes_dicts: bool,
    /// Whether a class becomes a value without its name: `kind = type(x)`, `return cls`.
    pub(crate) any_class: bool,
    /// The calls of `type` whose result is one, and is handed on.
    pub(crate) types: FxHashSet<*const ExprCall>,
    /// Whether objects are made without the name of their class: `type(x)(...)`, `cls(...)`.
    pub(crate) makes_unseen: bool,
    /// What class bodies bind with an annotation, and the names of the classes: what makes the object may choose the value.
    fields: FxHashMap<&'a str, Vec<&'a str>>,
}

/// Methods that a class has without a decorator that says so, whose first parameter is a class.
pub(crate) const OF_CLASSES: &[&str] = &["__class_getitem__", "__init_subclass__", "__new__", "__prepare__"];

/// Most rounds in which a class is handed on to its bases.
const ROUNDS_MAX: usize = 32;

/// The first parameter of a function.
pub(crate) fn first_parameter(function: &ast::StmtFunctionDef) -> Option<&str> {
    let parameters = &function.parameters;
    let first = parameters.posonlyargs.iter().chain(&parameters.args).next()?;
    Some(first.parameter.name.as_str())
}

/// The last name of a chain, or of a generic class.
fn last_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        Expr::Subscript(generic) => last_name(&generic.value),
        _ => None,
    }
}

/// `@size.setter`: a decorator that a property gives.
pub(crate) fn is_an_accessor(decorator: &Expr) -> bool {
    matches!(decorator, Expr::Attribute(of) if matches!(of.attr.as_str(), "deleter" | "getter" | "setter"))
}

/// What assignments give to attributes, by their places.
pub(crate) type Assigned<'a> = FxHashMap<*const Expr, &'a Expr>;

/// Notes what a statement assigns to attributes, as far as targets and values are spelled out.
pub(crate) fn assigned<'a>(stmt: &'a Stmt, found: &mut Assigned<'a>) {
    match stmt {
        Stmt::Assign(assign) => {
            for target in &assign.targets {
                pair(target, &assign.value, found);
            }
        }
        Stmt::AnnAssign(assign) => {
            if let Some(value) = &assign.value {
                pair(&assign.target, value, found);
            }
        }
        _ => {}
    }
}

fn pair<'a>(target: &'a Expr, value: &'a Expr, found: &mut Assigned<'a>) {
    match (target, value) {
        (Expr::Attribute(_), _) => {
            found.insert(&raw const *target, value);
        }
        (Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }), _) => {
            let parts = parts_of(value, elts.len()).unwrap_or_default();
            for (target, value) in elts.iter().zip(parts) {
                pair(target, value, found);
            }
        }
        _ => {}
    }
}

impl<'a> Uses<'a> {
    /// Whether a class gives its objects this name as a field.
    pub(crate) fn is_a_field(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// Whether a class of this name, or one below it, gives its objects the name as a field; also where there are more
    /// classes than may be looked at.
    pub(crate) fn is_a_field_of(
        &self,
        class: &'a str,
        name: &str,
        may_look_at: impl Fn(usize) -> bool,
    ) -> bool {
        let Some(owners) = self.fields.get(name) else {
            return false;
        };
        let (mut seen, mut next) = (FxHashSet::from_iter([class]), vec![class]);
        while let Some(class) = next.pop() {
            let below = self.below.get(class).map_or(&[][..], Vec::as_slice);
            if owners.contains(&class) || !may_look_at(owners.len() + below.len()) {
                return true;
            }
            let below = below.iter().map(|(_, below)| below.name.as_str());
            next.extend(below.filter(|name| seen.insert(name)));
        }
        false
    }

    /// Whether something of this name may become a value: a text may become the name of what is read.
    pub(crate) fn is_handed_on(&self, name: &str) -> bool {
        self.values.contains(name) || self.texts.contains(name)
    }

    /// Whether a method of this name may be had without being called.
    pub(crate) fn is_read(&self, name: &str) -> bool {
        self.read.contains(name) || self.gets_computed && self.texts.contains(name)
    }

    /// Whether a function or class of the bundle has this name.
    pub(crate) fn is_defined(&self, name: &str) -> bool {
        self.functions.contains(name) || self.classes.contains(name)
    }

    /// Reads the bodies of all modules, in their order.
    pub(crate) fn of<'b>(bodies: impl Iterator<Item = &'a [Stmt]> + 'b, names: &Names<'a>) -> Self {
        let mut uses = Self::default();
        uses.read_classes(names);
        let mut named_types = Vec::new();
        for (module, body) in bodies.enumerate() {
            named_types.extend(reader::read(&mut uses, names, module, body));
        }
        let handed_on = named_types.iter().filter(|(name, _)| uses.values.contains(name));
        let handed_on: Vec<_> = handed_on.map(|(_, made)| ptr::from_ref(*made)).collect();
        uses.types.extend(handed_on);
        uses.hand_on_to_bases(names);
        uses
    }

    /// A method is reached by the name of any class below its own.
    fn hand_on_to_bases(&mut self, names: &Names<'a>) {
        let scopes = names.modules.iter().flat_map(|module| &module.scopes);
        let classes: Vec<_> = scopes
            .filter_map(|scope| match scope.kind {
                ScopeKind::Class(class) => Some((class.name.as_str(), class.bases())),
                _ => None,
            })
            .collect();
        for _ in 0..ROUNDS_MAX {
            let before = self.values.len();
            for (name, bases) in &classes {
                if self.is_handed_on(name) {
                    self.values.extend(bases.iter().filter_map(last_name));
                }
            }
            if self.values.len() == before {
                return;
            }
        }
        self.any_class = true;
    }

    /// The names of functions and classes, and what class bodies bind, by any statement.
    fn read_classes(&mut self, names: &Names<'a>) {
        for (module, found) in names.modules.iter().enumerate() {
            for binding in &found.bindings {
                match binding.kind {
                    BindingKind::Function(function) => {
                        self.functions.insert(function.name.as_str());
                        // A copy is given the attributes that it names.
                        self.sets_computed |= function.name.as_str() == "__getstate__";
                    }
                    BindingKind::Class(class) => drop(self.classes.insert(class.name.as_str())),
                    _ => {}
                }
            }
            for scope in &found.scopes {
                if !matches!(scope.kind, ScopeKind::Class(_)) {
                    continue;
                }
                for (&name, entry) in &scope.names {
                    let bound = self.in_classes.entry(name).or_default();
                    bound.extend(entry.bindings.iter().map(|&number| {
                        let binding = &found.bindings[number];
                        let spot = Spot {
                            module,
                            scope: binding.scope,
                        };
                        match binding.kind {
                            BindingKind::Value(value) => (spot, Some(value)),
                            _ => (spot, None),
                        }
                    }));
                }
            }
        }
    }
}
