package cli

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/gatewayfile"
)

// kubernetes is the folder of the example for Kubernetes. Another module validates its manifests against Kubernetes'
// schemas.
const kubernetes = "../../../../examples/kubernetes"

// manifest reads a manifest of the example.
func manifest[T any](t *testing.T, name string) (m T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(kubernetes, name))
	if err == nil {
		err = yaml.Unmarshal(text, &m)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return m
}

type labels map[string]string

type httpProbe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

// deployment has what the tests read of the Deployment.
type deployment struct {
	Spec struct {
		Selector struct {
			MatchLabels labels `yaml:"matchLabels"`
		}
		Template struct {
			Metadata struct{ Labels, Annotations labels }
			Spec     struct {
				TerminationGracePeriodSeconds int `yaml:"terminationGracePeriodSeconds"`
				Containers                    []struct {
					Image string
					Args  []string
					Ports []struct {
						Name          string
						ContainerPort int `yaml:"containerPort"`
					}
					LivenessProbe  httpProbe `yaml:"livenessProbe"`
					ReadinessProbe httpProbe `yaml:"readinessProbe"`
					VolumeMounts   []struct {
						Name      string
						MountPath string `yaml:"mountPath"`
						SubPath   string `yaml:"subPath"`
					} `yaml:"volumeMounts"`
				}
				Volumes []struct {
					Name      string
					ConfigMap struct{ Name string } `yaml:"configMap"`
				}
			}
		}
	}
}

// portOf returns the port of an address.
func portOf(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// TestKubernetes: the gateway file and the policy of the example are right, and its manifests agree with them.
func TestKubernetes(t *testing.T) {
	file, err := gatewayfile.Read(filepath.Join(kubernetes, "gateway.yaml"), gatewayfile.Gateway)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	policy := file.Gateway.GetVirtualHosts()[0].GetPolicy()
	if code := Run(t.Context(), Streams{In: strings.NewReader(""), Out: &out, Err: &out}, []string{"check", "--strict", policy}); code != exitFine {
		t.Errorf("corsrpc check: exit %d\n%s", code, &out)
	}
	d := manifest[deployment](t, "deployment.yaml")
	pod := d.Spec.Template.Spec
	container := pod.Containers[0]
	ports := map[string]string{}
	for _, p := range container.Ports {
		ports[p.Name] = fmt.Sprint(p.ContainerPort)
	}
	if want := map[string]string{"http": portOf(t, file.Gateway.GetListen().GetAddress()), "internal": portOf(t, file.Gateway.GetInternal().GetAddress())}; fmt.Sprint(ports) != fmt.Sprint(want) {
		t.Errorf("the ports are %v, and those of the gateway file %v", ports, want)
	}
	if live, ready := container.LivenessProbe.HTTPGet, container.ReadinessProbe.HTTPGet; live.Path != "/livez" || ready.Path != "/readyz" || live.Port != "internal" || ready.Port != "internal" {
		t.Errorf("the probes ask %+v and %+v", live, ready)
	}
	drain := file.Gateway.GetDrain()
	if grace := time.Duration(pod.TerminationGracePeriodSeconds) * time.Second; drain.GetTimeout().AsDuration() == 0 || grace <= drain.GetDelay().AsDuration()+drain.GetTimeout().AsDuration() {
		t.Errorf("a pod is killed after %v, and the drain is %v", grace, drain)
	}
	if a := d.Spec.Template.Metadata.Annotations; a["prometheus.io/scrape"] != "true" || a["prometheus.io/port"] != ports["internal"] || a["prometheus.io/path"] != "/metrics" {
		t.Errorf("the annotations for Prometheus are %v", a)
	}
	generator := manifest[kustomization](t, "kustomization.yaml").ConfigMapGenerator[0]
	if !slices.Contains(generator.Files, "gateway.yaml") || !slices.Contains(generator.Files, filepath.Base(policy)) || !generator.Options.DisableNameSuffixHash {
		t.Errorf("the ConfigMap is generated from %+v", generator)
	}
	mount, volume := container.VolumeMounts[0], pod.Volumes[0]
	if at := slices.Index(container.Args, "--config"); at < 0 || container.Args[at+1] != mount.MountPath+"/gateway.yaml" || mount.SubPath != "" || volume.Name != mount.Name || volume.ConfigMap.Name != generator.Name {
		t.Errorf("the ConfigMap is mounted as %+v of %+v, and the arguments are %q", mount, volume, container.Args)
	}
	t.Run("who reaches what", func(t *testing.T) { kubernetesNetwork(t, d) })
}

// kustomization has what the tests read of kustomization.yaml.
type kustomization struct {
	Resources          []string
	Images             []struct{ Name string }
	ConfigMapGenerator []struct {
		Name    string
		Files   []string
		Options struct {
			DisableNameSuffixHash bool `yaml:"disableNameSuffixHash"`
		}
	} `yaml:"configMapGenerator"`
}

// kubernetesNetwork: the Service leads to the public port only, and the internal one is for Prometheus only.
func kubernetesNetwork(t *testing.T, d deployment) {
	pods := fmt.Sprint(d.Spec.Template.Metadata.Labels)
	service := manifest[struct {
		Spec struct {
			Selector labels
			Ports    []struct {
				TargetPort string `yaml:"targetPort"`
			}
		}
	}](t, "service.yaml").Spec
	if len(service.Ports) != 1 || service.Ports[0].TargetPort != "http" || fmt.Sprint(service.Selector) != pods {
		t.Errorf("the Service is %+v", service)
	}
	policy := manifest[struct {
		Spec struct {
			PodSelector struct {
				MatchLabels labels `yaml:"matchLabels"`
			} `yaml:"podSelector"`
			PolicyTypes []string `yaml:"policyTypes"`
			Ingress     []struct {
				Ports []struct{ Port string }
				From  []map[string]any
			}
		}
	}](t, "network-policy.yaml").Spec
	if fmt.Sprint(policy.PodSelector.MatchLabels) != pods || !slices.Contains(policy.PolicyTypes, "Ingress") || fmt.Sprint(d.Spec.Selector.MatchLabels) != pods {
		t.Errorf("the pods are %s, and the NetworkPolicy is for %v", pods, policy.PodSelector)
	}
	for _, rule := range policy.Ingress {
		if len(rule.Ports) == 0 {
			t.Error("a rule of the NetworkPolicy opens all ports")
		}
		for _, p := range rule.Ports {
			if p.Port != "http" && (p.Port != "internal" || len(rule.From) == 0) {
				t.Errorf("the NetworkPolicy opens the port %s to everyone", p.Port)
			}
		}
	}
	k := manifest[kustomization](t, "kustomization.yaml")
	files, err := filepath.Glob(filepath.Join(kubernetes, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := filepath.Base(f)
		if !slices.Contains(append(k.Resources, k.ConfigMapGenerator[0].Files...), name) && name != "kustomization.yaml" {
			t.Errorf("kustomization.yaml does not have %s", name)
		}
	}
	if len(k.Images) != 1 || k.Images[0].Name != d.Spec.Template.Spec.Containers[0].Image {
		t.Errorf("kustomization.yaml has the images %v", k.Images)
	}
}
