package docs

import (
	"encoding/json"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
)

// TestInspectorAnswersCurl: the command of the page about the inspector gets
// JSON.
func TestInspectorAnswersCurl(t *testing.T) {
	t.Parallel()
	inspector, err := corsinspect.New()
	if err != nil {
		t.Fatal(err)
	}
	document, err := corsrpc.ParsePolicy("cors.yaml", []byte("defaults: {allow_origins: [https://app.example.com]}"))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(document.Policy(), corsrpc.WithDocument(document))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := corsrpc.New(plan, corsrpc.WithObserver(inspector)); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(inspector)
	defer server.Close()
	const command = "curl -H 'Accept: application/json' localhost:6060"
	here := strings.Replace(command, "localhost:6060", server.Listener.Addr().String(), 1)
	out, err := exec.CommandContext(t.Context(), "bash", "-c", here+" --silent --fail").Output()
	if err != nil || !json.Valid(out) {
		t.Errorf("%v: %s", err, out)
	}
}
