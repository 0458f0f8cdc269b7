#!/usr/bin/env bash
# What plugins cost, against the goals: processor time and memory of calls, what a bad plugin does to the others, and what
# one costs a decision over HTTP. Builds the examples and the tests first.
# Usage: benches/plugins.sh
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked
ZHANGGUI=$PWD/target/release/zhanggui plugins/build.sh
export ZHANGGUI_PLUGIN_SPEED=1
cargo test --release --locked --test plugins_speed -- --nocapture --test-threads=1
cargo test --release --locked --test plugins_server keeps_pace -- --nocapture --test-threads=1
