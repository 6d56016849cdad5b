#!/usr/bin/env bash
# fuzz.sh FUZZTIME: runs each fuzz target for that long, and prints for each
# that passes how many inputs it tried.
set -euo pipefail
fuzztime=$1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
while read -r dir; do
  while read -r target; do
    echo "$dir $target"
    (cd "$dir" && go test . -run '^$' -fuzz "^$target\$" -fuzztime "$fuzztime") | tee "$log"
    inputs=$(grep -oE 'execs: [0-9]+' "$log" | tail -n 1 | grep -oE '[0-9]+')
    echo "result: $dir $target: $inputs inputs in $fuzztime"
  done < <(grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | sed 's/func //')
done < <(grep -lE '^func Fuzz' -r --include='*_test.go' corsrpc internal | xargs -n1 dirname | sort -u)
