package kubernetes

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/kubectl-validate/pkg/utils"
)

const envoyExample = "../../examples/envoy/kubernetes"

// documents returns the manifests of a text.
func documents(t *testing.T, text []byte) [][]byte {
	t.Helper()
	all, err := utils.SplitYamlDocuments(text)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// envoyManifest returns the text of a file of the example.
func envoyManifest(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(envoyExample, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestEnvoyManifests(t *testing.T) {
	for name, want := range map[string][]string{
		"extproc.yaml":       {"ConfigMap", "Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service"},
		"envoy-gateway.yaml": {"EnvoyExtensionPolicy", "EnvoyProxy", "Gateway", "HTTPRoute"},
		"istio.yaml":         {"EnvoyFilter"},
	} {
		objects, err := validate(documents(t, envoyManifest(t, name)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var kinds []string
		for _, o := range objects {
			kinds = append(kinds, o.GetKind())
		}
		if slices.Sort(kinds); !slices.Equal(kinds, want) {
			t.Errorf("the objects of %s are %q", name, kinds)
		}
		if name != "extproc.yaml" {
			continue
		}
		if problems, err := restricted(deploymentOf(t, objects)); err != nil || len(problems) > 0 {
			t.Errorf("the pods are not restricted: %q, %v", problems, err)
		}
	}
}

// TestEnvoyFaults: faults in the manifests are found.
func TestEnvoyFaults(t *testing.T) {
	for name, c := range map[string]struct{ file, old, text, want string }{
		"a field that does not exist":    {"envoy-gateway.yaml", "failOpen: false", "failureModeAllow: false", "failureModeAllow"},
		"a field in a wrong place":       {"envoy-gateway.yaml", "        allowModeOverride: true", "      allowModeOverride: true", "allowModeOverride"},
		"a duration without a unit":      {"envoy-gateway.yaml", "messageTimeout: 1s", `messageTimeout: "1"`, "messageTimeout"},
		"a filter that does not exist":   {"envoy-gateway.yaml", "envoy.filters.http.lua", "envoy.filters.http.luau", "filterOrder"},
		"a rule of the schema":           {"envoy-gateway.yaml", "- backendRefs:\n        - {name", "- backendRefs:\n        - {kind: Pod, name", "BackendRefs only supports"},
		"a field of a Gateway":           {"envoy-gateway.yaml", "parametersRef:", "parameterRef:", "parameterRef"},
		"a field of a route":             {"envoy-gateway.yaml", "type: PathPrefix", "type: Prefix", "PathPrefix"},
		"an operation that is not there": {"istio.yaml", "INSERT_FIRST", "INSERT_FRONT", "INSERT_FRONT"},
		"a typing mistake":               {"istio.yaml", "filterChain:", "filterchain:", "filterchain"},
		"a context that is not there":    {"istio.yaml", "context: GATEWAY", "context: INGRESS", "INGRESS"},
		"a version that is not there":    {"istio.yaml", "v1alpha3", "v1", "EnvoyFilter"},
		"a text for a number":            {"extproc.yaml", "containerPort: 9002", "containerPort: grpc", "containerPort"},
		"a number for a text":            {"extproc.yaml", `prometheus.io/port: "9901"`, "prometheus.io/port: 9901", "annotations"},
		"a typing mistake in a probe":    {"extproc.yaml", "readinessProbe:", "readynessProbe:", "readynessProbe"},
		"a typing mistake in a budget":   {"extproc.yaml", "minAvailable: 1", "minimumAvailable: 1", "minimumAvailable"},
	} {
		t.Run(name, func(t *testing.T) {
			text := envoyManifest(t, c.file)
			if !bytes.Contains(text, []byte(c.old)) {
				t.Fatalf("%s does not contain %q", c.file, c.old)
			}
			_, err := validate(documents(t, bytes.ReplaceAll(text, []byte(c.old), []byte(c.text))))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
}
