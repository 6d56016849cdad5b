#!/usr/bin/env bash
# check.sh: annotates every problem of the policy.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=inputs.sh
source "$GITHUB_ACTION_PATH/inputs.sh"
arguments=(-o github)
add_flags --descriptors "$DESCRIPTORS"
case $STRICT in
true) arguments+=(--strict) ;;
false | '') ;;
*) fail "the input strict is neither true nor false" ;;
esac
"$CORSRPC" check "${arguments[@]}" -- "$POLICY"
