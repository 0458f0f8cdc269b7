//! What declarations and their parts look like when they are right: shown where one went wrong.

/// By the word that begins the declaration.
pub fn declaration(word: &str) -> Option<&'static str> {
    Some(match word {
        "vocabulary" => "vocabulary retail version 1",
        "version" => "version 1",
        "enum" => "enum season { spring, summer }",
        "taxonomy" => "taxonomy category { apparel { clothing, fur }, fresh }",
        "unit" => "unit point step 1",
        "currency" => "currency CNY step 0.01",
        "entity" => "entity item { category: category, season: season? }",
        "record" => "record due { kind: due_kind, amount: money }",
        "fact" => "fact member_spend(year: integer): money from records",
        "decision" => "decision earn given member, lines { points: one point else 0 point }",
        "calendar" => "calendar mainland { closed 2026-10-01 through 2026-10-07, open 2026-10-10 }",
        "policy" => "policy jiajie.returns decides return_item",
        "library" => "library jiajie.common",
        "let" => "let until = receipt.date + 7 days",
        "param" => "param limit: money = 300 CNY",
        "set" => "set jiajie.returns.limit = 500 CNY",
        "table" => "table window(c: category) -> length: period",
        "rows" => "rows jiajie.returns.window",
        "rule" | "binding" => "rule opened §6.4 when item.opened then deny",
        "cases" => "cases for return_item at s001",
        "background" => "background \"clean\" receipt.till_slip = yes",
        "case" => "case \"day 8\" given today = 2026-07-09 expect deny",
        _ => return None,
    })
}

/// By the word that begins a part of a declaration, where that word tells enough.
pub fn part(word: &str) -> Option<&'static str> {
    Some(match word {
        "title" => "title zh \"退换货\" en \"Returns\"",
        "source" => "source \"notice of 2026\"",
        "layer" => "layer chain jiajie",
        "governed" => "governed by receipt.date",
        "applies" => "applies when receipt.channel is store",
        "uses" => "uses jiajie.common",
        "extends" => "extends jiajie.base",
        "rounding" => "rounding half up",
        "from" => "from 2026-01-01 before 2027-01-01",
        "before" => "before 2027-01-01",
        "through" => "through 2026-12-31",
        "say" => "say zh \"…\" en \"…\"",
        "accepts" => "accepts W0613 \"why it is right as it stands\"",
        "overrides" => "overrides price for refund",
        "replaces" => "replaces window_7",
        "each" => "for each l in lines",
        "rounded" => "rounded down to 1 point",
        "may" => "store may set [100 CNY..500 CNY]",
        "file" => "file \"counter_rates.csv\"",
        "like" => "like \"day 7\"",
        "with" => "with \"clean\"",
        "given" => "given today = 2026-07-09, item.opened = no",
        "expect" | "by" | "needs" => "expect deny by opened, refund = 0 CNY, last_day is absent",
        _ => return None,
    })
}
