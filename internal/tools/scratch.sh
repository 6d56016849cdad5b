#!/usr/bin/env bash
# scratch.sh BUF: a module of a user's own finds corsrpc/v1/options.proto in the two ways that corsrpc/docs/policy.md says, with the
# files that it shows; its generated code compiles, and its option counts.
set -euo pipefail
buf=$(realpath "$1")
repository=$PWD
page=corsrpc/docs/policy.md
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch" && rm -rf "$scratch"' EXIT
git clone --quiet --bare . "$scratch/corsrpc-go.git" # stands in for the repository's address
go build -C internal/tools -o "$scratch/bin/protoc-gen-go" google.golang.org/protobuf/cmd/protoc-gen-go
# quietly COMMAND... runs the command and prints its output only if it fails.
quietly() {
  "$@" >"$scratch/output" 2>&1 || { cat "$scratch/output" >&2; return 1; }
}
# The user's module requires the work tree's modules as a released version, from a file proxy.
version=v0.0.0-scratch
go run -C "$repository/internal/tools/release" . proxy -version "$version" -dir "$scratch/proxy" >"$scratch/environment"
while read -r variable; do
  export "${variable?}"
done <"$scratch/environment"
ln -s "$buf" "$scratch/bin/buf"
export PATH="$scratch/bin:$PATH"

# block FILE prints the page's block of code whose first line names the file.
block() {
  awk -v file="$1" '/^```/ { inside = 0 } inside { print } $0 == "# " file || $0 == "// " file { inside = 1 }' "$page"
}
# command FIRST prints the page's line that begins so.
command_of() {
  grep -m 1 "^$1 " "$page"
}

for way in 'buf export' 'cp -R'; do
  dir=$scratch/${way%% *}
  mkdir -p "$dir/proto/acme/shop/v1" "$dir/third_party/corsrpc"
  block buf.yaml >"$dir/buf.yaml"
  block buf.gen.yaml >"$dir/buf.gen.yaml"
  block proto/acme/shop/v1/shop.proto >"$dir/proto/acme/shop/v1/shop.proto"
  [ -s "$dir/buf.yaml" ] && [ -s "$dir/buf.gen.yaml" ] && [ -s "$dir/proto/acme/shop/v1/shop.proto" ]
  install=$(command_of "$way" | sed "s|https://github.com/corsrpc/corsrpc-go.git|$scratch/corsrpc-go.git|")
  cat >"$dir/go.mod" <<'EOF'
module example.com/acme

go 1.26.0
EOF
  cat >"$dir/main.go" <<'EOF'
package main

import (
	"fmt"
	"log"
	"log/slog"

	_ "example.com/acme/gen/acme/shop/v1"
	"github.com/corsrpc/corsrpc-go/corsrpc"
)

func main() {
	layer, err := corsrpc.Load("cors.yaml", corsrpc.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		log.Fatal(err)
	}
	for _, procedure := range layer.Plan().Procedures() {
		for _, value := range procedure.Values() {
			fmt.Println(procedure.Name, value.Field, value.Value, value.From)
		}
	}
}
EOF
  echo 'defaults: {allow_origins: [https://app.example.com]}' >"$dir/cors.yaml"
  (
    cd "$dir"
    quietly go get "github.com/corsrpc/corsrpc-go/corsrpc@$version"
    bash -euo pipefail -c "$install"
    buf lint
    buf generate
    quietly go mod tidy
    go run . >procedures.txt
    if ! grep -q '^acme.shop.v1.ShopService.Buy allow_headers x-cart-id option(acme.shop.v1.ShopService).allow_headers\[0\] at acme/shop/v1/shop.proto$' procedures.txt; then
      echo "by $way, the option in shop.proto does not count:" >&2
      cat procedures.txt >&2
      exit 1
    fi
  )
done
