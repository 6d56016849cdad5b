#!/usr/bin/env bash
# breaking.sh BUF: fails where the policy's schema breaks what users have
# written. The yardstick is the latest release, or before the first one the
# first commit that holds the schema.
set -euo pipefail
buf=$1
base=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || git log --reverse --format=%H -- proto)
base=${base%%$'\n'*} # not by head: git would be told that nobody reads the rest, and fail now and then
if [ -z "$base" ]; then
  echo "buf breaking: no commit holds proto/ yet, so there is nothing to compare with: commit it first" >&2
  exit 1
fi
"$buf" breaking proto --against ".git#ref=$base,subdir=proto" || {
  echo "proto/ breaks policies written against $base: add fields instead of changing them" >&2
  exit 1
}
