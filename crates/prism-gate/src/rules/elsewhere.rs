//! Rules whose findings are made elsewhere: of the bundle's format by `format`, of the tokenizer by the referee's tokenizer, of
//! the model by the instantiation gate, and of the comparison by `similarity`, which needs the earlier bundles.
//!
//! They look nowhere in the code. Their pages lie beside this file under `pages/`.

use crate::rule::Rule;

macro_rules! rules {
    ($($name:ident: $weight:ident $code:literal $id:literal;)*) => {
        $(pub(crate) static $name: Rule =
            Rule::$weight($code, concat!("prism:", $id), include_str!(concat!("pages/", $id, ".md")));)*
    };
}

rules! {
    BUNDLE: error "PRS003" "bundle";
    TOKENIZER: error "PRS302" "tokenizer";
    BUILD_MODEL: error "PRS311" "build-model";
    PARAM_CAP: error "PRS312" "param-cap";
    LOGITS_SHAPE: error "PRS313" "logits-shape";
    STATEFUL_FORWARD: error "PRS314" "stateful-forward";
    SEALED_FORWARD: error "PRS315" "sealed-forward";
    CAUSALITY: warning "PRS316" "causality";
    TRAINING_IMPORT: error "PRS317" "training-import";
    DUPLICATE: error "PRS601" "duplicate";
    NEAR_DUPLICATE: error "PRS602" "near-duplicate";
}
