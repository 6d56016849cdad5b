package kubernetes

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing/fstest"
)

// crdModule is a Go module whose files hold CustomResourceDefinitions. The tests read the files, and do not compile
// the module: its dependencies need other versions of Kubernetes' libraries than the validator.
type crdModule struct {
	version string   // path@version, for `go mod download`
	sum     string   // the hash of go.sum
	files   []string // patterns in the module
}

var crdModules = []crdModule{
	{
		"github.com/envoyproxy/gateway@v1.9.1",
		"h1:vAVp6/AlBXJ1aOhp1mxL7fNEzVEfjADUguUhm2wzxQY=",
		[]string{"charts/gateway-helm/charts/crds/crds/generated/*.yaml"},
	},
	{
		"istio.io/api@v1.32.0",
		"h1:37mJvg9I0biYZAEQF+MATs4FNeCpXEIVO3LFpVb6iNM=",
		[]string{"kubernetes/customresourcedefinitions.gen.yaml"},
	},
	{
		"sigs.k8s.io/gateway-api@v1.6.3",
		"h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc=",
		[]string{"config/crd/standard/*.yaml"},
	},
}

// crds returns the files of the CustomResourceDefinitions. It downloads the modules that are not in Go's module cache.
var crds = sync.OnceValues(func() (fstest.MapFS, error) {
	files := fstest.MapFS{}
	for _, m := range crdModules {
		if err := m.read(files); err != nil {
			return nil, err
		}
	}
	return files, nil
})

func (m crdModule) read(files fstest.MapFS) error {
	dir, err := os.MkdirTemp("", "crds") // outside of modules, whose go.sum the command would change
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	download := exec.Command("go", "mod", "download", "-json", m.version)
	download.Dir, download.Env = dir, append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	out, err := download.Output()
	var module struct{ Dir, Sum, Error string }
	if parseErr := json.Unmarshal(out, &module); parseErr != nil || module.Error != "" || err != nil {
		return fmt.Errorf("go mod download %s: %w\n%s", m.version, err, out)
	}
	if module.Sum != m.sum {
		return fmt.Errorf("the hash of %s is %s, and not %s", m.version, module.Sum, m.sum)
	}
	for _, pattern := range m.files {
		names, err := filepath.Glob(filepath.Join(module.Dir, pattern))
		if err != nil || len(names) == 0 {
			return fmt.Errorf("%s has no files %s: %v", m.version, pattern, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			files[filepath.Base(name)] = &fstest.MapFile{Data: text}
		}
	}
	return nil
}
