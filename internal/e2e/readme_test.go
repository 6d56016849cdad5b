package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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

// TestListOfSuitesIsCurrent: what WEB_PLATFORM_TESTS.md points to is there: the
// tests, the functions of the table, the cases.
func TestListOfSuitesIsCurrent(t *testing.T) {
	list, err := os.ReadFile("WEB_PLATFORM_TESTS.md")
	if err != nil {
		t.Fatal(err)
	}
	var sources strings.Builder
	for _, pattern := range []string{"*_test.go", "../intent/*_test.go", "../../corsrpc/corsbrowser/*_test.go", "../vectors/testdata/requests/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sources.Write(text)
		}
	}
	names := regexp.MustCompile("`(Test[A-Za-z]+|[a-z]+[A-Z]?[A-Za-z]*)`").FindAllStringSubmatch(string(list), -1)
	if len(names) < 50 {
		t.Errorf("%d names", len(names))
	}
	for _, name := range names {
		if !strings.Contains(sources.String(), "func "+name[1]+"(") && !strings.Contains(sources.String(), "oracleTable) "+name[1]+"(") {
			t.Errorf("there is no %s", name[1])
		}
	}
	if !strings.Contains(sources.String(), "a 304 exposes nothing") {
		t.Error("there is no case of a 304")
	}
}

// TestReadmeCountsTheFetches: those that TestOracle compares.
func TestReadmeCountsTheFetches(t *testing.T) {
	n := len(oracleCases())
	want := fmt.Sprintf("%d,%03d fetches", n/1000, n%1000)
	for _, file := range []string{"../../README.md", "../../CONTRIBUTING.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), want) {
			t.Errorf("%s does not say %q", file, want)
		}
	}
}
