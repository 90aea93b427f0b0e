//! What a bundle reads by the names of attributes, and where its classes become values. Over all files, by name.
//!
//! [`crate::reading::own`] asks it whether a method can only be called on an object of its class. Like
//! [`super::uses`] it is an index by text, so that an answer is never too narrow. It decides nothing.

use crate::knowledge::Words;
use ruff_python_ast::{self as ast, CmpOp, Expr, ExprContext, Pattern, Stmt};
use ruff_text_size::TextSize;
use rustc_hash::{FxHashMap, FxHashSet};

use super::uses::Spot;
use super::walk::{Pass, Walker};
use super::{Meaning, Names, ScopeId, ScopeKind};

/// One place where an attribute is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Read<'a> {
    pub(crate) spot: Spot,
    /// What it is read of; `None` where that cannot be seen.
    pub(crate) receiver: Option<&'a Expr>,
    /// The call, where it is called at once.
    pub(crate) call: Option<&'a ast::ExprCall>,
}

/// The index.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is asked for by itself")]
pub(crate) struct Reads<'a> {
    pub(crate) by_name: FxHashMap<&'a str, Vec<Read<'a>>>,
    /// What `getattr` is given with a name that is not spelled out.
    pub(crate) computed: Vec<(Spot, Option<&'a Expr>)>,
    /// Names that are read as values: not called, and in no place that only looks at them.
    pub(crate) values: FxHashSet<&'a str>,
    /// Whether a class becomes a value without its name: `kind = type(x)`, `return cls`.
    pub(crate) any_class: bool,
    /// Whether objects are made without the name of their class: `type(x)(...)`, `cls(...)`.
    pub(crate) makes_unseen: bool,
    /// Whether the dictionary of an object is taken for more than reading.
    pub(crate) writes_dicts: bool,
    /// Classes of the bundle, by module and place, with those that derive from them.
    pub(crate) children: FxHashMap<(usize, TextSize), Vec<(usize, &'a ast::StmtClassDef)>>,
    /// Whether a class derives from something that nobody sees.
    pub(crate) any_unseen_base: bool,
    /// Whether a class derives from a library's that may store what it is made with.
    pub(crate) any_other_base: bool,
    /// Attributes that patterns of `match` read.
    pub(crate) patterned: FxHashSet<&'a str>,
    /// The names of all functions.
    pub(crate) functions: FxHashSet<&'a str>,
}

/// Methods that a class has without a decorator that says so, whose first parameter is a class.
pub(crate) const OF_CLASSES: &[&str] = &["__new__", "__init_subclass__", "__class_getitem__", "__prepare__"];

/// Functions that only look at a class.
static LOOK: Words = Words::new("isinstance issubclass len print repr str hash id super");

/// Functions that read, set or look for an attribute by its name.
const ACCESSORS: &[&str] = &["delattr", "getattr", "hasattr", "setattr"];

/// Bases that store nothing that their objects are made with.
static STORES_NOTHING: Words = Words::new(
    "abc.ABC builtins.object torch.autograd.Function torch.nn.Module typing.Generic typing.Protocol",
);

/// Methods of a dictionary that change nothing.
const DICT_READS: &[&str] = &["copy", "get", "items", "keys", "values"];
/// Functions that read a dictionary.
static DICT_READERS: Words = Words::new("dict len list print repr set sorted str tuple");

/// Methods that a comparison calls with what is compared.
const COMPARE: &str = "__contains__ __eq__ __ge__ __gt__ __le__ __lt__ __ne__";

/// Which operators may run code of the bundle, and hand it what they only look at otherwise.
#[derive(Clone, Copy)]
struct Hooks {
    compares: bool,
    unites: bool,
}

struct Reader<'r, 'a> {
    reads: &'r mut Reads<'a>,
    names: &'r Names<'a>,
    own: Hooks,
    module: usize,
    opened: ScopeId,
    open: Vec<(ScopeId, ScopeKind<'a>)>,
    callee: Option<(*const Expr, &'a ast::ExprCall)>,
    /// Expressions that are only looked at.
    looked_at: FxHashSet<*const Expr>,
    /// Whether functions are chosen by the classes of their arguments.
    dispatches: bool,
    /// Dictionaries that are only read.
    dicts: FxHashSet<*const Expr>,
}

impl<'a> Reads<'a> {
    /// Reads the bodies of all modules, in their order.
    pub(crate) fn of<'b>(bodies: impl Iterator<Item = &'a [Stmt]> + 'b, names: &Names<'a>) -> Self {
        let mut reads = Self::default();
        let gives = |hooks: &str| hooks.split(' ').any(|hook| names.gives(hook));
        let own = Hooks {
            compares: gives(COMPARE),
            unites: gives("__or__ __ror__"),
        };
        let mut dispatches = false;
        for (module, body) in bodies.enumerate() {
            let mut reader = Reader {
                reads: &mut reads,
                names,
                own,
                module,
                opened: 1,
                open: vec![(0, ScopeKind::Module)],
                callee: None,
                looked_at: FxHashSet::default(),
                dispatches: false,
                dicts: FxHashSet::default(),
            };
            Walker::module(&mut reader, body);
            dispatches |= reader.dispatches;
        }
        // `show.registry` holds the classes that annotations name.
        let tells = ["registry", "dispatch"]
            .iter()
            .any(|name| reads.by_name.contains_key(name));
        reads.any_class |= dispatches && tells;
        reads
    }
}

/// The first parameter of a function.
pub(crate) fn first_parameter(function: &ast::StmtFunctionDef) -> Option<&str> {
    let parameters = &function.parameters;
    let first = parameters.posonlyargs.iter().chain(&parameters.args).next()?;
    Some(first.parameter.name.as_str())
}

impl<'a> Reader<'_, 'a> {
    fn spot(&self) -> Spot {
        Spot {
            module: self.module,
            scope: self.open.last().map_or(0, |(scope, _)| *scope),
        }
    }

    fn read(&mut self, name: &'a str, receiver: Option<&'a Expr>, call: Option<&'a ast::ExprCall>) {
        let spot = self.spot();
        let read = Read { spot, receiver, call };
        self.reads.by_name.entry(name).or_default().push(read);
    }

    fn look(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|element| self.look(element)),
            Expr::BinOp(union) if !self.own.unites => {
                self.look(&union.left);
                self.look(&union.right);
            }
            Expr::Subscript(generic) => {
                self.look(&generic.value);
                self.look(&generic.slice);
            }
            _ => {
                self.looked_at.insert(&raw const *expr);
            }
        }
    }

    /// What an expression may stand for here.
    fn meanings(&self, expr: &Expr) -> Vec<Meaning> {
        let spot = self.spot();
        self.names.meanings(spot.module, spot.scope, expr)
    }

    /// Whether a callee is surely the builtin that its name says.
    fn is_the_builtin(&self, callee: &Expr, name: &str) -> bool {
        matches!(&*self.meanings(callee), [Meaning::Library(path)] if path.strip_prefix("builtins.") == Some(name))
    }

    fn may_be_a_class(&self, expr: &Expr) -> bool {
        self.meanings(expr)
            .iter()
            .any(|meaning| self.names.class_of(meaning).is_some())
    }

    /// Whether a name is the first parameter of a method around, which may be called on the class.
    fn is_cls(&self, asked: &str) -> bool {
        self.open.windows(2).any(|pair| {
            let [(class, ScopeKind::Class(_)), (_, ScopeKind::Function(function))] = pair else {
                return false;
            };
            let name = function.name.as_str();
            let bound = self.names.modules[self.module].scopes[*class].names.get(name);
            let may_be = !function.decorator_list.is_empty()
                || OF_CLASSES.contains(&name)
                || bound.is_none_or(|entry| entry.bindings.len() > 1);
            may_be && first_parameter(function) == Some(asked)
        })
    }

    /// A class is one below its base.
    fn derive(&mut self, class: &'a ast::StmtClassDef, base: &Expr) {
        let base = base.as_subscript_expr().map_or(base, |generic| &generic.value);
        let meanings = self.meanings(base);
        self.reads.any_unseen_base |= meanings.is_empty();
        for meaning in &meanings {
            if let Some((module, base)) = self.names.class_of(meaning) {
                let below = self.reads.children.entry((module, base.range.start()));
                below.or_default().push((self.module, class));
            } else {
                self.reads.any_unseen_base |= meaning.path().is_none();
                self.reads.any_other_base |=
                    meaning.path().is_some_and(|path| !STORES_NOTHING.contains(path));
            }
        }
    }

    /// What functions of libraries do with classes and their objects, where the bundle names them.
    fn library(&mut self, module: &str, name: &str) {
        let is_one = |names: &[&str]| names.contains(&name) || name == "*";
        match module {
            "copy" | "dataclasses" => self.reads.makes_unseen |= is_one(&["replace"]),
            "typing" | "typing_extensions" => self.reads.any_class |= is_one(&["get_args"]),
            "functools" => self.dispatches |= is_one(&["singledispatch", "singledispatchmethod"]),
            _ => {}
        }
    }

    /// `dataclasses.replace`, `getattr(dataclasses, "replace")`.
    fn member(&mut self, object: &Expr, name: &str) {
        if matches!(
            name,
            "replace" | "get_args" | "singledispatch" | "singledispatchmethod"
        ) {
            for meaning in self.meanings(object) {
                self.library(meaning.path().unwrap_or_default(), name);
            }
        }
    }

    fn call(&mut self, call: &'a ast::ExprCall) {
        self.callee = Some((&raw const *call.func, call));
        let arguments = &call.arguments;
        for keyword in arguments.keywords.iter().filter(|keyword| keyword.arg.is_none()) {
            self.dicts.insert(&raw const keyword.value);
        }
        match &*call.func {
            Expr::Name(name) => {
                let name = name.id.as_str();
                let is_known =
                    LOOK.contains(name) || DICT_READERS.contains(name) || ACCESSORS.contains(&name);
                let is_the_builtin = is_known && self.is_the_builtin(&call.func, name);
                if is_the_builtin && LOOK.contains(name) {
                    arguments.args.iter().for_each(|argument| self.look(argument));
                }
                if is_the_builtin && DICT_READERS.contains(name) {
                    self.dicts
                        .extend(arguments.args.iter().map(|argument| &raw const *argument));
                }
                if self.is_cls(name) {
                    self.reads.makes_unseen = true;
                }
                if ACCESSORS.contains(&name) {
                    self.accessor(name, call, is_the_builtin);
                }
            }
            Expr::Attribute(method) if DICT_READS.contains(&method.attr.as_str()) => {
                self.dicts.insert(&raw const *method.value);
            }
            Expr::Call(inner) if is_named(&inner.func, "type") => {
                self.reads.makes_unseen = true;
                self.looked_at.insert(&raw const *call.func);
            }
            _ => {}
        }
    }

    fn accessor(&mut self, accessor: &str, call: &'a ast::ExprCall, is_the_builtin: bool) {
        let object = call.arguments.args.first();
        if let Some(object) = object.filter(|_| is_the_builtin) {
            // It is a receiver, like what stands before a dot.
            self.look(object);
        }
        if accessor != "getattr" {
            return;
        }
        if let Some(Expr::StringLiteral(text)) = call.arguments.args.get(1) {
            self.read(text.value.to_str(), object, None);
            if let Some(object) = object {
                self.member(object, text.value.to_str());
            }
        } else {
            let spot = self.spot();
            self.reads.computed.push((spot, object));
        }
    }

    fn name(&mut self, expr: &'a Expr, name: &'a str, call: Option<&'a ast::ExprCall>) {
        let is_looked_at = self.looked_at.remove(&(&raw const *expr));
        // In a class body the name of a method is the function itself.
        if matches!(self.open.last(), Some((_, ScopeKind::Class(_)))) && !is_looked_at {
            self.read(name, None, call);
        }
        if call.is_none() && !is_looked_at {
            self.reads.values.insert(name);
            if self.is_cls(name) {
                self.reads.any_class = true;
            }
            // Under another name its calls are not seen.
            if name == "type" {
                self.reads.any_class = true;
                self.reads.makes_unseen = true;
            }
        }
    }

    fn attribute(
        &mut self,
        expr: &'a Expr,
        attribute: &'a ast::ExprAttribute,
        call: Option<&'a ast::ExprCall>,
    ) {
        let name = attribute.attr.as_str();
        let is_looked_at = self.looked_at.remove(&(&raw const *expr));
        let is_only_read = self.dicts.remove(&(&raw const *expr));
        self.looked_at.insert(&raw const *attribute.value);
        self.read(name, Some(&attribute.value), call);
        self.member(&attribute.value, name);
        match name {
            "__class__" if call.is_some() => self.reads.makes_unseen = true,
            "__class__" => self.reads.any_class |= !is_looked_at,
            "__dict__" => self.reads.writes_dicts |= !is_only_read,
            _ if call.is_none() && !is_looked_at => {
                self.reads.values.insert(name);
            }
            _ => {}
        }
    }
}

fn is_named(expr: &Expr, name: &str) -> bool {
    matches!(expr, Expr::Name(found) if found.id.as_str() == name)
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
        match stmt {
            Stmt::FunctionDef(function) => {
                self.reads.functions.insert(function.name.as_str());
                for parameter in &function.parameters {
                    if let Some(annotation) = parameter.annotation() {
                        self.look(annotation);
                    }
                }
                if let Some(returns) = &function.returns {
                    self.look(returns);
                }
                for decorator in &function.decorator_list {
                    if let Expr::Attribute(of_property) = &decorator.expression
                        && matches!(of_property.attr.as_str(), "setter" | "getter" | "deleter")
                    {
                        self.looked_at.insert(&raw const decorator.expression);
                    } else if decorator.expression.is_name_expr() {
                        self.look(&decorator.expression);
                    }
                }
            }
            Stmt::ClassDef(class) => {
                // An object leads to a class that stands in its own.
                if self.open.len() > 1 {
                    self.reads.any_class = true;
                    self.reads.makes_unseen = true;
                }
                for base in class.bases() {
                    self.look(base);
                    self.derive(class, base);
                }
            }
            // In a function nobody keeps it.
            Stmt::AnnAssign(assign) if !matches!(self.open.last(), Some((_, ScopeKind::Class(_)))) => {
                self.look(&assign.annotation);
            }
            Stmt::For(each) => {
                self.looked_at.insert(&raw const *each.iter);
            }
            Stmt::Try(attempt) => {
                for ast::ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
                    if let Some(kind) = &handler.type_ {
                        self.look(kind);
                    }
                }
            }
            Stmt::Raise(raise) => {
                if let Some(kind) = &raise.exc {
                    self.look(kind);
                }
            }
            Stmt::AugAssign(assign) => match &*assign.target {
                Expr::Name(name) => self.name(&assign.target, name.id.as_str(), None),
                Expr::Attribute(attribute) => self.attribute(&assign.target, attribute, None),
                _ => {}
            },
            Stmt::ImportFrom(import) => {
                for alias in &import.names {
                    let module = import.module.as_ref().map_or("", |module| module.as_str());
                    self.library(module, alias.name.as_str());
                }
                let renamed = import.names.iter().filter(|alias| alias.asname.is_some());
                self.reads.values.extend(renamed.map(|alias| alias.name.as_str()));
            }
            _ => {}
        }
    }

    fn expression(&mut self, expr: &'a Expr) -> bool {
        let call = match self.callee {
            Some((callee, call)) if std::ptr::eq(callee, expr) => {
                self.callee = None;
                Some(call)
            }
            _ => None,
        };
        match expr {
            Expr::Call(inner) => {
                if is_named(&inner.func, "type")
                    && !self.looked_at.remove(&(&raw const *expr))
                    && inner.arguments.args.len() == 1
                {
                    self.reads.any_class = true;
                }
                self.call(inner);
            }
            Expr::Compare(compare)
                if !self.own.compares
                    || compare
                        .ops
                        .iter()
                        .all(|op| matches!(op, CmpOp::Is | CmpOp::IsNot)) =>
            {
                self.look(&compare.left);
                compare.comparators.iter().for_each(|value| self.look(value));
            }
            Expr::Subscript(subscript) => {
                if matches!(subscript.ctx, ExprContext::Load) {
                    self.dicts.insert(&raw const *subscript.value);
                    // `Target[int]` hands on to `Target`.
                    if !self.may_be_a_class(&subscript.value) {
                        self.looked_at.insert(&raw const *subscript.value);
                    }
                }
            }
            Expr::ListComp(ast::ExprListComp { generators, .. })
            | Expr::SetComp(ast::ExprSetComp { generators, .. })
            | Expr::DictComp(ast::ExprDictComp { generators, .. })
            | Expr::Generator(ast::ExprGenerator { generators, .. }) => {
                for generator in generators {
                    self.looked_at.insert(&raw const generator.iter);
                }
            }
            Expr::FString(text) => {
                for element in text.value.elements() {
                    if let ast::InterpolatedStringElement::Interpolation(inner) = element {
                        self.look(&inner.expression);
                    }
                }
            }
            Expr::Dict(dict) => {
                for item in dict.items.iter().filter(|item| item.key.is_none()) {
                    self.dicts.insert(&raw const item.value);
                }
            }
            Expr::Name(name) if matches!(name.ctx, ExprContext::Load) => {
                self.name(expr, name.id.as_str(), call);
            }
            Expr::Attribute(attribute) if matches!(attribute.ctx, ExprContext::Load) => {
                self.attribute(expr, attribute, call);
            }
            _ => {}
        }
        true
    }

    fn pattern(&mut self, pattern: &'a Pattern) {
        if let Pattern::MatchClass(class) = pattern {
            self.look(&class.cls);
            for keyword in &class.arguments.keywords {
                self.reads.patterned.insert(keyword.attr.as_str());
            }
        }
    }
}
