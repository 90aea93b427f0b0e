//! The rules, a file each. The comment at the top of a file is the rule's page. `elsewhere` names those that look nowhere in
//! the code.
//!
//! [`ALL`] is what the checker asks, in the order of the codes. To add a rule: write its file, name it here twice, add
//! its fixture, regenerate the pages.

use std::sync::OnceLock;

use rustc_hash::FxHashSet;

use crate::rule::{
    CallHook, ExpressionHook, PatternHook, ReferenceHook, Rule, RuleSet, StatementHook, StoreHook, WholeHook,
};

pub(crate) mod contract;
pub(crate) mod distributed_contract;
pub(crate) mod distributed_rank0_guard;
pub(crate) mod elsewhere;
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
pub(crate) mod single_node_bound;
pub(crate) mod source_size;
pub(crate) mod syntax;
pub(crate) mod undocumented_attribute;

/// Every rule.
pub(crate) static ALL: &[&RuleSet] = &[
    &syntax::SET,
    &nesting::SET,
    &RuleSet::of(&elsewhere::BUNDLE),
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
    &RuleSet::of(&elsewhere::TOKENIZER),
    &RuleSet::of(&elsewhere::BUILD_MODEL),
    &RuleSet::of(&elsewhere::PARAM_CAP),
    &RuleSet::of(&elsewhere::LOGITS_SHAPE),
    &RuleSet::of(&elsewhere::STATEFUL_FORWARD),
    &RuleSet::of(&elsewhere::SEALED_FORWARD),
    &RuleSet::of(&elsewhere::CAUSALITY),
    &RuleSet::of(&elsewhere::TRAINING_IMPORT),
    &non_causal::SET,
    &distributed_contract::SET,
    &distributed_rank0_guard::SET,
    &single_node_bound::SET,
    &RuleSet::of(&elsewhere::DUPLICATE),
    &RuleSet::of(&elsewhere::NEAR_DUPLICATE),
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
            all.reference.extend(set.reference);
            all.call.extend(set.call);
            all.expression.extend(set.expression);
            all.statement.extend(set.statement);
            all.store.extend(set.store);
            all.pattern.extend(set.pattern);
            all.module.extend(set.module);
            all.bundle.extend(set.bundle);
            all.attributes.extend(set.attributes.split_whitespace());
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
        &elsewhere::TOKENIZER,
        &elsewhere::BUILD_MODEL,
        &elsewhere::PARAM_CAP,
        &elsewhere::LOGITS_SHAPE,
        &elsewhere::STATEFUL_FORWARD,
        &elsewhere::SEALED_FORWARD,
        &elsewhere::CAUSALITY,
        &elsewhere::TRAINING_IMPORT,
    ];
    let named = rules.into_iter().find(|rule| rule.code == code);
    // That gate, too, calls everything that it has no better name for a model that does not build.
    named.unwrap_or(&elsewhere::BUILD_MODEL)
}
