package corstest_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/corsrpc/corstest"
)

// hello sets its CORS headers by hand. Scripts of one page can read the body and one
// header; the browser blocks the calls from other pages.
func hello(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "https://app.example.com")
	w.Header().Set("Access-Control-Expose-Headers", "x-request-id")
	w.Header().Set("X-Request-Id", "7")
	w.Header().Set("X-Backend", "b3")
	io.WriteString(w, "hello")
}

// testHello is named TestHello in the test file of a server.
func testHello(t *testing.T) {
	const url = "https://api.example.com/hello"
	corstest.Run(t, []corstest.Case{
		{From: "https://app.example.com", Call: corsbrowser.Fetch("GET", url), Readable: []string{"X-Request-Id"}, Hidden: []string{"X-Backend"}},
		{From: "https://app.example.com", Call: corsbrowser.Fetch("PUT", url), Blocked: corsbrowser.CheckMethods, NotSent: true},
		{From: "https://evil.example", Call: corsbrowser.Fetch("GET", url), Blocked: corstest.AnyCheck},
	}, corsbrowser.WithHandler(http.HandlerFunc(hello)))
}

func ExampleRun() {
	_ = testHello // in a test file, go test calls it
}
