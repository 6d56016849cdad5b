//go:build fleet

package fleet_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
)

const (
	largeServices = 500
	largeMethods  = 20 // of each service
)

// TestExportEnvoyLarge loads an export of 10,000 procedures into Envoy, and calls each one.
func TestExportEnvoyLarge(t *testing.T) {
	file := &descriptorpb.FileDescriptorProto{
		Name: proto.String("large.proto"), Package: proto.String("large.v1"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("Empty")}},
	}
	policy := &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: []string{"https://app.example.com", "https://*.example.com"}}}
	for i := range largeServices {
		service := &descriptorpb.ServiceDescriptorProto{Name: proto.String(fmt.Sprintf("Service%03d", i))}
		for j := range largeMethods {
			method := &descriptorpb.MethodDescriptorProto{Name: proto.String(fmt.Sprintf("Method%02d", j)), InputType: proto.String(".large.v1.Empty"), OutputType: proto.String(".large.v1.Empty")}
			if j%4 == 0 {
				method.Options = &descriptorpb.MethodOptions{IdempotencyLevel: descriptorpb.MethodOptions_NO_SIDE_EFFECTS.Enum()}
			}
			service.Method = append(service.Method, method)
		}
		file.Service = append(file.Service, service)
		if i%50 == 0 {
			policy.Rules = append(policy.Rules, &corsrpcv1.Rule{Selector: "large.v1." + service.GetName(), AllowOrigins: []string{fmt.Sprintf("https://app%d.example.org", i)}, AllowCredentials: proto.Bool(true)})
		}
	}
	files, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{file}})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(policy, corsrpc.WithFiles(files))
	if err != nil {
		t.Fatal(err)
	}
	m, err := export.New(planaccess.Rules(plan), export.Options{OwnOrigins: []string{ownOrigin}})
	if err != nil {
		t.Fatal(err)
	}
	x, err := export.Write(export.Envoy, m)
	if err != nil {
		t.Fatal(err)
	}
	u := serveUpstream(t, nil)
	config := exportConfig(t, u.addr, x.Text)
	start := time.Now()
	e := envoy.Start(t, config)
	t.Logf("%d routes in %d lines, %d bytes; Envoy checked and loaded them in %v; memory %s", len(m.Routes), strings.Count(x.Text, "\n"), len(x.Text), time.Since(start), e.Admin("/memory"))
	transport := throughProgram(e.Addr(exportListener(0)))
	defer transport.CloseIdleConnections()
	statuses := map[int]int{}
	for i, r := range m.Routes {
		if r.Path == "" {
			continue
		}
		origin := []string{"https://app0.example.org", "https://a.example.com"}[i%2]
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://api.example.com"+r.Path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Origin", origin)
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		want := http.StatusOK
		if plan.Decide(corsrpc.RequestOf(request)).Refused() {
			want = http.StatusForbidden
		}
		statuses[want]++
		if response.StatusCode != want {
			t.Fatalf("%s from %s: %d, want %d", r.Path, origin, response.StatusCode, want)
		}
	}
	t.Log(statuses)
	if statuses[http.StatusOK] < 100 || statuses[http.StatusForbidden] < 100 {
		t.Error("one of the statuses is rare")
	}
}
