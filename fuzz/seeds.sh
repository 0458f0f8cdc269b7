#!/usr/bin/env bash
# Writes the seeds of all targets into fuzz/corpus: the repository's own texts, whole and paragraph by paragraph.
# The first bytes of a seed choose what the rest is; see the targets.
set -euo pipefail
cd "$(dirname "$0")"
for target in parser formatter facts analysis; do mkdir -p "corpus/$target"; done

# $1: target, $2: the first byte in octal, $3: a file.
seed() {
  local name
  name=$(echo "$3" | tr '/.' '__')
  { printf "\\$2"; cat "$3"; } >"corpus/$1/$name"
  awk -v RS= -v dir="corpus/$1/$name" -v first="$2" '{ file = dir "_" NR; printf "%c", first + 0 > file; printf "%s\n", $0 > file; close(file) }' "$3"
}

while read -r file; do
  case "$file" in
    *.policy) byte=0 ;;
    *.vocab) byte=3 ;;
    *.cases) byte=4 ;;
    *.csv) byte=5 ;;
  esac
  for target in parser formatter; do
    [[ $target == formatter && $byte == 5 ]] || seed "$target" "$byte" "$file"
  done
done < <(find ../policies ../tests ../src/cli/starter -name '*.policy' -o -name '*.vocab' -o -name '*.cases' -o -name '*.csv' | sort)

# Single cells and expressions.
number=0
grep -rhoE '\| [^|]+' ../policies/jiajie --include='*.policy' | sort -u | cut -c3- | while read -r cell; do
  number=$((number + 1))
  printf '\006%s' "$cell" >"corpus/parser/cell_$number"
  printf '\007%s' "$cell" >"corpus/parser/expression_$number"
done

# Facts: a shape, a program, a decision, then JSON; or a shape and choices.
for json in ../docs/examples/*.json; do
  for decision in $(seq 0 15); do
    { printf "\\000\\000\\$(printf '%o' "$decision")"; cat "$json"; } >"corpus/facts/$(basename "$json" .json)_$decision"
  done
done
for decision in $(seq 0 15); do
  for start in 1 2 3 4; do
    { printf "\\001\\$(printf '%o' "$start")\\$(printf '%o' "$decision")\\001"; head -c 400 ../docs/decisions/0002-semantics.md | tail -c $((start * 90)); } \
      >"corpus/facts/choices_${decision}_$start"
  done
done

# Policies by choices.
for start in 1 2 3 4 5 6 7 8; do
  head -c $((start * 40)) ../docs/decisions/0001-surface.md | tail -c 40 >"corpus/analysis/choices_$start"
done
