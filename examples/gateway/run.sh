#!/usr/bin/env bash
# run.sh [--free-ports]: starts both servers, the gateway and the page, and ends them on
# Ctrl-C. It needs Node.js 20 with npm, protoc, Python's grpcio, and Go to build the program
# corsrpc, unless CORSRPC names it. With --free-ports the system chooses the ports.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# Python's grpcio may belong to another Python than the first one in PATH.
for python in "${PYTHON:-python3}" /usr/bin/python3 ''; do
  if [ -n "$python" ] && "$python" -c 'import grpc' 2>/dev/null; then break; fi
done
plugin=$(command -v grpc_python_plugin || true)
if [ -z "$python" ] || [ -z "$plugin" ] || ! command -v protoc >/dev/null || ! command -v npm >/dev/null; then
  echo "run.sh: programs are missing. On Debian: apt-get install python3-grpcio protobuf-compiler protobuf-compiler-grpc; and Node.js 20 with npm" >&2
  exit 1
fi

tmp=$(mktemp -d)
pids=()
# shellcheck disable=SC2317 # the trap calls it
stop() {
  trap '' INT TERM
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$tmp"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# start NAME COMMAND... starts a program, whose output goes to a file.
start() {
  "${@:2}" >"$tmp/$1.log" 2>&1 &
  pids+=($!)
}

# await NAME PATTERN sets "found" to the part of the program's output that the group of the
# pattern matches.
await() {
  until found=$(sed -nE "s|.*$2.*|\1|p;T;q" "$tmp/$1.log") && [ -n "$found" ]; do
    if ! kill -0 "${pids[-1]}" 2>/dev/null; then
      cat "$tmp/$1.log" >&2
      echo "run.sh: $1 has ended: a port is taken, or the lines above have the reason" >&2
      exit 1
    fi
    sleep 0.1
  done
}

# The servers and the page need packages of npm, and the code that protoc generates.
if [ ! node_modules/.installed -nt package-lock.json ]; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
  touch node_modules/.installed
fi
mkdir -p build/python build/web
(cd proto && protoc \
  --python_out=../build/python --plugin=protoc-gen-grpc_python="$plugin" --grpc_python_out=../build/python \
  --plugin=protoc-gen-es=../node_modules/.bin/protoc-gen-es --es_out=../build/web --es_opt=target=js \
  bookshop/*/v1/*.proto)
corsrpc=${CORSRPC:-$PWD/build/corsrpc}
[ -n "${CORSRPC:-}" ] || go build -C ../../corsrpc/cmd -o "$corsrpc" ./corsrpc

catalog=9090 orders=9091 page=8081 config=gateway.yaml
[ "${1:-}" != --free-ports ] || catalog=0 orders=0 page=0 config=$tmp/gateway.yaml

PYTHONPATH=build/python start catalog "$python" servers/catalog.py $catalog
await catalog 'listening on (.*)' && catalog=$found
start orders node servers/orders.js $orders
await orders 'listening on (.*)' && orders=$found

if [ "$config" != gateway.yaml ]; then
  sed -e "s/127.0.0.1:9090/$catalog/; s/127.0.0.1:9091/$orders/; s/localhost:[0-9]*/localhost:0/" gateway.yaml >"$config"
  ln -s "$PWD/cors.yaml" "$PWD/catalog.json" "$tmp/"
fi
touch "$tmp/gateway.log"
"$corsrpc" gateway --config "$config" 2> >(tee "$tmp/gateway.log" >&2) &
pids+=($!)
await gateway 'msg=listening address=.*:([0-9]+)' && gateway=http://localhost:$found
await gateway 'internal port listening" address=.*:([0-9]+)' && inspector=http://localhost:$found/inspect/bookshop/
await gateway 'msg=(ready)'

node_modules/.bin/esbuild web/page.js --bundle --format=esm --target=es2022 --define:GATEWAY="\"$gateway\"" --outfile="$tmp/page/page.js" --log-level=warning
cp web/index.html "$tmp/page/"
start page "$python" -u -m http.server --bind 127.0.0.1 --directory "$tmp/page" $page
await page 'port ([0-9]+)' && page=$found

cat <<END
page      http://localhost:$page   open this one: it calls Python and Node.js
gateway   $gateway   the address that the page calls
inspector $inspector   the gateway's decisions and their reasons
Open http://127.0.0.1:$page too: the same page of another origin, which cors.yaml does not allow.
Change cors.yaml, and call again: the gateway follows the file.
Press Ctrl-C to stop.
END
wait -n
echo "run.sh: one of the programs has ended" >&2
exit 1
