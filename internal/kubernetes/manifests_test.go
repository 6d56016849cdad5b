// Package kubernetes validates the manifests of examples/kubernetes, as `kubectl apply -k` sends them, and those of
// examples/envoy/kubernetes, by the schemas of Kubernetes, of Envoy Gateway, of Istio and of the Gateway API, and by the Pod Security
// Standards. It is a module of its own, since they are large.
package kubernetes

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/kubectl-validate/pkg/openapiclient"
	"sigs.k8s.io/kubectl-validate/pkg/validator"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const example = "../../examples/kubernetes"

// versions are those of Kubernetes whose schemas the manifests are validated by: the oldest and the newest that the
// validator has.
var versions = []string{"1.23", "1.30"}

// rendered returns the manifests of a folder, as kustomize makes them.
func rendered(dir string) ([][]byte, error) {
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return nil, err
	}
	var manifests [][]byte
	for _, r := range resources.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			return nil, err
		}
		manifests = append(manifests, text)
	}
	return manifests, nil
}

// validators are those of the versions, which know the kinds of the CustomResourceDefinitions too. They keep the
// schemas that they have read.
var validators = sync.OnceValues(func() (all []*validator.Validator, err error) {
	definitions, err := crds()
	if err != nil {
		return nil, err
	}
	for _, version := range versions {
		kinds := openapiclient.NewComposite(openapiclient.NewHardcodedBuiltins(version), openapiclient.NewLocalCRDFiles(definitions))
		v, err := validator.New(kinds)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
})

// validate returns the objects of manifests. The error says what is wrong with them.
func validate(manifests [][]byte) (objects []*unstructured.Unstructured, err error) {
	all, err := validators()
	if err != nil {
		return nil, err
	}
	var problems []error
	for i, v := range all {
		objects = nil
		for _, text := range manifests {
			_, object, err := v.Parse(text)
			if err == nil {
				err = v.Validate(object)
			}
			if err != nil {
				problems = append(problems, fmt.Errorf("Kubernetes %s: %w\n%s", versions[i], err, text))
				continue
			}
			objects = append(objects, object)
		}
	}
	return objects, errors.Join(problems...)
}

// restricted returns how a Deployment's pods break the level restricted of the Pod Security Standards.
func restricted(d *appsv1.Deployment) (problems []string, err error) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		return nil, err
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for _, r := range evaluator.EvaluatePod(level, &d.Spec.Template.ObjectMeta, &d.Spec.Template.Spec) {
		if !r.Allowed {
			problems = append(problems, r.ForbiddenReason+": "+r.ForbiddenDetail)
		}
	}
	return problems, nil
}

// deploymentOf returns the only Deployment of some objects.
func deploymentOf(t *testing.T, objects []*unstructured.Unstructured) *appsv1.Deployment {
	t.Helper()
	for _, o := range objects {
		if o.GetKind() == "Deployment" {
			d := &appsv1.Deployment{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, d, true); err != nil {
				t.Fatal(err)
			}
			return d
		}
	}
	t.Fatal("there is no Deployment")
	return nil
}

func TestManifests(t *testing.T) {
	manifests, err := rendered(example)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := validate(manifests)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, o := range objects {
		kinds = append(kinds, o.GetKind())
		if o.GetName() != "corsrpc" {
			t.Errorf("the name of the %s is %q", o.GetKind(), o.GetName())
		}
	}
	slices.Sort(kinds)
	if want := []string{"ConfigMap", "Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service"}; !slices.Equal(kinds, want) {
		t.Errorf("the objects are %q", kinds)
	}
	d := deploymentOf(t, objects)
	problems, err := restricted(d)
	if err != nil || len(problems) > 0 {
		t.Errorf("the pods are not restricted: %q, %v", problems, err)
	}
	if image := d.Spec.Template.Spec.Containers[0].Image; !strings.HasPrefix(image, "registry.example.com/corsrpc:v") {
		t.Errorf("the image is %s", image)
	}
}

// TestFaults: faults in the manifests are found.
func TestFaults(t *testing.T) {
	for name, c := range map[string]struct{ file, old, text, want string }{
		"a typing mistake":       {"deployment.yaml", "readinessProbe:", "readynessProbe:", "readynessProbe"},
		"a text for a number":    {"deployment.yaml", "containerPort: 8080", "containerPort: http", "containerPort"},
		"a version of nothing":   {"network-policy.yaml", "networking.k8s.io/v1", "networking.k8s.io/v9", "networking.k8s.io/v9"},
		"a number for a text":    {"deployment.yaml", `prometheus.io/port: "9901"`, "prometheus.io/port: 9901", "annotations"},
		"a field that is needed": {"deployment.yaml", "      containers:\n", "      initContainers:\n", "containers"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(example)); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, c.file)
			text, err := os.ReadFile(file)
			if err != nil || !strings.Contains(string(text), c.old) {
				t.Fatalf("%s does not contain %q: %v", c.file, c.old, err)
			}
			if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), c.old, c.text)), 0o600); err != nil {
				t.Fatal(err)
			}
			manifests, err := rendered(dir)
			if err == nil {
				_, err = validate(manifests)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestPrivileges: pods that may do more than the example's break the standard.
func TestPrivileges(t *testing.T) {
	manifests, err := rendered(example)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := validate(manifests)
	if err != nil {
		t.Fatal(err)
	}
	yes, zero := true, int64(0)
	for name, change := range map[string]func(*corev1.PodSpec){
		"root":               func(p *corev1.PodSpec) { p.SecurityContext.RunAsUser = &zero },
		"any user":           func(p *corev1.PodSpec) { p.SecurityContext.RunAsNonRoot = nil },
		"no seccomp":         func(p *corev1.PodSpec) { p.SecurityContext.SeccompProfile = nil },
		"more privileges":    func(p *corev1.PodSpec) { p.Containers[0].SecurityContext.AllowPrivilegeEscalation = &yes },
		"capabilities":       func(p *corev1.PodSpec) { p.Containers[0].SecurityContext.Capabilities = nil },
		"the host's network": func(p *corev1.PodSpec) { p.HostNetwork = true },
	} {
		d := deploymentOf(t, objects).DeepCopy()
		d.ObjectMeta = metav1.ObjectMeta{}
		change(&d.Spec.Template.Spec)
		if problems, err := restricted(d); err != nil || len(problems) == 0 {
			t.Errorf("%s: %q, %v", name, problems, err)
		}
	}
}
