package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// measureMemory measures the memory of a layer for each procedure of the schema and for each rule. The schema is that
// of the server, which has it anyway, so that it does not count.
func measureMemory(t testing.TB, once bool) []result {
	n := 10_000
	if once {
		n = 100
	}
	size := func(s setting, files *protoregistry.Files) float64 {
		live, layer := grows(func() *corsrpc.Layer { return newLayerOf(t, s, files) })
		runtime.KeepAlive(layer)
		runtime.KeepAlive(files)
		return live
	}
	few, many := schema(t, 1), schema(t, n)
	one := setting{exact: []string{page}}
	newLayerOf(t, one, few) // this makes the parts that all layers share, which do not count
	alone, procedures := size(one, few), size(one, many)
	ruled := one
	ruled.rules = n
	r := result{"Memory/layer", map[string][]float64{}}
	r.add("B", alone)
	r.add("B/procedure", (procedures-alone)/float64(n-1))
	r.add("B/rule", (size(ruled, many)-procedures)/float64(n))
	return []result{r}
}

func newLayerOf(t testing.TB, s setting, files *protoregistry.Files) *corsrpc.Layer {
	t.Helper()
	plan, err := corsrpc.Compile(s.policy(), corsrpc.WithFiles(files))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := corsrpc.New(plan)
	if err != nil {
		t.Fatal(err)
	}
	return layer
}

// The size of the server whose start is measured.
const startServices, startMethods = 500, 20

// measureStart measures what corsrpc.Load adds to the start of a server with many services, with a rule for each of
// them, or with defaults only. The server has its schema anyway.
func measureStart(t testing.TB, once bool) (all []result) {
	services, times := startServices, 5
	if once {
		services, times = 5, 1
	}
	files := largeSchema(t, services, startMethods)
	for _, rules := range []string{"defaults only", "a rule for each service"} {
		text := "defaults:\n  allow_origins: [" + page + "]\n"
		if rules != "defaults only" {
			text += "rules:\n"
			for i := range services {
				text += fmt.Sprintf("  - selector: acme.s%d.v1.Service\n    allow_headers: [x-of-%d]\n", i, i)
			}
		}
		path := filepath.Join(t.TempDir(), "cors.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		load := func() *corsrpc.Layer {
			layer, err := corsrpc.Load(path, corsrpc.WithFiles(files))
			if err != nil {
				t.Fatal(err)
			}
			return layer
		}
		r := result{"Start/rules=" + rules, map[string][]float64{}}
		for range times {
			runtime.GC()
			start, used := time.Now(), processTime()
			load()
			r.add("wall-ns", float64(time.Since(start)))
			r.add("ns", float64(processTime()-used))
		}
		live, layer := grows(load)
		r.add("live-B", live)
		runtime.KeepAlive(layer)
		all = append(all, r)
	}
	return all
}

// largeSchema returns a schema of many services, each in a package and a file of its own.
func largeSchema(t testing.TB, services, methods int) *protoregistry.Files {
	t.Helper()
	set := &descriptorpb.FileDescriptorSet{}
	for i := range services {
		pkg := fmt.Sprintf("acme.s%d.v1", i)
		service := &descriptorpb.ServiceDescriptorProto{Name: proto.String("Service")}
		for m := range methods {
			service.Method = append(service.Method, &descriptorpb.MethodDescriptorProto{
				Name: proto.String(fmt.Sprintf("Method%d", m)), InputType: proto.String("." + pkg + ".M"), OutputType: proto.String("." + pkg + ".M"),
			})
		}
		set.File = append(set.File, &descriptorpb.FileDescriptorProto{
			Name: proto.String(fmt.Sprintf("s%d.proto", i)), Syntax: proto.String("proto3"), Package: proto.String(pkg),
			MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}}, Service: []*descriptorpb.ServiceDescriptorProto{service},
		})
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		t.Fatal(err)
	}
	return files
}
