#!/bin/sh
# Builds the guests of contract 0.1.0 anew and says which came out differently. What is kept here stays as it was
# released: a later host has to load what vendors built then, not what they would build now.
#
#   tests/guests/0.1.0/rebuild.sh            ZHANGGUI=path/to/zhanggui to use one that is built already
set -eu
here=$(cd "$(dirname "$0")" && pwd)
zhanggui=${ZHANGGUI:-}
if [ -z "$zhanggui" ]; then
  (cd "$here/../../.." && cargo build --locked)
  zhanggui="$here/../../../target/debug/zhanggui"
fi
for guest in facts check quote notify several c; do
  "$zhanggui" plugin build "$here/src/$guest" --target "$here/src/target"
  if cmp -s "$here/src/$guest/plugin.wasm" "$here/$guest.wasm"; then
    echo "$guest: the same"
  else
    echo "$guest: differs (another compiler, or another SDK)"
  fi
done
