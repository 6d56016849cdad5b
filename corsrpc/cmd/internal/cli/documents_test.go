package cli

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

// TestDocumentsAreDocumented: the page about the command names each field of the JSON documents, in
// parentheses if it is left out where it is empty.
func TestDocumentsAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/command.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "## JSON documents")
	if !ok {
		t.Fatal("the page has no section about JSON documents")
	}
	seen := map[reflect.Type]bool{}
	for _, document := range []any{checkDocument{}, showDocument{}, explainDocument{}, testDocument{}, probeDocument{}, auditDocument{}, againstDocument{}, initDocument{}, exportDocument{}} {
		fieldsDocumented(t, section, reflect.TypeOf(document), seen)
	}
	if len(seen) < 10 {
		t.Errorf("%d types", len(seen))
	}
}

// fieldsDocumented checks the fields of a struct, and those of the structs in it.
func fieldsDocumented(t *testing.T, section string, typ reflect.Type, seen map[reflect.Type]bool) {
	for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || seen[typ] {
		return
	}
	seen[typ] = true
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" && !f.Anonymous {
			t.Errorf("%s.%s has no name in JSON", typ, f.Name)
		}
		if name != "" && !strings.Contains(section, "`"+name+"`") {
			t.Errorf("the page does not have `%s` of %s", name, typ)
		}
		if strings.Contains(options, "omit") && typ != reflect.TypeFor[report.Place]() && !strings.Contains(section, "(`"+name+"`)") {
			t.Errorf("the page does not say that `%s` of %s may be left out: write it in parentheses", name, typ)
		}
		fieldsDocumented(t, section, f.Type, seen)
	}
}
