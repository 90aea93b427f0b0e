//! Whether a class is plainly the bundle's own, and whether a method can only be called on objects of its class.
//!
//! [`crate::reading::origin`] asks it. `self` is the bundle's object only if no call of the bundle can put another object in
//! its place: by the name of the class, by a decorator, by a class that is handed around. The answer is found for all
//! methods at once, because `self.a(...)` in one method says something of another. It decides nothing.

use ruff_python_ast::{self as ast, Expr};
use rustc_hash::FxHashSet;

use crate::check::Checker;
use crate::knowledge::Words;
use crate::semantic::reads::{OF_CLASSES, Read, first_parameter};
use crate::semantic::uses::Spot;
use crate::semantic::{BindingKind, Meaning, Meant as _, ScopeId, ScopeKind};

/// How far the bases of a class are followed.
const BASES_DEPTH_MAX: usize = 8;
/// Most classes below one.
const FAMILY_MAX: usize = 256;
/// Most rounds until it is known which methods are open.
const ROUNDS_MAX: usize = 32;

/// Beginnings of the paths of classes that make their objects as `object` does, and that keep to their methods.
static BASES: Words = Words::new(
    "abc.ABC builtins. collections. contextlib. enum. torch.autograd.Function torch.autograd.function. \
     torch.distributions. torch.nn. torch.optim. torch.utils.data. typing. typing_extensions.",
);

/// Classes below these whose objects are of C, or that make what they like.
static NOT_BASES: Words = Words::new(
    "builtins.memoryview builtins.property builtins.super builtins.type enum.EnumMeta enum.EnumType \
     torch.nn.Buffer torch.nn.Parameter torch.nn.UninitializedBuffer torch.nn.UninitializedParameter \
     torch.nn.parameter",
);

/// Classes of libraries whose objects keep attributes as any object does.
static PLAIN_BASES: Words = Words::new(
    "abc.ABC builtins.Exception builtins.object torch.nn.Module torch.nn.modules.module.Module \
     torch.optim.Optimizer torch.optim.optimizer.Optimizer typing.Generic typing.NamedTuple \
     typing.Protocol",
);

/// Decorators of a class that give it back.
static OF_A_CLASS: Words = Words::new(
    "dataclasses.dataclass enum.unique enum.verify functools.total_ordering typing.final \
     typing.runtime_checkable typing_extensions.final typing_extensions.runtime_checkable",
);

/// Decorators after which a method is called on its object as before.
static OF_A_METHOD: Words = Words::new(
    "abc.abstractmethod builtins.property contextlib.contextmanager functools.cache \
     functools.cached_property functools.lru_cache torch.amp.autocast torch.autocast torch.compile \
     torch.compiler.disable torch.enable_grad torch.inference_mode torch.jit.export torch.jit.ignore \
     torch.jit.unused torch.no_grad typing.final typing.override \
     typing_extensions.final typing_extensions.override",
);

/// A method: its module, the scope of the function, and both definitions.
#[derive(Clone, Copy)]
pub(crate) struct Method<'a> {
    pub(crate) module: usize,
    pub(crate) scope: ScopeId,
    pub(crate) class_scope: ScopeId,
    pub(crate) class: &'a ast::StmtClassDef,
    pub(crate) function: &'a ast::StmtFunctionDef,
}

/// The method whose first parameter a name is, as seen from a place.
pub(crate) fn method_of<'a>(checker: &Checker<'_, 'a>, spot: Spot, name: &str) -> Option<Method<'a>> {
    let (scope, entry) = checker.names.entry(spot.module, spot.scope, name)?;
    let method = method(checker, spot.module, scope)?;
    let is_first = first_parameter(method.function) == Some(name);
    (is_first && entry.bindings.len() == 1).then_some(method)
}

/// The method that a scope is the body of.
fn method<'a>(checker: &Checker<'_, 'a>, module: usize, scope: ScopeId) -> Option<Method<'a>> {
    let scopes = &checker.names.modules[module].scopes;
    let ScopeKind::Function(function) = scopes[scope].kind else {
        return None;
    };
    let class_scope = scopes[scope].parent?;
    let ScopeKind::Class(class) = scopes[class_scope].kind else {
        return None;
    };
    Some(Method {
        module,
        scope,
        class_scope,
        class,
        function,
    })
}

/// Whether nothing but class bodies and visible assignments gives the objects of a class their attributes.
pub(crate) fn keeps_its_attributes<'a>(checker: &Checker<'_, 'a>, method: Method<'a>) -> bool {
    let keeps = Bases {
        library: &|path| PLAIN_BASES.contains(path),
        own: &|_, class| class.keywords().is_empty(),
        unseen: false,
    };
    let is_simple = |module: usize, class: &ast::StmtClassDef| {
        is_plain(checker, module, class) && keeps.all(checker, module, class, 0)
    };
    let family = family(checker, method.module, method.class);
    family.is_some_and(|family| family.iter().all(|(module, class)| is_simple(*module, class)))
}

/// What is asked of a class and of all that it derives from.
struct Bases<'f> {
    library: &'f dyn Fn(&str) -> bool,
    own: &'f dyn Fn(Spot, &ast::StmtClassDef) -> bool,
    /// What is said of a base that nobody sees.
    unseen: bool,
}

impl Bases<'_> {
    /// Whether a class and all of the bundle's that it derives from are as said, and so are the library's.
    fn all(&self, checker: &Checker<'_, '_>, module: usize, class: &ast::StmtClassDef, depth: usize) -> bool {
        let names = checker.names;
        let Some(scope) = names.modules[module].class_scope(class) else {
            return self.unseen;
        };
        if depth >= BASES_DEPTH_MAX || !may_look_at(checker, 1) {
            return self.unseen;
        }
        let outer = names.modules[module].scopes[scope].parent.unwrap_or_default();
        (self.own)(Spot { module, scope }, class)
            && class.bases().iter().all(|base| {
                let base = match base {
                    Expr::Subscript(generic) => &*generic.value,
                    base => base,
                };
                let meanings = names.meanings(module, outer, base);
                (self.unseen || !meanings.is_empty())
                    && meanings.iter().all(|meaning| match meaning {
                        Meaning::Library(path) => (self.library)(path),
                        Meaning::Local(module, binding) => {
                            match names.modules[*module].bindings[*binding].kind {
                                BindingKind::Class(class) => self.all(checker, *module, class, depth + 1),
                                _ => self.unseen,
                            }
                        }
                        Meaning::Module(_) | Meaning::Unknown => self.unseen,
                    })
            })
    }
}

/// Whether a class is seen to derive from a library's class of which this is said.
pub(crate) fn is_below(
    checker: &Checker<'_, '_>,
    module: usize,
    class: &ast::StmtClassDef,
    is: &dyn Fn(&str) -> bool,
) -> bool {
    let asked = Bases {
        library: &|path| !is(path),
        own: &|_, _| true,
        unseen: true,
    };
    !asked.all(checker, module, class, 0)
}

/// Whether the first parameter of a method is surely an object of the bundle's class.
pub(crate) fn is_bound(checker: &Checker<'_, '_>, method: Method<'_>) -> bool {
    // `setattr(self, name, value)` may give it another class.
    !checker.uses().sets_computed && is_called_on_its_own(checker, method)
}

/// The same, whatever attributes are set.
pub(crate) fn is_called_on_its_own(checker: &Checker<'_, '_>, method: Method<'_>) -> bool {
    let open = checker.open_methods.get_or_init(|| open_methods(checker));
    open.as_ref()
        .is_some_and(|open| !open.contains(&(method.module, method.scope)))
}

/// The methods that may be called with any object; `None` where there is too much to look at.
fn open_methods(checker: &Checker<'_, '_>) -> Option<FxHashSet<(usize, ScopeId)>> {
    let mut open = FxHashSet::default();
    let mut closed = Vec::new();
    // A class that is asked for a name that nobody sees may give any method.
    let none_computed = |open: &FxHashSet<_>| {
        let computed = &checker.reads().computed;
        may_look_at(checker, computed.len())
            && computed.iter().all(|(spot, object)| {
                object.is_some_and(|object| kind(checker, *spot, object, open) != Kind::Class)
            })
    };
    for module in 0..checker.names.modules.len() {
        for scope in 0..checker.names.modules[module].scopes.len() {
            let Some(method) = method(checker, module, scope) else {
                continue;
            };
            let family = family(checker, module, method.class).filter(|family| {
                family
                    .iter()
                    .all(|(module, class)| is_plain(checker, *module, class))
            });
            match family.filter(|_| is_regular(checker, method)) {
                Some(family) => closed.push((method, family)),
                None => drop(open.insert((module, scope))),
            }
        }
    }
    let any_computed = checker.reads().computed.iter().any(|(spot, object)| {
        object.is_none_or(|object| kind(checker, *spot, object, &open) != Kind::Object)
    });
    for _ in 0..ROUNDS_MAX {
        let none_computed = none_computed(&open);
        let before = open.len();
        let mut still = Vec::with_capacity(closed.len());
        for (method, family) in closed {
            let reads = checker.reads().by_name.get(method.function.name.as_str());
            let reads = reads.map_or(&[][..], Vec::as_slice);
            if !may_look_at(checker, reads.len() + 1) {
                return None;
            }
            let name = method.function.name.as_str();
            let is_asked_for = checker.reads().patterned.contains(name)
                || any_computed && is_a_value(checker, method, &family);
            if none_computed
                && !is_asked_for
                && !reads
                    .iter()
                    .any(|read| may_be_unbound(checker, read, method, &family, &open))
            {
                still.push((method, family));
            } else {
                open.insert((method.module, method.scope));
            }
        }
        if open.len() == before {
            return Some(open);
        }
        closed = still;
    }
    None
}

type Family<'a> = Vec<(usize, &'a ast::StmtClassDef)>;

/// A class and all that are below it; `None` if there are too many, or some that nobody sees.
fn family<'a>(checker: &Checker<'_, 'a>, module: usize, class: &'a ast::StmtClassDef) -> Option<Family<'a>> {
    let reads = checker.reads();
    let mut family = vec![(module, class)];
    let mut next = 0;
    while let Some((module, class)) = family.get(next) {
        next += 1;
        let children = reads.children.get(&(*module, class.range.start()));
        let children = children.map_or(&[][..], Vec::as_slice);
        let is_too_much =
            family.len() + children.len() > FAMILY_MAX || !may_look_at(checker, children.len() + 1);
        if is_too_much || reads.any_unseen_base {
            return None;
        }
        for &(module, child) in children {
            if !is_among(&family, module, child) {
                family.push((module, child));
            }
        }
    }
    Some(family)
}

fn is_among(family: &Family<'_>, module: usize, class: &ast::StmtClassDef) -> bool {
    family
        .iter()
        .any(|(of, one)| *of == module && one.range == class.range)
}

/// Whether a class is made and makes its objects as classes do: by a plain `class` statement, with plain bases.
pub(crate) fn is_plain(checker: &Checker<'_, '_>, module: usize, class: &ast::StmtClassDef) -> bool {
    let is_own = |place: Spot, class: &ast::StmtClassDef| {
        let names = checker.names;
        let outer = names.modules[place.module].scopes[place.scope]
            .parent
            .unwrap_or_default();
        class.keywords().iter().all(|keyword| {
            keyword
                .arg
                .as_ref()
                .is_some_and(|name| name.as_str() != "metaclass")
        }) && class.decorator_list.iter().all(|decorator| {
            is_known(
                checker,
                Spot {
                    scope: outer,
                    ..place
                },
                decorator,
                &OF_A_CLASS,
            )
        })
    };
    let asked = Bases {
        library: &is_a_base,
        own: &is_own,
        unseen: false,
    };
    asked.all(checker, module, class, 0)
}

fn is_a_base(path: &str) -> bool {
    BASES
        .iter()
        .any(|base| path == base || base.ends_with('.') && path.starts_with(base))
        && !NOT_BASES.iter().any(|other| path.starts_with(other))
}

/// Whether an object is of the class that is called: no class of the family says what is made instead. The class of an
/// enumeration looks its members up.
pub(crate) fn makes_its_own(checker: &Checker<'_, '_>, module: usize, class: &ast::StmtClassDef) -> bool {
    let has_no_new = |place: Spot, _: &ast::StmtClassDef| {
        let scopes = &checker.names.modules[place.module].scopes;
        !scopes[place.scope].names.contains_key("__new__")
    };
    is_plain(checker, module, class)
        && !checker.names.is_stored("__new__")
        && Bases {
            library: &|path| !path.starts_with("enum."),
            own: &has_no_new,
            unseen: false,
        }
        .all(checker, module, class, 0)
}

/// Whether a decorator is one of these, and called with nothing that it could call.
pub(crate) fn is_known(
    checker: &Checker<'_, '_>,
    spot: Spot,
    decorator: &ast::Decorator,
    known: &Words,
) -> bool {
    let meanings = |expr: &Expr| checker.names.meanings(spot.module, spot.scope, expr);
    let calls_nothing =
        |value: &Expr| value.is_literal_expr() || meanings(value).all_paths(|path| !path.starts_with('<'));
    let (called, is_closed) = match &decorator.expression {
        Expr::Call(call) => {
            let keywords = &call.arguments.keywords;
            let values = keywords.iter().map(|keyword| &keyword.value);
            let is_closed = keywords.iter().all(|keyword| keyword.arg.is_some());
            (
                &*call.func,
                is_closed && call.arguments.args.iter().chain(values).all(calls_nothing),
            )
        }
        named => (named, true),
    };
    is_closed && meanings(called).all_paths(|path| known.contains(path))
}

/// Whether a method is one of objects, with no decorator that may call it otherwise, and its name is bound to nothing else.
fn is_regular(checker: &Checker<'_, '_>, method: Method<'_>) -> bool {
    let name = method.function.name.as_str();
    let module = &checker.names.modules[method.module];
    let bound = module.scopes[method.class_scope].names.get(name);
    let is_a_function = |number: &usize| matches!(module.bindings[*number].kind, BindingKind::Function(_));
    let place = Spot {
        module: method.module,
        scope: method.class_scope,
    };
    !OF_CLASSES.contains(&name)
        && bound.is_some_and(|entry| entry.bindings.iter().all(is_a_function))
        && method.function.decorator_list.iter().all(|decorator| {
            let of_property = decorator.expression.as_attribute_expr().filter(|attribute| {
                matches!(attribute.attr.as_str(), "setter" | "getter" | "deleter")
                    && matches!(&*attribute.value, Expr::Name(of) if of.id.as_str() == name)
            });
            of_property.is_some() || is_known(checker, place, decorator, &OF_A_METHOD)
        })
}

/// What an attribute is read of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Surely no class.
    Object,
    /// Surely or perhaps a class that is named.
    Class,
    Unknown,
}

fn kind(checker: &Checker<'_, '_>, spot: Spot, expr: &Expr, open: &FxHashSet<(usize, ScopeId)>) -> Kind {
    let names = checker.names;
    let is_class = |meaning: &Meaning| names.class_of(meaning).is_some();
    let may_be_a_class = |expr: &Expr| names.meanings(spot.module, spot.scope, expr).iter().any(is_class);
    let makes_an_object = |scope: ScopeId, callee: &Expr| {
        let meanings = names.meanings(spot.module, scope, callee);
        !meanings.is_empty()
            && meanings.iter().all(|meaning| {
                let class = names.class_of(meaning);
                class.is_some_and(|(module, class)| makes_its_own(checker, module, class))
            })
    };
    match expr {
        Expr::Name(name) => {
            let name = name.id.as_str();
            if let Some(method) = method_of(checker, spot, name) {
                return of_first_parameter(checker, method, open);
            }
            if may_be_a_class(expr) {
                return Kind::Class;
            }
            if names.meanings(spot.module, spot.scope, expr).all_paths(|_| true) {
                return Kind::Object;
            }
            let bindings = names.bindings(spot.module, spot.scope, name);
            let module = &names.modules[spot.module];
            let is_made = |number: &usize| match module.bindings[*number].kind {
                BindingKind::Value(Expr::Call(call)) => {
                    makes_an_object(module.bindings[*number].scope, &call.func)
                }
                _ => false,
            };
            if !bindings.is_empty() && may_look_at(checker, bindings.len()) && bindings.iter().all(is_made) {
                Kind::Object
            } else {
                Kind::Unknown
            }
        }
        Expr::Attribute(attribute) => {
            if attribute.attr.as_str() == "__class__" || may_be_a_class(expr) {
                Kind::Class
            } else {
                Kind::Unknown
            }
        }
        Expr::Call(call) => match &*call.func {
            callee if is_super(&names.meanings(spot.module, spot.scope, callee)) => around(checker, spot)
                .map_or(Kind::Unknown, |method| of_first_parameter(checker, method, open)),
            callee
                if names
                    .meanings(spot.module, spot.scope, callee)
                    .any_path(|path| path == "builtins.type") =>
            {
                Kind::Class
            }
            callee if makes_an_object(spot.scope, callee) => Kind::Object,
            _ => Kind::Unknown,
        },
        // `Target[int]` hands on to `Target`.
        Expr::Subscript(generic) if kind(checker, spot, &generic.value, open) == Kind::Class => Kind::Class,
        Expr::StringLiteral(_)
        | Expr::FString(_)
        | Expr::NumberLiteral(_)
        | Expr::List(_)
        | Expr::Dict(_) => Kind::Object,
        _ => Kind::Unknown,
    }
}

fn is_super(meanings: &[Meaning]) -> bool {
    meanings.all_paths(|path| path == "builtins.super")
}

/// The method around a place.
fn around<'a>(checker: &Checker<'_, 'a>, spot: Spot) -> Option<Method<'a>> {
    let mut at = Some(spot.scope);
    while let Some(id) = at {
        if let Some(found) = method(checker, spot.module, id) {
            return Some(found);
        }
        at = checker.names.modules[spot.module].scopes[id].parent;
    }
    None
}

fn of_first_parameter(
    checker: &Checker<'_, '_>,
    method: Method<'_>,
    open: &FxHashSet<(usize, ScopeId)>,
) -> Kind {
    if !open.contains(&(method.module, method.scope)) {
        Kind::Object
    } else if is_regular(checker, method) {
        Kind::Unknown
    } else {
        Kind::Class
    }
}

/// Whether a read of a name may be one of the function itself, so that its first parameter is what it is given.
fn may_be_unbound(
    checker: &Checker<'_, '_>,
    read: &Read<'_>,
    method: Method<'_>,
    family: &Family<'_>,
    open: &FxHashSet<(usize, ScopeId)>,
) -> bool {
    let Some(receiver) = read.receiver else {
        return !is_in_another_class(checker, read, method);
    };
    if read.call.is_some_and(|call| !may_fill(call, method.function)) {
        return false;
    }
    match kind(checker, read.spot, receiver, open) {
        Kind::Object => false,
        Kind::Class => !read
            .call
            .is_some_and(|call| is_of_the_same(checker, read.spot, call, family, open)),
        Kind::Unknown => is_a_value(checker, method, family),
    }
}

/// Whether the class of a method, or one below it, may be a value.
fn is_a_value(checker: &Checker<'_, '_>, method: Method<'_>, family: &Family<'_>) -> bool {
    let reads = checker.reads();
    reads.any_class
        || family
            .iter()
            .any(|(_, class)| reads.values.contains(class.name.as_str()))
        || is_below(checker, method.module, method.class, &is_an_exception)
}

/// A name in a class body means a method of that class alone.
fn is_in_another_class(checker: &Checker<'_, '_>, read: &Read<'_>, method: Method<'_>) -> bool {
    let scopes = &checker.names.modules[read.spot.module].scopes;
    matches!(scopes[read.spot.scope].kind, ScopeKind::Class(_))
        && (read.spot.module, read.spot.scope) != (method.module, method.class_scope)
}

/// What handles an exception is given its class.
fn is_an_exception(path: &str) -> bool {
    // The other classes of Python are written in small letters.
    let of_python = path.strip_prefix("builtins.");
    of_python.is_some_and(|name| name.starts_with(|letter: char| letter.is_ascii_uppercase()))
        || ["Error", "Exception", "Warning"]
            .iter()
            .any(|end| path.ends_with(end))
}

/// `Base.__init__(self, ...)`, written in a class below `Base`.
fn is_of_the_same(
    checker: &Checker<'_, '_>,
    spot: Spot,
    call: &ast::ExprCall,
    family: &Family<'_>,
    open: &FxHashSet<(usize, ScopeId)>,
) -> bool {
    let Some(Expr::Name(first)) = call.arguments.args.first() else {
        return false;
    };
    method_of(checker, spot, first.id.as_str()).is_some_and(|caller| {
        !open.contains(&(caller.module, caller.scope)) && is_among(family, caller.module, caller.class)
    })
}

/// Whether a call gives as many values as the function needs with its first parameter among them.
pub(crate) fn may_fill(call: &ast::ExprCall, function: &ast::StmtFunctionDef) -> bool {
    let parameters = &function.parameters;
    let mut positional = parameters.posonlyargs.iter().chain(&parameters.args);
    let own = positional.next().map(|own| own.parameter.name.as_str());
    let required: Vec<&str> = positional
        .filter(|parameter| parameter.default.is_none())
        .map(|parameter| parameter.parameter.name.as_str())
        .collect();
    let arguments = &call.arguments;
    let mut given = arguments.args.len();
    for keyword in &arguments.keywords {
        match keyword.arg.as_ref().map(ast::Identifier::as_str) {
            None => return true,
            Some(name) if Some(name) == own => return true,
            Some(name) => given += usize::from(required.contains(&name)),
        }
    }
    arguments.args.iter().any(Expr::is_starred_expr) || given > required.len()
}

/// Takes so many steps of what is left for the bundle; whether there were as many.
pub(crate) fn may_look_at(checker: &Checker<'_, '_>, steps: usize) -> bool {
    let left = checker.origin_steps_left.get().checked_sub(steps);
    checker.origin_steps_left.set(left.unwrap_or_default());
    left.is_some()
}
