package input

import (
	"io"
	"strings"
	"testing"
)

// TestRead: a row has the name of a policy, with DIR for a folder, and the error; an empty error means
// that the text is POLICY.
func TestRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, dir+"/cors.yaml", "POLICY")
	writeFile(t, dir+"/lfs.yaml", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
	for name, want := range map[string]string{
		"DIR/cors.yaml": "",
		"DIR/cors.yml":  "DIR/cors.yml does not exist",
		"DIR":           "DIR is a folder: name a policy file in it",
		"":              "the name of a policy is empty",
		"DIR/lfs.yaml":  "DIR/lfs.yaml is a pointer of Git LFS instead of a policy",
	} {
		name := strings.ReplaceAll(name, "DIR", dir)
		shown, text, err := Read(t.Context(), name, nil)
		switch {
		case want == "" && (err != nil || string(text) != "POLICY" || shown != name):
			t.Errorf("%s: %q, %q, %v", name, shown, text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), strings.ReplaceAll(want, "DIR", dir)) || text != nil):
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
}

// TestReadStandardInput: the format is taken from the text, and the second - is an error.
func TestReadStandardInput(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"rules: []": "stdin.yaml", "\n {}": "stdin.json"} {
		in := strings.NewReader(text)
		shown, got, err := Read(t.Context(), "-", in)
		if shown != want || string(got) != text || err != nil {
			t.Errorf("%q: %q, %q, %v", text, shown, got, err)
		}
		if _, _, err := Read(t.Context(), "-", in); err == nil || !strings.Contains(err.Error(), "- can be named once") {
			t.Errorf("the second -: error %v", err)
		}
	}
	if _, _, err := Read(t.Context(), "-", io.LimitReader(endless{}, maxInputBytes*2)); err == nil || !strings.Contains(err.Error(), "the standard input is larger than") {
		t.Errorf("an endless input: %v", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
