#!/usr/bin/env bash
# diff.sh: compares the policy with that of the base; it annotates the differences, and writes the whole
# comparison into the job's summary.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=inputs.sh
source "$GITHUB_ACTION_PATH/inputs.sh"
if [ -z "$BASE" ]; then
  echo "This is not a pull request, and the input base is empty: the policy is not compared."
  exit 0
fi
fail_on=()
case $FAIL_MODE in
wider | any) fail_on=(--fail-on "$FAIL_MODE") ;;
none) ;;
*) fail "the input fail-on is not one of wider, any and none" ;;
esac
git rev-parse --git-dir >/dev/null # if it cannot be read, git says why

# commit_of NAME prints the hexadecimal name of a commit.
commit_of() { git rev-parse --verify --quiet --end-of-options "$1^{commit}"; }

case $BASE in
-* | +* | *:*) fail "the input base is not the name of a commit or a branch" ;;
esac
if ! base=$(commit_of "refs/remotes/origin/$BASE" || commit_of "$BASE"); then
  # actions/checkout fetches one commit only, unless fetch-depth is 0.
  git fetch --quiet --no-tags --depth=1 --end-of-options origin "$BASE" ||
    fail "the base cannot be fetched: check the input base, and give actions/checkout fetch-depth: 0"
  base=$(commit_of FETCH_HEAD)
fi
# A change of the base since the branch left it is not a change of the pull request.
base=$(git merge-base "$base" HEAD 2>/dev/null || echo "$base")

# The path from the top of the repository; empty if the file is not in the repository. Without -z, git quotes
# some names.
names=$RUNNER_TEMP/corsrpc/names
git --literal-pathspecs ls-files -z --full-name -- "$POLICY" >"$names"
IFS= read -r -d '' path <"$names" || path=''
if [ -z "$path" ] || ! git cat-file -e "$base:$path" 2>/dev/null; then
  echo "::warning title=corsrpc::The base does not have this policy, so it is not compared: all that it grants is new"
  exit 0
fi

arguments=()
[ -z "$PROFILE" ] || arguments+=(--profile "$PROFILE")
add_flags --descriptors "$DESCRIPTORS"
add_flags --old-descriptors "$BASE_DESCRIPTORS"
arguments+=(-- "git:$base:/$path" "$POLICY")
out=$RUNNER_TEMP/corsrpc/diff.txt notes=$RUNNER_TEMP/corsrpc/notes.txt
"$CORSRPC" diff "${arguments[@]}" >"$out" 2>"$notes" || true # the exit code of the second run counts
{
  echo '## What the CORS policy grants'
  echo
  # Indented lines are code, whatever they contain. A summary has at most 1 MiB.
  { cat -- "$out" "$notes" || true; } | { head -c 500000; cat >/dev/null; } | sed 's/^/    /'
  echo
} >>"$GITHUB_STEP_SUMMARY"
verdict=$(head -n 1 -- "$out")
case $verdict in
same:* | stricter:* | wider:* | both:*) echo "verdict=${verdict%%:*}" >>"$GITHUB_OUTPUT" ;;
esac
"$CORSRPC" diff -o github ${fail_on[@]+"${fail_on[@]}"} "${arguments[@]}"
