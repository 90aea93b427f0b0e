//! What every page is made of: the document around it, cards, rows and tiles.
//!
//! Every value goes through the escape of the template; there is no raw markup but the style sheet.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::style;

/// A whole document around a body.
pub fn document(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(style::CONTENT_SECURITY_POLICY);
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(style::CSS)) }
            }
            body {
                main {
                    (body)
                    footer { "PRISM " (env!("CARGO_PKG_VERSION")) ". Every figure comes from the referee, but where it says otherwise." }
                }
            }
        }
    }
    .into_string()
}

/// A section with a title.
pub fn card(title: &str, body: &Markup) -> Markup {
    html! { section class="card" { h2 { (title) } (body) } }
}

/// A row of a table of facts: what it is, and its figure.
pub fn row(name: &str, value: impl maud::Render) -> Markup {
    html! { tr { th { (name) } td class="number" { (value) } } }
}

/// A figure that is read first: its name, itself, and what it is of.
pub fn tile(name: &str, value: &str, more: &Markup) -> Markup {
    html! {
        div class="tile" {
            div class="name" { (name) }
            div class="value" { (value) }
            div class="more" { (more) }
        }
    }
}
