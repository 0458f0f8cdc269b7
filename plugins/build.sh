#!/bin/sh
# Builds every example into its `plugin.wasm` and runs its cases. Installs nothing; what is missing is said with the
# command that brings it:
#
#   Rust        rustup target add wasm32-unknown-unknown, or Debian's rustc-web cargo-web rust-web-src lld-19
#   JavaScript  Node 20 or newer; `npm install` in plugins/examples/coupon-lookup
#
#   plugins/build.sh                         ZHANGGUI=path/to/zhanggui to use one that is built already
set -eu
here=$(cd "$(dirname "$0")" && pwd)
zhanggui=${ZHANGGUI:-}
if [ -z "$zhanggui" ]; then
  (cd "$here/.." && cargo build --locked)
  zhanggui="$here/../target/debug/zhanggui"
fi
failed=
for example in serial-returner courier-quote birthday-message coupon-lookup; do
  if "$zhanggui" plugin build --quiet "$here/examples/$example" --target "$here/target" &&
    "$zhanggui" plugin test "$here/examples/$example"; then :; else
    failed="$failed $example"
  fi
done
if [ -n "$failed" ]; then
  echo "not built or not passed:$failed" >&2
  exit 1
fi
