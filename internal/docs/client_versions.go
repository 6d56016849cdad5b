package docs

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// clientsPage has the table of the clients and servers that the browser tests
// call, with their versions.
const clientsPage = "corsrpc/docs/clients.md"

// checkClientVersions returns the versions in use by the tests that the page does
// not have.
func checkClientVersions(t *tree) (problems []problem) {
	var web struct{ Dependencies map[string]string }
	if err := json.Unmarshal([]byte(t.text("internal/e2e/web/package.json")), &web); err != nil {
		return []problem{{"internal/e2e/web/package.json", 1, err.Error()}}
	}
	version := func(module, path string) string {
		m := regexp.MustCompile(`(?m)^(?:require)?\s*` + regexp.QuoteMeta(path) + ` v(\S+)`).FindStringSubmatch(t.text(module))
		if m == nil {
			return "?"
		}
		return m[1]
	}
	text := t.text(clientsPage)
	for _, want := range []string{
		"| connect-web " + web.Dependencies["@connectrpc/connect-web"] + " |",
		"| grpc-web " + web.Dependencies["grpc-web"] + " |",
		"| @protobuf-ts/grpcweb-transport " + web.Dependencies["@protobuf-ts/grpcweb-transport"] + " |",
		"| nice-grpc-web " + web.Dependencies["nice-grpc-web"] + " |",
		"| connect-go " + version("internal/e2e/go.mod", "connectrpc.com/connect") + " |",
		"| connect-go v2 " + version("internal/e2e/go.mod", "connectrpc.com/connect/v2") + " |",
		"| grpc-go " + version("internal/e2e/go.mod", "google.golang.org/grpc") + " |",
		"connectrpc.com/conformance " + version("internal/conformance/go.mod", "connectrpc.com/conformance") + " ",
	} {
		if !strings.Contains(text, want) {
			problems = append(problems, problem{clientsPage, 1, fmt.Sprintf("the page does not list the tested version, %q", strings.Trim(want, "| "))})
		}
	}
	return problems
}
