package policydiff

import (
	"net/http"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/policytest"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// side returns a policy with the schema of the corpus.
func side(t *testing.T, text string) *Side {
	t.Helper()
	files, err := vectors.Schema("acme")
	if err != nil {
		t.Fatal(err)
	}
	settings := input.Settings{Files: files}
	policy, err := settings.Compile("cors.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return NewSide(policy, settings, []byte(text))
}

const (
	app     = "https://app.example.com"
	getCall = "acme.catalog.v1.CatalogService.Get"
	getPath = "/acme.catalog.v1.CatalogService/Get"
)

func defaults(fields string) string {
	return "defaults: {allow_origins: [" + app + "]" + fields + "}\n"
}

// witnesses are differences with calls that show them. The new policy grants what the old one does not.
var witnesses = map[string]struct {
	old, next string
	aspect    analysis.Aspect
	call      analysis.Call
	hasCase   bool
}{
	"an origin": {
		defaults(""), "defaults: {allow_origins: [" + app + ", https://shop.example.com]}", analysis.AspectOrigin,
		analysis.Call{Origin: "https://shop.example.com", Procedure: getCall, Path: getPath, Method: http.MethodPost}, true,
	},
	"the origin of the server's own host": {
		defaults(""), "defaults: {allow_origins: [" + app + ", https://api.example.com]}", analysis.AspectOrigin,
		analysis.Call{Origin: "https://api.example.com", Procedure: getCall, Path: getPath, Method: http.MethodPost}, false,
	},
	"a source": {
		defaults(""), "defaults: {allow_origins: [" + app + "], allow_origins_from: [tenants]}", analysis.AspectOrigin,
		analysis.Call{Origin: "https://t.example.com", Procedure: getCall, Path: getPath, Method: http.MethodPost, Sources: map[string][]string{"tenants": {"https://t.example.com"}}}, true,
	},
	"a variable": {
		defaults(""), "defaults: {allow_origins: [" + app + `, "${PARTNERS}"]}`, analysis.AspectOrigin,
		analysis.Call{Origin: "https://p.example.com", Procedure: getCall, Path: getPath, Method: http.MethodPost, Env: map[string]string{"PARTNERS": "https://p.example.com"}}, true,
	},
	"credentials": {
		defaults(""), defaults(", allow_credentials: true"), analysis.AspectCredentials,
		analysis.Call{Origin: app, Procedure: getCall, Path: getPath, Method: http.MethodPost, Credentials: true}, true,
	},
	"a request header": {
		defaults(""), defaults(", allow_headers: [x-a]"), analysis.AspectRequestHeader,
		analysis.Call{Origin: app, Procedure: getCall, Path: getPath, Method: http.MethodPost, RequestHeaders: []string{"x-a"}}, true,
	},
	"a header of gRPC-Web": {
		defaults(", protocols: [CONNECT]"), defaults(", protocols: [GRPC_WEB]"), analysis.AspectRequestHeader,
		analysis.Call{Origin: app, Procedure: getCall, Path: getPath, Method: http.MethodPost, RequestHeaders: []string{"x-grpc-web"}}, true,
	},
	"a response header": {
		defaults(", hide_headers: [x-id]"), defaults(""), analysis.AspectResponseHeader,
		analysis.Call{Origin: app, Procedure: getCall, Path: getPath, Method: http.MethodPost, ResponseHeader: "x-id"}, true,
	},
	"a method without a preflight, of a server of MCP": {
		defaults("") + "rules: [{path: /mcp, protocols: [MCP], allow_methods: [GET]}]", defaults("") + "rules: [{path: /mcp, protocols: [MCP]}]", analysis.AspectMethod,
		analysis.Call{Origin: app, Path: "/mcp", Method: http.MethodPost}, false,
	},
	"a method": {
		defaults("") + "rules: [{path: /files/, allow_methods: [GET]}]", defaults("") + "rules: [{path: /files/, allow_methods: [GET, PUT]}]", analysis.AspectMethod,
		analysis.Call{Origin: app, Path: "/files/x", Method: http.MethodPut}, true,
	},
	"a longer time": {
		defaults(", max_age: 60s"), defaults(""), analysis.AspectMaxAge,
		analysis.Call{Origin: app, Procedure: getCall, Path: getPath, Method: http.MethodPost}, false,
	},
	"timing": {
		defaults(""), defaults(", timing: true"), analysis.AspectTiming,
		analysis.Call{Origin: app, Procedure: getCall, Path: getPath, Method: http.MethodPost}, false,
	},
	"observes": {
		defaults(""), "enforcement: OBSERVE\n" + defaults(""), analysis.AspectUngoverned,
		analysis.Call{Origin: "https://page.example.net", Procedure: getCall, Path: getPath, Method: http.MethodPost}, true,
	},
	"ungoverned": {
		defaults("") + "rules: [{path: /admin/, disabled: true}]", defaults(""), analysis.AspectUngoverned,
		analysis.Call{Origin: "https://page.example.net", Path: "/admin/x", Method: http.MethodGet}, true,
	},
	"without an origin": {
		defaults(""), `defaults: {allow_origins: ["*"]}`, analysis.AspectWithoutOrigin,
		analysis.Call{Procedure: getCall, Path: getPath, Method: http.MethodGet}, false,
	},
	"a navigation": {
		defaults("") + "rules: [{path: /files/, disabled: true}]", defaults(", allow_credentials: true") + "rules: [{path: /files/, allow_methods: [GET]}]", analysis.AspectWithoutOrigin,
		analysis.Call{Path: "/files/x", Method: http.MethodGet, Navigation: true}, false,
	},
	"the server's own origin": {
		defaults("") + "rules: [{path: /mcp, protocols: [MCP]}]", defaults("") + "rules: [{path: /mcp}]", analysis.AspectOwnOrigin,
		analysis.Call{Origin: "https://page.example.net", Path: "/mcp", Method: http.MethodPost}, false,
	},
	"cookies": {
		defaults(""), "enforcement: OBSERVE\n" + defaults(""), analysis.AspectCookies,
		analysis.Call{Origin: app, Procedure: getCall, Path: getPath, Method: http.MethodPost, Credentials: true}, true,
	},
}

// TestReplay checks that a witness shows its difference in the right direction only, that one which does not
// is a bug, and that its case passes with the new policy only.
func TestReplay(t *testing.T) {
	t.Parallel()
	for name, test := range witnesses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old, next := side(t, test.old), side(t, test.next)
			d := analysis.Difference{Gained: true, Aspect: test.aspect, Witness: test.call}
			w := replay(old, next, d)
			if w.Bug != "" || !strings.HasPrefix(w.Curl, "curl ") || (w.Case != nil) != test.hasCase {
				t.Errorf("the witness is %+v", w)
			}
			if w := replay(next, old, d); w.Bug == "" || w.Curl != "" || w.Case != nil {
				t.Errorf("in the other direction, the witness is %+v", w)
			}
			if w := replay(old, old, d); w.Bug == "" {
				t.Errorf("between equal policies, the witness is %+v", w)
			}
			d.Gained = false
			if w := replay(next, old, d); w.Bug != "" || (w.Case != nil) != test.hasCase {
				t.Errorf("as a loss, the witness is %+v", w)
			}
			if w := replay(old, next, d); w.Bug == "" {
				t.Errorf("as a loss in the other direction, the witness is %+v", w)
			}
		})
	}
}

// TestReplayOfImpossibleCalls checks that a witness that is not a call is a bug, and not an empty witness.
func TestReplayOfImpossibleCalls(t *testing.T) {
	t.Parallel()
	old, next := side(t, defaults("")), side(t, `defaults: {allow_origins: ["*"]}`)
	for name, call := range map[string]analysis.Call{
		"no method":         {Origin: app, Procedure: getCall, Path: getPath},
		"no target":         {Origin: app, Method: http.MethodPost},
		"an invalid origin": {Origin: "https://a b", Procedure: getCall, Path: getPath, Method: http.MethodPost},
		"a variable that cannot have the value": {
			Origin: app, Procedure: getCall, Path: getPath, Method: http.MethodPost, Env: map[string]string{"X": "not an origin"},
		},
	} {
		if name == "a variable that cannot have the value" {
			next = side(t, `defaults: {allow_origins: ["${X}"]}`)
		}
		w := replay(old, next, analysis.Difference{Gained: true, Aspect: analysis.AspectOrigin, Witness: call})
		if w.Bug == "" || w.Curl != "" {
			t.Errorf("%s: the witness is %+v", name, w)
		}
	}
}

// TestCaseText checks the text of a case, with the sources and the environment variables that it needs.
func TestCaseText(t *testing.T) {
	t.Parallel()
	old, next := side(t, defaults("")), side(t, "defaults: {allow_origins: ["+app+"], allow_origins_from: [tenants]}")
	w := replay(old, next, analysis.Difference{Gained: true, Aspect: analysis.AspectOrigin, Witness: witnesses["a source"].call})
	text, err := policytest.CaseText(w.Case)
	if err != nil {
		t.Fatal(err)
	}
	const want = `- from: https://t.example.com
  call: acme.catalog.v1.CatalogService.Get
  expect:
    readable: {}
  sources:
    tenants:
      origins:
        - https://t.example.com
`
	if text != want {
		t.Errorf("the case is\n%s\nwant\n%s", text, want)
	}
}
