//! The rules, a file each. The comment at the top of a file is the rule's page.
//!
//! [`ALL`] is what the checker asks, in the order of the codes. To add a rule: write its file, name it here twice, add
//! its fixture, regenerate the pages.

use std::sync::OnceLock;

use rustc_hash::FxHashSet;

use crate::rule::{
    CallHook, ExpressionHook, PatternHook, ReferenceHook, Rule, RuleSet, StatementHook, StoreHook, WholeHook,
};

pub(crate) mod build_model;
pub(crate) mod bundle;
pub(crate) mod causality;
pub(crate) mod contract;
pub(crate) mod distributed_contract;
pub(crate) mod distributed_rank0_guard;
pub(crate) mod duplicate;
pub(crate) mod logits_shape;
pub(crate) mod near_duplicate;
pub(crate) mod nesting;
pub(crate) mod no_attribute_escape;
pub(crate) mod no_deserialization;
pub(crate) mod no_dynamic_attr;
pub(crate) mod no_dynamic_code;
pub(crate) mod no_dynamic_import;
pub(crate) mod no_ffi;
pub(crate) mod no_filesystem;
pub(crate) mod no_forbidden_import;
pub(crate) mod no_gc_inspect;
pub(crate) mod no_harness_access;
pub(crate) mod no_monkeypatch;
pub(crate) mod no_network;
pub(crate) mod no_process;
pub(crate) mod no_threads;
pub(crate) mod no_torch_escape;
pub(crate) mod non_causal;
pub(crate) mod obfuscation;
pub(crate) mod opaque_blob;
pub(crate) mod param_cap;
pub(crate) mod sealed_forward;
pub(crate) mod single_node_bound;
pub(crate) mod source_size;
pub(crate) mod stateful_forward;
pub(crate) mod syntax;
pub(crate) mod tokenizer;
pub(crate) mod training_import;
pub(crate) mod undocumented_attribute;

/// Every rule.
pub(crate) static ALL: &[&RuleSet] = &[
    &syntax::SET,
    &nesting::SET,
    &bundle::SET,
    &source_size::SET,
    &no_process::SET,
    &no_network::SET,
    &no_filesystem::SET,
    &no_ffi::SET,
    &no_dynamic_import::SET,
    &no_dynamic_code::SET,
    &no_deserialization::SET,
    &no_torch_escape::SET,
    &no_attribute_escape::SET,
    &no_dynamic_attr::SET,
    &no_forbidden_import::SET,
    &no_monkeypatch::SET,
    &no_harness_access::SET,
    &no_gc_inspect::SET,
    &no_threads::SET,
    &undocumented_attribute::SET,
    &opaque_blob::SET,
    &obfuscation::SET,
    &contract::SET,
    &tokenizer::SET,
    &build_model::SET,
    &param_cap::SET,
    &logits_shape::SET,
    &stateful_forward::SET,
    &sealed_forward::SET,
    &causality::SET,
    &training_import::SET,
    &non_causal::SET,
    &distributed_contract::SET,
    &distributed_rank0_guard::SET,
    &single_node_bound::SET,
    &duplicate::SET,
    &near_duplicate::SET,
];

/// The hooks of all rules by kind, so that the checker asks only those that want to know.
#[derive(Default)]
pub(crate) struct AllHooks {
    pub(crate) reference: Vec<ReferenceHook>,
    pub(crate) call: Vec<CallHook>,
    pub(crate) expression: Vec<ExpressionHook>,
    pub(crate) statement: Vec<StatementHook>,
    pub(crate) store: Vec<StoreHook>,
    pub(crate) pattern: Vec<PatternHook>,
    pub(crate) module: Vec<WholeHook>,
    pub(crate) bundle: Vec<WholeHook>,
    pub(crate) attributes: FxHashSet<&'static str>,
}

/// The hooks, collected once.
pub(crate) fn hooks() -> &'static AllHooks {
    static HOOKS: OnceLock<AllHooks> = OnceLock::new();
    HOOKS.get_or_init(|| {
        let mut all = AllHooks::default();
        for set in ALL {
            all.reference.extend(set.hooks.reference);
            all.call.extend(set.hooks.call);
            all.expression.extend(set.hooks.expression);
            all.statement.extend(set.hooks.statement);
            all.store.extend(set.hooks.store);
            all.pattern.extend(set.hooks.pattern);
            all.module.extend(set.hooks.module);
            all.bundle.extend(set.hooks.bundle);
            all.attributes.extend(set.attributes);
        }
        all
    })
}

/// The metadata of every rule, in the order of the codes.
pub fn list() -> impl Iterator<Item = &'static Rule> {
    ALL.iter().map(|set| set.rule)
}

/// A rule by its code (`PRS101`, in any case) or its id (`prism:no-process`, with or without `prism:`).
pub fn find(name: &str) -> Option<&'static Rule> {
    list().find(|rule| {
        rule.code.eq_ignore_ascii_case(name)
            || rule.id == name
            || rule.id.strip_prefix("prism:") == Some(name)
    })
}

/// The rule of a finding of the instantiation gate, which names its rules by their codes.
pub fn of_instantiation(code: &str) -> &'static Rule {
    let rules = [
        &syntax::RULE,
        &tokenizer::RULE,
        &build_model::RULE,
        &param_cap::RULE,
        &logits_shape::RULE,
        &stateful_forward::RULE,
        &sealed_forward::RULE,
        &causality::RULE,
        &training_import::RULE,
    ];
    let named = rules.into_iter().find(|rule| rule.code == code);
    // That gate, too, calls everything that it has no better name for a model that does not build.
    named.unwrap_or(&build_model::RULE)
}
