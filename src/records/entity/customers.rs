//! Members, what identifies them, and what was granted to them. Personal data stands in `persons` alone, so that
//! erasing a person leaves the ledger whole.

/// A member. The number is the natural key; a merged member's number leads to the one that took it over.
pub mod member {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "members")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub number: String,
        /// `active`, `blocked`, `merged` or `erased`.
        pub status: String,
        pub merged_into: Option<Uuid>,
        pub tier: Option<String>,
        pub enrolled_store: String,
        pub enrolled_on: i32,
        pub enrolled_at: i64,
        /// Counts changes; the ETag.
        pub version: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Who a member is: the only place of personal data.
pub mod person {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "persons")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub member_id: Uuid,
        pub name: Option<String>,
        pub phone: Option<String>,
        pub address: Option<String>,
        pub birthday: Option<i32>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// An identity document, as a keyed hash of kind and number: one document, one member.
pub mod identity {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "identities")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub hash: String,
        pub kind: String,
        pub member_id: Uuid,
        pub seen_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A card. Balances stay with the member.
pub mod card {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "cards")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: String,
        pub member_id: Uuid,
        /// `active`, `lost`, `broken`, `exchanged`, `blocked`.
        pub status: String,
        pub replaced_by: Option<String>,
        /// Epoch microseconds, by the clock of the desk that handed it out: it does not count before.
        pub issued_at: i64,
        pub ended_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A tier, since when and why. A receipt (`sale_id`) qualifies for one enrolment only.
pub mod tier_grant {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "tier_grants")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub member_id: Uuid,
        pub tier: String,
        pub reason: String,
        pub from_date: i32,
        pub sale_id: Option<Uuid>,
        pub decision_id: Option<Uuid>,
        /// Epoch microseconds: when what brought it about happened, not when it was recorded.
        pub granted_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// What was done to a member's record, by whom: the audit of enrolment, edits, blocks, merges, cards.
pub mod member_event {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "member_events")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub member_id: Uuid,
        pub kind: String,
        pub store: String,
        pub actor: String,
        /// JSON; personal values are blanked when a person is erased.
        pub data: String,
        pub at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A gift that a member may have once (the birthday gift: once a year).
pub mod gift_issue {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "gift_issues")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub member_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub kind: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub year: i32,
        pub store: String,
        pub given_on: i32,
        pub decision_id: Option<Uuid>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
