#!/usr/bin/env bash
# breaking.sh BUF: fails if the policy's schema breaks what users have written.
# It compares with the newest release, whose commit no branch contains, or
# before the first release with the first commit that has the schema.
set -euo pipefail
buf=$1
base=$(git -c versionsort.suffix=- tag --list 'v[0-9]*' --sort=-version:refname)
[ -n "$base" ] || base=$(git log --reverse --format=%H -- proto)
base=${base%%$'\n'*} # head would close the pipe early, which makes git fail now and then
if [ -z "$base" ]; then
  echo "buf breaking: no commit has proto/ yet, so there is nothing to compare with: commit it first" >&2
  exit 1
fi
"$buf" breaking proto --against ".git#ref=$base,subdir=proto" || {
  echo "proto/ breaks policies for $base: add fields instead of changing existing ones" >&2
  exit 1
}
