//! Every code that a problem can have: programs rely on them, so that none is renamed or taken away unseen.
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

/// In order; the server's own, those of facts, of plugins, and those of refusals at the counter.
pub const CODES: &[&str] = &[
    "approval-missing",
    "bad-cursor",
    "beyond-ticket",
    "busy",
    "card-exists",
    "card-missing",
    "cases-failed",
    "component-refused",
    "config-missing",
    "config-refused",
    "damaged",
    "delivery-not-dead",
    "discounts-too-large",
    "due-open",
    "dues-exceed-refund",
    "duplicate-fact",
    "enrolment-refused",
    "exchange-elsewhere",
    "exchange-stands",
    "fact-is-recorded",
    "fact-type",
    "facts-missing",
    "gift-refused",
    "grants-missing",
    "grants-refused",
    "hold-closed",
    "hold-expired",
    "idempotency-key-missing",
    "idempotency-key-reused",
    "identity-known",
    "in-the-future",
    "incomplete-fact",
    "insufficient-balance",
    "internal",
    "is-an-exchange",
    "keys-refused",
    "limits-refused",
    "malformed-adjustment",
    "malformed-closing",
    "malformed-counter",
    "malformed-edit",
    "malformed-enrolment",
    "malformed-facts",
    "malformed-hold",
    "malformed-request",
    "malformed-return",
    "malformed-sale",
    "manifest-refused",
    "member-exists",
    "member-not-active",
    "method-not-allowed",
    "no-active-card",
    "no-identity-key",
    "no-member",
    "no-previous-version",
    "no-such-decision",
    "no-ticket-key",
    "not-an-exchange",
    "not-found",
    "not-merged",
    "not-optional",
    "not-read",
    "not-recorded",
    "not-replayed",
    "occurred-at",
    "off-step",
    "open-holds",
    "operator-key-unset",
    "operator-key-wrong",
    "out-of-bounds",
    "out-of-range",
    "own-case",
    "package-altered",
    "package-damaged",
    "package-not-trusted",
    "package-unsigned",
    "plugin-denied",
    "point-worth-missing",
    "policy-conflict",
    "policy-fault",
    "policy-undecided",
    "quantity-not-returnable",
    "reason-missing",
    "receipt-of-another-day",
    "receipt-recorded",
    "receipt-used",
    "redemption-refused",
    "redemption-reversed",
    "refund-out-of-bounds",
    "replacement-refused",
    "request-in-flight",
    "return-refused",
    "return-voided",
    "rollout-refused",
    "sale-not-recorded",
    "same-member",
    "slip-recorded",
    "stale-version",
    "tender-not-allowed",
    "tenders-do-not-add-up",
    "tenders-refused",
    "ticket-elsewhere",
    "ticket-expired",
    "ticket-invalid",
    "ticket-stale",
    "ticket-used",
    "timeout",
    "too-large",
    "too-late",
    "too-many-rows",
    "unbalanced",
    "unknown-card",
    "unknown-decision",
    "unknown-delivery",
    "unknown-fact",
    "unknown-hold",
    "unknown-ledger",
    "unknown-line",
    "unknown-member",
    "unknown-plugin",
    "unknown-plugin-version",
    "unknown-record",
    "unknown-redemption",
    "unknown-return",
    "unknown-sale",
    "unknown-settlement",
    "unknown-store",
    "unknown-tender",
    "unknown-voucher",
    "unsupported-media-type",
    "version-exists",
    "vocabulary-mismatch",
    "voucher-full",
    "voucher-spent",
    "wrong-hold",
    "year-not-over",
];

/// The codes as the description has them.
pub fn schema() -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(CODES.iter().copied())).build()
}

#[cfg(test)]
mod tests {
    use super::CODES;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// Texts in quotation marks that have the form of a code.
    fn codes_in(path: &Path, found: &mut BTreeSet<String>) {
        // Failures of plugins have codes of their own, which are no problems'.
        if path.ends_with("plugged") {
            return;
        }
        if path.is_dir() {
            std::fs::read_dir(path).unwrap().for_each(|entry| codes_in(&entry.unwrap().path(), found));
        } else {
            let text = std::fs::read_to_string(path).unwrap();
            let words = text.split('"').filter(|w| w.contains('-') && w.split('-').all(is_word));
            found.extend(words.map(str::to_owned));
        }
    }

    fn is_word(part: &str) -> bool {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase())
    }

    #[test]
    fn the_list_is_what_the_code_has() {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut found: BTreeSet<String> =
            ["busy", "timeout", "internal", "damaged", "unbalanced"].map(str::to_owned).into();
        for part in ["counter", "records/ledger", "program/bind/error.rs", "server/problem.rs"] {
            codes_in(&src.join(part), &mut found);
        }
        let listed: BTreeSet<String> = CODES.iter().map(|c| (*c).to_owned()).collect();
        assert_eq!(found, listed);
        assert!(CODES.is_sorted());
    }
}
