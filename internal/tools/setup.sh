#!/usr/bin/env bash
# setup.sh [gateway]: installs missing Debian packages that the tests need, or only those of
# examples/gateway, and lists other missing programs. It prints nothing if nothing is missing.
set -euo pipefail

go_needed=1.26
node_needed=20

packages=()
problems=()

# The C headers are a separate package, which gcc only recommends.
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

# Debian installs the server's programs outside of PATH.
has_postgres() {
  local path
  for path in /usr/lib/postgresql/*/bin/postgres; do
    [ ! -x "$path" ] || return 0
  done
  return 1
}

# Debian installs nginx outside of the PATH of users other than root.
has_nginx() {
  command -v nginx >/dev/null || [ -x /usr/sbin/nginx ]
}

# Debian installs these two outside of the PATH of users other than root.
has_ip() {
  command -v ip >/dev/null || [ -x /usr/sbin/ip ]
}
has_nft() {
  command -v nft >/dev/null || [ -x /usr/sbin/nft ]
}

# The package is for Debian's own Python, which may not be the first one in PATH.
has_grpcio() {
  python3 -c 'import grpc' 2>/dev/null || /usr/bin/python3 -c 'import grpc' 2>/dev/null
}

# Debian installs Apache outside of the PATH of users other than root.
has_apache() {
  command -v apache2 >/dev/null || [ -x /usr/sbin/apache2 ]
}

# at_least VERSION NEEDED succeeds if VERSION is NEEDED or newer.
at_least() {
  [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

has_grpcio || packages+=(python3-grpcio)
command -v protoc >/dev/null || packages+=(protobuf-compiler)
command -v grpc_python_plugin >/dev/null || packages+=(protobuf-compiler-grpc)
if [ "${1:-}" != gateway ]; then
  compiles_c || packages+=(gcc libc6-dev)
  command -v chromium >/dev/null || packages+=(chromium)
  command -v firefox-esr >/dev/null || packages+=(firefox-esr)
  has_minibrowser || packages+=(webkit2gtk-driver)
  command -v Xvfb >/dev/null || packages+=(xvfb)
  command -v git >/dev/null || packages+=(git)
  command -v curl >/dev/null || packages+=(curl)
  has_postgres || packages+=(postgresql)
  has_nginx || packages+=(nginx-light)
  has_apache || packages+=(apache2-bin) # without a configuration, so that no server starts
  command -v php >/dev/null || packages+=(php-cli)
  python3 -m pip --version >/dev/null 2>&1 || packages+=(python3-pip)
  has_ip || packages+=(iproute2)
  has_nft || packages+=(nftables)
  command -v shellcheck >/dev/null || packages+=(shellcheck)
fi

# The versions of Go and Node.js in Debian 12 are too old.
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
    problems+=("programs are missing, and apt-get is not available: install the equivalent of these Debian packages: ${packages[*]}")
  else
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
      if command -v sudo >/dev/null; then
        as_root=(sudo env DEBIAN_FRONTEND=noninteractive)
      else
        problems+=("packages are missing, and installing them needs root or sudo: run as root: $install")
      fi
    fi
    if [ "$(id -u)" -eq 0 ] || [ ${#as_root[@]} -gt 0 ]; then
      echo "installing ${packages[*]}"
      export DEBIAN_FRONTEND=noninteractive
      log=$(mktemp)
      trap 'rm -f "$log"' EXIT
      # shellcheck disable=SC2086 # the packages must be separate words
      if ! { "${as_root[@]}" apt-get update && "${as_root[@]}" $install; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        problems+=("apt-get failed with the output above: run it yourself: $install")
      fi
    fi
  fi
fi

if [ ${#problems[@]} -gt 0 ]; then
  printf 'set-up: %s\n' "${problems[@]}" >&2
  exit 1
fi
