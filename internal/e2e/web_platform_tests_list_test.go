package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

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
