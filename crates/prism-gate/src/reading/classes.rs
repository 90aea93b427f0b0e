//! What kind of class a class of the bundle is: plain, below a library's, one that makes text or numbers.
//!
//! [`super::own`] asks it whose an object is, and rules where a class may be made. All bases are followed, within bounds.

use ruff_python_ast::{self as ast, Expr, Stmt};

use super::own::{DEPTH_MAX, is_known, may_look_at};
use crate::check::Checker;
use crate::knowledge::Words;
use crate::semantic::uses::{OF_CLASSES, Spot};
use crate::semantic::{Meaning, Meant as _, ScopeKind};

/// Classes of libraries that make their objects as `object` does, and keep attributes as any object does.
static BASES: Words = Words::new(
    "abc.ABC builtins.object torch.nn.BatchNorm1d torch.nn.Conv1d torch.nn.Conv2d torch.nn.Dropout \
     torch.nn.Embedding torch.nn.GroupNorm torch.nn.LayerNorm torch.nn.Linear torch.nn.Module \
     torch.nn.ModuleDict torch.nn.ModuleList torch.nn.MultiheadAttention torch.nn.RMSNorm \
     torch.nn.Sequential torch.nn.TransformerEncoderLayer torch.nn.modules.module.Module torch.optim.Adam \
     torch.optim.AdamW torch.optim.Optimizer torch.optim.SGD torch.optim.optimizer.Optimizer \
     torch.utils.data.Dataset torch.utils.data.IterableDataset typing.Generic typing.NamedTuple \
     typing.Protocol",
);

/// Decorators of a class that give it back.
static OF_A_CLASS: Words = Words::new(
    "dataclasses.dataclass functools.total_ordering typing.final typing.runtime_checkable \
     typing_extensions.final typing_extensions.runtime_checkable",
);

/// Whether all classes below one are as said.
pub(super) fn all_below(
    checker: &Checker<'_, '_>,
    name: &str,
    is: &dyn Fn(usize, &ast::StmtClassDef) -> bool,
    depth: usize,
) -> bool {
    let below = checker.uses().below.get(name).map_or(&[][..], Vec::as_slice);
    depth < DEPTH_MAX
        && may_look_at(checker, below.len())
        && below.iter().all(|(module, class)| {
            is(*module, class) && all_below(checker, class.name.as_str(), is, depth + 1)
        })
}

/// Whether a class is made, and makes its objects, as classes do.
pub(crate) fn is_plain(checker: &Checker<'_, '_>, module: usize, class: &ast::StmtClassDef) -> bool {
    let is_own = |place: Spot, class: &ast::StmtClassDef| {
        let scopes = &checker.names.modules[place.module].scopes;
        let outer = scopes[place.scope].parent.unwrap_or_default();
        let decorators = &class.decorator_list;
        class.keywords().is_empty()
            && !matches!(scopes[outer].kind, ScopeKind::Class(_))
            && !OF_CLASSES
                .iter()
                .any(|hook| scopes[place.scope].names.contains_key(hook) || checker.names.is_stored(hook))
            && decorators
                .iter()
                .all(|decorator| is_known(checker, place.at(outer), decorator, &OF_A_CLASS))
            && has_a_plain_body(checker, place, class)
    };
    Bases {
        library: &|path| BASES.contains(path),
        own: &is_own,
        unseen: false,
    }
    .all(checker, module, class, 0)
}

/// Whether the body of a class binds functions and values that are nobody's hooks: `tell = classmethod(keep)` hands the class
/// to `keep`, and what `lazy_property(f)` gives sets attributes by the name of `f`.
fn has_a_plain_body(checker: &Checker<'_, '_>, place: Spot, class: &ast::StmtClassDef) -> bool {
    let is_value = |value: &Expr| is_a_plain_value(checker, place, value, 0);
    may_look_at(checker, class.body.len())
        && class.body.iter().all(|stmt| match stmt {
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) | Stmt::Pass(_) => true,
            Stmt::Expr(alone) => alone.value.is_literal_expr(),
            Stmt::Assign(assign) => assign.targets.iter().all(Expr::is_name_expr) && is_value(&assign.value),
            Stmt::AnnAssign(assign) => assign.value.as_deref().is_none_or(is_value),
            _ => false,
        })
}

/// A literal, a collection of such, a `field` of a dataclass, or what a library has.
fn is_a_plain_value(checker: &Checker<'_, '_>, place: Spot, value: &Expr, depth: usize) -> bool {
    let is_one = |value: &Expr| is_a_plain_value(checker, place, value, depth + 1);
    let meanings = |expr: &Expr| checker.names.meanings(place.module, place.scope, expr);
    if depth > DEPTH_MAX || !may_look_at(checker, 1) {
        return false;
    }
    match value {
        Expr::Name(_) | Expr::Attribute(_) => meanings(value).all_paths(|path| !path.starts_with('<')),
        Expr::Call(call) => meanings(&call.func).all_paths(|path| path == "dataclasses.field"),
        Expr::Subscript(generic) => meanings(&generic.value).all_paths(|path| !path.starts_with('<')),
        Expr::UnaryOp(unary) => is_one(&unary.operand),
        Expr::BinOp(both) => is_one(&both.left) && is_one(&both.right),
        Expr::List(list) => list.elts.iter().all(is_one),
        Expr::Tuple(tuple) => tuple.elts.iter().all(is_one),
        Expr::Set(set) => set.elts.iter().all(is_one),
        Expr::Dict(dict) => dict
            .items
            .iter()
            .all(|item| item.key.as_ref().is_none_or(is_one) && is_one(&item.value)),
        value => value.is_literal_expr(),
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

/// What is asked of a class and of all that it derives from.
pub(super) struct Bases<'f> {
    pub(super) library: &'f dyn Fn(&str) -> bool,
    pub(super) own: &'f dyn Fn(Spot, &ast::StmtClassDef) -> bool,
    /// What is said of a base that nobody sees.
    pub(super) unseen: bool,
}

impl Bases<'_> {
    /// Whether a class and all of the bundle's that it derives from are as said, and so are the library's.
    pub(super) fn all(
        &self,
        checker: &Checker<'_, '_>,
        module: usize,
        class: &ast::StmtClassDef,
        depth: usize,
    ) -> bool {
        let names = checker.names;
        let Some(scope) = names.modules[module].class_scope(class) else {
            return self.unseen;
        };
        if depth >= DEPTH_MAX || !may_look_at(checker, 1 + class.bases().len()) {
            return self.unseen;
        }
        let outer = names.modules[module].scopes[scope].parent.unwrap_or_default();
        (self.own)(Spot { module, scope }, class)
            && class.bases().iter().all(|base| {
                let base = base.as_subscript_expr().map_or(base, |generic| &generic.value);
                let meanings = names.meanings(module, outer, base);
                (self.unseen || !meanings.is_empty())
                    && meanings
                        .iter()
                        .all(|meaning| match (meaning, names.class_of(meaning)) {
                            (Meaning::Library(path), _) => (self.library)(path),
                            (_, Some((module, class))) => self.all(checker, module, class, depth + 1),
                            _ => self.unseen,
                        })
            })
    }
}

/// Whether an object of the bundle may be text: then what makes text of anything may give that object.
pub(crate) fn may_be_text(checker: &Checker<'_, '_>) -> bool {
    let of_text = |path: &str| {
        matches!(
            path,
            "builtins.str" | "collections.UserString" | "enum.StrEnum" | "numpy.str_" | "typing.Text"
        )
    };
    *checker.has_texts.get_or_init(|| derives(checker, &of_text))
}

/// Whether an object of the bundle may be a whole number: then what counts may give that object.
pub(crate) fn may_be_a_number(checker: &Checker<'_, '_>) -> bool {
    let of_a_number = |path: &str| {
        matches!(path, "builtins.int" | "numbers.Integral")
            || path.starts_with("enum.")
            || path.starts_with("numpy.")
    };
    *checker.has_numbers.get_or_init(|| derives(checker, &of_a_number))
}

/// Whether a bundle has a scheduler that keeps functions, and what may be a mapping that keeps what is taken from it: then
/// loading a state stores what the mapping says as the dictionary of a function.
pub(crate) fn may_load_functions(checker: &Checker<'_, '_>) -> bool {
    let uses = checker.uses();
    let is_used =
        |name: &&str| uses.calls.contains_key(name) || uses.is_handed_on(name) || uses.bases.contains(name);
    let keeps_functions = ["LambdaLR", "MultiplicativeLR", "CyclicLR"].iter().any(is_used);
    let is_a_mapping = || {
        checker.names.gives("pop")
            || is_used(&"ChainMap")
            || derives(checker, &|path| {
                path == "builtins.dict"
                    || path.starts_with("collections.")
                    || path.starts_with("typing.") && path.ends_with("Mapping")
            })
    };
    *checker
        .loads_functions
        .get_or_init(|| keeps_functions && is_a_mapping())
}

/// Whether a class of the bundle may derive from a library's class of which this is said.
fn derives(checker: &Checker<'_, '_>, of: &dyn Fn(&str) -> bool) -> bool {
    let names = checker.names;
    names.modules.iter().enumerate().any(|(number, module)| {
        module.scopes.iter().any(|scope| {
            let ScopeKind::Class(class) = scope.kind else {
                return false;
            };
            let outer = scope.parent.unwrap_or_default();
            class.bases().iter().any(|base| {
                let meanings = names.meanings(number, outer, base);
                meanings.is_empty()
                    || meanings.any_path(of)
                    || meanings.iter().any(|meaning| matches!(meaning, Meaning::Unknown))
            })
        })
    })
}
