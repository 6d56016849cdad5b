package corsbrowser_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

// A handler that sets Access-Control-Allow-Origin by hand, for one page. A script of
// that page can read the body, but not X-Request-Id, which is not exposed. The
// browser blocks the calls from other pages.
func ExampleBrowser() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "https://app.example.com")
		w.Header().Set("X-Request-Id", "7")
		io.WriteString(w, "hello")
	})
	for _, origin := range []string{"https://app.example.com", "https://evil.example"} {
		page, err := corsbrowser.New(origin, corsbrowser.WithHandler(handler), corsbrowser.WithEngine(corsbrowser.Chromium))
		if err != nil {
			panic(err)
		}
		response, err := page.Client().Get("https://api.example.com/hello")
		var blocked *corsbrowser.BlockedError
		if errors.As(err, &blocked) {
			fmt.Println(blocked.Check, "instead of", blocked.Fix)
			continue
		}
		body, _ := io.ReadAll(response.Body)
		fmt.Printf("%s, X-Request-Id %q\n", body, response.Header.Get("X-Request-Id"))
	}
	// Output:
	// hello, X-Request-Id ""
	// ALLOW_ORIGIN_MISMATCH instead of Access-Control-Allow-Origin: https://evil.example
}

// A connect-go client makes its calls as a page of the simulated browser. Connect sends the trailers of a
// unary call as headers, which the script can read only if the server exposes them.
func ExampleBrowser_connect() {
	mux := http.NewServeMux()
	const greet = "/acme.v1.GreetService/Greet"
	mux.Handle(greet, connect.NewUnaryHandler(greet, func(_ context.Context, r *connect.Request[wrapperspb.StringValue]) (*connect.Response[wrapperspb.StringValue], error) {
		response := connect.NewResponse(wrapperspb.String("hello " + r.Msg.Value))
		response.Trailer().Set("X-Cost", "3")
		return response, nil
	}))
	layer, err := layerOf(`defaults: {allow_origins: [https://app.example.com]}`)
	if err != nil {
		panic(err)
	}
	page, err := corsbrowser.New("https://app.example.com", corsbrowser.WithHandler(layer.Wrap(mux)))
	if err != nil {
		panic(err)
	}
	client := connect.NewClient[wrapperspb.StringValue, wrapperspb.StringValue](page.Client(), "https://api.example.com"+greet)
	response, err := client.CallUnary(context.Background(), connect.NewRequest(wrapperspb.String("browser")))
	if err != nil {
		panic(err)
	}
	fmt.Println(response.Msg.Value, "at a cost of", response.Trailer().Get("X-Cost"))
	fmt.Println(page.Preflights(), "preflight")
	// Output:
	// hello browser at a cost of 3
	// 1 preflight
}

// The log holds the requests that the browser sent to a server, and the responses.
func ExampleBrowser_Log() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Headers", "content-type")
	}))
	defer server.Close()
	page, err := corsbrowser.New("http://localhost:3000")
	if err != nil {
		panic(err)
	}
	if _, err := page.Client().Post(server.URL, "application/json", http.NoBody); err != nil {
		panic(err)
	}
	for _, e := range page.Log() {
		fmt.Println(e.Method, e.Header.Get("Access-Control-Request-Headers"), e.Status)
	}
	// Output:
	// OPTIONS content-type 200
	// POST  200
}

// One call omits the cookies that the page's other calls send.
func ExampleWithInit() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
	})
	page, err := corsbrowser.New("https://app.example.com", corsbrowser.WithHandler(handler), corsbrowser.WithCredentials(corsbrowser.Include))
	if err != nil {
		panic(err)
	}
	ctx := corsbrowser.WithInit(context.Background(), corsbrowser.Init{Credentials: corsbrowser.Omit})
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.example.com/", nil)
	if err != nil {
		panic(err)
	}
	_, with := page.Client().Get("https://api.example.com/")
	_, without := page.Client().Do(r)
	fmt.Println(with != nil, without == nil)
	// Output: true true
}

func layerOf(policy string) (*corsrpc.Layer, error) {
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(policy))
	if err != nil {
		return nil, err
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc))
	if err != nil {
		return nil, err
	}
	return corsrpc.New(plan)
}
