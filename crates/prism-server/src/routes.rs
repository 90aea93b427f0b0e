//! All routes, each file a resource; what is in none of them is answered here.
//!
//! Handlers read their input, ask the store or the service, and make an answer. They decide nothing about a submission.
//! The description of the interface is made of the same lines as the routes.

use std::sync::Arc;

use axum::Router;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::problem::{Code, Problem};

mod architectures;
mod board;
mod description;
mod events;
mod health;
mod internal;
mod owner;
mod pages;
mod precheck;
mod rounds;
mod run;
mod service;
mod stream;
pub(crate) mod submissions;
mod upload;

/// The routes and what is answered where there is none, without any layer.
pub(crate) fn all(app: &Arc<App>) -> Router {
    let (routes, mut description) = OpenApiRouter::with_openapi(description::head())
        .routes(routes!(health::health))
        .routes(routes!(health::version))
        .routes(routes!(health::ready))
        .routes(routes!(upload::submit, submissions::list))
        .routes(routes!(submissions::history))
        .routes(routes!(submissions::status))
        .routes(routes!(events::events))
        .routes(routes!(stream::stream))
        .routes(routes!(run::curve))
        .routes(routes!(run::report))
        .routes(routes!(run::findings))
        .routes(routes!(run::manifest))
        .routes(routes!(run::record))
        .routes(routes!(run::source))
        .routes(routes!(run::compare))
        .routes(routes!(owner::cancel))
        .routes(routes!(owner::appeal))
        .routes(routes!(owner::review))
        .routes(routes!(owner::logs))
        .routes(routes!(owner::traceback))
        .routes(routes!(board::leaderboard))
        .routes(routes!(board::board))
        .routes(routes!(board::current_epoch))
        .routes(routes!(board::epochs))
        .routes(routes!(board::eval_jobs))
        .routes(routes!(board::gpu_status))
        .routes(routes!(architectures::list))
        .routes(routes!(architectures::one))
        .routes(routes!(architectures::variants))
        .routes(routes!(architectures::report))
        .routes(routes!(precheck::precheck))
        .routes(routes!(service::queue))
        .routes(routes!(service::recipe))
        .routes(routes!(service::rules))
        .routes(routes!(service::weights))
        .routes(routes!(service::budget))
        .routes(routes!(rounds::list))
        .routes(routes!(rounds::one))
        .routes(routes!(internal::get_weights))
        .routes(routes!(internal::bridge))
        .routes(routes!(internal::work_units))
        .routes(routes!(internal::process_next))
        .routes(routes!(internal::checkpoints))
        .split_for_parts();
    description::complete(&mut description);
    routes
        .with_state(Arc::clone(app))
        .merge(description::routes(&description))
        .merge(pages::routes(app))
        .fallback(nothing)
        .method_not_allowed_fallback(not_allowed)
}

async fn nothing() -> Problem {
    Problem::not_found("Not Found")
}

async fn not_allowed() -> Problem {
    Problem::new(Code::MethodNotAllowed, "Method Not Allowed")
}
