package corsrpc_test

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

func compileText(t *testing.T, text string, opts ...corsrpc.CompileOption) (*corsrpc.Plan, error) {
	t.Helper()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(text))
	if err != nil {
		return nil, err
	}
	return corsrpc.Compile(doc.Policy(), append(opts, corsrpc.WithDocument(doc))...)
}

func outcomeOf(p *corsrpc.Plan, path, from string) corsrpc.Outcome {
	return p.Decide(corsrpc.Request{Method: "POST", Host: "api.example.com", Path: path, Header: http.Header{"Origin": {from}, "Content-Type": {"application/json"}}}).Outcome()
}

func TestProfiles(t *testing.T) {
	const text = `
defaults: {allow_origins: [https://app.example.com]}
rules: [{selector: "*", allow_headers: [x-a]}]
profiles:
  dev: {add_origins: ["http://localhost:*"], defaults: {max_age: 0s}}
`
	for profile, want := range map[string]corsrpc.Outcome{"": corsrpc.OutcomeRefuse, "dev": corsrpc.OutcomeGrant} {
		plan, err := compileText(t, text, corsrpc.WithProfile(profile))
		if err != nil {
			t.Fatal(err)
		}
		if got := outcomeOf(plan, "/acme.v1.S/M", "http://localhost:3000"); got != want {
			t.Errorf("%q: %s", profile, got)
		}
		if got := outcomeOf(plan, "/acme.v1.S/M", "https://app.example.com"); got != corsrpc.OutcomeGrant {
			t.Errorf("%q: %s", profile, got)
		}
	}
	_, err := compileText(t, text, corsrpc.WithProfile("dve"))
	t.Log(err)
	_, err = compileText(t, `
defaults: {allow_origins: [https://app.example.com]}
profiles:
  dev: {add_origins: ["http://plain.example.com"], rules: [{selector: acme.Nothing}]}
`)
	t.Log(err)
	lookup := func(name string) (string, bool) {
		v, ok := map[string]string{"O": "https://a.example.com, https://b.example.com"}[name]
		return v, ok
	}
	plan, err := compileText(t, `defaults: {allow_origins: ["${O}", "${P:-https://c.example.com}"]}`, corsrpc.WithLookupEnv(lookup))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []string{"https://a.example.com", "https://b.example.com", "https://c.example.com"} {
		if got := outcomeOf(plan, "/acme.v1.S/M", o); got != corsrpc.OutcomeGrant {
			t.Errorf("%s: %s", o, got)
		}
	}
	_, err = compileText(t, `defaults: {allow_origins: ["${P}", "x${O}", "${O"]}`, corsrpc.WithLookupEnv(lookup))
	t.Log(err)
}

func schemaWith(t *testing.T, service, method *corsrpcv1.Rule) *protoregistry.Files {
	t.Helper()
	so, mo := &descriptorpb.ServiceOptions{}, &descriptorpb.MethodOptions{}
	if service != nil {
		proto.SetExtension(so, corsrpcv1.E_Service, service)
	}
	if method != nil {
		proto.SetExtension(mo, corsrpcv1.E_Method, method)
	}
	set := &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{{
		Name: proto.String("s.proto"), Syntax: proto.String("proto3"), Package: proto.String("acme.v1"), MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("S"), Options: so, Method: []*descriptorpb.MethodDescriptorProto{
			{Name: proto.String("Get"), InputType: proto.String(".acme.v1.M"), OutputType: proto.String(".acme.v1.M"), Options: mo},
			{Name: proto.String("List"), InputType: proto.String(".acme.v1.M"), OutputType: proto.String(".acme.v1.M")},
		}}},
	}}}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestSchemaOptions(t *testing.T) {
	files := schemaWith(t, &corsrpcv1.Rule{AllowHeaders: []string{"x-service"}}, &corsrpcv1.Rule{AllowHeaders: []string{"x-method"}, Disabled: proto.Bool(true)})
	plan, err := compileText(t, `defaults: {allow_origins: [https://app.example.com]}`, corsrpc.WithFiles(files))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]corsrpc.Outcome{"/acme.v1.S/Get": corsrpc.OutcomeRefuse, "/acme.v1.S/List": corsrpc.OutcomeGrant, "/acme.v1.S/New": corsrpc.OutcomeGrant} {
		if got := outcomeOf(plan, path, "https://app.example.com"); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
	for policy, want := range map[string]corsrpc.Outcome{
		`{defaults: {allow_origins: [https://app.example.com]}, rules: [{selector: acme.v1.*, disabled: false}]}`:      corsrpc.OutcomeRefuse,
		`{defaults: {allow_origins: [https://app.example.com]}, rules: [{selector: acme.v1.S.Get, disabled: false}]}`:  corsrpc.OutcomeGrant,
		`{defaults: {allow_origins: [https://app.example.com]}, rules: [{selector: acme.v1.S, allow_headers: [x-b]}]}`: corsrpc.OutcomeRefuse,
		`{defaults: {allow_origins: [https://app.example.com]}, schema_options: IGNORE}`:                               corsrpc.OutcomeGrant,
	} {
		plan, err := compileText(t, policy, corsrpc.WithFiles(files))
		if err != nil {
			t.Fatal(policy, err)
		}
		if got := outcomeOf(plan, "/acme.v1.S/Get", "https://app.example.com"); got != want {
			t.Errorf("%s: %s", policy, got)
		}
	}
	_, err = compileText(t, `defaults: {allow_origins: [https://app.example.com]}`, corsrpc.WithFiles(schemaWith(t, &corsrpcv1.Rule{AllowOrigins: []string{"https://x.example.com"}, AllowCredentials: proto.Bool(true), AllowHeaders: []string{"*"}}, nil)))
	t.Log(err)
}

func TestObserveAndShadow(t *testing.T) {
	plan, err := compileText(t, `
defaults: {allow_origins: [https://app.example.com]}
enforcement: OBSERVE
shadow: {defaults: {allow_origins: [https://b.example.com]}}
`)
	if err != nil {
		t.Fatal(err)
	}
	var events []corsrpc.Event
	layer, err := corsrpc.New(plan, corsrpc.WithLogger(nil), corsrpc.WithObserver(corsrpc.ObserverFunc(func(_ context.Context, e corsrpc.Event) { events = append(events, e) })))
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/acme.v1.S/M", nil)
	r.Header.Set("Origin", "https://b.example.com")
	rec := httptest.NewRecorder()
	layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Access-Control-Allow-Origin", "own") })).ServeHTTP(rec, r)
	if rec.Code != 200 || rec.Header().Get("Access-Control-Allow-Origin") != "own" || len(events) != 2 || events[0].Decision.Enforced() || events[1].Shadow.Outcome() != corsrpc.OutcomeGrant {
		t.Errorf("%d %v %+v", rec.Code, rec.Header(), events)
	}
}

func TestSources(t *testing.T) {
	plan, err := compileText(t, `defaults: {allow_origins_from: [tenants]}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := corsrpc.New(plan); err == nil {
		t.Error("a source that nobody gave")
	}
	rows, fails := []string{"https://a.example.com", "*", "http://plain.example.com", "null", "https://*.x.com"}, error(nil)
	source := corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
			if fails != nil {
				yield("", fails)
			}
		}
	})
	var last corsrpc.SourceReport
	layer, err := corsrpc.New(plan, corsrpc.WithLogger(nil), corsrpc.WithOriginSource("tenants", source), corsrpc.WithObserver(corsrpc.ObserverFunc(func(_ context.Context, e corsrpc.Event) { last = e.Source })))
	if err != nil {
		t.Fatal(err)
	}
	if got := outcomeOf(layer.Plan(), "/acme.v1.S/M", "https://a.example.com"); got != corsrpc.OutcomeRefuse {
		t.Errorf("before: %s", got)
	}
	if err := layer.Refresh(t.Context(), "tenants"); err != nil || last.Skipped != 4 || last.Origins != 1 {
		t.Errorf("%v %+v", err, last)
	}
	if got := outcomeOf(layer.Plan(), "/acme.v1.S/M", "https://a.example.com"); got != corsrpc.OutcomeGrant {
		t.Errorf("after: %s", got)
	}
	rows, fails = nil, errors.New("down")
	if err := layer.Refresh(t.Context(), "tenants"); err == nil || outcomeOf(layer.Plan(), "/acme.v1.S/M", "https://a.example.com") != corsrpc.OutcomeGrant {
		t.Error(err)
	}
	if err := layer.Reload(t.Context(), plan); err != nil || outcomeOf(layer.Plan(), "/acme.v1.S/M", "https://a.example.com") != corsrpc.OutcomeGrant {
		t.Error(err)
	}
}

func TestSourceAges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan, err := compileText(t, `defaults: {allow_origins_from: [tenants]}`)
		if err != nil {
			t.Fatal(err)
		}
		source := corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
			return func(yield func(string, error) bool) { yield("https://a.example.com", nil) }
		})
		layer, err := corsrpc.New(plan, corsrpc.WithLogger(nil), corsrpc.WithOriginSource("tenants", source, corsrpc.SourceMaxAge(time.Minute), corsrpc.SourceWait(time.Second)))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []corsrpc.Outcome{corsrpc.OutcomeGrant, corsrpc.OutcomeRefuse} {
			if got := outcomeOf(layer.Plan(), "/acme.v1.S/M", "https://a.example.com"); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			time.Sleep(time.Minute)
		}
	})
}

func TestWatch(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cors.yaml")
	write := func(text string) {
		if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	write(`defaults: {allow_origins: [https://a.example.com]}`)
	events := make(chan corsrpc.Event, 100)
	layer, err := corsrpc.Load(file, corsrpc.WithLogger(nil), corsrpc.WithObserver(corsrpc.ObserverFunc(func(_ context.Context, e corsrpc.Event) { events <- e })))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- layer.Watch(ctx) }()
	write(`defaults: {allow_origins: [https://b.example.com]}`)
	if e := <-events; e.Kind != corsrpc.EventReload || e.Err != nil || outcomeOf(layer.Plan(), "/acme.v1.S/M", "https://b.example.com") != corsrpc.OutcomeGrant {
		t.Errorf("%+v", e)
	}
	write(`defaults: {allow_origin: [https://c.example.com]}`)
	if e := <-events; e.Err == nil || outcomeOf(layer.Plan(), "/acme.v1.S/M", "https://b.example.com") != corsrpc.OutcomeGrant {
		t.Errorf("%+v", e)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if e := <-events; e.Err == nil {
		t.Errorf("%+v", e)
	}
	write(`defaults: {allow_origins: [https://c.example.com]}`)
	if e := <-events; e.Err != nil || outcomeOf(layer.Plan(), "/acme.v1.S/M", "https://c.example.com") != corsrpc.OutcomeGrant {
		t.Errorf("%+v", e)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
