package proxy_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/proxy"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// TestWrongScheme checks that the log says which scheme to write when that of an upstream does not fit the server.
func TestWrongScheme(t *testing.T) {
	t.Parallel()
	server := func(start func(*httptest.Server), set func(*http.Protocols)) string {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
		s.Config.Protocols = new(http.Protocols)
		set(s.Config.Protocols)
		start(s)
		t.Cleanup(s.Close)
		return s.Listener.Addr().String()
	}
	plain := server((*httptest.Server).Start, func(p *http.Protocols) { p.SetHTTP1(true) })
	h2c := server((*httptest.Server).Start, func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) })
	secure := server((*httptest.Server).StartTLS, func(p *http.Protocols) { p.SetHTTP1(true) })
	for _, test := range []struct{ url, remedy string }{
		{"grpc://" + plain, "write http://"}, {"h2c://" + plain, "write http://"}, {"grpcs://" + plain, "write grpc://"}, {"https://" + plain, "write http://"},
		{"http://" + h2c, "write grpc:// or h2c://"}, {"grpcs://" + h2c, "write grpc://"}, {"https://" + h2c, "or h2c://"},
		{"grpc://" + secure, "write grpcs://"}, {"h2c://" + secure, "write https://"}, {"grpcs://" + secure, "write https://"}, {"https://" + secure, "--upstream-ca"},
	} {
		t.Run(test.url, func(t *testing.T) {
			var log bytes.Buffer
			config := &corsrpcv1.Upstream{Name: "api", Url: test.url, ConnectTimeout: durationpb.New(5 * time.Second)}
			u, err := proxy.NewUpstream(config, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := do(t, gateway(t, u, proxy.Options{}), "POST", "/acme.v1.S/Get", "application/grpc-web+proto", frame("")); err != nil || got.header.Get("Grpc-Status") != "14" {
				t.Errorf("%+v, %v", got, err)
			}
			if !strings.Contains(log.String(), " remedy=") || !strings.Contains(log.String(), test.remedy) {
				t.Errorf("the log is %s", log.String())
			}
		})
	}
}
