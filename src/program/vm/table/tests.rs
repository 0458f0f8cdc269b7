//! Indexes against a search in order.
use super::*;

fn row(at: u32, tests: Vec<CellTest>) -> IndexRow {
    IndexRow { block: 0, row: at, tests, from: i64::MIN, before: i64::MAX }
}

fn table(choice: Choice, tests: Vec<Vec<CellTest>>) -> TableIndex {
    let keys = tests[0].len();
    let rows: Vec<IndexRow> = tests.into_iter().enumerate().map(|(i, t)| row(i as u32, t)).collect();
    let all = (0..rows.len() as u32).collect();
    TableIndex::new(keys, choice, rows, vec![(None, None, all)], true, &vec![None; keys])
}

#[test]
fn large_tables_find_the_same_rows_as_a_search_in_order() {
    use CellTest::*;
    for choice in [Choice::Unique, Choice::First, Choice::Steps(1)] {
        let mut tests = Vec::new();
        for a in 0..20 {
            for b in 0..10 {
                tests.push(match choice {
                    Choice::Steps(_) => vec![Is(a), From(b * 10)],
                    _ => vec![Is(a), Range(b * 10, b * 10 + 8)],
                });
            }
        }
        tests.push(vec![Any, Range(1000, 1001)]);
        let indexed = table(choice, tests);
        assert!(indexed.groups[0].hash.as_ref().is_some_and(|h| h.sorted == Some(1)), "{choice:?}");
        let mut plain = indexed.clone();
        plain.groups[0].hash = None;
        plain.groups[0].exact = None;
        for a in -1..21 {
            for b in -1..102 {
                assert_eq!(indexed.find(&[a, b]), plain.find(&[a, b]), "{choice:?} {a} {b}");
            }
        }
        assert_eq!(indexed.find(&[3, ABSENT]), Some(ABSENT));
        if choice != Choice::Steps(1) {
            assert_eq!(indexed.find(&[3, 9]), Some(ABSENT));
            assert_eq!(indexed.find(&[3, 1000]), Some(200));
        }
    }
}

#[test]
fn two_fitting_rows_are_noticed_in_a_bucket_and_among_the_loose() {
    use CellTest::*;
    let mut tests: Vec<Vec<CellTest>> = (0..20).map(|a| vec![Is(a)]).collect();
    tests.push(vec![Is(7)]);
    tests.push(vec![Any]);
    let unique = table(Choice::Unique, tests.clone());
    assert_eq!(unique.find(&[7]), None);
    assert_eq!(unique.find(&[8]), None, "the row that fits anything fits too");
    assert_eq!(unique.find(&[99]), Some(21));
    let first = table(Choice::First, tests);
    assert_eq!(first.find(&[7]), Some(7));
    assert_eq!(first.find(&[99]), Some(21));
}

#[test]
fn few_combinations_are_answered_beforehand() {
    use CellTest::*;
    let rows = vec![row(0, vec![Is(0), Any]), row(1, vec![Is(1), Is(ABSENT)])];
    let sizes = [Some(2), Some(3)];
    let t = TableIndex::new(2, Choice::Unique, rows, vec![(None, None, vec![0, 1])], false, &sizes);
    assert!(t.direct.is_some());
    assert_eq!(t.find(&[0, 2]), Some(0));
    assert_eq!(t.find(&[1, ABSENT]), Some(1));
    assert_eq!(t.find(&[1, 0]), None);
}

#[test]
fn listed_keys_lead_to_the_row_at_once() {
    use CellTest::*;
    let mut tests: Vec<Vec<CellTest>> =
        (0..30).map(|a| vec![Is(a * 3), Either(vec![Is(ABSENT), Is(a % 4)])]).collect();
    tests.push(vec![Is(9), Is(3)]);
    for choice in [Choice::Unique, Choice::First] {
        let exact = table(choice, tests.clone());
        assert!(exact.groups[0].exact.is_some());
        let mut plain = exact.clone();
        plain.groups[0].exact = None;
        for a in -2..95 {
            for b in [ABSENT, -1, 0, 1, 2, 3, 4] {
                assert_eq!(exact.find(&[a, b]), plain.find(&[a, b]), "{choice:?} {a} {b}");
            }
        }
        let expected = if choice == Choice::Unique { None } else { Some(3) };
        assert_eq!(exact.find(&[9, 3]), expected);
        assert_eq!(exact.find(&[9, ABSENT]), Some(3));
        assert_eq!(exact.find(&[i64::MAX, i64::MIN + 1]), Some(ABSENT));
    }
}
