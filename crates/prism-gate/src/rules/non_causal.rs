//! # A model that may look ahead
//!
//! ## What it does
//!
//! Looks in the architecture, and in the files that it imports, for what often lets a position see later ones:
//!
//! - attention without a mask: `scaled_dot_product_attention`, `flex_attention`, `nn.MultiheadAttention` and
//!   `nn.TransformerEncoder` without one, and a softmax over the product of queries and keys in a function that knows no
//!   mask;
//! - convolutions that are padded on both sides and not cropped;
//! - batch norm and instance norm, `bidirectional=True`, `flip` and `roll` along the time, padding that shifts to the left, a Fourier transform without a length
//!   `n` and without padding, and `mean` along dimension 1.
//!
//! This is a hint only, and never rejects: it reads the source. Whether a model does look ahead is found by running it, by
//! `prism check` ([PRS316](PRS316.md)) and by the measurement.
//!
//! ## Why is this a warning?
//!
//! A run does not refuse a model that looks ahead: it charges what the model really predicts. An auditor predicts from
//! the tokens up to a position, with end-of-text after it, so nothing is gained by looking there, and what was learnt with
//! later tokens in sight predicts badly without them. The claims, made with those tokens in sight, are then not true,
//! and a run whose claims and audits differ by more than the recipe allows takes no rank (`claims_untrue`). Most of
//! those are honest mistakes, and this is the cheapest moment to find them.
//!
//! ## Example
//!
//! ```python
//! y = F.scaled_dot_product_attention(q, k, v)
//! self.mix = nn.Conv1d(width, width, 3, padding=1)
//! ```
//!
//! Use instead:
//!
//! ```python
//! y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
//! self.mix = nn.Conv1d(width, width, 3)  # called with F.pad(x, (2, 0))
//! ```

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{self as ast, Expr, ExprCall, Stmt};
use ruff_text_size::Ranged;
use rustc_hash::FxHashMap;

use crate::check::Checker;
use crate::reading::census::{self, Mention};
use crate::reading::regions::{
    Regions, gives, gives_keyword, has_unpacking, is_along_time, is_dimension, shifts_left,
};
use crate::reading::scores;
use crate::rule::{Rule, RuleSet};
use crate::semantic::BindingKind;
use crate::source::Role;

pub(crate) static RULE: Rule = Rule::warning("PRS401", "prism:non-causal", include_str!("non_causal.rs"));

pub(crate) static SET: RuleSet = RuleSet {
    reason: "may look ahead",
    bundle: Some(bundle),
    ..RuleSet::of(&RULE)
};

const MASK_HINT: &str = "give it a causal mask: `is_causal=True`, or `attn_mask`";
const PAD_HINT: &str = "pad on the left only: `F.pad(x, (kernel_size - 1, 0))` and no `padding=`";
const ROLL: &str = "what this moves out at one end comes in at the other";
const ROLL_HINT: &str = "shift with padding instead: `F.pad(x, (0, 0, 1, -1))`";
const TIME_HINT: &str =
    "use what looks at each position alone or at earlier ones, such as `cumsum` divided by the position";

/// A layer, the keywords that give it a mask, and the place of the first of them.
type Layer = (&'static str, &'static [&'static str], usize);
/// Layers by the attributes of `self` that hold them.
type Attending = FxHashMap<String, &'static Layer>;

/// Layers that attend without a mask unless their call is given one.
const ATTENDING_LAYERS: &[Layer] = &[
    ("MultiheadAttention", &["attn_mask", "is_causal"], 5),
    ("TransformerEncoder", &["mask", "is_causal"], 1),
    ("TransformerEncoderLayer", &["src_mask", "is_causal"], 1),
    ("TransformerDecoder", &["tgt_mask", "tgt_is_causal"], 2),
    ("TransformerDecoderLayer", &["tgt_mask", "tgt_is_causal"], 2),
];

fn bundle(checker: &mut Checker<'_, '_>) {
    let home = checker.module;
    let modules = of_the_model(checker);
    let mentions = census::mentions(checker, |module| modules.contains(&module));
    for &module in &modules {
        let Ok(parsed) = &checker.trees[module] else {
            continue;
        };
        checker.module = module;
        let mut regions = Regions::default();
        regions.visit_body(&parsed.syntax().body);
        for mention in mentions.iter().filter(|mention| mention.module == module) {
            library_call(checker, mention, &regions);
        }
        let attending = attending_attributes(&mentions, module, &parsed.syntax().body);
        for call in &regions.calls {
            method_call(checker, call, &attending);
        }
        if !checker.source().text.contains("softmax") {
            continue;
        }
        for function in &regions.functions {
            for range in scores::unmasked(function, checker.source()) {
                let message =
                    "this softmax of queries and keys sees all positions: its function knows no mask"
                        .to_owned();
                let hint = "mask the scores before the softmax: `scores.masked_fill(mask, float(\"-inf\"))`";
                checker.report(&RULE, range, message, hint);
            }
        }
    }
    checker.module = home;
}

/// The architecture's module and those that it imports, directly or not.
fn of_the_model(checker: &Checker<'_, '_>) -> Vec<usize> {
    let is_start = |module: &usize| checker.sources[*module].role == Role::Architecture;
    let mut modules: Vec<usize> = (0..checker.sources.len()).filter(is_start).collect();
    let mut next = 0;
    while let Some(&module) = modules.get(next) {
        next += 1;
        let scopes = &checker.names.modules[module];
        let imports = scopes.bindings.iter().filter_map(|binding| match &binding.kind {
            BindingKind::Import(path) => Some(path),
            _ => None,
        });
        for path in imports.chain(&scopes.stars) {
            let imported = (0..checker.sources.len()).find(|other| {
                let name = &checker.sources[*other].module;
                **path == **name || path.rsplit_once('.').is_some_and(|(home, _)| home == name)
            });
            if let Some(other) = imported.filter(|other| !modules.contains(other)) {
                modules.push(other);
            }
        }
    }
    modules.sort_unstable();
    modules
}

fn warn(checker: &mut Checker<'_, '_>, call: &ExprCall, message: &str, hint: &str) {
    checker.report(&RULE, call.range(), message.to_owned(), hint);
}

fn library_call(checker: &mut Checker<'_, '_>, mention: &Mention<'_>, regions: &Regions<'_>) {
    let Some(call) = mention.call.filter(|call| !has_unpacking(call)) else {
        return;
    };
    let name = mention.path.rsplit('.').next().unwrap_or_default();
    let is_layer = mention.path.starts_with("torch.nn.");
    match name {
        "scaled_dot_product_attention" if !gives(call, "attn_mask", 3) && !gives(call, "is_causal", 5) => {
            warn(
                checker,
                call,
                "this attention sees all positions: it has neither a mask nor `is_causal`",
                MASK_HINT,
            );
        }
        "flex_attention" if is_layer && !gives(call, "score_mod", 3) && !gives(call, "block_mask", 4) => {
            let hint = "give it a `block_mask` or a `score_mod` that is causal";
            warn(
                checker,
                call,
                "this attention sees all positions: it has neither `block_mask` nor `score_mod`",
                hint,
            );
        }
        "Conv1d" | "conv1d" if is_layer => convolution(checker, call, regions, name == "conv1d"),
        "BatchNorm1d" | "BatchNorm2d" | "BatchNorm3d" | "LazyBatchNorm1d" | "SyncBatchNorm"
        | "batch_norm" | "InstanceNorm1d" | "instance_norm"
            if is_layer =>
        {
            let message = format!("`{name}` normalises over positions, later ones among them");
            warn(checker, call, &message, "use `nn.LayerNorm` or `nn.RMSNorm`");
        }
        "LSTM" | "GRU" | "RNN" if is_layer && gives_keyword(call, "bidirectional") => {
            warn(
                checker,
                call,
                "the backward direction of this layer reads later positions",
                "leave out `bidirectional`",
            );
        }
        "flip"
            if &*mention.path == "torch.flip"
                && is_along_time(call.arguments.find_argument_value("dims", 1)) =>
        {
            warn(
                checker,
                call,
                "this turns the time around",
                "see whether what follows reads later positions",
            );
        }
        "roll"
            if &*mention.path == "torch.roll"
                && is_along_time(call.arguments.find_argument_value("dims", 2)) =>
        {
            warn(checker, call, ROLL, ROLL_HINT);
        }
        "pad"
            if is_layer
                && call
                    .arguments
                    .find_argument_value("pad", 1)
                    .is_some_and(shifts_left) =>
        {
            let hint = "pad on the left and crop on the right: `F.pad(x, (0, 0, 1, -1))`";
            warn(
                checker,
                call,
                "this moves later positions to earlier places",
                hint,
            );
        }
        "fft" | "rfft"
            if mention.path.starts_with("torch.fft.")
                && !gives(call, "n", 1)
                && !regions.has_beside(call.range(), &regions.pads) =>
        {
            let hint = "pad to twice the length, `n=2 * length`, and crop the result";
            warn(
                checker,
                call,
                "without padding this transform wraps around: the start sees the end",
                hint,
            );
        }
        "mean"
            if &*mention.path == "torch.mean"
                && is_dimension(call.arguments.find_argument_value("dim", 1), &[1]) =>
        {
            warn(
                checker,
                call,
                "a mean along dimension 1 is one over all positions, if that is the time",
                TIME_HINT,
            );
        }
        _ => {}
    }
}

/// Padding on both sides lets a position see later ones, unless what is too much is cut off.
fn convolution(checker: &mut Checker<'_, '_>, call: &ExprCall, regions: &Regions<'_>, is_function: bool) {
    let Some(padding) = call.arguments.find_argument_value("padding", 4) else {
        return;
    };
    let is_same = match padding {
        Expr::StringLiteral(text) if text.value.to_str() == "same" => true,
        Expr::NumberLiteral(ast::ExprNumberLiteral {
            value: ast::Number::Int(number),
            ..
        }) => {
            if *number == ast::Int::ZERO {
                return;
            }
            false
        }
        Expr::StringLiteral(_) => return,
        // `kernel_size // 2`: nothing is left to be cut off.
        Expr::BinOp(half) => half.op == ast::Operator::FloorDiv,
        _ => false,
    };
    let kernel_is_one =
        |place: usize| is_dimension(call.arguments.find_argument_value("kernel_size", place), &[1]);
    if !is_function && kernel_is_one(2) {
        return;
    }
    if is_same || !regions.has_beside(call.range(), &regions.crops) {
        warn(
            checker,
            call,
            "this convolution is padded on both sides, so that it sees later positions",
            PAD_HINT,
        );
    }
}

/// Attributes of `self` that hold a layer which attends: by name, the layer.
fn attending_attributes(mentions: &[Mention<'_>], module: usize, body: &[Stmt]) -> Attending {
    struct Finder<'m> {
        layers: FxHashMap<*const ExprCall, &'static Layer>,
        found: &'m mut Attending,
    }
    impl<'a> Visitor<'a> for Finder<'_> {
        fn visit_stmt(&mut self, stmt: &'a Stmt) {
            if let Stmt::Assign(assign) = stmt
                && let Expr::Call(call) = &*assign.value
                && let Some(layer) = self.layers.get(&std::ptr::from_ref(call))
            {
                for target in &assign.targets {
                    if let Expr::Attribute(attribute) = target {
                        self.found.insert(attribute.attr.as_str().to_owned(), layer);
                    }
                }
            }
            visitor::walk_stmt(self, stmt);
        }
    }
    let mut found = FxHashMap::default();
    let layers = mentions
        .iter()
        .filter(|mention| mention.module == module && mention.path.starts_with("torch.nn."))
        .filter_map(|mention| {
            let name = mention.path.rsplit('.').next()?;
            let layer = ATTENDING_LAYERS.iter().find(|(known, ..)| *known == name)?;
            Some((std::ptr::from_ref(mention.call?), layer))
        })
        .collect();
    let layers: FxHashMap<*const ExprCall, &'static Layer> = layers;
    if layers.is_empty() {
        return found;
    }
    let mut finder = Finder {
        layers,
        found: &mut found,
    };
    finder.visit_body(body);
    found
}

/// Calls of methods, whose object is not known.
fn method_call(checker: &mut Checker<'_, '_>, call: &ExprCall, attending: &Attending) {
    let Expr::Attribute(method) = &*call.func else {
        return;
    };
    if has_unpacking(call) {
        return;
    }
    let name = method.attr.as_str();
    let is_of_self = matches!(&*method.value, Expr::Name(base) if base.id.as_str() == "self");
    if let Some((layer, keywords, place)) = attending.get(name).copied().filter(|_| is_of_self) {
        let is_masked = keywords.iter().any(|keyword| gives_keyword(call, keyword))
            || call
                .arguments
                .find_positional(*place)
                .is_some_and(|value| !value.is_none_literal_expr());
        if !is_masked {
            let message = format!("this call of `{layer}` sees all positions: it has no mask");
            warn(checker, call, &message, MASK_HINT);
        }
        return;
    }
    match name {
        "flip"
            if call.arguments.args.iter().any(|dim| is_along_time(Some(dim)))
                || is_along_time(call.arguments.find_keyword("dims").map(|keyword| &keyword.value)) =>
        {
            warn(
                checker,
                call,
                "this turns the time around",
                "see whether what follows reads later positions",
            );
        }
        "roll" if is_along_time(call.arguments.find_argument_value("dims", 1)) => {
            warn(checker, call, ROLL, ROLL_HINT);
        }
        "mean" if is_dimension(call.arguments.find_argument_value("dim", 0), &[1]) => {
            warn(
                checker,
                call,
                "a mean along dimension 1 is one over all positions, if that is the time",
                TIME_HINT,
            );
        }
        _ => {}
    }
}
