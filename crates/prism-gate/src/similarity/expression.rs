//! One expression to tokens: prefix order, names and literals gone, operands of commutative operators in order.
//!
//! What a library does keeps its name, wherever it is called from: `torch.relu(x)`, `F.relu(x)` and `x.relu()` are one.
//! Called by `statement`; recursion goes as deep as the scan before the parser allows.

use ruff_python_ast::{self as ast, CmpOp, Expr, Operator, UnaryOp};
use ruff_text_size::{Ranged, TextSize};
use rustc_hash::FxHashMap;

use super::effects::is_own;
use super::helpers::Helpers;
use super::resolve::{Bundled, Names};
use super::statement::REPLACED_TOKENS_MAX;
use super::token::{self, CALL, Token, word};
use super::vocabulary::{self, Meaning};

/// Sorted pieces that may lie in one another; deeper ones keep the order of the source, which bounds the work.
const SORTED_DEPTH_MAX: usize = 16;

/// Helpers that are written within helpers.
const INLINED_MAX: usize = 3;

/// Where an expression stands.
pub(super) struct Place<'u> {
    pub(super) names: &'u Names<'u>,
    /// The name by which a method knows its object.
    pub(super) own: Option<&'u str>,
    /// Whether plain names are settings, as where a model is set up.
    pub(super) sets_up: bool,
    /// Names of this piece that stand for a library's path.
    pub(super) aliases: FxHashMap<&'u str, &'u str>,
    /// Code that stands for a name: for its one use, or in a helper for what it is called with.
    pub(super) replaced: FxHashMap<&'u str, Vec<Token>>,
    /// The line of the call, in a helper.
    pub(super) line: Option<u32>,
}

/// Writes the expressions of one piece of code.
pub(super) struct Writer<'w, 'u> {
    pub(super) place: Place<'u>,
    pub(super) bundled: &'u Bundled<'u>,
    pub(super) helpers: &'u Helpers<'u>,
    /// Sorted pieces around this one.
    pub(super) depth: usize,
    /// Helpers around this expression.
    pub(super) inlined: usize,
    pub(super) inlined_tokens_left: &'w mut usize,
}

/// Whether an expression is a setting: made of literals and of names that hold settings.
type IsSetting = bool;

impl<'u> Writer<'_, 'u> {
    pub(super) fn line(&self, at: TextSize) -> u32 {
        self.place
            .line
            .unwrap_or_else(|| self.place.names.source.line(at))
    }

    /// The last component of the library's path that an expression stands for.
    pub(super) fn library(&self, expr: &'u Expr) -> Option<&'u str> {
        let alias = expr
            .as_name_expr()
            .and_then(|name| self.place.aliases.get(name.id.as_str()));
        alias.copied().or_else(|| self.place.names.library(expr))
    }

    fn is_own(&self, expr: &Expr) -> bool {
        is_own(expr, self.place.own)
    }

    pub(super) fn expr(&mut self, expr: &'u Expr, out: &mut Vec<Token>) -> IsSetting {
        let line = self.line(expr.start());
        if let Some(name) = self.library(expr) {
            push_meaning(vocabulary::of_library(name), line, out);
            return false;
        }
        // A word and the parts that follow it: for what needs no more. The rest is written and returns.
        let (head, parts): (&str, Vec<&'u Expr>) = match expr {
            Expr::Name(name) => {
                if let Some(tokens) = self.place.replaced.get(name.id.as_str()) {
                    token::append(out, tokens);
                    return false;
                }
                token::push_atom(out, line);
                return self.place.sets_up || self.bundled.is_setting(name.id.as_str());
            }
            Expr::Attribute(attribute) => return self.attribute(attribute, line, out),
            Expr::BinOp(operation) => return self.operation(operation, line, out),
            Expr::UnaryOp(operation) => {
                let mut operand = Vec::new();
                let is_setting = self.expr(&operation.operand, &mut operand);
                let head = match operation.op {
                    UnaryOp::Not => "not",
                    UnaryOp::USub => "neg",
                    UnaryOp::Invert => "~",
                    UnaryOp::UAdd => "",
                };
                if !is_setting && !head.is_empty() {
                    out.push(Token::new(head, line));
                }
                token::append(out, &operand);
                return is_setting;
            }
            Expr::Tuple(ast::ExprTuple { elts, .. })
            | Expr::List(ast::ExprList { elts, .. })
            | Expr::Set(ast::ExprSet { elts, .. }) => {
                if elts.is_empty() {
                    token::push_atom(out, line);
                }
                return self.in_order(elts, out);
            }
            Expr::Named(named) => return self.expr(&named.value, out),
            Expr::Starred(starred) => return self.expr(&starred.value, out),
            Expr::Await(waited) => return self.expr(&waited.value, out),
            Expr::Call(call) => {
                self.call(call, line, out);
                return false;
            }
            Expr::Compare(comparison) => {
                self.comparison(comparison, line, out);
                return false;
            }
            Expr::BoolOp(operation) => {
                out.push(Token::new(operation.op.as_str(), line));
                self.in_any_order(&operation.values, out);
                return false;
            }
            Expr::Dict(dict) => {
                self.in_any_order(dict.items.iter().map(|item| &item.value), out);
                return false;
            }
            Expr::ListComp(ast::ExprListComp { elt, generators, .. })
            | Expr::SetComp(ast::ExprSetComp { elt, generators, .. })
            | Expr::Generator(ast::ExprGenerator { elt, generators, .. })
            | Expr::DictComp(ast::ExprDictComp {
                value: elt,
                generators,
                ..
            }) => {
                out.push(Token::new("comprehension", line));
                self.expr(elt, out);
                for generator in generators {
                    self.expr(&generator.iter, out);
                    for condition in &generator.ifs {
                        out.push(Token::new("if", line));
                        self.expr(condition, out);
                    }
                }
                return false;
            }
            Expr::If(choice) => {
                let (test, is_turned) = positive(&choice.test);
                let (first, second) = if is_turned {
                    (&choice.orelse, &choice.body)
                } else {
                    (&choice.body, &choice.orelse)
                };
                ("choice", vec![test, first, second])
            }
            Expr::Subscript(subscript) => ("[]", vec![&subscript.value, &subscript.slice]),
            Expr::Slice(slice) => {
                let parts = [&slice.lower, &slice.upper, &slice.step].into_iter().flatten();
                (":", parts.map(|part| &**part).collect())
            }
            Expr::Lambda(lambda) => ("lambda", vec![&lambda.body]),
            Expr::Yield(ast::ExprYield {
                value: Some(value), ..
            })
            | Expr::YieldFrom(ast::ExprYieldFrom { value, .. }) => ("yield", vec![value]),
            _ => {
                token::push_atom(out, line);
                return true;
            }
        };
        out.push(Token::new(head, line));
        self.in_order(parts, out);
        false
    }

    fn attribute(&mut self, attribute: &'u ast::ExprAttribute, line: u32, out: &mut Vec<Token>) -> IsSetting {
        let name = attribute.attr.as_str();
        if self.is_own(&attribute.value) {
            let meaning = vocabulary::of_own_attribute(name);
            push_meaning(meaning.unwrap_or(Meaning::Noise), line, out);
            return meaning.is_none();
        }
        match vocabulary::of_attribute(name, false) {
            Some(Meaning::Word(word)) => {
                out.push(Token { word, line });
                self.expr(&attribute.value, out);
                false
            }
            Some(Meaning::Noise) => self.expr(&attribute.value, out),
            None => {
                self.expr(&attribute.value, out);
                matches!(&*attribute.value, Expr::Name(_) | Expr::Attribute(_))
            }
        }
    }

    fn call(&mut self, call: &'u ast::ExprCall, line: u32, out: &mut Vec<Token>) {
        let library = self.library(&call.func);
        let (name, object) = match &*call.func {
            _ if library.is_some() => ("", None),
            Expr::Name(name) => (name.id.as_str(), None),
            Expr::Attribute(attribute) => (attribute.attr.as_str(), Some(&*attribute.value)),
            other => ("", Some(other)),
        };
        let is_own = object.is_some_and(|object| self.is_own(object));
        let meaning = match (library, object) {
            (Some(name), _) => Some(vocabulary::of_library(name)),
            (None, None) if self.place.names.is_fixed(name) => None,
            (None, None) => vocabulary::of_builtin(name),
            (None, Some(_)) if is_own => vocabulary::of_own_attribute(name),
            (None, Some(_)) => vocabulary::of_attribute(name, true),
        };
        let arguments = &call.arguments;
        match (meaning, object) {
            // A conversion: the object, or what is converted, stands for the whole.
            (Some(Meaning::Noise), Some(object)) => drop(self.expr(object, out)),
            (Some(Meaning::Noise), None) => self.arguments(arguments, out),
            (Some(Meaning::Word(head)), _) => {
                out.push(Token { word: head, line });
                let commutes = [word("+"), word("*")].contains(&head);
                if commutes && arguments.len() + usize::from(object.is_some()) == 2 {
                    let named = arguments.keywords.iter().map(|keyword| &keyword.value);
                    let operands = object.into_iter().chain(&arguments.args).chain(named);
                    self.in_any_order(operands, out);
                } else {
                    if let Some(object) = object {
                        self.expr(object, out);
                    }
                    self.arguments(arguments, out);
                }
            }
            (None, _) => {
                if self.inline(name, object, arguments, line, out) {
                    return;
                }
                out.push(Token { word: CALL, line });
                if let Some(object) = object.filter(|_| !is_own) {
                    self.expr(object, out);
                }
                self.arguments(arguments, out);
            }
        }
    }

    /// Writes what a helper of the bundle computes from its arguments; whether it was one.
    fn inline(
        &mut self,
        name: &str,
        object: Option<&'u Expr>,
        arguments: &'u ast::Arguments,
        line: u32,
        out: &mut Vec<Token>,
    ) -> bool {
        let helpers = self.helpers;
        let Some(Some(helper)) = helpers.get(name) else {
            return false;
        };
        if self.inlined >= INLINED_MAX || *self.inlined_tokens_left == 0 {
            return false;
        }
        let object = object.filter(|_| helper.is_method);
        let values = object.into_iter().chain(&arguments.args);
        if arguments.args.iter().any(Expr::is_starred_expr)
            || arguments.keywords.iter().any(|keyword| keyword.arg.is_none())
            || values.clone().count() > helper.parameters.len()
        {
            return false;
        }
        let named = arguments.keywords.iter();
        let named = named.filter_map(|keyword| Some((keyword.arg.as_ref()?.as_str(), &keyword.value)));
        let mut own = None;
        let mut replaced: FxHashMap<&'u str, Vec<Token>> = FxHashMap::default();
        for (parameter, value) in helper.parameters.iter().copied().zip(values).chain(named) {
            if self.is_own(value) {
                own = Some(parameter);
            } else {
                replaced.insert(parameter, self.alone(value));
            }
        }
        let place = Place {
            names: helper.names,
            own,
            sets_up: self.place.sets_up,
            aliases: FxHashMap::default(),
            replaced,
            line: Some(self.place.line.unwrap_or(line)),
        };
        let outside = std::mem::replace(&mut self.place, place);
        self.inlined += 1;
        let mut written = 1;
        let mut is_short = true;
        for (name, value) in &helper.steps {
            let tokens = self.alone(value);
            written += tokens.len();
            is_short = tokens.len() <= REPLACED_TOKENS_MAX;
            if !is_short {
                break;
            }
            self.place.replaced.insert(name, tokens);
        }
        if is_short {
            let tokens = self.alone(helper.value);
            written += tokens.len();
            token::append(out, &tokens);
        }
        self.inlined -= 1;
        self.place = outside;
        *self.inlined_tokens_left = self.inlined_tokens_left.saturating_sub(written);
        is_short
    }

    /// The tokens of an expression by itself.
    fn alone(&mut self, expr: &'u Expr) -> Vec<Token> {
        let mut tokens = Vec::new();
        self.expr(expr, &mut tokens);
        tokens
    }

    fn arguments(&mut self, arguments: &'u ast::Arguments, out: &mut Vec<Token>) {
        if arguments.is_empty() {
            token::push_atom(out, self.line(arguments.range.start()));
        }
        self.in_order(&arguments.args, out);
        self.in_any_order(arguments.keywords.iter().map(|keyword| &keyword.value), out);
    }

    fn operation(&mut self, operation: &'u ast::ExprBinOp, line: u32, out: &mut Vec<Token>) -> IsSetting {
        let start = out.len();
        out.push(Token::new(operation.op.as_str(), line));
        let is_setting = match operation.op {
            Operator::Add | Operator::Mult | Operator::BitAnd | Operator::BitOr | Operator::BitXor => {
                let mut operands: Vec<&Expr> = vec![&operation.right];
                let mut left: &Expr = &operation.left;
                while let Expr::BinOp(inner) = left
                    && inner.op == operation.op
                {
                    operands.push(&inner.right);
                    left = &inner.left;
                }
                operands.push(left);
                self.in_any_order(operands.into_iter().rev(), out)
            }
            _ => {
                let left = self.expr(&operation.left, out);
                self.expr(&operation.right, out) && left
            }
        };
        if is_setting {
            out.truncate(start);
            token::push_atom(out, line);
        }
        is_setting
    }

    fn comparison(&mut self, comparison: &'u ast::ExprCompare, line: u32, out: &mut Vec<Token>) {
        let left = &*comparison.left;
        match (&*comparison.ops, &*comparison.comparators) {
            ([op @ (CmpOp::Eq | CmpOp::NotEq)], [right]) => {
                out.push(Token::new(op.as_str(), line));
                self.in_any_order([left, right], out);
            }
            ([op @ (CmpOp::Gt | CmpOp::GtE)], [right]) => {
                let turned = if *op == CmpOp::Gt { "<" } else { "<=" };
                out.push(Token::new(turned, line));
                self.expr(right, out);
                self.expr(left, out);
            }
            (ops, operands) => {
                out.extend(ops.iter().map(|op| Token::new(op.as_str(), line)));
                self.expr(left, out);
                self.in_order(operands, out);
            }
        }
    }

    fn in_order(&mut self, exprs: impl IntoIterator<Item = &'u Expr>, out: &mut Vec<Token>) -> IsSetting {
        let mut is_setting = true;
        for expr in exprs {
            is_setting &= self.expr(expr, out);
        }
        is_setting
    }

    /// Writes expressions whose order means nothing.
    pub(super) fn in_any_order(
        &mut self,
        exprs: impl IntoIterator<Item = &'u Expr>,
        out: &mut Vec<Token>,
    ) -> IsSetting {
        if self.depth >= SORTED_DEPTH_MAX {
            return self.in_order(exprs, out);
        }
        self.depth += 1;
        let mut is_setting = true;
        let mut pieces = Vec::new();
        for expr in exprs {
            let mut piece = Vec::new();
            is_setting &= self.expr(expr, &mut piece);
            pieces.push(piece);
        }
        self.depth -= 1;
        token::append_sorted(out, pieces);
        is_setting
    }
}

/// The condition without its negation, and whether it had one.
pub(super) fn positive(test: &Expr) -> (&Expr, bool) {
    match test {
        Expr::UnaryOp(ast::ExprUnaryOp {
            op: UnaryOp::Not,
            operand,
            ..
        }) => (operand, true),
        other => (other, false),
    }
}

fn push_meaning(meaning: Meaning, line: u32, out: &mut Vec<Token>) {
    match meaning {
        Meaning::Word(word) => out.push(Token { word, line }),
        Meaning::Noise => token::push_atom(out, line),
    }
}
