//! Sales as snapshots: what was paid per line, how, and what was promised. Returns read these and compute nothing again.

/// A receipt. `id` follows from the natural key (store, terminal, receipt, business date).
pub mod sale {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sales")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub store: String,
        pub terminal: String,
        pub receipt: String,
        pub business_date: i32,
        pub occurred_at: i64,
        pub recorded_at: i64,
        pub member_id: Option<Uuid>,
        pub card: Option<String>,
        pub card_presented: bool,
        /// The member's tier at the purchase.
        pub tier: Option<String>,
        /// The member's birthday as it was known then: what a return takes back is what was granted.
        pub birthday: Option<i32>,
        pub channel: String,
        pub total: i64,
        /// Order discounts, allocated to the lines.
        pub discount: i64,
        /// Purchase date from which return terms run; earlier than `business_date` after an exchange.
        pub first_date: i32,
        /// The return whose goods these replace.
        pub exchange_of: Option<Uuid>,
        pub signed_for: Option<i32>,
        /// Number of the invoice issued on this receipt.
        pub invoice: Option<String>,
        /// The return that took everything back.
        pub voided_by: Option<Uuid>,
        pub digest: String,
        pub actor: String,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A line: what was paid for `quantity` units, discounts allocated. Units `a..b` are worth `paid*b/q - paid*a/q`, rounded down each.
pub mod sale_line {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sale_lines")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub sale_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub line: i32,
        pub sku: String,
        pub area: String,
        pub category: String,
        pub season: Option<String>,
        pub counter: Option<String>,
        pub quantity: i32,
        pub list_price: i64,
        pub shelf_price: i64,
        pub unit_price: i64,
        pub discount: i64,
        pub paid: i64,
        pub rebate_used: i64,
        pub member_discount: bool,
        pub bulk: bool,
        /// JSON object: what else was known of the article.
        pub facts: String,
        /// JSON object: ledger to points that the policy gave this line, where it says so.
        pub points: String,
        /// Printed: last day for a change of mind.
        pub last_day: Option<i32>,
        /// Printed: last day of the guarantee.
        pub guarantee_end: Option<i32>,
        /// Units taken back so far.
        pub returned: i32,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A tender of a sale.
pub mod sale_tender {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sale_tenders")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub sale_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i32,
        pub kind: String,
        pub reference: String,
        pub amount: i64,
        pub refunded: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A gift or coupon handed out with a sale.
pub mod sale_gift {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sale_gifts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub sale_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i32,
        pub reference: String,
        pub threshold: Option<i64>,
        pub worth: i64,
        /// `given`, `used`, `handed_back` or `paid`.
        pub state: String,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// An order discount or coupon, before allocation.
pub mod discount {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sale_discounts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub sale_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i32,
        pub reference: String,
        pub amount: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
