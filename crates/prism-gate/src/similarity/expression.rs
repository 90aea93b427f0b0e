//! One expression to tokens: prefix order, names and literals gone, operands of commutative operators in order.
//!
//! What a library does keeps its name, wherever it is called from: `torch.relu(x)`, `F.relu(x)` and `x.relu()` are one.
//! Called by `statement`; recursion goes as deep as the scan before the parser allows.

use ruff_python_ast::{self as ast, CmpOp, Expr, Operator, UnaryOp};
use ruff_text_size::{Ranged, TextSize};
use rustc_hash::FxHashMap;

use super::helpers::Helpers;
use super::resolve::{Bundled, Names};
use super::statement::REPLACED_TOKENS_MAX;
use super::token::{self, CALL, Token, word};
use super::vocabulary::{self, Meaning};
use crate::source::Source;

/// Sorted pieces that may lie in one another; deeper ones keep the order of the source, which bounds the work.
const SORTED_DEPTH_MAX: usize = 16;

/// Helpers that are written within helpers.
const INLINED_MAX: usize = 3;

/// Where an expression stands.
pub(super) struct Place<'u> {
    pub(super) source: &'u Source<'u>,
    pub(super) names: &'u Names,
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
pub(super) struct Writer<'u> {
    pub(super) place: Place<'u>,
    pub(super) bundled: &'u Bundled,
    pub(super) helpers: &'u Helpers<'u>,
    /// Sorted pieces around this one.
    pub(super) depth: usize,
    /// Helpers around this expression.
    pub(super) inlined: usize,
    pub(super) inlined_tokens_left: usize,
}

/// Whether an expression is a setting: made of literals and of names that hold settings.
type IsSetting = bool;

impl<'u> Writer<'u> {
    pub(super) fn line(&self, at: TextSize) -> u32 {
        self.place.line.unwrap_or_else(|| self.place.source.line(at))
    }

    /// The last component of the library's path that an expression stands for.
    pub(super) fn library(&self, expr: &'u Expr) -> Option<&'u str> {
        if let Expr::Name(name) = expr
            && let Some(path) = self.place.aliases.get(name.id.as_str())
        {
            return Some(path);
        }
        self.place.names.library(expr)
    }

    fn is_own(&self, expr: &Expr) -> bool {
        matches!(expr, Expr::Name(name) if Some(name.id.as_str()) == self.place.own)
    }

    pub(super) fn expr(&mut self, expr: &'u Expr, out: &mut Vec<Token>) -> IsSetting {
        let line = self.line(expr.start());
        if let Some(name) = self.library(expr) {
            push_meaning(vocabulary::of_library(name), line, out);
            return false;
        }
        match expr {
            Expr::Name(name) => {
                if let Some(tokens) = self.place.replaced.get(name.id.as_str()) {
                    token::append(out, tokens);
                    return false;
                }
                token::push_atom(out, line);
                self.place.sets_up || self.bundled.is_setting(name.id.as_str())
            }
            Expr::Attribute(attribute) => self.attribute(attribute, line, out),
            Expr::Call(call) => {
                self.call(call, line, out);
                false
            }
            Expr::BinOp(operation) => self.operation(operation, line, out),
            Expr::UnaryOp(operation) => {
                let mut operand = Vec::new();
                let is_setting = self.expr(&operation.operand, &mut operand);
                if !is_setting {
                    let word = match operation.op {
                        UnaryOp::Not => word("not"),
                        UnaryOp::USub => word("neg"),
                        UnaryOp::Invert => word("~"),
                        UnaryOp::UAdd => token::ATOM,
                    };
                    if word != token::ATOM {
                        out.push(Token { word, line });
                    }
                }
                token::append(out, &operand);
                is_setting
            }
            Expr::BoolOp(operation) => {
                let op = if operation.op == ast::BoolOp::And {
                    "and"
                } else {
                    "or"
                };
                self.sorted(op, line, operation.values.iter().collect(), out);
                false
            }
            Expr::Compare(comparison) => {
                self.comparison(comparison, line, out);
                false
            }
            Expr::If(choice) => {
                out.push(Token {
                    word: word("choice"),
                    line,
                });
                let (test, is_turned) = positive(&choice.test);
                self.expr(test, out);
                let (first, second) = if is_turned {
                    (&choice.orelse, &choice.body)
                } else {
                    (&choice.body, &choice.orelse)
                };
                self.expr(first, out);
                self.expr(second, out);
                false
            }
            Expr::Subscript(subscript) => {
                out.push(Token {
                    word: word("[]"),
                    line,
                });
                self.expr(&subscript.value, out);
                self.expr(&subscript.slice, out);
                false
            }
            Expr::Slice(slice) => {
                out.push(Token {
                    word: word(":"),
                    line,
                });
                for part in [&slice.lower, &slice.upper, &slice.step].into_iter().flatten() {
                    self.expr(part, out);
                }
                false
            }
            Expr::Lambda(lambda) => {
                out.push(Token {
                    word: word("lambda"),
                    line,
                });
                self.expr(&lambda.body, out);
                false
            }
            Expr::Tuple(ast::ExprTuple { elts, .. })
            | Expr::List(ast::ExprList { elts, .. })
            | Expr::Set(ast::ExprSet { elts, .. }) => {
                if elts.is_empty() {
                    token::push_atom(out, line);
                }
                self.all(elts, out)
            }
            Expr::Dict(dict) => {
                self.in_any_order(dict.items.iter().map(|item| &item.value).collect(), out);
                false
            }
            Expr::ListComp(ast::ExprListComp { elt, generators, .. })
            | Expr::SetComp(ast::ExprSetComp { elt, generators, .. })
            | Expr::Generator(ast::ExprGenerator { elt, generators, .. }) => {
                self.comprehension(elt, generators, line, out);
                false
            }
            Expr::DictComp(comprehension) => {
                self.comprehension(&comprehension.value, &comprehension.generators, line, out);
                false
            }
            Expr::Named(named) => self.expr(&named.value, out),
            Expr::Starred(starred) => self.expr(&starred.value, out),
            Expr::Await(waited) => self.expr(&waited.value, out),
            Expr::Yield(ast::ExprYield {
                value: Some(value), ..
            })
            | Expr::YieldFrom(ast::ExprYieldFrom { value, .. }) => {
                out.push(Token {
                    word: word("yield"),
                    line,
                });
                self.expr(value, out);
                false
            }
            _ => {
                token::push_atom(out, line);
                true
            }
        }
    }

    /// Writes every expression; whether all of them are settings.
    fn all(&mut self, exprs: &'u [Expr], out: &mut Vec<Token>) -> IsSetting {
        let mut is_setting = true;
        for expr in exprs {
            is_setting &= self.expr(expr, out);
        }
        is_setting
    }

    fn attribute(&mut self, attribute: &'u ast::ExprAttribute, line: u32, out: &mut Vec<Token>) -> IsSetting {
        let name = attribute.attr.as_str();
        if self.is_own(&attribute.value) {
            return if let Some(meaning) = vocabulary::of_own_attribute(name) {
                push_meaning(meaning, line, out);
                false
            } else {
                token::push_atom(out, line);
                true
            };
        }
        match vocabulary::of_attribute(name, false) {
            Some(Meaning::Word(word)) => {
                out.push(Token { word, line });
                self.expr(&attribute.value, out);
                false
            }
            Some(Meaning::Noise) => self.expr(&attribute.value, out),
            None => {
                let is_setting = matches!(&*attribute.value, Expr::Name(_) | Expr::Attribute(_));
                self.expr(&attribute.value, out);
                is_setting
            }
        }
    }

    fn call(&mut self, call: &'u ast::ExprCall, line: u32, out: &mut Vec<Token>) {
        let library = self.library(&call.func);
        match (&*call.func, library) {
            (_, Some(name)) => self.known_call(vocabulary::of_library(name), None, call, line, out),
            (Expr::Name(name), None) => match vocabulary::of_builtin(name.id.as_str()) {
                Some(meaning) if !self.place.names.is_fixed(name.id.as_str()) => {
                    self.known_call(meaning, None, call, line, out);
                }
                _ => {
                    if self.inline(name.id.as_str(), None, &call.arguments, line, out) {
                        return;
                    }
                    out.push(Token { word: CALL, line });
                    self.arguments(&call.arguments, out);
                }
            },
            (Expr::Attribute(attribute), None) => {
                let name = attribute.attr.as_str();
                let is_own = self.is_own(&attribute.value);
                let meaning = if is_own {
                    vocabulary::of_own_attribute(name)
                } else {
                    vocabulary::of_attribute(name, true)
                };
                if let Some(meaning) = meaning {
                    self.known_call(meaning, Some(&attribute.value), call, line, out);
                } else if !self.inline(name, Some(&attribute.value), &call.arguments, line, out) {
                    out.push(Token { word: CALL, line });
                    if !is_own {
                        self.expr(&attribute.value, out);
                    }
                    self.arguments(&call.arguments, out);
                }
            }
            (other, None) => {
                out.push(Token { word: CALL, line });
                self.expr(other, out);
                self.arguments(&call.arguments, out);
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
        let Some(helper) = helpers.get(name) else {
            return false;
        };
        if self.inlined >= INLINED_MAX || self.inlined_tokens_left == 0 {
            return false;
        }
        let object = object.filter(|_| helper.is_method);
        let values = object.into_iter().chain(&arguments.args);
        let by_name = arguments.keywords.iter();
        if arguments.args.iter().any(Expr::is_starred_expr)
            || by_name.clone().any(|keyword| keyword.arg.is_none())
            || values.clone().count() > helper.parameters.len()
        {
            return false;
        }
        let named = by_name.filter_map(|keyword| Some((keyword.arg.as_ref()?.as_str(), &keyword.value)));
        let given = helper.parameters.iter().copied().zip(values).chain(named);
        let mut own = None;
        let mut replaced: FxHashMap<&'u str, Vec<Token>> = FxHashMap::default();
        for (parameter, value) in given {
            if self.is_own(value) {
                own = Some(parameter);
                continue;
            }
            let mut tokens = Vec::new();
            self.expr(value, &mut tokens);
            replaced.insert(parameter, tokens);
        }
        let place = Place {
            source: helper.source,
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
            let mut tokens = Vec::new();
            self.expr(value, &mut tokens);
            written += tokens.len();
            is_short &= tokens.len() <= REPLACED_TOKENS_MAX;
            if !is_short {
                break;
            }
            self.place.replaced.insert(name, tokens);
        }
        let mut tokens = Vec::new();
        if is_short {
            self.expr(helper.value, &mut tokens);
        }
        self.inlined -= 1;
        self.place = outside;
        self.inlined_tokens_left = self.inlined_tokens_left.saturating_sub(written + tokens.len());
        token::append(out, &tokens);
        is_short
    }

    fn known_call(
        &mut self,
        meaning: Meaning,
        object: Option<&'u Expr>,
        call: &'u ast::ExprCall,
        line: u32,
        out: &mut Vec<Token>,
    ) {
        match (meaning, object) {
            // A conversion: the object, or what is converted, stands for the whole.
            (Meaning::Noise, Some(object)) => {
                self.expr(object, out);
            }
            (Meaning::Noise, None) => self.arguments(&call.arguments, out),
            (Meaning::Word(word), object) => {
                let commutes = [token::word("+"), token::word("*")].contains(&word);
                if commutes && call.arguments.len() + usize::from(object.is_some()) == 2 {
                    let operands = object.into_iter().chain(call.arguments.args.iter());
                    let operands =
                        operands.chain(call.arguments.keywords.iter().map(|keyword| &keyword.value));
                    out.push(Token { word, line });
                    self.in_any_order(operands.collect(), out);
                    return;
                }
                out.push(Token { word, line });
                if let Some(object) = object {
                    self.expr(object, out);
                }
                self.arguments(&call.arguments, out);
            }
        }
    }

    fn arguments(&mut self, arguments: &'u ast::Arguments, out: &mut Vec<Token>) {
        if arguments.is_empty() {
            token::push_atom(out, self.line(arguments.range.start()));
        }
        for argument in &arguments.args {
            self.expr(argument, out);
        }
        self.in_any_order(
            arguments.keywords.iter().map(|keyword| &keyword.value).collect(),
            out,
        );
    }

    fn operation(&mut self, operation: &'u ast::ExprBinOp, line: u32, out: &mut Vec<Token>) -> IsSetting {
        let commutes = matches!(
            operation.op,
            Operator::Add | Operator::Mult | Operator::BitAnd | Operator::BitOr | Operator::BitXor
        );
        let start = out.len();
        let before = out.last().is_some_and(|token| token.word == token::ATOM);
        let is_setting = if commutes {
            let mut operands = Vec::new();
            let mut left: &Expr = &operation.left;
            operands.push(&*operation.right);
            while let Expr::BinOp(inner) = left
                && inner.op == operation.op
            {
                operands.push(&*inner.right);
                left = &inner.left;
            }
            operands.push(left);
            operands.reverse();
            self.sorted(operator(operation.op), line, operands, out)
        } else {
            out.push(Token {
                word: word(operator(operation.op)),
                line,
            });
            let left = self.expr(&operation.left, out);
            self.expr(&operation.right, out) && left
        };
        if is_setting {
            out.truncate(start);
            if !before {
                token::push_atom(out, line);
            }
        }
        is_setting
    }

    fn comparison(&mut self, comparison: &'u ast::ExprCompare, line: u32, out: &mut Vec<Token>) {
        if let ([op], [right]) = (&*comparison.ops, &*comparison.comparators) {
            let left = &*comparison.left;
            match op {
                CmpOp::Eq | CmpOp::NotEq => {
                    self.sorted(op.as_str(), line, vec![left, right], out);
                    return;
                }
                CmpOp::Gt | CmpOp::GtE => {
                    let turned = if *op == CmpOp::Gt { "<" } else { "<=" };
                    out.push(Token {
                        word: word(turned),
                        line,
                    });
                    self.expr(right, out);
                    self.expr(left, out);
                    return;
                }
                _ => {}
            }
        }
        for op in &comparison.ops {
            out.push(Token {
                word: word(op.as_str()),
                line,
            });
        }
        self.expr(&comparison.left, out);
        for operand in &comparison.comparators {
            self.expr(operand, out);
        }
    }

    fn comprehension(
        &mut self,
        element: &'u Expr,
        generators: &'u [ast::Comprehension],
        line: u32,
        out: &mut Vec<Token>,
    ) {
        out.push(Token {
            word: word("comprehension"),
            line,
        });
        self.expr(element, out);
        for generator in generators {
            self.expr(&generator.iter, out);
            for condition in &generator.ifs {
                out.push(Token {
                    word: word("if"),
                    line,
                });
                self.expr(condition, out);
            }
        }
    }

    fn sorted(&mut self, op: &str, line: u32, operands: Vec<&'u Expr>, out: &mut Vec<Token>) -> IsSetting {
        out.push(Token { word: word(op), line });
        self.in_any_order(operands, out)
    }

    /// Writes expressions whose order means nothing.
    pub(super) fn in_any_order(&mut self, exprs: Vec<&'u Expr>, out: &mut Vec<Token>) -> IsSetting {
        let mut is_setting = true;
        if self.depth >= SORTED_DEPTH_MAX {
            for expr in exprs {
                is_setting &= self.expr(expr, out);
            }
            return is_setting;
        }
        self.depth += 1;
        let mut pieces = Vec::with_capacity(exprs.len());
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

/// The word of an operator, which is also that of the function that does the same.
pub(super) fn operator(op: Operator) -> &'static str {
    op.as_str()
}

fn push_meaning(meaning: Meaning, line: u32, out: &mut Vec<Token>) {
    match meaning {
        Meaning::Word(word) => out.push(Token { word, line }),
        Meaning::Noise => token::push_atom(out, line),
    }
}
