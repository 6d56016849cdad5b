#!/usr/bin/env bash
# run.sh [--envoy] [--free-ports]: starts both servers, the gateway and the page, and ends them
# on Ctrl-C. It needs Node.js 20 with npm, protoc, Python's grpcio, and Go to build the program
# corsrpc, unless CORSRPC names it. With --free-ports the system chooses the ports. With --envoy,
# Envoy takes the place of the gateway, with the files of ../envoy: see ../envoy/run.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

with_envoy='' free_ports=''
for argument; do
  case $argument in
    --envoy) with_envoy=1 ;;
    --free-ports) free_ports=1 ;;
    *) echo "run.sh: $argument is unknown: write --envoy or --free-ports" >&2 && exit 2 ;;
  esac
done

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

catalog=9090 orders=9091 page=8081
[ -z "$free_ports" ] || catalog=0 orders=0 page=0

PYTHONPATH=build/python start catalog "$python" servers/catalog.py $catalog
await catalog 'listening on (.*)' && catalog=$found
start orders node servers/orders.js $orders
await orders 'listening on (.*)' && orders=$found

# configuration FILE sets "config" to the file, or to a copy of it with free ports.
configuration() {
  config=$1
  if [ -n "$free_ports" ]; then
    config=$tmp/$(basename "$1")
    sed -E "s/127.0.0.1:9090/$catalog/; s/127.0.0.1:9091/$orders/; s/(localhost|127.0.0.1):(8080|9002|990[12])/\1:0/
      s/port_value: 9090/port_value: ${catalog##*:}/; s/port_value: 9091/port_value: ${orders##*:}/; s/port_value: (8080|9901)/port_value: 0/
      s|\.\./gateway/|$PWD/|; s|\[catalog.json|[$PWD/catalog.json|; s|policy: cors|policy: $PWD/cors|; s/port_value: 9002/port_value: ${processor:-9002}/" "$1" >"$config"
  fi
}

# start_corsrpc SUBCOMMAND starts the program corsrpc, and waits until it is ready.
start_corsrpc() {
  touch "$tmp/corsrpc.log"
  "$corsrpc" "$1" --config "$config" 2> >(tee "$tmp/corsrpc.log" >&2) &
  pids+=($!)
  await corsrpc 'msg=listening address=.*:([0-9]+)' && listening=$found
  await corsrpc 'internal port listening" address=.*:([0-9]+)' && inspector=http://localhost:$found/inspect/bookshop/
  await corsrpc 'msg=(ready)'
}

if [ -z "$with_envoy" ]; then
  configuration gateway.yaml
  start_corsrpc gateway
  gateway=http://localhost:$listening
else
  envoy=${ENVOY:-$(command -v envoy || true)}
  if [ -z "$envoy" ]; then
    ../../internal/fleet/setup-envoy.sh >&2
    envoy=../../.tmp/envoy/envoy
  fi
  configuration ../envoy/extproc.yaml
  start_corsrpc extproc
  processor=$listening
  configuration ../envoy/envoy.yaml
  start envoy "$envoy" --config-path "$config" --admin-address-path "$tmp/admin" --disable-hot-restart --drain-time-s 1
  await envoy '(starting main dispatch loop)'
  # shellcheck disable=SC2016 # the single quotes hold a program in Python
  gateway=$("$python" - "$tmp/admin" <<'END'
import json, sys, urllib.request
admin = "http://" + open(sys.argv[1]).read()
listeners = json.load(urllib.request.urlopen(admin + "/listeners?format=json"))
print("http://localhost:%d" % listeners["listener_statuses"][0]["local_address"]["socket_address"]["port_value"])
END
  )
fi

node_modules/.bin/esbuild web/page.js --bundle --format=esm --target=es2022 --define:GATEWAY="\"$gateway\"" --outfile="$tmp/page/page.js" --log-level=warning
cp web/index.html "$tmp/page/"
start page "$python" -u -m http.server --bind 127.0.0.1 --directory "$tmp/page" $page
await page 'port ([0-9]+)' && page=$found

cat <<END
page      http://localhost:$page   open this one: it calls Python and Node.js
gateway   $gateway   the address that the page calls
inspector $inspector   the decisions and their reasons
Open http://127.0.0.1:$page too: the same page of another origin, which cors.yaml does not allow.
Change cors.yaml, and call again: the program follows the file.
Press Ctrl-C to stop.
END
wait -n
echo "run.sh: one of the programs has ended" >&2
exit 1
