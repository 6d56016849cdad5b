#!/usr/bin/env bash
# generate.sh [--check] BUF: regenerates all generated files. With --check it fails if a file
# changes, and keeps the new files.
set -euo pipefail
check=
if [ "$1" = --check ]; then
  check=1
  shift
fi
buf=$1
generated() {
  git ls-files --cached --others --exclude-standard -- \
    '*.pb.go' '*.connect.go' '*_pb.ts' internal/origin/suffix_ancestors.go corsrpc/cmd/internal/jsonschema/*.json 'corsrpc/docs/*-reference.md' examples/gateway/catalog.json examples/gateway/orders.json | sort -u |
    while read -r f; do [ ! -e "$f" ] || sha256sum "$f"; done
}
before=$(generated)
generated | cut -c67- | { grep -E '\.(pb|connect)\.go$' || true; } | xargs -r rm -f # removes files that are not generated any more
"$buf" generate --exclude-path examples/grpc/proto/clock --exclude-path examples/gateway/proto/bookshop
for extra in connectv2 grpc; do
  "$buf" generate --template "examples/showcase/buf.gen.$extra.yaml" examples/showcase/proto
done
"$buf" generate --template examples/grpc/buf.gen.yaml examples/grpc/proto
for name in catalog orders; do
  "$buf" build examples/gateway/proto --path "examples/gateway/proto/bookshop/$name" --exclude-source-info -o "examples/gateway/$name.json"
done
go run -C internal/tools ./suffixancestors
"$buf" build proto -o - | go run ./internal/jsonschema corsrpc/cmd/internal/jsonschema
"$buf" build proto -o - | go run ./internal/reference corsrpc/docs
for web in examples/showcase/web internal/e2e/web; do
  (cd "$web" && "$buf" generate --template buf.gen.yaml ../../../examples/showcase/proto)
done
after=$(generated)
if [ -n "$check" ] && [ "$before" != "$after" ]; then
  echo "generated files were not up to date; commit the new ones:" >&2
  diff <(echo "$before") <(echo "$after") | grep '^[<>]' | cut -c69- | sort -u >&2
  exit 1
fi
