#!/usr/bin/env bash
# run.sh [--free-ports]: the example of the gateway with Envoy in the gateway's place, and corsrpc as Envoy's
# external processor. It needs what that example needs, and Envoy: ENVOY names it, or it is in PATH, or Python
# installs it.
exec "$(dirname "${BASH_SOURCE[0]}")/../gateway/run.sh" --envoy "$@"
