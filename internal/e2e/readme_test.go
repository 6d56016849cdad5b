package e2e

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestReadmeNamesTheVersions: the clients and servers that were tried are the
// ones that the README names.
func TestReadmeNamesTheVersions(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("web/package.json")
	if err != nil {
		t.Fatal(err)
	}
	var clients struct{ Dependencies map[string]string }
	if err := json.Unmarshal(text, &clients); err != nil {
		t.Fatal(err)
	}
	module, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	server := func(path string) string {
		_, after, _ := strings.Cut(string(module), path+" v")
		version, _, _ := strings.Cut(after, "\n")
		version, _, _ = strings.Cut(version, " ")
		return version
	}
	for _, want := range []string{
		"| connect-web " + clients.Dependencies["@connectrpc/connect-web"] + " |",
		"| grpc-web " + clients.Dependencies["grpc-web"] + " |",
		"| @protobuf-ts/grpcweb-transport " + clients.Dependencies["@protobuf-ts/grpcweb-transport"] + " |",
		"| nice-grpc-web " + clients.Dependencies["nice-grpc-web"] + " |",
		"| connect-go " + server("connectrpc.com/connect") + " |",
		"| connect-go v2 " + server("connectrpc.com/connect/v2") + " |",
		"| grpc-go " + server("google.golang.org/grpc") + " |",
	} {
		if !strings.Contains(string(readme), want) {
			t.Errorf("README.md does not have %q", want)
		}
	}
}
