//go:build nginx

package export_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/nginx"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
)

// manyProcedures returns a schema with services of 10 procedures each, of which two differ in letter case only.
func manyProcedures(t *testing.T, services int) *protoregistry.Files {
	t.Helper()
	file := &descriptorpb.FileDescriptorProto{
		Name: proto.String("many.proto"), Package: proto.String("acme.a_package_with_a_long_name.v1"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}},
	}
	const message = ".acme.a_package_with_a_long_name.v1.M"
	for i := range services {
		s := &descriptorpb.ServiceDescriptorProto{Name: proto.String(fmt.Sprintf("Service%d", i))}
		for _, name := range []string{"Get", "GET", "Method2", "Method3", "Method4", "Method5", "Method6", "Method7", "Method8", "Method9"} {
			s.Method = append(s.Method, &descriptorpb.MethodDescriptorProto{Name: &name, InputType: proto.String(message), OutputType: proto.String(message)})
		}
		file.Service = append(file.Service, s)
	}
	files, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{file}})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestNginxManyProcedures starts nginx with 10,000 procedures, and checks procedures whose names differ in letter case only.
func TestNginxManyProcedures(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	doc, err := corsrpc.ParsePolicy("many.yaml", []byte(`
defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: acme.a_package_with_a_long_name.v1.Service7.GET
    allow_origins: ["https://*.example.net"]
    accept_risks: [PUBLIC_SUFFIX]
`))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc), corsrpc.WithFiles(manyProcedures(t, 1000)))
	if err != nil {
		t.Fatal(err)
	}
	m, err := export.New(planaccess.Rules(plan), export.Options{OwnOrigins: []string{"https://api.example.com"}, Upstream: b.url})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	text := nginxText(t, m)
	written := time.Now()
	s := nginx.Start(t, text)
	t.Logf("%d bytes, written in %v, nginx starts in %v", len(text), written.Sub(start), time.Since(written))
	if log := s.Log(); strings.Contains(log, "could not build optimal") {
		t.Errorf("nginx says: %s", log)
	}
	client := s.Transport()
	t.Cleanup(client.CloseIdleConnections)
	const service = "/acme.a_package_with_a_long_name.v1.Service"
	for _, c := range []struct {
		target, page string
		status       int
	}{
		{service + "7/Get", app, 200}, {service + "7/GET", app, 403}, {service + "7/get", app, 403},
		{service + "7/GET", "https://a.example.net", 200}, {service + "7/Get", "https://a.example.net", 403}, {service + "999/GET", app, 200}, {service + "999/Method9", app, 200},
		{service + "999/method9", app, 403}, {service + "999/None", app, 403},
	} {
		if a := b.send(t, client, "POST", c.target, fromPage(c.page)...); a.status != c.status {
			t.Errorf("%s from %s: status %d, want %d", c.target, c.page, a.status, c.status)
		}
	}
	for _, target := range []string{service + "7/Method2", service + "999/GET", service + "999/None", "/none"} {
		const n = 500
		start := time.Now()
		for range n {
			b.send(t, client, "POST", target, fromPage(app)...)
		}
		t.Logf("%s: %v a request", target, time.Since(start)/n)
	}
}
