package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestSize(t *testing.T) {
	const n = 1_000_000
	name := filepath.Join(t.TempDir(), "cors.binpb")
	all := origins(n)
	raw, err := proto.Marshal(&corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: all}})
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(name, raw, 0o600)
	all, raw = nil, nil
	before := heap()
	start := time.Now()
	layer, err := corsrpc.Load(name, corsrpc.WithFiles(new(protoregistry.Files)))
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	fmt.Println("binary", took, (heap()-before)/n, "bytes each")
	runtime.KeepAlive(layer)
	layer = nil
	yaml := filepath.Join(t.TempDir(), "cors.yaml")
	os.WriteFile(yaml, []byte("defaults:\n  allow_origins:\n    - "+strings.Join(origins(100_000), "\n    - ")+"\n"), 0o600)
	before = heap()
	start = time.Now()
	layer, err = corsrpc.Load(yaml, corsrpc.WithFiles(new(protoregistry.Files)))
	if err != nil {
		t.Fatal(err)
	}
	took = time.Since(start)
	fmt.Println("yaml", took, (heap()-before)/100_000, "bytes each")
	runtime.KeepAlive(layer)
}
