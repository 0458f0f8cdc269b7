//! Plugins: packages, what the operator did with them, their own entries, and events on their way out. These are not
//! records of what happened at a counter: they are written beside the engine, each in a transaction of its own.

/// A package as it was uploaded. A version has one content for good: its row stays when the plugin is removed.
pub mod plugin_package {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "plugin_packages")]
    pub struct Model {
        /// `vendor.name`.
        #[sea_orm(primary_key, auto_increment = false)]
        pub plugin: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: String,
        /// SHA-256 of the package, hex.
        pub digest: String,
        /// The `.zgp`; none once the plugin was removed.
        pub package: Option<Vec<u8>>,
        /// JSON.
        pub manifest: String,
        /// The id of the vendor's key; none: unsigned, for development.
        pub signed_by: Option<String>,
        pub uploaded_at: i64,
        pub uploaded_by: String,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// How a plugin stands now: what its acts come to.
pub mod plugin_state {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "plugin_states")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub plugin: String,
        /// How many acts there are; nodes look at it to see whether something changed.
        pub acts: i64,
        /// JSON.
        pub grants: String,
        /// JSON object: setting to value.
        pub config: String,
        /// JSON.
        pub limits: String,
        /// JSON.
        pub rollout: String,
        /// Since when it is rolled out without a break: events from then on are its own.
        pub rolled_out_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// What an operator did with a plugin, in order; never changed.
pub mod plugin_act {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "plugin_acts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub plugin: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i64,
        /// `upload`, `grants`, `config`, `limits`, `rollout`, `rollback` or `remove`.
        pub kind: String,
        /// JSON.
        pub data: String,
        pub who: String,
        pub at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// An entry of a plugin's own store.
pub mod plugin_entry {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "plugin_entries")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub plugin: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: String,
        pub value: Vec<u8>,
        /// Bytes of key and value.
        pub size: i64,
        pub expires_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A call that a version in shadow would have answered otherwise.
pub mod plugin_difference {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "plugin_differences")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub plugin: String,
        /// The version that answered.
        pub active: String,
        /// The version that would have answered otherwise.
        pub shadow: String,
        pub store: String,
        pub function: String,
        /// The call's key.
        pub key: String,
        /// JSON.
        pub said: String,
        /// JSON.
        pub would_say: String,
        pub at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Calls for decisions that had no answer that could be used: those of one minute that failed alike at one store.
pub mod plugin_failure {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "plugin_failures")]
    pub struct Model {
        /// Ordered by the minute.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub plugin: String,
        /// What ran; none if nothing did.
        pub version: Option<String>,
        /// SHA-256 of what ran, hex; none if nothing did.
        pub digest: Option<String>,
        pub function: String,
        pub store: String,
        /// The failure's.
        pub code: String,
        /// The last failure's, cut.
        pub text: String,
        pub calls: i64,
        /// The last call's.
        pub key: String,
        /// The operation that the last call was made for; none where nothing is recorded.
        pub operation: Option<String>,
        pub first_at: i64,
        pub last_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A key that a vendor signs packages with.
pub mod vendor_key {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "vendor_keys")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub vendor: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub key_id: String,
        /// Ed25519, as the vendor gave it.
        pub public_key: String,
        pub added_at: i64,
        pub added_by: String,
        /// Packages signed with it are refused from then on.
        pub revoked_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// How far the events were looked through for a plugin.
pub mod plugin_cursor {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "plugin_cursors")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub plugin: String,
        /// Events recorded before it are not for this plugin.
        pub since: i64,
        pub seen_at: i64,
        pub seen_id: Uuid,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// An event on its way out through a plugin.
pub mod delivery {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "plugin_deliveries")]
    pub struct Model {
        /// Also the key of the call: the same at every attempt.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub plugin: String,
        pub event_id: Uuid,
        /// The event's.
        pub kind: String,
        /// The event's.
        pub store: String,
        /// `pending`, `delivered`, `dead` or `cancelled`.
        pub state: String,
        pub attempts: i32,
        /// Not before.
        pub next_at: i64,
        /// A node is at it until then.
        pub leased_until: Option<i64>,
        /// JSON: why the last attempt did not deliver.
        pub failure: Option<String>,
        /// JSON: the lines that the plugin logged at the last attempt.
        pub log: Option<String>,
        /// The version of the last attempt.
        pub version: Option<String>,
        pub created_at: i64,
        pub done_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
