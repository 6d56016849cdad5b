# `make run` starts the showcase, `make test` runs all checks, and `make help` lists all
# targets. `make run` and `make test` install what they need.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := $(CURDIR)/.tmp/bin
MODULES := . corsrpc/cmd corsrpc/corsenvoy corsrpc/corsotel corsrpc/buf-plugin-corsrpc examples internal/e2e internal/conformance internal/conformance/cors internal/conformance/grpcweb internal/intent internal/live internal/fleet internal/bench internal/peers internal/routers internal/tools internal/tools/prose internal/tools/release internal/docs internal/editors
STAGE := internal/tools/stage.sh
RECORD := go run ./internal/proof/record # runs a slow command and writes internal/proof/NAME.md
FUZZTIME ?= 2m
SEED ?= 1
POLICIES ?= 2000

# All builds have the settings of a released program, apart from those under -race, which needs cgo: with cold caches,
# every other setting would compile several hundred packages once more. RACE_BUILDS is for tests that build programs:
# -exec takes cgo away from them again.
export GOFLAGS := $(strip $(GOFLAGS) -trimpath)
export CGO_ENABLED := 0
RACE := CGO_ENABLED=1 go test -race
RACE_BUILDS := $(RACE) -count=1 -exec 'env CGO_ENABLED=0'

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: run
run: examples/showcase/web/dist/.built ## Build and start the showcase: a server, and a page of another origin that calls it
	@cd examples && go run ./showcase $(ARGS)

.PHONY: run-mcp
run-mcp: examples/mcp/web/dist/.built ## Build and start the example of MCP: a server's tools, and a page that uses them with both generations of the TypeScript SDK
	@cd examples && go run ./mcp $(ARGS)

.PHONY: run-gateway
run-gateway: ## Build and start the example of the gateway: servers in Python and Node.js, and a page that calls them
	@internal/tools/setup.sh gateway
	@examples/gateway/run.sh $(ARGS)

.PHONY: run-envoy
run-envoy: ## The same with Envoy in the gateway's place, and corsrpc as Envoy's external processor
	@internal/tools/setup.sh gateway
	@examples/envoy/run.sh $(ARGS)

.PHONY: test
test: ## Run all checks: set-up, lint, unit tests under -race, conformance, three real browsers
	@$(STAGE) total $(MAKE) stages

.PHONY: fast
fast: ## Build, vet and unit tests of the library and the examples: Go is enough
	@internal/tools/fast.sh . corsrpc/cmd corsrpc/corsenvoy corsrpc/corsotel examples

.PHONY: stages
stages:
	@$(STAGE) set-up $(MAKE) setup
	@$(STAGE) lint $(MAKE) lint
	@$(STAGE) generated $(MAKE) check-generate
	@$(STAGE) scratch $(MAKE) scratch
	@$(STAGE) unit $(MAKE) unit
	@$(STAGE) editors $(MAKE) editors
	@$(STAGE) live $(MAKE) live
	@$(STAGE) intent $(MAKE) run-intent POLICIES=500 # make intent tries four times as many
	@$(STAGE) conformance $(MAKE) conformance-grpc
	@$(STAGE) browsers $(MAKE) e2e

.PHONY: setup
setup: packages web e2e-web editors-node peers-node peers-flask ## Install the programs and packages that the tests need

.PHONY: packages
packages:
	@internal/tools/setup.sh

.PHONY: web
web: examples/showcase/web/dist/.built examples/mcp/web/dist/.built ## Build the pages of the showcase and of the example of MCP

examples/showcase/web/dist/.built: $(shell find examples/showcase/web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
	@cd examples/showcase/web && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build
	@touch $@

examples/mcp/web/dist/.built: $(shell find examples/mcp/web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
	@cd examples/mcp/web && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build
	@touch $@

.PHONY: e2e-web
e2e-web: internal/e2e/web/node_modules/.installed

internal/e2e/web/node_modules/.installed: internal/e2e/web/package.json internal/e2e/web/package-lock.json
	@cd internal/e2e/web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: editors-node
editors-node: internal/editors/node/node_modules/.installed

internal/editors/node/node_modules/.installed: internal/editors/node/package.json internal/editors/node/package-lock.json
	@cd internal/editors/node && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: peers-node
peers-node: internal/peers/servers/node/node_modules/.installed

internal/peers/servers/node/node_modules/.installed: internal/peers/servers/node/package.json internal/peers/servers/node/package-lock.json
	@cd internal/peers/servers/node && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: peers-flask
peers-flask: .tmp/flask/.installed

.tmp/flask/.installed: internal/peers/servers/flask/requirements.txt | packages
	@rm -rf .tmp/flask && python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-compile --no-deps --require-hashes --only-binary :all: --target .tmp/flask -r $<
	@touch $@

.PHONY: lint
lint: $(BIN)/buf $(BIN)/golangci-lint $(BIN)/actionlint web e2e-web ## golangci-lint, go mod tidy, gofmt, tsc, buf lint and breaking, shellcheck, actionlint, prose
	@unformatted=$$(gofmt -l $$(git ls-files '*.go' && git ls-files --others --exclude-standard '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not formatted, run gofmt -w on:" $$unformatted; exit 1; fi
	@for m in $(MODULES); do (cd $$m && $(BIN)/golangci-lint run --allow-parallel-runners --show-stats=false ./...); done
	@for m in $$(git ls-files '*go.mod'); do (cd $$(dirname $$m) && go mod tidy -diff); done
	@cd internal/e2e/web && npm run --silent check
	@$(BIN)/buf lint
	@internal/tools/breaking.sh $(BIN)/buf
	@shellcheck -x internal/tools/*.sh examples/gateway/run.sh .github/actions/corsrpc/*.sh .ci/*
	@$(BIN)/actionlint
	@$(MAKE) prose

.PHONY: prose
prose: ## The project's word list against documents, comments and texts for users
	@export CGO_ENABLED=1 && cd internal/tools/prose && go test . && go run . $(ARGS) # vale needs cgo

.PHONY: vulncheck
vulncheck: $(BIN)/govulncheck ## Known vulnerabilities in the code that the modules call; needs access to vuln.go.dev
	@for m in $(MODULES); do echo $$m && (cd $$m && $(BIN)/govulncheck ./...); done

.PHONY: generate
generate: $(BIN)/buf web e2e-web ## Regenerate everything that is generated
	@internal/tools/generate.sh $(BIN)/buf

.PHONY: check-generate
check-generate: $(BIN)/buf web e2e-web ## Fail where what is generated is not what is committed
	@internal/tools/generate.sh --check $(BIN)/buf

.PHONY: unit
unit: packages peers-node peers-flask $(BIN)/buf ## Unit tests of the library, corsenvoy, corsotel, the plugin of buf, the examples, documents and tools; mostly under -race
	@$(RACE) $$(go list ./... | grep -v -E '/internal/(origin|route|rules)$$')
	@go test ./internal/origin ./internal/route ./internal/rules ./internal/policyfile # the first three have no goroutines but in the tests below, and take ten times as long under -race: make race; texts of the largest size
	@$(RACE) -run '^(TestOverlaysAreIndependent|TestOutsideIsSafeForConcurrentUse|TestSetIsSafeForConcurrentUse)$$' ./internal/origin ./internal/route
	@$(RACE) -tags nginx -run '^TestNginx' ./internal/export # exports of random policies in nginx
	@cd internal/fleet && go test . ./gatewayapi ./hosts # exports in a model of the Gateway API; the tests of ./envoy need Envoy: make fleet
	@cd corsrpc/cmd && $(RACE) ./...
	@cd corsrpc/corsenvoy && $(RACE) ./...
	@cd corsrpc/corsotel && $(RACE) ./...
	@cd corsrpc/buf-plugin-corsrpc && BUF=$(BIN)/buf go test -count=1 . # buf starts it some hundred times, which takes twice as long under -race
	@cd examples && $(RACE) ./...
	@cd internal/docs && BUF=$(BIN)/buf $(RACE_BUILDS) -timeout 20m . # of README.md and corsrpc/docs; not from the cache, which does not see files of other modules
	@cd internal/routers && go test . && $(RACE) -run TestKnownFaults . # 200,000 paths under -race take minutes more: make differential
	@cd internal/bench && go test ./... # does everything that is measured once; not under -race, which makes everything larger
	@cd internal/peers && go test -count=1 ./comingfrom ./literals ./servers ./sidebyside && $(RACE_BUILDS) $$(go list ./... | grep -v -E '/(comingfrom|literals|servers|sidebyside)$$') # they run the command, which the cache does not see; probed starts nginx, servers starts it, Apache, Node.js, Python and PHP
	@cd internal/tools/release && go test ./...

.PHONY: race
race: ## The packages under -race that `make unit` runs without it but for their concurrent tests
	@$(RACE) ./internal/origin ./internal/route ./internal/rules

.PHONY: editors
editors: editors-node ## The JSON Schemas against a validator and the language server of YAML, under Node.js
	@cd internal/editors && go test -count=1 . # the cache does not see files of other modules

.PHONY: live
live: packages ## Changes while a server runs: files, SQLite, and a PostgreSQL server that the tests start
	@cd internal/live && $(RACE) .
	@cd corsrpc/cmd && $(RACE) -tags live -run Postgres ./internal/serve

.PHONY: scratch
scratch: $(BIN)/buf ## A module of a user's own finds corsrpc/v1/options.proto as corsrpc/docs/policy.md says
	@internal/tools/scratch.sh $(BIN)/buf

.PHONY: release
release: ## Make the commit and name the tags of VERSION, such as v0.1.0; tags and pushes nothing
	@go run -C internal/tools/release . release -version "$${VERSION:-}"

.PHONY: release-check
release-check: ## Rehearse a release of the work tree: get, install and build its modules as users do
	@go run -C internal/tools/release . check -version "$${VERSION:-}"

.PHONY: dist
dist: ## Build the programs of VERSION, or of HEAD, for Linux, macOS and Windows into dist/: archives, container images, SBOMs, SHA256SUMS
	@rm -rf dist
	@GOTOOLCHAIN=go$$(cat internal/tools/release/GO_VERSION) go run -C internal/tools/release . dist -version "$${VERSION:-}" -dir "$$PWD/dist"

.PHONY: image
image: ## Build only the container images of VERSION, or of HEAD, into dist/, for linux/amd64 and linux/arm64, without a daemon: an OCI archive, SBOMs, SHA256SUMS
	@rm -rf dist
	@GOTOOLCHAIN=go$$(cat internal/tools/release/GO_VERSION) go run -C internal/tools/release . image -version "$${VERSION:-}" -dir "$$PWD/dist"

.PHONY: dist-check
dist-check: internal/tools/cyclonedx/node_modules/.installed ## Build the programs of the work tree twice in other environments, compare the bytes, check and try the archives and the images
	@go run -C internal/tools/release . dist-check

.PHONY: image-check
image-check: internal/tools/cyclonedx/node_modules/.installed ## The part of dist-check that is about the container images: the gateway in one runs in front of a gRPC server
	@go run -C internal/tools/release . image-check

.PHONY: kubernetes
kubernetes: $(BIN)/golangci-lint ## Validate the manifests of examples/kubernetes and examples/envoy, and exports for the Gateway API, by the schemas of Kubernetes, Envoy Gateway, Istio and the Gateway API, and the Pod Security Standards (5 minutes with cold caches)
	@cd internal/kubernetes && $(BIN)/golangci-lint run --allow-parallel-runners --show-stats=false ./... && go test -count=1 .

internal/tools/cyclonedx/node_modules/.installed: internal/tools/cyclonedx/package.json internal/tools/cyclonedx/package-lock.json internal/tools/cyclonedx/.npmrc
	@cd internal/tools/cyclonedx && npm ci --ignore-scripts --omit=optional --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: licenses
licenses: ## Write internal/tools/release/LICENSES.md, the licences of what is compiled in
	@go run -C internal/tools/release . licenses

.PHONY: differential
differential: ## Random policies in front of routers and proxies, 200,000 paths, under -race
	@$(RECORD) differential $(MAKE) run-differential

.PHONY: run-differential
run-differential:
	@cd internal/routers && $(RACE) -count=1 -v .

.PHONY: intent
intent: ## The meaning of policies compared with the calls that a browser then allows: 100,000 calls, 5,000 of them under -race too
	@$(RECORD) -with SEED=$(SEED) intent $(MAKE) run-intent SEED=$(SEED)

.PHONY: run-intent
run-intent:
	@cd internal/intent && $(RACE) -timeout 30m -rapid.nofailfile -rapid.seed=$(SEED) . && go test -v -timeout 30m -rapid.nofailfile -rapid.seed=$(SEED) -rapid.checks=$(POLICIES) .

.PHONY: prove
prove: ## Differences and guarantees of random policies compared with brute force: 100,000 pairs and 120,000 guarantees (15 minutes)
	@$(RECORD) -with SEED=$(SEED) prove $(MAKE) run-prove SEED=$(SEED)

.PHONY: run-prove
run-prove:
	@cd internal/intent && go test -v -timeout 3h -rapid.nofailfile -rapid.seed=$(SEED) -rapid.checks=100000 -run '^TestComparisons$$' -prove .
	@cd internal/intent && go test -v -timeout 3h -rapid.nofailfile -rapid.seed=$(SEED) -rapid.checks=20000 -run '^TestGuarantees$$' -prove .
	@cd internal/intent && go test -v -timeout 3h -rapid.nofailfile -rapid.seed=$(SEED) -rapid.checks=10000 -run '^(TestGains|TestNothingElseIsGained)$$' .

.PHONY: e2e
e2e: packages web e2e-web ## The tests in Chromium, Firefox and WebKit
	@mkdir -p .tmp && cd internal/e2e && $(RACE) -v -timeout 20m ./... > $(CURDIR)/.tmp/e2e.log 2>&1 || \
		{ grep -vE '^ *(=== |--- PASS)' $(CURDIR)/.tmp/e2e.log; exit 1; }
	@grep -E '^(stage|ok)' .tmp/e2e.log

.PHONY: newest
newest: packages ## Run the browsers' tests of the clients with the newest clients and servers that the registries have, say which cell differs, and write internal/e2e/NEWEST.md (4 minutes)
	@cd internal/e2e && go run ./newest $(ARGS)

.PHONY: conformance-grpc
conformance-grpc:
	@cd internal/conformance && go test -run TestCorsgrpc .

.PHONY: conformance
conformance: packages e2e-web ## Run the conformance suite of the field, whole (13,022 cases three times, 343 four times, 30,876 through the gateway), and corsbrowser against the browsers
	@$(RECORD) conformance $(MAKE) run-conformance

.PHONY: run-conformance
run-conformance:
	@cd internal/conformance && go test -count=1 -v -timeout 30m .
	@cd internal/e2e && go test -count=1 -run TestOracle -v .

.PHONY: gateway
gateway: packages web e2e-web ## The gateway in three browsers in front of each server, audits of it, 1,000 policies and 50 restarts under load, a drain of 10,000 streams; links that are cut, lose or delay, which needs root (9 minutes)
	@$(RECORD) gateway $(MAKE) run-gateway-proof

.PHONY: run-gateway-proof
run-gateway-proof:
	@cd internal/e2e && go test -count=1 -v -timeout 20m -run '^TestGateway' -gateway .
	@cd corsrpc/cmd && go test -count=1 -v -timeout 20m -run '^(TestUnderLoad|TestDrain)$$' ./internal/gateway -swaps 1000 -restarts 50 -streams 10000
	@cd internal/fleet && go test -count=1 -v -timeout 20m -parallel 16 -tags fleet -run '^(TestGateway|TestHosts|TestRelay)' . ./hosts

.PHONY: fleet-setup
fleet-setup: packages
	@internal/fleet/setup-envoy.sh

.PHONY: fleet
fleet: fleet-setup web e2e-web ## Exports of random policies in the real nginx and Envoy; the external processor in Envoy: facts, vectors, three browsers; two Envoys and three processors on hosts of their own, which needs root (25 minutes)
	@$(RECORD) fleet $(MAKE) run-fleet-proof

.PHONY: run-fleet-proof
run-fleet-proof:
	@go test -count=1 -v -timeout 30m -tags nginx,fleet -run '^TestNginx' ./internal/export
	@cd internal/e2e && go test -count=1 -v -timeout 20m -tags fleet -run '^TestEnvoy' -gateway .
	@cd internal/peers && go test -count=1 -v -tags fleet -run '^TestEnvoy$$' ./alternatives # Envoy's row in corsrpc/docs/alternatives.md
	@cd internal/fleet && go test -count=1 -v -timeout 30m -tags fleet -skip '^TestGateway' . -rapid.nofailfile && go test -count=1 -v -tags fleet ./envoy ./hosts
	@cd internal/peers && go test -count=1 -v -tags fleet -run 'Envoy$$' ./servers

.PHONY: soak
soak: packages ## 100,000 calls, a million of the gateway, cancelled streams, a million origins, floods of refused ones, 10,000 a second and more: nothing stays, the heap does not grow; how long a change takes
	@$(RECORD) soak $(MAKE) run-soak

.PHONY: run-soak
run-soak:
	@go test -count=1 -tags soak -run '^TestSoak' -v -timeout 30m ./corsrpc/...
	@cd corsrpc/corsotel && go test -count=1 -tags soak -run '^TestSoak' -v -timeout 30m .
	@cd corsrpc/cmd && go test -count=1 -tags soak -run '^TestSoak' -v -timeout 30m ./internal/gateway
	@cd internal/live && go test -count=1 -tags soak -run '^TestSoak' -v -timeout 30m .

.PHONY: bench
bench: packages e2e-web ## Measure the cost of corsrpc, of a handler by hand and of other libraries, and write internal/bench/RESULTS.md and the tables of corsrpc/docs/cost.md (10 minutes on an idle machine)
	@cd internal/bench && go run ./report $(ARGS)

.PHONY: bench-gateway
bench-gateway: packages ## Measure the cost of the gateway beside a bare reverse proxy and nginx, and write internal/bench/GATEWAY.md (6 minutes on an idle machine)
	@cd internal/bench && go run ./gateway $(ARGS)

.PHONY: bench-envoy
bench-envoy: packages ## Measure the cost of the external processor beside Envoy alone, Envoy's own CORS filter and the gateway, and write internal/bench/ENVOY.md (5 minutes on an idle machine)
	@internal/fleet/setup-envoy.sh
	@cd internal/bench && go run ./envoy $(ARGS)

.PHONY: mutate
mutate: ## Change the source by each of more than 600 faults, one at a time, and check that a test fails
	@go run ./internal/mutate

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (default 2m)
	@$(RECORD) -with FUZZTIME=$(FUZZTIME) fuzz internal/tools/fuzz.sh $(FUZZTIME)

# The npm package holds buf's program for each system, which runs without the package's install script.
$(BIN)/buf: internal/tools/buf/package.json internal/tools/buf/package-lock.json internal/tools/buf/.npmrc
	@mkdir -p $(BIN) && cd internal/tools/buf && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@ln -sf ../../internal/tools/buf/node_modules/.bin/buf $@

$(BIN)/golangci-lint: internal/tools/golangci/go.mod internal/tools/golangci/go.sum
	@mkdir -p $(BIN) && cd internal/tools/golangci && go build -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(BIN)/actionlint: internal/tools/go.mod internal/tools/go.sum
	@mkdir -p $(BIN) && cd internal/tools && go build -o $@ github.com/rhysd/actionlint/cmd/actionlint

$(BIN)/govulncheck: internal/tools/go.mod internal/tools/go.sum
	@mkdir -p $(BIN) && cd internal/tools && go build -o $@ golang.org/x/vuln/cmd/govulncheck
