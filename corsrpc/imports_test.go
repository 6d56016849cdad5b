package corsrpc_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module is the prefix of the import paths of this repository.
const module = "github.com/corsrpc/corsrpc-go/"

// allowedImports lists, for each package of the repository, the other packages that its non-test files
// may import. Imports go one way: no internal package imports a public one except corsrpcv1. A new
// import needs a new entry.
var allowedImports = map[string]string{
	// The public packages.
	"corsrpc":             "corsrpc/corsrpcv1 internal/analysis internal/boundedlog internal/clockcache internal/fetch internal/filewatch internal/origin internal/planaccess internal/policyfile internal/responsewriter internal/route internal/rpc internal/rules internal/safetext",
	"corsrpc/corsrpcv1":   "",
	"corsrpc/corsbrowser": "internal/fetch internal/rpc",
	"corsrpc/corstest":    "corsrpc/corsbrowser",
	"corsrpc/corsinspect": "corsrpc corsrpc/corsbrowser internal/curl internal/fetch internal/pageguard internal/policyfile internal/rpc internal/safetext",
	"corsrpc/corsenvoy":   "",
	"corsrpc/corsgrpc":    "internal/responsewriter",
	"corsrpc/corssql":     "",
	"corsrpc/corsotel":    "corsrpc",

	// The command.
	"corsrpc/cmd/corsrpc":              "corsrpc/cmd/internal/cli",
	"corsrpc/cmd/internal/cli":         "corsrpc corsrpc/cmd/internal/firstpolicy corsrpc/cmd/internal/fromgo corsrpc/cmd/internal/gateway corsrpc/cmd/internal/gatewayfile corsrpc/cmd/internal/input corsrpc/cmd/internal/jsonschema corsrpc/cmd/internal/policydiff corsrpc/cmd/internal/policytest corsrpc/cmd/internal/probe corsrpc/cmd/internal/report corsrpc/corsbrowser corsrpc/corsinspect corsrpc/corsrpcv1 internal/export internal/origin internal/planaccess internal/policyfile internal/rpc",
	"corsrpc/cmd/internal/firstpolicy": "corsrpc corsrpc/cmd/internal/report corsrpc/cmd/internal/yamltext corsrpc/corsrpcv1 internal/rpc",
	"corsrpc/cmd/internal/fromgo":      "corsrpc/cmd/internal/report corsrpc/cmd/internal/yamltext internal/fetch internal/origin internal/rpc internal/rules",
	"corsrpc/cmd/internal/gateway":     "corsrpc corsrpc/cmd/internal/gatewayfile corsrpc/cmd/internal/proxy corsrpc/cmd/internal/serve corsrpc/corsenvoy corsrpc/corsrpcv1 internal/filewatch internal/safetext",
	"corsrpc/cmd/internal/gatewayfile": "corsrpc/cmd/internal/input corsrpc/cmd/internal/report corsrpc/corsrpcv1 internal/filewatch internal/origin internal/policyfile internal/route internal/rules internal/safetext",
	"corsrpc/cmd/internal/input":       "corsrpc corsrpc/cmd/internal/schema corsrpc/corsrpcv1 internal/planaccess internal/rules internal/safetext",
	"corsrpc/cmd/internal/jsonschema":  "",
	"corsrpc/cmd/internal/policydiff":  "corsrpc corsrpc/cmd/internal/input corsrpc/cmd/internal/policytest corsrpc/cmd/internal/report corsrpc/corsinspect corsrpc/corsrpcv1 internal/analysis internal/rpc internal/rules",
	"corsrpc/cmd/internal/policytest":  "corsrpc corsrpc/cmd/internal/input corsrpc/cmd/internal/report corsrpc/corsbrowser corsrpc/corsinspect corsrpc/corsrpcv1 internal/analysis internal/fetch internal/origin internal/policyfile internal/route internal/rpc internal/rules",
	"corsrpc/cmd/internal/probe":       "corsrpc corsrpc/cmd/internal/report corsrpc/cmd/internal/schema corsrpc/corsbrowser internal/curl internal/fetch internal/origin internal/rpc",
	"corsrpc/cmd/internal/proxy":       "corsrpc/corsgrpc corsrpc/corsrpcv1 internal/fetch internal/filewatch internal/rpc internal/safetext",
	"corsrpc/cmd/internal/report":      "",
	"corsrpc/cmd/internal/schema":      "corsrpc/corsrpcv1 internal/rpc internal/safetext",
	"corsrpc/cmd/internal/serve":       "corsrpc corsrpc/cmd/internal/schema corsrpc/corsinspect corsrpc/corsotel corsrpc/corsrpcv1 corsrpc/corssql internal/filewatch internal/pageguard internal/planaccess internal/policyfile internal/safetext",
	"corsrpc/cmd/internal/yamltext":    "corsrpc/cmd/internal/report",

	// The plugin of buf.
	"corsrpc/buf-plugin-corsrpc": "corsrpc corsrpc/corsrpcv1 internal/analysis internal/filewatch internal/planaccess internal/policyfile internal/route internal/rpc internal/rules",

	// Policies.
	"internal/analysis":   "corsrpc/corsrpcv1 internal/fetch internal/origin internal/route internal/rpc internal/rules",
	"internal/export":     "internal/origin internal/regexpsyntax internal/route internal/rules",
	"internal/rules":      "corsrpc/corsrpcv1 internal/fetch internal/origin internal/policyfile internal/route internal/rpc",
	"internal/route":      "internal/fetch internal/regexpsyntax internal/rpc",
	"internal/policyfile": "corsrpc/corsrpcv1 internal/origin",
	"internal/origin":     "internal/regexpsyntax",
	"internal/fetch":      "",
	"internal/rpc":        "",

	"internal/planaccess": "internal/rules",

	// Packages without CORS.
	"internal/boundedlog":     "",
	"internal/clockcache":     "",
	"internal/curl":           "",
	"internal/filewatch":      "",
	"internal/nginx":          "",
	"internal/pageguard":      "internal/fetch internal/origin",
	"internal/regexpsyntax":   "",
	"internal/responsewriter": "",
	"internal/safetext":       "",

	// Proofs and tools; their tests may import more.
	"internal/bench/envoy":                    "internal/bench/proxies internal/proof",
	"internal/bench/gateway":                  "internal/bench/proxies internal/proof",
	"internal/bench/proxies":                  "",
	"internal/bench/report":                   "",
	"internal/bench/sizes":                    "",
	"internal/bench/sizes/corsrpc":            "corsrpc internal/bench/sizes",
	"internal/bench/sizes/inspector":          "corsrpc corsrpc/corsinspect internal/bench/sizes",
	"internal/bench/sizes/none":               "internal/bench/sizes",
	"internal/bench/sizes/rs":                 "internal/bench/sizes",
	"internal/conformance/behindgateway":      "",
	"internal/conformance/cors":               "corsrpc corsrpc/corsgrpc",
	"internal/conformance/grpcweb/go/grpcweb": "corsrpc/corsgrpc",
	"internal/docs":                           "corsrpc internal/vectors",
	"internal/e2e":                            "",
	"internal/e2e/browser":                    "",
	"internal/fleet":                          "",
	"internal/fleet/envoy":                    "",
	"internal/fleet/hosts":                    "",
	"internal/fleet/gatewayapi":               "",
	"internal/e2e/cells":                      "",
	"internal/e2e/newest":                     "internal/e2e/browser internal/e2e/cells internal/figures internal/proof",
	"internal/editors":                        "",
	"internal/figures":                        "",
	"internal/intent":                         "corsrpc/corsrpcv1",
	"internal/jsonschema":                     "internal/policyfile internal/protocomment",
	"internal/mutate":                         "",
	"internal/peers":                          "",
	"internal/peers/alternatives":             "",
	"internal/peers/comingfrom":               "",
	"internal/peers/servers":                  "",
	"internal/peers/literals":                 "",
	"internal/peers/literals/configurations":  "",
	"internal/peers/probed":                   "",
	"internal/peers/sidebyside":               "corsrpc corsrpc/corsbrowser internal/fetch internal/rpc",
	"internal/postgres":                       "",
	"internal/protocomment":                   "",
	"internal/proof":                          "",
	"internal/proof/record":                   "internal/figures internal/proof",
	"internal/reference":                      "corsrpc corsrpc/corsrpcv1 internal/policyfile internal/protocomment",
	"internal/remedies":                       "corsrpc corsrpc/corsrpcv1",
	"internal/routers":                        "",
	"internal/tools/prose":                    "",
	"internal/tools/release":                  "",
	"internal/tools/suffixancestors":          "",
	"internal/vectors":                        "",

	// Example programs, without their generated code.
	"examples/grpc":             "corsrpc corsrpc/corsgrpc",
	"examples/mcp":              "corsrpc examples/mcp/weather",
	"examples/mcp/weather":      "",
	"examples/minimal":          "corsrpc",
	"examples/showcase":         "corsrpc corsrpc/corsgrpc corsrpc/corsinspect examples/showcase/service",
	"examples/showcase/service": "",
	"examples/tenants":          "corsrpc corsrpc/corsbrowser corsrpc/corsinspect examples/tenants/domains",
	"examples/tenants/domains":  "corsrpc corsrpc/corssql",
}

// TestImports checks that packages import only what the table allows, and that every entry is needed.
func TestImports(t *testing.T) {
	t.Parallel()
	imports := importsOfFiles(t)
	for pkg, got := range imports {
		allowed, known := allowedImports[pkg]
		if text := strings.Join(got, " "); !known {
			t.Errorf("%s is not in the table of allowed imports: add it, with %q", pkg, text)
		} else if text != allowed {
			t.Errorf("%s imports %q; the table allows %q", pkg, text, allowed)
		}
	}
	for pkg := range allowedImports {
		if _, ok := imports[pkg]; !ok {
			t.Errorf("the table has %s, which is not a package", pkg)
		}
	}
}

// importsOfFiles returns the imports of each package within the repository, sorted. It parses files,
// since the packages belong to several modules.
func importsOfFiles(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || d.Name() == "gen" || strings.HasPrefix(d.Name(), ".") && d.Name() != ".."):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(strings.TrimPrefix(filepath.Dir(name), "../"))
		imports := slices.Clone(all[pkg])
		for _, spec := range file.Imports {
			if ours, ok := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module); ok && !strings.Contains(ours, "/gen/") {
				imports = append(imports, ours)
			}
		}
		slices.Sort(imports)
		all[pkg] = slices.Compact(imports)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestDependencies checks the modules that an importer of corsrpc compiles.
func TestDependencies(t *testing.T) {
	t.Parallel()
	allowed := []string{strings.TrimSuffix(module, "/"), "google.golang.org/protobuf", "go.yaml.in/yaml/v3", "golang.org/x/net/publicsuffix",
		"github.com/fsnotify/fsnotify", "golang.org/x/sys"}
	for _, dep := range goList(t, "-deps", module+"corsrpc") {
		if dep == "html/template" || dep == "testing" {
			t.Errorf("corsrpc imports %s, which every server that imports it would carry", dep)
		}
		first, _, _ := strings.Cut(dep, "/")
		if !strings.Contains(first, ".") {
			continue // the standard library
		}
		if !slices.ContainsFunc(allowed, func(a string) bool { return dep == a || strings.HasPrefix(dep, a+"/") }) {
			t.Errorf("corsrpc imports %s", dep)
		}
	}
	for _, dep := range goList(t, "-deps", module+"corsrpc/corsgrpc") {
		if strings.HasPrefix(dep, "google.golang.org/") || strings.HasPrefix(dep, "connectrpc.com/") {
			t.Errorf("corsgrpc imports %s", dep)
		}
	}
	for _, dep := range goList(t, "-deps", module+"corsrpc/corssql") {
		if first, _, _ := strings.Cut(dep, "/"); strings.Contains(first, ".") && dep != module+"corsrpc/corssql" {
			t.Errorf("corssql imports %s: it stands on the standard library alone", dep)
		}
	}
	for _, dep := range goList(t, "-deps", module+"corsrpc/corsinspect") {
		if dep == "testing" {
			t.Error("corsinspect imports testing: servers use it")
		}
	}
	for _, pkg := range []string{"corsrpc/corsbrowser", "corsrpc/corstest"} {
		for _, dep := range goList(t, "-deps", module+pkg) {
			if dep == module+"corsrpc" || strings.HasPrefix(dep, "google.golang.org/") || strings.HasPrefix(dep, "connectrpc.com/") {
				t.Errorf("%s imports %s: it is for any server, and judges ours", pkg, dep)
			}
			if dep == "testing" && pkg == "corsrpc/corsbrowser" {
				t.Error("corsbrowser imports testing: commands use it")
			}
		}
	}
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %v: %v", args, err)
	}
	return strings.Fields(string(out))
}
