#!/usr/bin/env bash
# setup.sh: installs the Debian packages that the tests need and that are not
# there yet, and says what else is missing. Silent when nothing is.
set -euo pipefail

go_needed=1.26
node_needed=20

packages=()
problems=()

# The headers are a package of their own, which gcc only recommends.
compiles_c() {
  command -v gcc >/dev/null && echo '#include <stdlib.h>' | gcc -fsyntax-only -x c - 2>/dev/null
}

has_minibrowser() {
  local path
  for path in /usr/lib/*/webkit2gtk-4.*/MiniBrowser /usr/libexec/webkit2gtk-4.*/MiniBrowser; do
    [ ! -x "$path" ] || return 0
  done
  return 1
}

# Debian keeps the server's programs off the PATH.
has_postgres() {
  local path
  for path in /usr/lib/postgresql/*/bin/postgres; do
    [ ! -x "$path" ] || return 0
  done
  return 1
}

# at_least VERSION NEEDED
at_least() {
  [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

compiles_c || packages+=(gcc libc6-dev)
command -v chromium >/dev/null || packages+=(chromium)
command -v firefox-esr >/dev/null || packages+=(firefox-esr)
has_minibrowser || packages+=(webkit2gtk-driver)
command -v Xvfb >/dev/null || packages+=(xvfb)
command -v git >/dev/null || packages+=(git)
command -v curl >/dev/null || packages+=(curl)
has_postgres || packages+=(postgresql)
command -v shellcheck >/dev/null || packages+=(shellcheck)

# Debian 12 packages neither of these in a version that would do.
if ! command -v go >/dev/null; then
  problems+=("go is missing: install Go $go_needed or newer and put it on PATH")
elif ! version=$(go env GOVERSION | sed 's/^go//; s/ .*//') || ! at_least "$version" "$go_needed"; then
  problems+=("go is ${version:-unusable}: install Go $go_needed or newer and put it on PATH")
fi
if ! command -v node >/dev/null; then
  problems+=("node is missing: install Node.js $node_needed or newer, npm included, and put it on PATH")
elif ! version=$(node --version | sed 's/^v//') || ! at_least "$version" "$node_needed"; then
  problems+=("node is ${version:-unusable}: install Node.js $node_needed or newer and put it on PATH")
fi
command -v npm >/dev/null || problems+=("npm is missing: install the npm that comes with Node.js $node_needed or newer and put it on PATH")
command -v make >/dev/null || packages+=(make)

if [ ${#packages[@]} -gt 0 ]; then
  install="apt-get install --yes --no-install-recommends ${packages[*]}"
  if ! command -v apt-get >/dev/null; then
    problems+=("missing, and there is no apt-get to install it with: what Debian packages as ${packages[*]}")
  else
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
      if command -v sudo >/dev/null; then
        as_root=(sudo env DEBIAN_FRONTEND=noninteractive)
      else
        problems+=("missing packages, and neither root nor sudo to install them: run as root: $install")
      fi
    fi
    if [ "$(id -u)" -eq 0 ] || [ ${#as_root[@]} -gt 0 ]; then
      echo "installing ${packages[*]}"
      export DEBIAN_FRONTEND=noninteractive
      log=$(mktemp)
      trap 'rm -f "$log"' EXIT
      # shellcheck disable=SC2086 # a list of words by intent
      if ! { "${as_root[@]}" apt-get update && "${as_root[@]}" $install; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        problems+=("apt-get failed, its last words are above: run it by hand: $install")
      fi
    fi
  fi
fi

if [ ${#problems[@]} -gt 0 ]; then
  printf 'set-up: %s\n' "${problems[@]}" >&2
  exit 1
fi
