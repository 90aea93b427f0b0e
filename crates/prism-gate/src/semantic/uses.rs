//! What a bundle does with its names: where they are called, stored, defined and handed on. Over all files, by their text.
//!
//! [`crate::reading::own`] asks it. An index by text and not by meaning: two functions of one name share their calls, and a
//! class is handed on where anything of its name is, so that an answer is never too narrow. It decides nothing.

use ruff_python_ast::{self as ast, CmpOp, Expr, ExprCall, ExprContext, Pattern, Stmt};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::RefCell;
use std::ptr;

use crate::knowledge::libraries;

use super::binder::parts_of;
use super::walk::{Pass, Walker};
use super::{BindingKind, Meaning, Meant as _, Names, ScopeId, ScopeKind};

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

/// Functions that hand out classes that only stand in annotations or in an index.
const TELL_CLASSES: &[&str] = &["get_args", "singledispatch", "singledispatchmethod"];

/// Methods that a comparison calls with what is compared.
const COMPARE: &[&str] = &[
    "__contains__",
    "__eq__",
    "__ge__",
    "__getitem__",
    "__gt__",
    "__iter__",
    "__le__",
    "__lt__",
    "__ne__",
];

/// Methods that store under a name that they are given.
const STORERS: &[&str] = &[
    "__setattr__",
    "add_module",
    "register_buffer",
    "register_module",
    "register_parameter",
];

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

/// Whether a path is one of a class or a type that is made with others, and keeps them to itself.
fn is_generic(path: &str) -> bool {
    path.starts_with("typing") || libraries::is_class(path)
}

fn is_called(expr: &Expr, name: &str) -> bool {
    matches!(expr, Expr::Call(call) if matches!(&*call.func, Expr::Name(found) if found.id.as_str() == name))
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
            let mut reader = Reader {
                compares: COMPARE.iter().any(|hook| names.gives(hook)),
                unites: names.gives("__or__") || names.gives("__ror__"),
                uses: &mut uses,
                names,
                module,
                opened: 1,
                open: vec![(0, ScopeKind::Module)],
                callee: None,
                looked_at: FxHashSet::default(),
                told: FxHashSet::default(),
                named_types: Vec::new(),
                of_classes: RefCell::default(),
                accessors: FxHashSet::default(),
                assigned: Assigned::default(),
            };
            Walker::module(&mut reader, body);
            named_types.append(&mut reader.named_types);
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

struct Reader<'u, 'a> {
    uses: &'u mut Uses<'a>,
    names: &'u Names<'a>,
    /// Whether operators may run code of the bundle, and hand it what they only look at otherwise.
    compares: bool,
    unites: bool,
    module: usize,
    opened: ScopeId,
    open: Vec<(ScopeId, ScopeKind<'a>)>,
    /// The callee that comes next, and its call.
    callee: Option<&'a ExprCall>,
    /// Expressions that are only looked at.
    looked_at: FxHashSet<*const Expr>,
    /// Classes and dictionaries that are only told, looked up or read.
    told: FxHashSet<*const Expr>,
    /// Names that are given such a class.
    named_types: Vec<(&'a str, &'a ExprCall)>,
    /// Whether methods may be called on their class, of those that were asked about.
    of_classes: RefCell<FxHashMap<*const ast::StmtFunctionDef, bool>>,
    /// Properties whose accessors are defined.
    accessors: FxHashSet<*const Expr>,
    /// What is assigned to targets that come next.
    assigned: Assigned<'a>,
}

impl<'a> Reader<'_, 'a> {
    fn spot(&self) -> Spot {
        Spot {
            module: self.module,
            scope: self.open.last().map_or(0, |(scope, _)| *scope),
        }
    }

    /// The class whose body this is.
    fn class_body(&self) -> Option<&'a ast::StmtClassDef> {
        match self.open.last() {
            Some((_, ScopeKind::Class(class))) => Some(class),
            _ => None,
        }
    }

    fn meanings(&self, expr: &Expr) -> Vec<Meaning> {
        let spot = self.spot();
        self.names.meanings(spot.module, spot.scope, expr)
    }

    /// The methods around, each with its class.
    fn methods(&self) -> impl Iterator<Item = (ScopeId, &'a ast::StmtClassDef, &'a ast::StmtFunctionDef)> {
        self.open.windows(2).filter_map(|pair| match pair {
            [
                (scope, ScopeKind::Class(class)),
                (_, ScopeKind::Function(function)),
            ] => Some((*scope, *class, *function)),
            _ => None,
        })
    }

    /// Whether a name is the first parameter of a method around that may be called on a class.
    fn is_cls(&self, asked: &str) -> bool {
        self.methods().any(|(scope, _, function)| {
            first_parameter(function) == Some(asked) && {
                let known = self.of_classes.borrow().get(&(&raw const *function)).copied();
                known.unwrap_or_else(|| {
                    let may_be = self.may_be_of_the_class(scope, function);
                    self.of_classes.borrow_mut().insert(&raw const *function, may_be);
                    may_be
                })
            }
        })
    }

    /// Whether a function of a class body may be called on the class.
    fn may_be_of_the_class(&self, scope: ScopeId, function: &ast::StmtFunctionDef) -> bool {
        let name = function.name.as_str();
        let module = &self.names.modules[self.module];
        let bound = module.scopes[scope].names.get(name);
        let is_a_function =
            |number: &usize| matches!(module.bindings[*number].kind, BindingKind::Function(_));
        // Any but those of libraries may be, or hand on to, `classmethod`.
        let is_of_objects = |decorator: &ast::Decorator| {
            let named = match &decorator.expression {
                Expr::Call(call) => &*call.func,
                named => named,
            };
            is_an_accessor(named)
                || self
                    .names
                    .meanings(self.module, scope, named)
                    .all_paths(|path| !path.ends_with("classmethod"))
        };
        OF_CLASSES.contains(&name)
            || !function.decorator_list.iter().all(is_of_objects)
            || !bound.is_some_and(|entry| entry.bindings.iter().all(is_a_function))
    }

    /// Marks what is only looked at: a type in an annotation, an argument of `isinstance`.
    fn look(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|element| self.look(element)),
            Expr::List(list) => list.elts.iter().for_each(|element| self.look(element)),
            Expr::BinOp(union) if !self.unites => {
                self.look(&union.left);
                self.look(&union.right);
            }
            Expr::Subscript(generic) if self.meanings(&generic.value).all_paths(is_generic) => {
                self.look(&generic.value);
                self.look(&generic.slice);
            }
            Expr::Subscript(_) | Expr::BinOp(_) => {}
            _ => {
                self.looked_at.insert(&raw const *expr);
            }
        }
    }

    /// The last name of what is changed in place.
    fn change(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => {
                self.uses.changed.insert(name.id.as_str());
            }
            Expr::Attribute(attribute) => {
                self.uses.changed.insert(attribute.attr.as_str());
            }
            Expr::Subscript(subscript) => self.change(&subscript.value),
            _ => {}
        }
    }

    fn call(&mut self, call: &'a ExprCall) {
        let spot = self.spot();
        let arguments = &call.arguments;
        let name = match &*call.func {
            Expr::Name(name) => Some(name.id.as_str()),
            Expr::Attribute(attribute) => {
                // `table.update(...)`: a method may change what it is called on.
                self.change(&attribute.value);
                Some(attribute.attr.as_str())
            }
            callee => {
                if is_called(callee, "type") {
                    self.uses.makes_unseen = true;
                    self.looked_at.insert(&raw const *callee);
                }
                None
            }
        };
        if let Some(name) = name {
            self.uses.calls.entry(name).or_default().push((spot, call));
            // `super().__setattr__(name, value)` is given the name first, as all of them are.
            let place = usize::from(!STORERS.contains(&name));
            let text = arguments.args.get(place).and_then(Expr::as_string_literal_expr);
            match name {
                _ if STORERS.contains(&name) || matches!(name, "setattr" | "delattr") => match text {
                    Some(text) => {
                        let stored = self.uses.stored.entry(text.value.to_str()).or_default();
                        stored.push((spot, arguments.args.get(place + 1)));
                    }
                    None => self.uses.sets_computed = true,
                },
                "__setstate__" | "functional_call" | "set_submodule" => self.uses.sets_computed = true,
                "getattr" | "attrgetter" | "methodcaller" | "__getattr__" => {
                    self.uses.gets_computed |= text.is_none();
                    let text = text.map(|text| text.value.to_str());
                    self.uses.read.extend(text);
                    self.uses.any_class |= text.is_some_and(|text| TELL_CLASSES.contains(&text));
                }
                "isinstance" | "issubclass" | "super" => {
                    let path = |path: &str| path.strip_prefix("builtins.") == Some(name);
                    if self.meanings(&call.func).all_paths(path) {
                        arguments.args.iter().for_each(|argument| self.look(argument));
                    }
                }
                "dict" | "len" | "print" | "repr" | "sorted" | "str" => {
                    self.told.extend(arguments.args.iter().map(ptr::from_ref));
                }
                _ => {}
            }
        }
        let unpacked = arguments.keywords.iter().filter(|keyword| keyword.arg.is_none());
        self.told
            .extend(unpacked.map(|keyword| ptr::from_ref(&keyword.value)));
        self.callee = Some(call);
    }

    fn name(&mut self, expr: &'a Expr, name: &'a str, is_called: bool) {
        let is_looked_at = self.looked_at.remove(&(&raw const *expr));
        if !is_called && !is_looked_at {
            self.uses.values.insert(name);
            self.uses.any_class |=
                name == "type" && self.meanings(expr).any_path(|path| path == "builtins.type");
        }
        if self.is_cls(name) {
            self.uses.makes_unseen |= is_called;
            self.uses.any_class |= !is_called && !is_looked_at;
        }
        // In the body of its class the name of a method is the function itself.
        if !self.accessors.remove(&(&raw const *expr))
            && let Some((scope, ScopeKind::Class(class))) = self.open.last()
            && self.uses.functions.contains(name)
            && self.names.modules[self.module].scopes[*scope]
                .names
                .contains_key(name)
        {
            self.uses.values.insert(class.name.as_str());
            self.uses.read.insert(name);
        }
    }

    fn attribute(&mut self, expr: &'a Expr, attribute: &'a ast::ExprAttribute, call: Option<&'a ExprCall>) {
        let name = attribute.attr.as_str();
        let is_looked_at = self.looked_at.remove(&(&raw const *expr));
        let is_a_hook =
            name.starts_with("__") && !matches!(name, "__name__" | "__qualname__" | "__version__");
        let reaches = is_a_hook || self.uses.functions.contains(name);
        if reaches && let Some(base) = last_name(&attribute.value) {
            let is_a_class = self.uses.classes.contains(base);
            let makes = name == "__init__" && call.is_some_and(|call| self.makes_its_base(base, call));
            if is_a_class && !makes || is_a_hook && self.uses.functions.contains(base) {
                self.uses.values.insert(base);
            }
            self.uses.any_class |= self.is_cls(base);
        }
        self.uses.any_class |= reaches && is_called(&attribute.value, "type");
        if !matches!(&*attribute.value, Expr::Subscript(_)) {
            self.looked_at.insert(&raw const *attribute.value);
        }
        match name {
            "__class__" if call.is_some() => self.uses.makes_unseen = true,
            "__class__" => self.uses.any_class |= !is_looked_at,
            "__dict__" => self.uses.takes_dicts |= !self.told.remove(&(&raw const *expr)),
            "copy" | "get" | "items" | "keys" | "values" => {
                self.told.insert(&raw const *attribute.value);
            }
            // Who has these may store under any name.
            "_modules" | "_parameters" | "_buffers" if call.is_none() => self.uses.sets_computed = true,
            _ if TELL_CLASSES.contains(&name) => self.uses.any_class = true,
            _ => {}
        }
        if call.is_none() {
            self.uses.read.insert(name);
            self.uses.sets_computed |= STORERS.contains(&name)
                || matches!(name, "__setstate__" | "functional_call" | "set_submodule");
            if !is_looked_at {
                self.uses.values.insert(name);
            }
        }
    }

    /// `Base.__init__(self, ...)`, written in a class below `Base`.
    fn makes_its_base(&self, base: &str, call: &ExprCall) -> bool {
        let Some(Expr::Name(first)) = call.arguments.args.first() else {
            return false;
        };
        self.methods().any(|(_, class, function)| {
            first_parameter(function) == Some(first.id.as_str())
                && class.bases().iter().any(|of| last_name(of) == Some(base))
        })
    }
}

impl<'a> Pass<'a> for Reader<'_, 'a> {
    fn enter(&mut self, kind: ScopeKind<'a>) {
        self.open.push((self.opened, kind));
        self.opened += 1;
    }

    fn leave(&mut self) {
        self.open.pop();
    }

    fn statement(&mut self, stmt: &'a Stmt) {
        assigned(stmt, &mut self.assigned);
        match stmt {
            Stmt::FunctionDef(function) => {
                // `def kind(*given)` of the class: the first one given is the class.
                if let Some((scope, ScopeKind::Class(_))) = self.open.last()
                    && first_parameter(function).is_none()
                    && function.parameters.vararg.is_some()
                {
                    self.uses.any_class |= self.may_be_of_the_class(*scope, function);
                }
                for decorator in &function.decorator_list {
                    if let Expr::Attribute(of) = &decorator.expression
                        && is_an_accessor(&decorator.expression)
                    {
                        self.accessors.insert(&raw const *of.value);
                    }
                }
                let annotations = function
                    .parameters
                    .iter()
                    .filter_map(ast::AnyParameterRef::annotation);
                annotations
                    .chain(function.returns.as_deref())
                    .for_each(|annotation| self.look(annotation));
            }
            Stmt::ClassDef(class) => {
                for base in class.bases() {
                    self.look(base);
                    let meanings = self.meanings(base);
                    self.uses.has_unseen_bases |= meanings.is_empty() || meanings.contains(&Meaning::Unknown);
                    if let Some(name) = last_name(base) {
                        self.uses.bases.insert(name);
                        self.uses
                            .below
                            .entry(name)
                            .or_default()
                            .push((self.module, class));
                    }
                }
            }
            // What a class body annotates can be asked for.
            Stmt::AnnAssign(assign) => match &*assign.target {
                Expr::Name(name) if let Some(class) = self.class_body() => {
                    let owners = self.uses.fields.entry(name.id.as_str()).or_default();
                    owners.push(class.name.as_str());
                }
                _ => self.look(&assign.annotation),
            },
            // A documentation string, a list of what `import *` takes.
            Stmt::Expr(alone) if alone.value.is_string_literal_expr() => self.look(&alone.value),
            Stmt::Assign(assign) if matches!(&*assign.targets, [Expr::Name(name)] if name.id.as_str() == "__all__") =>
            {
                self.look(&assign.value);
            }
            // What is done with a name is seen where it stands.
            // Under a second name a table can be changed, too.
            Stmt::Assign(assign) if assign.targets.len() > 1 => {
                self.uses
                    .values
                    .extend(assign.targets.iter().filter_map(last_name));
            }
            Stmt::Assign(assign) if is_called(&assign.value, "type") => {
                if let ([Expr::Name(name)], Expr::Call(made)) = (&*assign.targets, &*assign.value) {
                    self.told.insert(&raw const *assign.value);
                    self.named_types.push((name.id.as_str(), made));
                }
            }
            Stmt::AugAssign(assign) => {
                self.change(&assign.target);
                self.uses.values.extend(last_name(&assign.target));
            }
            Stmt::Delete(delete) => delete.targets.iter().for_each(|target| self.change(target)),
            Stmt::ImportFrom(import) => {
                for alias in &import.names {
                    // Under another name its calls are not found.
                    if alias.asname.is_some() {
                        self.uses.values.insert(alias.name.as_str());
                    }
                    let name = alias.name.as_str();
                    let base = import.module.as_ref().map_or("", |base| base.as_str());
                    self.uses.any_class |= TELL_CLASSES.contains(&name)
                        || name == "*" && (base.starts_with("functools") || base.starts_with("typing"));
                }
            }
            _ => {}
        }
    }

    fn expression(&mut self, expr: &'a Expr) -> bool {
        let call = self
            .callee
            .take_if(|call| std::ptr::eq(&raw const *call.func, expr));
        match expr {
            Expr::Call(inner) => {
                let is_told = self.told.remove(&(&raw const *expr));
                self.uses.takes_dicts |= is_called(expr, "vars") && !is_told;
                if is_called(expr, "type")
                    && !self.looked_at.remove(&(&raw const *expr))
                    && inner.arguments.args.len() == 1
                {
                    self.uses.any_class = true;
                    if !is_told {
                        self.uses.types.insert(&raw const *inner);
                    }
                }
                self.call(inner);
            }
            Expr::Compare(compare)
                if !self.compares
                    || compare
                        .ops
                        .iter()
                        .all(|op| matches!(op, CmpOp::Is | CmpOp::IsNot)) =>
            {
                self.look(&compare.left);
                compare.comparators.iter().for_each(|value| self.look(value));
            }
            Expr::Named(named) => self.uses.values.extend(last_name(&named.target)),
            // A text that is a name may become one.
            Expr::StringLiteral(text) => {
                let is_looked_at = self.looked_at.remove(&(&raw const *expr));
                if !is_looked_at {
                    self.uses.texts.insert(text.value.to_str());
                }
            }
            Expr::Name(name) if matches!(name.ctx, ExprContext::Load) => {
                self.name(expr, name.id.as_str(), call.is_some());
            }
            Expr::Attribute(attribute) if matches!(attribute.ctx, ExprContext::Load) => {
                self.attribute(expr, attribute, call);
            }
            // Whatever statement stands around: a loop, a comprehension, an unpacking.
            Expr::Attribute(attribute) => {
                let value = self.assigned.remove(&(&raw const *expr));
                let spot = self.spot();
                let stored = self.uses.stored.entry(attribute.attr.as_str()).or_default();
                stored.push((spot, value));
                self.change(&attribute.value);
            }
            Expr::Subscript(subscript) if matches!(subscript.ctx, ExprContext::Load) => {
                // `Target[int]` hands on to `Target`.
                if last_name(&subscript.value)
                    .is_some_and(|base| !self.uses.classes.contains(base) && !self.is_cls(base))
                {
                    self.looked_at.insert(&raw const *subscript.value);
                }
                self.told.insert(&raw const *subscript.slice);
            }
            Expr::FString(text) => {
                let elements = text
                    .value
                    .elements()
                    .filter_map(|element| element.as_interpolation());
                self.told
                    .extend(elements.map(|element| ptr::from_ref(&*element.expression)));
            }
            Expr::Subscript(subscript) => self.change(&subscript.value),
            _ => {}
        }
        true
    }

    fn pattern(&mut self, pattern: &'a Pattern) {
        if let Pattern::MatchClass(class) = pattern {
            self.look(&class.cls);
            for keyword in &class.arguments.keywords {
                self.uses.values.insert(keyword.attr.as_str());
                self.uses.read.insert(keyword.attr.as_str());
            }
        }
    }
}
