//! Plugins in the records: what was uploaded, what the operator did with it, entries of the plugins' own, deliveries.
//!
//! Invariants: beside the engine, since none of it is a till's business and a package is large; each change is one
//! transaction. An act is never changed; a plugin's state is what its acts come to, and counts them, so that a node sees
//! with one small query what has changed. A version of a plugin has one content for good.
pub mod birthdays;
pub mod deliveries;
pub mod differences;
pub mod entries;
pub mod failures;
pub mod keys;

use crate::records::database::{Database, errors};
use crate::records::engine::{Store, StoreError};
use crate::records::entity::{plugin_act, plugin_package, plugin_state};
use sea_orm::sea_query::{Expr, LockType, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult,
    IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

/// Grants, settings, limits and roll-out of which nobody has said anything yet.
pub const UNSET: &str = "{}";

/// A package without its bytes.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Uploaded {
    pub plugin: String,
    pub version: String,
    /// SHA-256 of the package, hex.
    pub digest: String,
    /// JSON.
    pub manifest: String,
    pub signed_by: Option<String>,
    pub uploaded_at: i64,
    pub uploaded_by: String,
    /// Whether the bytes are there: not once the plugin was removed.
    pub there: bool,
}

/// What an operator did.
#[derive(Clone, Debug)]
pub struct Act {
    /// `upload`, `grants`, `config`, `limits`, `rollout`, `rollback` or `remove`.
    pub kind: &'static str,
    /// JSON.
    pub data: String,
    pub also: Also,
}

/// What is written with an act.
#[derive(Clone, Debug)]
pub enum Also {
    Nothing,
    /// This package is kept; in place of one of the same version whose bytes were dropped, or whose signature is another.
    Package(Box<plugin_package::Model>),
    /// The bytes of all versions are dropped, and what is to be delivered is cancelled.
    Drop,
}

impl Act {
    pub fn new(kind: &'static str, data: String) -> Act {
        Act { kind, data, also: Also::Nothing }
    }
    pub fn and(mut self, also: Also) -> Act {
        self.also = also;
        self
    }
}

/// Changes a plugin's state: `change` sees the state as nobody else can change it meanwhile, with all versions that were
/// ever uploaded, and gives the act that it is, if it is one.
///
/// # Errors
/// The database's; inside, those of `change`, and then nothing is written.
pub async fn change<T, E>(
    db: &Database,
    plugin: &str,
    who: &str,
    now: i64,
    change: impl FnOnce(&mut plugin_state::Model, &[Uploaded]) -> Result<(T, Option<Act>), E>,
) -> Result<Result<T, E>, StoreError> {
    let begun = db.begin().await?;
    let tx = begun.connection();
    let none = plugin_state::Model {
        plugin: plugin.to_owned(),
        acts: 0,
        grants: UNSET.into(),
        config: UNSET.into(),
        limits: UNSET.into(),
        rollout: UNSET.into(),
        rolled_out_at: None,
    };
    let first = plugin_state::Entity::insert(none.clone().into_active_model());
    let kept = OnConflict::column(plugin_state::Column::Plugin).do_nothing().to_owned();
    first.on_conflict(kept).exec_without_returning(tx).await.map_err(errors::of)?;
    let mut query = plugin_state::Entity::find_by_id(plugin.to_owned());
    if db.backend() == DbBackend::Postgres {
        query = query.lock(LockType::Update);
    }
    let mut state = query.one(tx).await.map_err(errors::of)?.unwrap_or(none);
    let known = uploaded(tx, Some(plugin)).await.map_err(errors::of)?;
    let (answer, act) = match change(&mut state, &known) {
        Ok(done) => done,
        Err(refused) => return Ok(Err(refused)),
    };
    if let Some(act) = act {
        state.acts += 1;
        write(tx, state, act, who, now).await.map_err(errors::of)?;
        begun.finish().await?;
    }
    Ok(Ok(answer))
}

async fn write<C: ConnectionTrait>(
    tx: &C,
    state: plugin_state::Model,
    act: Act,
    who: &str,
    at: i64,
) -> Result<(), DbErr> {
    let plugin = state.plugin.clone();
    let row = plugin_act::Model {
        plugin: plugin.clone(),
        seq: state.acts,
        kind: act.kind.into(),
        data: act.data,
        who: who.to_owned(),
        at,
    };
    plugin_act::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    plugin_state::Entity::update(state.into_active_model().reset_all()).exec(tx).await?;
    match act.also {
        Also::Nothing => {}
        Also::Package(package) => {
            let keys = [plugin_package::Column::Plugin, plugin_package::Column::Version];
            // The content is the same: whose word stands for it, and who brought it, goes with the bytes.
            let again = OnConflict::columns(keys)
                .update_columns([
                    plugin_package::Column::Package,
                    plugin_package::Column::SignedBy,
                    plugin_package::Column::UploadedAt,
                    plugin_package::Column::UploadedBy,
                ])
                .to_owned();
            let insert = plugin_package::Entity::insert((*package).into_active_model());
            insert.on_conflict(again).exec_without_returning(tx).await?;
        }
        Also::Drop => {
            let none = Expr::value(Option::<Vec<u8>>::None);
            let drop = plugin_package::Entity::update_many().col_expr(plugin_package::Column::Package, none);
            drop.filter(plugin_package::Column::Plugin.eq(plugin.clone())).exec(tx).await?;
            deliveries::cancel(tx, &plugin, at).await?;
        }
    }
    Ok(())
}

/// The versions that were uploaded of a plugin, or of all, in the order of upload.
///
/// # Errors
/// The database's.
pub async fn uploaded<C: ConnectionTrait>(db: &C, plugin: Option<&str>) -> Result<Vec<Uploaded>, DbErr> {
    use plugin_package::Column;
    let mut query = plugin_package::Entity::find().select_only().columns([
        Column::Plugin,
        Column::Version,
        Column::Digest,
        Column::Manifest,
        Column::SignedBy,
        Column::UploadedAt,
        Column::UploadedBy,
    ]);
    query = query.column_as(Column::Package.is_not_null(), "there");
    if let Some(plugin) = plugin {
        query = query.filter(Column::Plugin.eq(plugin));
    }
    let query =
        query.order_by_asc(Column::Plugin).order_by_asc(Column::UploadedAt).order_by_asc(Column::Version);
    query.into_model().all(db).await
}

/// The digest of a version and its bytes, unless they were dropped.
///
/// # Errors
/// The database's.
pub async fn package<C: ConnectionTrait>(
    db: &C,
    plugin: &str,
    version: &str,
) -> Result<Option<(String, Vec<u8>)>, DbErr> {
    let found = plugin_package::Entity::find_by_id((plugin.to_owned(), version.to_owned())).one(db).await?;
    Ok(found.and_then(|row| Some((row.digest, row.package?))))
}

/// How all plugins stand.
///
/// # Errors
/// The database's.
pub async fn states<C: ConnectionTrait>(db: &C) -> Result<Vec<plugin_state::Model>, DbErr> {
    plugin_state::Entity::find().order_by_asc(plugin_state::Column::Plugin).all(db).await
}

/// How a plugin stands.
///
/// # Errors
/// The database's.
pub async fn state<C: ConnectionTrait>(db: &C, plugin: &str) -> Result<Option<plugin_state::Model>, DbErr> {
    plugin_state::Entity::find_by_id(plugin.to_owned()).one(db).await
}

/// How many acts each plugin has: what a node asks every second.
///
/// # Errors
/// The database's.
pub async fn revisions<C: ConnectionTrait>(db: &C) -> Result<Vec<(String, i64)>, DbErr> {
    let query = plugin_state::Entity::find().select_only();
    query.columns([plugin_state::Column::Plugin, plugin_state::Column::Acts]).into_tuple().all(db).await
}

/// What was done with a plugin, the newest first.
///
/// # Errors
/// The database's.
pub async fn acts<C: ConnectionTrait>(
    db: &C,
    plugin: &str,
    limit: u64,
) -> Result<Vec<plugin_act::Model>, DbErr> {
    plugin_act::Entity::find()
        .filter(plugin_act::Column::Plugin.eq(plugin))
        .order_by_desc(plugin_act::Column::Seq)
        .limit(limit)
        .all(db)
        .await
}
