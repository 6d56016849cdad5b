package docs

// shellRow is a command that a page shows and that a test, or a target of the
// Makefile, runs.
type shellRow struct {
	command string // as commandsOf returns it
	by      string // "make TARGET" or "TestName in folder"
	file    string // runs the command
	holds   string // the text in the file that does
}

// shellTable lists the commands of all pages but the walkthrough, whose commands
// TestWalkthrough runs. Targets of the Makefile do not have to be listed.
var shellTable = []shellRow{
	{"corsrpc extproc --policy cors.yaml --listen unix:extproc.sock", "TestExamples in corsrpc/cmd/internal/cli", "corsrpc/cmd/internal/cli/extproc.go", "corsrpc extproc --policy cors.yaml --listen unix:extproc.sock"},
	{"corsrpc check --strict --descriptors image.json cors.yaml", "TestInCI in internal/docs", "internal/docs/in_ci_test.go", "corsrpc check --strict --descriptors image.json cors.yaml"},
	{"corsrpc test cors_test.yaml", "TestInCI in internal/docs", "internal/docs/in_ci_test.go", "corsrpc test cors_test.yaml"},
	{"corsrpc diff --fail-on wider --descriptors image.json git:origin/main:cors.yaml cors.yaml", "TestInCI in internal/docs", "internal/docs/in_ci_test.go", "corsrpc diff --fail-on wider --descriptors image.json git:origin/main:cors.yaml cors.yaml"},
	{"corsrpc schema > cors.schema.json", "TestDiagnostics in internal/editors", "internal/editors/editor_test.go", "corsrpc schema > cors.schema.json"},
	{"corsrpc schema test > cors_test.schema.json", "TestDiagnostics in internal/editors", "internal/editors/editor_test.go", "corsrpc schema test > cors_test.schema.json"},
	{"go get github.com/corsrpc/corsrpc-go/corsrpc", "TestGoGet in internal/docs", "internal/docs/walkthrough_test.go", `"go get github.com/corsrpc/corsrpc-go/corsrpc"`},
	{`buf export "https://github.com/corsrpc/corsrpc-go.git#subdir=proto" --output third_party/corsrpc`, "make scratch", scratchScript, "'buf export'"},
	{`cp -R "$(go list -m -f '{{.Dir}}' github.com/corsrpc/corsrpc-go)/proto/." third_party/corsrpc`, "make scratch", scratchScript, "'cp -R'"},
	{"curl -H 'Accept: application/json' localhost:6060", "TestInspectorAnswersCurl in internal/docs", "internal/docs/shell_test.go", "curl -H 'Accept: application/json' localhost:6060"},
	{"cd examples && go run ./tenants", "TestOperatorsPage in examples/tenants", "examples/tenants/main_test.go", "ended <- run(ctx, []string{"},
}
