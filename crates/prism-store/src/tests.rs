//! The store as a whole: what it promises, under every way to stop it.

mod attempts;
mod backup;
mod blobs;
mod clocks;
mod fixture;
mod full;
mod group;
mod kill;
mod lists;
mod model;
mod opening;
mod power;
mod queue;
mod results;
mod reviews;
mod rounds;
mod steps;
mod uploads;
