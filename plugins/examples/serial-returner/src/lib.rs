//! How much a member's returns look like borrowing: a score from 0 to 100 of what the chain passes, with nothing looked
//! up. Every part of the score is logged, so that whoever is refused something can be told why.
mod day;

use day::days_between;
use zhanggui_plugin::prelude::*;

struct SerialReturner;

impl Facts for SerialReturner {
    fn decide(call: &Call, _responses: &Responses) -> Result<FactsStep, Error> {
        match call.function.as_str() {
            "score" => Ok(FactsStep::Answer(Value::Whole(score(call)?))),
            other => Err(Error::Unsupported(other.to_owned())),
        }
    }
}

zhanggui_plugin::export!(SerialReturner: facts);

/// What the returns of the last days come to.
#[derive(Default)]
struct History {
    returns: i64,
    refunds: Option<Money>,
    /// Returned within a week after it was bought: worn once.
    quick: i64,
    forgiven: i64,
}

fn score(call: &Call) -> Result<i64, Error> {
    let days: i64 = config::get("days")?;
    let patience: i64 = config::get("patience")?;
    let forgiven: String = config::get("forgiven")?;
    let forgiven: Vec<&str> = forgiven.split(',').map(str::trim).collect();
    // The day that the decision is about, where the chain passes it; a decision may be about yesterday.
    let today = call.maybe("today", Call::date)?.unwrap_or(&call.today);

    let mut history = History::default();
    for row in call.table("recent_returns") {
        let date = row.date("date")?;
        if !within(date, today, days)? {
            continue;
        }
        if row.maybe("reason", Row::word)?.is_some_and(|reason| forgiven.contains(&reason)) {
            history.forgiven += 1;
            continue;
        }
        history.returns += 1;
        let refund = row.money("refund")?;
        history.refunds = Some(match &history.refunds {
            Some(sum) => sum.plus(refund)?,
            None => refund.clone(),
        });
        if let Some(bought) = row.maybe("bought_on", Row::date)? {
            if within(bought, date, 7)? {
                history.quick += 1;
            }
        }
    }
    if history.forgiven > 0 {
        log::info(&format!("{} returns were the shop's fault and do not count", history.forgiven));
    }
    if history.returns <= patience {
        log::info(&format!("0: {} returns in {days} days, up to {patience} are fine", history.returns));
        return Ok(0);
    }

    let mut bought: Option<Money> = None;
    for row in call.table("recent_purchases") {
        if within(row.date("date")?, today, days)? {
            let paid = row.money("paid")?;
            bought = Some(match &bought {
                Some(sum) => sum.plus(paid)?,
                None => paid.clone(),
            });
        }
    }

    // Half of the score is how often, a third how much of what was bought came back, a sixth how soon.
    let often = (10 * (history.returns - patience)).min(50);
    let refunds = history.refunds.map_or(0, |m| m.minor);
    let spent = bought.map_or(0, |m| m.minor);
    let share = if spent <= 0 { 100 } else { percent(refunds, spent).min(100) };
    let much = share * 33 / 100;
    let quick = percent(history.quick, history.returns);
    let soon = quick * 17 / 100;
    log::info(&format!("+{often}: {} returns in {days} days, up to {patience} are fine", history.returns));
    log::info(&format!("+{much}: {share} % of what was bought came back"));
    log::info(&format!("+{soon}: {quick} % came back within a week"));
    Ok((often + much + soon).clamp(0, 100))
}

/// Whether a day lies at most so many days before another.
fn within(day: &str, today: &str, days: i64) -> Result<bool, Error> {
    let between = days_between(day, today).ok_or_else(|| Error::InvalidInput(format!("no days: {day}, {today}")))?;
    Ok((0..=days).contains(&between))
}

fn percent(part: i64, whole: i64) -> i64 {
    let percent = i128::from(part) * 100 / i128::from(whole.max(1));
    percent.clamp(0, 1000) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use zhanggui_plugin::{log::Level, test};

    fn back(date: &str, bought: &str, yuan: i64, reason: &str) -> Row {
        Row::new([
            Field::new("date", Value::date(date)),
            Field::new("bought_on", Value::date(bought)),
            Field::new("refund", Money::new(yuan * 100, "CNY")),
            Field::new("reason", Value::word(reason)),
        ])
    }

    fn asked(returns: Vec<Row>, bought: i64) -> i64 {
        test::reset();
        test::set("days", "90");
        test::set("patience", "3");
        test::set("forgiven", "quality_complaint, label_error");
        let purchase = Row::new([
            Field::new("date", Value::date("2026-06-01")),
            Field::new("paid", Money::new(bought * 100, "CNY")),
        ]);
        let call = test::call("score")
            .argument("member", Value::text("88001"))
            .rows("recent_returns", returns)
            .rows("recent_purchases", [purchase]);
        match test::facts::<SerialReturner>(&call, test::nobody) {
            Ok(FactsStep::Answer(Value::Whole(score))) => score,
            other => panic!("no score: {other:?}"),
        }
    }

    #[test]
    fn a_few_returns_are_nobodys_business() {
        assert_eq!(asked(vec![back("2026-06-20", "2026-06-18", 500, "wrong_size"); 3], 500), 0);
    }

    #[test]
    fn the_shops_faults_do_not_count() {
        assert_eq!(asked(vec![back("2026-06-20", "2026-06-18", 500, "label_error"); 9], 500), 0);
    }

    #[test]
    fn old_returns_do_not_count() {
        assert_eq!(asked(vec![back("2026-01-20", "2026-01-18", 500, "wrong_size"); 9], 500), 0);
    }

    #[test]
    fn wearing_and_bringing_back_scores_high_and_says_why() {
        assert_eq!(asked(vec![back("2026-06-20", "2026-06-18", 500, "wrong_size"); 9], 5000), 50 + 29 + 17);
        let log = test::logged();
        assert!(log.contains(&(Level::Info, "+29: 90 % of what was bought came back".to_owned())), "{log:?}");
    }
}
