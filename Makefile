# `make run` does the main job, `make test` passes everything; `make help`
# lists the rest. Both do their own set-up.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := $(CURDIR)/.tmp/bin
MODULES := . corsrpc/corsotel examples internal/e2e internal/conformance internal/conformance/cors internal/conformance/grpcweb internal/intent internal/live internal/bench internal/routers internal/tools/release
STAGE := internal/tools/stage.sh
RECORD := go run ./internal/proof/record # runs a slow command and writes internal/proof/NAME.md
FUZZTIME ?= 2m
SEED ?= 1

.PHONY: help
help: ## Show what there is to make
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: run
run: web ## Build and start the showcase: a server, and a page on another origin that calls it
	@cd examples && go run ./showcase $(ARGS)

.PHONY: test
test: ## Pass everything: set-up, lint, unit tests under -race, conformance, three real browsers
	@$(STAGE) total $(MAKE) stages

.PHONY: stages
stages:
	@$(STAGE) set-up $(MAKE) setup
	@$(STAGE) lint $(MAKE) lint
	@$(STAGE) generated $(MAKE) check-generate
	@$(STAGE) scratch $(MAKE) scratch
	@$(STAGE) unit $(MAKE) unit
	@$(STAGE) live $(MAKE) live
	@$(STAGE) intent $(MAKE) run-intent
	@$(STAGE) conformance $(MAKE) conformance-grpc
	@$(STAGE) browsers $(MAKE) e2e

.PHONY: setup
setup: packages web e2e-web ## Install what the tests need

.PHONY: packages
packages:
	@internal/tools/setup.sh

.PHONY: web
web: examples/showcase/web/dist/.built ## Build the showcase's page

examples/showcase/web/dist/.built: $(shell find examples/showcase/web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
	@cd examples/showcase/web && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build
	@touch $@

.PHONY: e2e-web
e2e-web: internal/e2e/web/node_modules/.installed

internal/e2e/web/node_modules/.installed: internal/e2e/web/package.json internal/e2e/web/package-lock.json
	@cd internal/e2e/web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: lint
lint: $(BIN)/buf $(BIN)/staticcheck web e2e-web ## gofmt, go vet, staticcheck, tsc, buf lint, buf breaking
	@unformatted=$$(gofmt -l $$(git ls-files '*.go' && git ls-files --others --exclude-standard '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not formatted, run gofmt -w on:" $$unformatted; exit 1; fi
	@for m in $(MODULES); do (cd $$m && go vet ./... && $(BIN)/staticcheck ./...); done
	@go vet -tags soak ./... && (cd corsrpc/corsotel && go vet -tags soak ./...) && cd internal/live && go vet -tags soak ./...
	@cd internal/e2e/web && npm run --silent check
	@$(BIN)/buf lint
	@internal/tools/breaking.sh $(BIN)/buf

.PHONY: generate
generate: $(BIN)/buf ## Regenerate everything that is generated
	@internal/tools/generate.sh $(BIN)/buf

.PHONY: check-generate
check-generate: $(BIN)/buf ## Fail where what is generated is not what is committed
	@internal/tools/generate.sh --check $(BIN)/buf

.PHONY: unit
unit: ## Unit tests of all modules but the browsers', under -race
	@go test -race ./...
	@go test ./internal/policyfile # texts of the largest size, which the race detector is too slow for
	@cd corsrpc/corsotel && go test -race ./...
	@cd examples && go test -race ./...
	@cd internal/routers && go test . && go test -race -run TestKnownFaults . # 200,000 paths under -race take minutes more: make differential
	@cd internal/bench && go test ./... # not under -race, which makes everything larger
	@cd internal/bench && go test -run '^$$' -bench . -benchtime 1x . > /dev/null
	@cd internal/tools/release && go test ./...

.PHONY: live
live: packages ## What changes while a server runs: files, SQLite, a PostgreSQL server of the tests' own
	@cd internal/live && go test -race .

.PHONY: scratch
scratch: $(BIN)/buf ## A module of a user's own finds corsrpc/v1/options.proto as README.md says
	@internal/tools/scratch.sh $(BIN)/buf

.PHONY: release
release: ## Make the commit and name the tags of VERSION, such as v0.1.0; tags and pushes nothing
	@go run -C internal/tools/release . release -version "$${VERSION:-}"

.PHONY: release-check
release-check: ## Rehearse a release of the work tree: get, install and build its modules as users do
	@go run -C internal/tools/release . check -version "$${VERSION:-}"

.PHONY: licenses
licenses: ## Write internal/tools/release/LICENSES.md, the licences of what is compiled in
	@go run -C internal/tools/release . licenses

.PHONY: differential
differential: ## Random policies in front of routers and proxies, 200,000 paths, under -race
	@$(RECORD) differential $(MAKE) run-differential

.PHONY: run-differential
run-differential:
	@cd internal/routers && go test -race -count=1 -v .

.PHONY: intent
intent: ## What the policy says against what a browser then allows: 100,000 calls, 5,000 of them under -race too
	@$(RECORD) -with SEED=$(SEED) intent $(MAKE) run-intent SEED=$(SEED)

.PHONY: run-intent
run-intent:
	@cd internal/intent && go test -race -rapid.nofailfile -rapid.seed=$(SEED) . && go test -v -rapid.nofailfile -rapid.seed=$(SEED) -rapid.checks=2000 .

.PHONY: e2e
e2e: packages web e2e-web ## The tests in Chromium, Firefox and WebKit
	@mkdir -p .tmp && cd internal/e2e && go test -race -v -timeout 20m ./... > $(CURDIR)/.tmp/e2e.log 2>&1 || \
		{ grep -vE '^ *(=== |--- PASS)' $(CURDIR)/.tmp/e2e.log; exit 1; }
	@grep -E '^(stage|ok)' .tmp/e2e.log

.PHONY: newest
newest: packages ## Run the browsers' tests of the clients with the newest clients and servers that the registries have, say which cell differs, and write internal/e2e/NEWEST.md (4 minutes)
	@cd internal/e2e && go run ./newest $(ARGS)

.PHONY: conformance-grpc
conformance-grpc:
	@cd internal/conformance && go test -run TestCorsgrpc .

.PHONY: conformance
conformance: packages e2e-web ## Run the conformance suite of the field, whole (13,022 cases three times, 343 four times), and corsbrowser against the browsers
	@$(RECORD) conformance $(MAKE) run-conformance

.PHONY: run-conformance
run-conformance:
	@cd internal/conformance && go test -count=1 -v -timeout 30m .
	@cd internal/e2e && go test -count=1 -run TestOracle -v .

.PHONY: soak
soak: packages ## 100,000 calls, 1,000 cancelled streams, a million origins, floods of refused ones, 10,000 a second and more: nothing stays, the heap does not grow; how long a change takes
	@$(RECORD) soak $(MAKE) run-soak

.PHONY: run-soak
run-soak:
	@go test -count=1 -tags soak -run '^TestSoak' -v -timeout 30m ./corsrpc/...
	@cd corsrpc/corsotel && go test -count=1 -tags soak -run '^TestSoak' -v -timeout 30m .
	@cd internal/live && go test -count=1 -tags soak -run '^TestSoak' -v -timeout 30m .

.PHONY: bench
bench: ## Measure what corsrpc costs beside a handler by hand and beside its peers, and write internal/bench/RESULTS.md (15 minutes on an idle machine)
	@cd internal/bench && go run ./report $(ARGS)

.PHONY: mutate
mutate: ## Break the layer on purpose, in more than six hundred ways, one at a time: the tests notice each of them
	@go run ./internal/mutate

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (default 2m)
	@$(RECORD) -with FUZZTIME=$(FUZZTIME) fuzz internal/tools/fuzz.sh $(FUZZTIME)

$(BIN)/buf: internal/tools/buf/go.mod internal/tools/buf/go.sum
	@mkdir -p $(BIN) && cd internal/tools/buf && go build -o $@ github.com/bufbuild/buf/cmd/buf

$(BIN)/staticcheck: internal/tools/go.mod internal/tools/go.sum
	@mkdir -p $(BIN) && cd internal/tools && go build -o $@ honnef.co/go/tools/cmd/staticcheck
