package docs

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// distribution builds the archive of the work tree for this system, as make dist does, and returns their folder.
func distribution(t *testing.T, version string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "dist")
	cmd := exec.CommandContext(t.Context(), "go", "run", "-C", "../tools/release", ".", "dist", "-uncommitted",
		"-version", version, "-programs", "corsrpc", "-platforms", runtime.GOOS+"/"+runtime.GOARCH, "-dir", dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// corsByHand answers as a server in any language does whose CORS code was written by hand: it sends each origin back, and
// knows one header.
func corsByHand(w http.ResponseWriter, r *http.Request) {
	if origin := r.Header.Get("Origin"); origin != "" {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Access-Control-Allow-Credentials", "true")
	}
	if r.Method == http.MethodOptions {
		w.Header().Set("Access-Control-Allow-Methods", http.MethodPost)
		w.Header().Set("Access-Control-Allow-Headers", "content-type")
		w.WriteHeader(http.StatusNoContent)
	}
}

// TestWithoutGoPage: the page for teams without Go works, from an empty folder: it downloads and verifies the archive of
// the work tree, installs the program, and its commands print what it says. An archive that was changed on the way is not
// installed.
func TestWithoutGoPage(t *testing.T) {
	t.Parallel()
	const version = "v0.0.0-docs"
	dist := distribution(t, version)
	run := func(change func(archive []byte) []byte) (w *walkthrough, problems []problem) {
		releases := httptest.NewServer(http.StripPrefix("/corsrpc/corsrpc-go/releases/download/"+version+"/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			data, err := os.ReadFile(filepath.Join(dist, filepath.Base(r.URL.Path)))
			if err != nil {
				http.NotFound(w, r)
				return
			}
			if strings.HasSuffix(r.URL.Path, ".tar.gz") {
				data = change(data)
			}
			_, _ = w.Write(data)
		})))
		defer releases.Close()
		server := httptest.NewServer(http.HandlerFunc(corsByHand))
		defer server.Close()
		text := strings.NewReplacer("v0.1.0", version, "linux_amd64", runtime.GOOS+"_"+runtime.GOARCH, "https://github.com", releases.URL).
			Replace(repository(t).text(withoutGoPage))
		home := t.TempDir()
		path := filepath.Join(home, ".local", "bin") + string(os.PathListSeparator) + os.Getenv("PATH")
		w = &walkthrough{
			dir: t.TempDir(), addresses: map[string]string{pageAddress: server.Listener.Addr().String()},
			env:     append(os.Environ(), "HOME="+home, "PATH="+path, "NO_COLOR=1"),
			replace: map[string]string{"buf ": bufProgram(t) + " "},
		}
		p := parse(withoutGoPage, []byte(text))
		if n := commandsShown(p); n < 7 {
			t.Errorf("the page shows what %d blocks print", n)
		}
		return w, w.run(t.Context(), p)
	}
	_, problems := run(bytes.Clone)
	report(t, problems)

	w, problems := run(func(archive []byte) []byte { return append(bytes.Clone(archive), 0) })
	if len(problems) != 1 || !strings.Contains(problems[0].text, ".tar.gz: FAILED") {
		t.Errorf("an archive that was changed: %v", problems)
	}
	if unpacked, err := filepath.Glob(filepath.Join(w.dir, "corsrpc_*", "*")); err != nil || len(unpacked) > 0 {
		t.Errorf("an archive that was changed is unpacked: %q, %v", unpacked, err)
	}
}
