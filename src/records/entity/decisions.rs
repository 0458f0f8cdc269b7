//! What was decided and answered: the hash chain per store, stored answers, events to deliver.

/// A decision with everything that replaying it needs. `hash` covers `previous` and every other column.
pub mod decision {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "decisions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub store: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i64,
        pub id: Uuid,
        pub decision: String,
        /// Digest of the rulebook's texts.
        pub rulebook: String,
        /// JSON as evaluated.
        pub facts: String,
        /// JSON as answered.
        pub outcome: String,
        pub cause: String,
        pub cause_id: Option<Uuid>,
        pub actor: String,
        pub recorded_at: i64,
        pub previous: String,
        pub hash: String,
        /// What plugins were asked and said, JSON; none where none was asked.
        pub plugins: Option<String>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// The head of a store's chain.
pub mod chain {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "chains")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub store: String,
        pub seq: i64,
        pub hash: String,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// The texts of a rulebook that has decided something, by digest.
pub mod rulebook {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "rulebooks")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub digest: String,
        pub name: String,
        /// JSON object: path to text.
        pub files: String,
        pub recorded_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// The answer to a write, by its `Idempotency-Key`; kept for good.
pub mod answer {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "answers")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: String,
        /// SHA-256 of operation and body, hex.
        pub fingerprint: String,
        pub status: i32,
        pub body: String,
        pub recorded_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// What servers had answered to a plugin, where a decision went by it: beside the chain, which vouches for its digest only,
/// so that it can be deleted.
pub mod plugin_response {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "plugin_responses")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub decision_id: Uuid,
        /// The place of the call in the decision's `plugins`.
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i32,
        /// JSON, as the digest was taken of it; none: there were no responses, or too many bytes of them.
        pub body: Option<String>,
        /// JSON: the lines that the plugin logged.
        pub log: Option<String>,
        pub recorded_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// The outbox: what others are to be told, in the order of recording.
pub mod event {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "events")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub kind: String,
        pub store: String,
        pub data: String,
        pub recorded_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Keys that the nodes share: tickets are signed with one.
pub mod secret {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "secrets")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub value: String,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
