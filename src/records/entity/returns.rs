//! What came back: slips, lines, tenders, approvals, and what the customer owed first.

/// A recorded return or exchange. `ticket_id` is unique: a ticket is used once.
pub mod return_slip {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "returns")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub ticket_id: Uuid,
        /// None: without a receipt.
        pub sale_id: Option<Uuid>,
        pub store: String,
        pub terminal: String,
        pub business_date: i32,
        pub occurred_at: i64,
        pub recorded_at: i64,
        pub member_id: Option<Uuid>,
        pub requester: String,
        pub remedy: String,
        /// What the lines are worth.
        pub refund: i64,
        /// Kept back from the refund for gifts, rebate and points.
        pub withheld: i64,
        /// What went to tenders: refund less withheld.
        pub paid_out: i64,
        /// Points that could not be taken back and were set off in money.
        pub points_short: i64,
        /// `recorded` or `voided`.
        pub status: String,
        pub exchange_sale: Option<Uuid>,
        pub digest: String,
        pub decision_id: Uuid,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Units `from_unit..from_unit+quantity` of a sale's line.
pub mod return_line {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "return_lines")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub return_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i32,
        pub line: i32,
        pub from_unit: i32,
        pub quantity: i32,
        pub refund: i64,
        pub reason: String,
        pub facts: String,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Money that went back.
pub mod return_tender {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "return_tenders")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub return_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i32,
        pub kind: String,
        pub reference: String,
        pub amount: i64,
        /// The purchase's tender that it goes back to.
        pub sale_seq: Option<i32>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// An approver's answer to a ticket.
pub mod approval {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "approvals")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub ticket_id: Uuid,
        pub sale_id: Option<Uuid>,
        pub store: String,
        /// What was approved: the slip and what else came back on the receipt that day.
        pub amount: i64,
        pub approver: String,
        pub role: String,
        pub verdict: String,
        pub decision_id: Uuid,
        pub at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// What had to be given back first, and how it was settled.
pub mod due {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "dues")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub return_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i32,
        pub kind: String,
        pub reference: String,
        pub amount: i64,
        /// `handed_back`, `paid`, or `withheld` from the refund.
        pub settled: String,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A return that a desk has taken without asking, as it was told of it. Its id is the return's `ticket_id`.
pub mod offline_return {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "offline_returns")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The sale that the printed receipt names, whether it has arrived or not.
        pub sale_id: Uuid,
        pub store: String,
        pub terminal: String,
        /// The number of the return's own slip.
        pub slip: String,
        pub business_date: i32,
        pub occurred_at: i64,
        pub recorded_at: i64,
        /// After this a sale of that time is not taken up any more.
        pub waits_until: i64,
        /// `waiting` for its sale, `recorded`, `differs` (recorded, and the policy says otherwise), `undecided` (nothing
        /// recorded for now) or `refused` (nothing recorded).
        pub state: String,
        /// What the desk said, as JSON.
        pub request: String,
        pub return_id: Option<Uuid>,
        /// JSON list of what the policy says otherwise.
        pub differences: String,
        /// Why nothing is recorded, as problem details.
        pub problem: Option<String>,
        pub decided_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
