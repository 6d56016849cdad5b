package corsinspect_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
)

// A server, and its inspector on an internal port.
func Example_server() {
	inspector, err := corsinspect.New()
	if err != nil {
		log.Fatal(err)
	}
	layer, err := corsrpc.Load("cors.yaml", corsrpc.WithObserver(inspector))
	if err != nil {
		log.Fatal(err)
	}
	go http.ListenAndServe("localhost:6060", inspector)
	log.Fatal(http.ListenAndServe(":8080", layer.Wrap(http.DefaultServeMux)))
}

// The inspector is mounted on an internal port, which only operators can reach.
func Example() {
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte("defaults: {allow_origins: [https://app.example.com]}"))
	if err != nil {
		log.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc))
	if err != nil {
		log.Fatal(err)
	}
	inspector, err := corsinspect.New()
	if err != nil {
		log.Fatal(err)
	}
	layer, err := corsrpc.New(plan, corsrpc.WithObserver(inspector))
	if err != nil {
		log.Fatal(err)
	}
	public, internal := layer.Wrap(http.NotFoundHandler()), http.NewServeMux()
	internal.Handle("GET /debug/cors", inspector)
	_ = public // serve public at ":8080", and internal at "localhost:6060"

	for _, host := range []string{"localhost:6060", "evil.example:6060"} {
		r := httptest.NewRequest(http.MethodGet, "/debug/cors", nil)
		r.Host = host
		w := httptest.NewRecorder()
		internal.ServeHTTP(w, r)
		fmt.Println(host, w.Code)
	}
	// Output:
	// localhost:6060 200
	// evil.example:6060 403
}
