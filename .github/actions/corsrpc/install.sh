#!/usr/bin/env bash
# install.sh: builds the program from the commit of the action, and tells later steps its path.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=inputs.sh
source "$GITHUB_ACTION_PATH/inputs.sh"
command -v go >/dev/null || fail "Go is not installed: add a step 'uses: actions/setup-go@v5' before this one"
program=$RUNNER_TEMP/corsrpc/corsrpc
# The settings for the builds of the repository under test do not apply to this one.
GOFLAGS='' GOWORK=off CGO_ENABLED=0 go build -C "$GITHUB_ACTION_PATH/../../../corsrpc/cmd" -trimpath -buildvcs=false -o "$program" ./corsrpc
echo "corsrpc=$program" >>"$GITHUB_OUTPUT"
