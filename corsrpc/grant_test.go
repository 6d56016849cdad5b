package corsrpc

import (
	"reflect"
	"strings"
	"testing"
)

// TestGrantHoldsAnswersOnly checks that a grant reaches no protobuf message and no rule of a policy, so
// that decisions do not depend on them. A target has its effective rule beside the grant, for
// provenance.
func TestGrantHoldsAnswersOnly(t *testing.T) {
	t.Parallel()
	seen := map[reflect.Type]bool{}
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		if seen[typ] {
			return
		}
		seen[typ] = true
		name := typ.PkgPath() + "." + typ.Name()
		if strings.Contains(name, "/corsrpcv1.") || strings.Contains(name, "google.golang.org/protobuf") || strings.HasSuffix(name, "/rules.Effective") || strings.HasSuffix(name, "/rules.level") {
			t.Errorf("%s is a %s", path, name)
		}
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array:
			walk(path, typ.Elem())
		case reflect.Map:
			walk(path, typ.Key())
			walk(path, typ.Elem())
		case reflect.Struct:
			for i := range typ.NumField() {
				f := typ.Field(i)
				walk(path+"."+f.Name, f.Type)
			}
		}
	}
	walk("grant", reflect.TypeFor[grant]())
	if len(seen) < 20 {
		t.Errorf("only %d types were looked at", len(seen))
	}
}
