//! The ledger: movements of entries that sum to zero, lots, holds; and what is derived from them.

/// A member's balances in one ledger; each equals the sum of its entries. Never negative, but for `debt`, which is what is owed (positive).
pub mod account {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "accounts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub member_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub ledger: String,
        pub available: i64,
        pub pending: i64,
        pub held: i64,
        pub debt: i64,
        pub version: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Why entries were made: immutable.
pub mod movement {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "movements")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub member_id: Uuid,
        pub ledger: String,
        /// `earn`, `claw_back`, `hold`, `capture`, `release`, `spend`, `reverse`, `activate`, `expire`, `settle`, `credit`, `adjust`, `merge`.
        pub kind: String,
        /// `sale`, `return`, `redemption`, …
        pub cause: String,
        pub cause_id: Option<Uuid>,
        pub reverses: Option<Uuid>,
        pub store: String,
        pub business_date: i32,
        pub occurred_at: i64,
        pub recorded_at: i64,
        pub actor: String,
        pub clause: Option<String>,
        pub digest: Option<String>,
        pub reason: Option<String>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One leg. `bucket` is the member's `available`, `pending`, `held`, `debt`, or the house's `issued`, `redeemed`, `expired`, `settled`, `adjusted`, `clawed`, whose balances are never stored.
pub mod entry {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "entries")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub movement_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i32,
        pub member_id: Uuid,
        pub ledger: String,
        pub bucket: String,
        pub amount: i64,
        pub lot_id: Option<Uuid>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// What was earned at once, with its own life. `remaining` includes `held`.
pub mod lot {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "lots")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub member_id: Uuid,
        pub ledger: String,
        /// The sale (or other cause) that earned it.
        pub cause_id: Option<Uuid>,
        pub earned_at: i64,
        pub earned_on: i32,
        pub activates_on: Option<i32>,
        pub expires_on: Option<i32>,
        pub amount: i64,
        pub remaining: i64,
        pub held: i64,
        /// The member that a merger brought it from.
        pub moved_from: Option<Uuid>,
        /// `pending`, `open` or `closed`.
        pub state: String,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Points set aside until they are captured, released, or the time is over.
pub mod hold {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "holds")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub member_id: Uuid,
        pub ledger: String,
        pub amount: i64,
        pub captured: i64,
        /// `open`, `captured`, `released` or `expired`.
        pub state: String,
        pub purpose: String,
        pub store: String,
        pub expires_at: i64,
        /// JSON list of [lot, amount] in spend order.
        pub lots: String,
        pub created_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// What points became.
pub mod redemption {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "redemptions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub member_id: Uuid,
        pub ledger: String,
        pub wish: String,
        pub reference: Option<String>,
        pub points: i64,
        pub worth: i64,
        /// `recorded` or `reversed`.
        pub status: String,
        pub store: String,
        pub movement_id: Uuid,
        pub decision_id: Uuid,
        pub business_date: i32,
        pub occurred_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A goods voucher: stored value that never becomes cash.
pub mod voucher {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "vouchers")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: String,
        pub member_id: Option<Uuid>,
        pub worth: i64,
        pub balance: i64,
        /// `issued`, `spent` or `void`.
        pub status: String,
        pub redemption_id: Option<Uuid>,
        pub issued_on: i32,
        pub version: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A year's end of one ledger.
pub mod settlement {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "settlements")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub ledger: String,
        pub year: i32,
        /// `running` or `finished`.
        pub status: String,
        pub as_of: i32,
        /// The last member that is done.
        pub cursor: Option<Uuid>,
        pub members: i64,
        pub cleared: i64,
        pub credited: i64,
        pub started_at: i64,
        pub finished_at: Option<i64>,
        pub actor: String,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A member's year, settled once.
pub mod settled_member {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "settled_members")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub member_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub ledger: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub year: i32,
        pub settlement_id: Uuid,
        pub points: i64,
        pub cleared: i64,
        pub credit: i64,
        pub decision_id: Option<Uuid>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A member's day: spend net of returns, for the facts that look back over days and years.
pub mod member_day {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "member_days")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub member_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub date: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub area: String,
        pub spent: i64,
        pub returned: i64,
        pub receipts: i32,
        /// Points of that day's sales, net of what was taken back.
        pub earned: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
