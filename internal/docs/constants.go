package docs

// constant is a number that the protocol, the source of the library or a test
// fixes. The documents may state it without naming a figure.
type constant struct {
	quantity string // as the documents write it: the number, a space, its unit
	file     string // has the value
	holds    string // the text in the file
	page     string // the only page where the row applies; all if empty
}

// constants are all such numbers of the documents. A number that was counted or
// measured is a figure instead: see internal/figures.
var constants = []constant{
	{"64 KiB", "corsrpc/corsinspect/form.go", "maxQuery = 64 << 10", "SECURITY.md"},
	{"2 KiB", "internal/route/table.go", "MaxPath = 2 << 10", "SECURITY.md"},
	{"10 seconds", "corsrpc/call_missing.go", "awaitedTime     = 10 * time.Second", "corsrpc/docs/seeing.md"},
	{"16 readings", "internal/route/readings.go", "MaxReadings = 16", "SECURITY.md"},
	{"2,000 policies", "Makefile", "-rapid.checks=2000", "corsrpc/docs/testing.md"},
	{"100,000 calls", "internal/intent/intent_test.go", "callsPerPolicy = 50", "corsrpc/docs/testing.md"}, // of each of 2,000 policies
	{"10,000 rules", "corsrpc/cmd/internal/policydiff/large_test.go", "{10_000, 1000}", "corsrpc/docs/comparing.md"},
	{"10,000 procedures", "corsrpc/cmd/internal/policydiff/large_test.go", "{10_000, 1000}", "corsrpc/docs/comparing.md"},
	{"1,000 origins", "corsrpc/cmd/internal/policydiff/large_test.go", "{10_000, 1000}", "corsrpc/docs/comparing.md"},
	{"1,000 cases", "corsrpc/cmd/internal/policytest/bench_test.go", "{10_000, 1000, 50}", "corsrpc/docs/policy-tests.md"},
	{"10,000 procedures", "corsrpc/cmd/internal/policytest/bench_test.go", "{10_000, 1000, 50}", "corsrpc/docs/policy-tests.md"},
	{"30 s", "proto/corsrpc/v1/gateway.proto", "// Default: 30s.", gatewayPage},
	{"64 KiB", "proto/corsrpc/v1/gateway.proto", "// Default: 65536.", gatewayPage},
	{"10 s", "proto/corsrpc/v1/gateway.proto", "// Default: 10s.", gatewayPage},
	{"120 s", "proto/corsrpc/v1/gateway.proto", "// Default: 120s.", gatewayPage},
	{"5 s", "proto/corsrpc/v1/gateway.proto", "// Default: 5s.", gatewayPage},
	{"60 s", "proto/corsrpc/v1/gateway.proto", "// Default: 60s.", gatewayPage},
	{"600 seconds", "corsrpc/cmd/internal/fromgo/gorilla.go", "return min(n, 600)", "corsrpc/docs/coming-from.md"},
	{"7200 s", "corsrpc/corsbrowser/engine.go", "maxMaxAge: 7200 * time.Second", corsPage},
	{"600 s", "corsrpc/corsbrowser/engine.go", "maxMaxAge: 600 * time.Second", corsPage},
	{"86400 s", "corsrpc/corsbrowser/engine.go", "maxMaxAge: 86400 * time.Second", corsPage},
	{"50 calls", "internal/e2e/page_cost_test.go", "range 50 / len(procedures)", "corsrpc/docs/cost.md"},
	{"50 ms", "internal/e2e/page_cost_test.go", "pageCostDelay  = 25 * time.Millisecond // in each direction", "corsrpc/docs/cost.md"},
}
