package corsinspect_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
)

// TestInspectorShowsWhatHappened: the inspector shows the policies, groups of refusals and of
// differences, reloads, origin sources, and the rules with the places of their values.
func TestInspectorShowsWhatHappened(t *testing.T) {
	t.Parallel()
	layer, h := newBusyLayer(t)
	in := inspectJSON(t, h, nil)
	digest, shadowDigest := layer.Plan().Digest(), layer.Plan().Shadow().Digest()

	t.Run("policies", func(t *testing.T) {
		if !strings.Contains(in.Policy.YAML, "- https://old.example.com\n") || strings.Contains(in.Policy.YAML, "shadow") || in.Policy.Digest != digest {
			t.Errorf("the policy has the digest %q, want %q:\n%s", in.Policy.Digest, digest, in.Policy.YAML)
		}
		if in.Shadow == nil || strings.Contains(in.Shadow.YAML, "old") || !strings.Contains(in.Shadow.YAML, "https://app.example.com") || in.Shadow.Digest != shadowDigest || shadowDigest == digest {
			t.Errorf("the shadow policy, want the digest %q: %+v", shadowDigest, in.Shadow)
		}
	})
	t.Run("groups", func(t *testing.T) {
		var got []string
		for _, g := range append(in.Refusals, in.Differences...) {
			shadow := ""
			if g.Shadow != nil {
				shadow = " " + g.Shadow.Reason + " " + g.Shadow.From
			}
			got = append(got, fmt.Sprintf("%d %s %q %s%s %s", g.Count, g.Decision.Reason, g.Target, g.Decision.From, shadow, g.Missing))
		}
		slices.Sort(got)
		want := []string{
			`1 HEADERS_NOT_GRANTED "acme.catalog.v1.CatalogService.List" defaults at cors.yaml:3:3 x-tenant`,
			`1 ORIGIN_ALLOWED "acme.catalog.v1.CatalogService.List" defaults.allow_origins[1] at cors.yaml:3:44 ORIGIN_NOT_ALLOWED shadow.defaults.allow_origins at cors.yaml:10:20 `,
			`7 ORIGIN_NOT_ALLOWED "" defaults.allow_origins at cors.yaml:3:18 `,
			`7 ORIGIN_NOT_ALLOWED "acme.catalog.v1.CatalogService.List" defaults.allow_origins at cors.yaml:3:18 `,
		}
		if !slices.Equal(got, want) {
			t.Errorf("groups:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
	t.Run("samples of groups", func(t *testing.T) {
		latest := []string{"https://evil2.example", "https://evil3.example", "https://evil4.example", "https://evil5.example", "https://evil6.example"}
		for _, g := range in.Refusals {
			if g.Target != "" && !g.Preflight && !slices.Equal(g.Origins, latest) {
				t.Errorf("the latest origins are %s, want %s", g.Origins, latest)
			}
			if g.Target == "" && g.Path != "/other.v1.S/M6" {
				t.Errorf("the latest path is %s", g.Path)
			}
		}
	})
	t.Run("reloads, the latest first", func(t *testing.T) {
		if len(in.Reloads) != 2 || in.Reloads[0].Error == "" || in.Reloads[0].Digest != "" || in.Reloads[1].Error != "" || in.Reloads[1].Digest != digest {
			t.Errorf("%+v", in.Reloads)
		}
	})
	t.Run("origin sources", func(t *testing.T) {
		if len(in.Sources) != 1 || in.Sources[0].Origins != 1 || in.Sources[0].Skipped != 1 || in.Sources[0].Sample != "*" || in.Sources[0].Loaded == "" {
			t.Errorf("%+v", in.Sources)
		}
	})
	t.Run("rules", func(t *testing.T) {
		listed := 0
		for _, r := range in.Rules {
			listed += len(r.Names)
			if slices.Contains(r.Names, "acme.account.v1.AccountService.Get") {
				if v := r.Values[0]; v.Field != "allow_origins_from" || v.Value != "tenants" || v.From != "rules[0].allow_origins_from[0] at cors.yaml:6:26" {
					t.Errorf("the values of AccountService.Get are %+v", r.Values)
				}
			}
		}
		if listed != in.Procedures || listed != len(layer.Plan().Procedures()) || len(in.Paths) != 1 || in.Paths[0].Names[0] != "/files/" {
			t.Errorf("%d of %d procedures are listed; the paths are %v", listed, in.Procedures, in.Paths)
		}
	})
	t.Run("the page", func(t *testing.T) {
		page := inspect(h, nil, "text/html,application/xhtml+xml,*/*;q=0.8").Body.String()
		for _, want := range []string{"<!DOCTYPE html>", "x-tenant", "https://evil6.example", "failed: the previous policy stays in force", "acme.catalog.v1.CatalogService.List", `<code id="digest">` + digest + "</code>"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page does not contain %q", want)
			}
		}
		if strings.Contains(page, "<script") || strings.Contains(page, "http-equiv") {
			t.Error("the page has a script or an http-equiv")
		}
	})
}

// newBusyLayer returns an inspected layer with a shadow policy and an origin source, after
// refused requests, a difference of the shadow policy, a reload and a failed reload.
func newBusyLayer(t *testing.T) (*corsrpc.Layer, *corsinspect.Inspector) {
	t.Helper()
	const text = `
defaults:
  allow_origins: [https://app.example.com, https://old.example.com]
rules:
  - selector: acme.account.v1.AccountService
    allow_origins_from: [tenants]
  - path: /files/
shadow:
  defaults:
    allow_origins: [https://app.example.com]
`
	layer, h := newLayer(t, text, corsrpc.WithOriginSource("tenants", rowsOf("https://a.example", "*")))
	if err := layer.Refresh(t.Context(), "tenants"); err != nil {
		t.Fatal(err)
	}
	api := layer.Wrap(nothing)
	for i := range 7 {
		refuse(api, listRPC, fmt.Sprintf("https://evil%d.example", i))
		refuse(api, fmt.Sprintf("/other.v1.S/M%d", i), "https://evil.example")
	}
	api.ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodOptions, listRPC, http.Header{
		"Origin": {page}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"x-tenant"},
	}))
	refuse(api, listRPC, "https://old.example.com") // allowed by the policy, but not by its shadow
	if err := layer.Reload(t.Context(), compilePolicy(t, text)); err != nil {
		t.Fatal(err)
	}
	if err := layer.Reload(t.Context(), nil); err == nil {
		t.Fatal("a nil plan was put in force")
	}
	return layer, h
}

// TestInspectorShowsTimingAndTracing: the page and the JSON list timing and tracing among the values of a
// rule, tracing as one value.
func TestInspectorShowsTimingAndTracing(t *testing.T) {
	t.Parallel()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte("defaults: {allow_origins: [https://app.example.com], tracing: true}\nrules: [{path: /files/, timing: true}]"))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc))
	if err != nil {
		t.Fatal(err)
	}
	_, h := layerOf(t, plan, nil)
	var got []string
	for _, v := range inspectJSON(t, h, nil).Paths[0].Values {
		if v.Field == "timing" || v.Field == "tracing" {
			got = append(got, v.Field+" "+v.Value+" "+v.From)
		}
	}
	if want := []string{"tracing true defaults.tracing at cors.yaml:1:63", "timing true rules[0].timing at cors.yaml:2:33"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if page := inspect(h, nil, "text/html").Body.String(); !strings.Contains(page, `<td class="short" data-label="Field">timing</td><td class="value" data-label="Value">true</td>`) {
		t.Errorf("the page does not list timing:\n%s", page)
	}
}

// TestInspectorEscapes: the page escapes texts of requests and of the form.
func TestInspectorEscapes(t *testing.T) {
	t.Parallel()
	const attack = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	layer, h := newLayer(t, allowPage)
	api := layer.Wrap(nothing)
	refuse(api, listRPC, "https://"+attack)
	r := newRequest(http.MethodPost, "/", http.Header{"Origin": {"https://evil.example"}})
	r.URL.Path = "/other.v1.S/" + attack
	api.ServeHTTP(httptest.NewRecorder(), r)
	for _, query := range []url.Values{nil, {
		"origin": {attack}, "server": {"https://" + attack}, "target": {attack}, "method": {attack}, "headers": {attack + ": " + attack}, "response": {attack},
	}, {
		"origin": {attack}, "server": {"https://api.example.com"}, "target": {"/x.v1.S/" + url.PathEscape(attack)}, "method": {"POST"},
		"headers": {"X-A: " + attack}, "response": {"X-B: " + attack},
	}} {
		w := inspect(h, query, "text/html")
		if w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if body := w.Body.String(); strings.Contains(body, "<script") || strings.Contains(body, "<img") || strings.Contains(body, `""><`) {
			t.Errorf("%v: the page contains markup of the request", query)
		}
	}
}

// TestInspectorShowsSoMuch: the page shows a bounded part of a large policy, and the number
// of the parts that it leaves out.
func TestInspectorShowsSoMuch(t *testing.T) {
	t.Parallel()
	numbered := func(n int, line string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, line, i)
		}
		return b.String()
	}
	service := &descriptorpb.ServiceDescriptorProto{Name: proto.String("LargeService")}
	for i := range 250 {
		service.Method = append(service.Method, &descriptorpb.MethodDescriptorProto{
			Name: proto.String(fmt.Sprintf("M%03d", i)), InputType: proto.String(".large.v1.M"), OutputType: proto.String(".large.v1.M"),
		})
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("large.proto"), Package: proto.String("large.v1"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}}, Service: []*descriptorpb.ServiceDescriptorProto{service},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	files := &protoregistry.Files{}
	if err := files.RegisterFile(file); err != nil {
		t.Fatal(err)
	}
	shown := func(text string) inspection {
		doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithFiles(files), corsrpc.WithDocument(doc))
		if err != nil {
			t.Fatal(err)
		}
		_, h := layerOf(t, plan, nil)
		return inspectJSON(t, h, nil)
	}

	in := shown(allowPage)
	if len(in.Rules) != 1 || len(in.Rules[0].Names) != 200 || in.Rules[0].NamesLeft != 50 || in.Procedures != 250 {
		t.Errorf("a rule of 250 procedures: %d rules, of %d; %+v", len(in.Rules), in.Procedures, in.Rules)
	}
	in = shown("defaults:\n  allow_origins: [https://app.example.com]\nrules:\n" + numbered(250, "  - selector: large.v1.LargeService.M%03d\n    max_age: 60s\n") + numbered(230, "  - path: /p%03d\n    max_age: 60s\n"))
	if len(in.Rules) != 200 || in.RulesLeft != 50 || len(in.Paths) != 200 || in.PathsLeft != 30 {
		t.Errorf("%d rules of procedures and %d left, %d of paths and %d left", len(in.Rules), in.RulesLeft, len(in.Paths), in.PathsLeft)
	}
	in = shown("defaults:\n  allow_origins:\n" + numbered(180, "    - https://app%03d.example.com\n"))
	origins := 0
	for _, v := range in.Rules[0].Values {
		if v.Field == "allow_origins" {
			origins++
		}
	}
	if origins != 100 || in.Rules[0].OriginsLeft != 80 || !strings.Contains(in.Policy.YAML, "https://app179.example.com") {
		t.Errorf("%d origins and %d left of a rule; the policy:\n%s", origins, in.Rules[0].OriginsLeft, in.Policy.YAML)
	}
	in = shown("defaults:\n  allow_origins: [https://app.example.com]\nrules:\n" + numbered(2000, "  - path: /"+strings.Repeat("x", 150)+"%04d\n"))
	if len(in.Policy.YAML) > 200 || !strings.Contains(in.Policy.YAML, "too many to show") {
		t.Errorf("%d bytes of the policy: %.100s", len(in.Policy.YAML), in.Policy.YAML)
	}
}
