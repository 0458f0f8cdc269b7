//! Plugins on a running server, as an operator installs, grants, rolls out, watches and removes them: the real binary on
//! SQLite and on PostgreSQL, guests of a few lines, and a server for them to ask.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
#[path = "plugins_server/backlog.rs"]
mod backlog;
mod common;
#[path = "plugins_server/deliveries.rs"]
mod deliveries;
#[path = "plugins_server/demonstration.rs"]
mod demonstration;
#[path = "plugins_server/failures.rs"]
mod failures;
#[path = "plugins_server/guest.rs"]
mod guest;
#[path = "plugins_server/install.rs"]
mod install;
#[path = "plugins_server/pace.rs"]
mod pace;
#[path = "plugins_server/rollout.rs"]
mod rollout;
#[path = "plugins_server/shop.rs"]
mod shop;
#[path = "plugins_server/trouble.rs"]
mod trouble;

use sea_orm::ConnectionTrait as _;

/// Runs a test with the arguments that name its database: none, which is SQLite beside the policies, and PostgreSQL's.
fn each(body: impl Fn(&[&str])) {
    body(&[]);
    let Some(cluster) = common::postgres::cluster() else { return };
    let name = cluster.fresh();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let admin = sea_orm::Database::connect(cluster.url("postgres")).await.unwrap();
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        admin.close().await.unwrap();
    });
    body(&["--database", &cluster.url(&name)]);
}
