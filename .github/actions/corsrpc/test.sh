#!/usr/bin/env bash
# test.sh: runs the tests of the policy; it annotates those that fail, and writes a file in JUnit's form.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=inputs.sh
source "$GITHUB_ACTION_PATH/inputs.sh"
read_lines "$TEST_FILES"
if [ ${#lines[@]} -eq 0 ]; then
  echo "The input tests is empty: no tests are run."
  exit 0
fi
files=("${lines[@]}")
arguments=()
add_flags --descriptors "$DESCRIPTORS"
mkdir -p -- "$(dirname -- "$JUNIT")"
# Both runs have the same results. The exit code of the second one counts.
"$CORSRPC" test -o junit ${arguments[@]+"${arguments[@]}"} -- "${files[@]}" 2>/dev/null >"$JUNIT" || true
"$CORSRPC" test -o github ${arguments[@]+"${arguments[@]}"} -- "${files[@]}"
