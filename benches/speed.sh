#!/usr/bin/env bash
# How long `check` takes: each command's median wall time over five runs, in milliseconds, with the release build.
# Usage: cargo build --release --locked && benches/speed.sh
set -euo pipefail
cd "$(dirname "$0")/.."
program=$PWD/target/release/zhanggui
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

median() {
  for _ in 1 2 3 4 5; do
    local begin end
    begin=$(date +%s%N)
    "$@" >/dev/null 2>&1 || true
    end=$(date +%s%N)
    echo $(((end - begin) / 1000000))
  done | sort -n | sed -n 3p
}

line() { printf '| %-62s | %6s |\n' "$1" "$2"; }

rulebook() {
  mkdir -p "$1"
  printf 'name = "%s"\nvocabulary = ["x.vocab"]\nlayers = ["chain"]\n[store.s1]\n' "$(basename "$1")" >"$1/rulebook.toml"
  cat >"$1/x.vocab" <<'TEXT'
vocabulary x
currency CNY step 0.01
enum kind: full, special, clearance
fact counter: code
fact price_kind: kind
fact paid: money
fact today: date
decision rate given counter, price_kind, paid, today { per_point: one money optional }
TEXT
}

rulebook "$folder/prices"
cat >"$folder/prices/a.policy" <<'TEXT'
policy a decides rate
  layer chain
table rates(counter: code, kind: kind) -> per_point: money? file "rates.csv"
rule by_counter §1 when rates(counter, price_kind) is not absent then per_point = rates(counter, price_kind)
TEXT
awk 'BEGIN { print "counter,kind,per_point"; for (i = 0; i < 50000; i++) { print "\"C" i "\",full," i % 90 + 1 ".50 CNY"; print "\"C" i "\",special," i % 40 + 1 " CNY" } }' >"$folder/prices/rates.csv"

# What the parser dislikes most, each a policy file of nearly the permitted size.
torn() {
  rulebook "$folder/$1"
  { printf 'policy a decides rate\n  layer chain\n'; awk "BEGIN { $2 }"; } >"$folder/$1/a.policy"
}
torn brackets 'printf "let x = "; for (i = 0; i < 1000000; i++) printf "("'
torn nots 'printf "let x = "; for (i = 0; i < 250000; i++) printf "not "'
torn ifs 'printf "let x = "; for (i = 0; i < 60000; i++) printf "if a then b else "; print "c"'
torn sums 'printf "let x = 1"; for (i = 0; i < 240000; i++) printf " + 1"; print ""'
torn quotes 'for (i = 0; i < 100000; i++) print "let x = \""'
torn words 'for (i = 0; i < 70000; i++) print "rule r" i " x"'
torn rows 'print "table t(a: integer) -> b: integer"; for (i = 0; i < 55000; i++) print "  | " i " | 1 |"'

echo '| `zhanggui check` of | ms (median of 5) |'
echo '| --- | ---: |'
line 'Jiajie, all analyses' "$(median "$program" check policies/jiajie)"
line 'Jiajie and the gallery, all analyses' "$(median "$program" check policies)"
line 'a table of 100,000 rows in a CSV file' "$(median "$program" check "$folder/prices")"
for what in brackets nots ifs sums quotes words rows; do
  line "torn: $what, $(($(wc -c <"$folder/$what/a.policy") / 1024)) KiB" "$(median "$program" check "$folder/$what")"
done
