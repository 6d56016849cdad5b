package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/gatewayfile"
)

// envoyKubernetes is the folder of the example for Envoys in Kubernetes. Other modules validate its manifests.
const envoyKubernetes = "../../../../examples/envoy/kubernetes"

// processorManifests are the manifests of the processor, by their kind.
func processorManifests(t *testing.T) map[string]yaml.Node {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(envoyKubernetes, "extproc.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]yaml.Node{}
	for _, part := range strings.Split(string(text), "\n---\n") {
		var node yaml.Node
		var kind struct{ Kind string }
		if err := yaml.Unmarshal([]byte(part), &node); err != nil {
			t.Fatal(err)
		}
		if err := node.Decode(&kind); err != nil {
			t.Fatal(err)
		}
		kinds[kind.Kind] = node
	}
	return kinds
}

// decoded decodes a manifest.
func decoded[T any](t *testing.T, node yaml.Node) (m T) {
	t.Helper()
	if err := node.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestKubernetesProcessor: the gateway file and the policy of the processor are right, its manifests agree with them, and
// both products ask at its port.
func TestKubernetesProcessor(t *testing.T) {
	manifests := processorManifests(t)
	dir := t.TempDir()
	files := decoded[struct{ Data map[string]string }](t, manifests["ConfigMap"]).Data
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file, err := gatewayfile.Read(filepath.Join(dir, "gateway.yaml"), gatewayfile.Processor)
	if err != nil || len(file.Unused) > 0 {
		t.Fatalf("the gateway file: %v, unused %q", err, file.Unused)
	}
	var out bytes.Buffer
	if code := Run(t.Context(), Streams{In: strings.NewReader(""), Out: &out, Err: &out}, []string{"check", "--strict", file.Gateway.GetVirtualHosts()[0].GetPolicy()}); code != exitFine {
		t.Errorf("corsrpc check: exit %d\n%s", code, &out)
	}
	d := decoded[deployment](t, manifests["Deployment"])
	pod := d.Spec.Template.Spec
	container := pod.Containers[0]
	ports := map[string]string{}
	for _, p := range container.Ports {
		ports[p.Name] = fmt.Sprint(p.ContainerPort)
	}
	if want := map[string]string{"grpc": portOf(t, file.Gateway.GetListen().GetAddress()), "internal": portOf(t, file.Gateway.GetInternal().GetAddress())}; fmt.Sprint(ports) != fmt.Sprint(want) {
		t.Errorf("the ports are %v, and those of the gateway file %v", ports, want)
	}
	if live, ready := container.LivenessProbe.HTTPGet, container.ReadinessProbe.HTTPGet; live != struct{ Path, Port string }{"/livez", "internal"} || ready != struct{ Path, Port string }{"/readyz", "internal"} {
		t.Errorf("the probes ask %+v and %+v", live, ready)
	}
	drain := file.Gateway.GetDrain()
	if grace := time.Duration(pod.TerminationGracePeriodSeconds) * time.Second; drain.GetTimeout().AsDuration() == 0 || grace <= drain.GetDelay().AsDuration()+drain.GetTimeout().AsDuration() {
		t.Errorf("a pod is killed after %v, and the drain is %v", grace, drain)
	}
	if mount := container.VolumeMounts[0].MountPath; !slices.Equal(container.Args[:3], []string{"extproc", "--config", mount + "/gateway.yaml"}) {
		t.Errorf("the ConfigMap is at %s, and the arguments are %q", mount, container.Args)
	}
	service := decoded[struct {
		Metadata struct{ Name string }
		Spec     struct {
			Ports []struct {
				Port       int
				TargetPort string `yaml:"targetPort"`
			}
		}
	}](t, manifests["Service"])
	if len(service.Spec.Ports) != 1 || service.Spec.Ports[0].TargetPort != "grpc" {
		t.Fatalf("the Service has %+v", service.Spec.Ports)
	}
	for name, want := range map[string]string{
		"envoy-gateway.yaml": fmt.Sprintf("- {name: %s, port: %d}", service.Metadata.Name, service.Spec.Ports[0].Port),
		"istio.yaml":         fmt.Sprintf("cluster_name: outbound|%d||%s.default.svc.cluster.local", service.Spec.Ports[0].Port, service.Metadata.Name),
	} {
		text, err := os.ReadFile(filepath.Join(envoyKubernetes, name))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s does not have %q: %v", name, want, err)
		}
	}
}
