package probed

import (
	"net/http"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

// TestSoundServers: a page of the intended origin makes every kind of call to each sound server. A
// server that does not work is not a proof that the probe stays silent.
func TestSoundServers(t *testing.T) {
	for _, r := range rows {
		if r.fault != "" {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			transport, url := r.start(t, &traffic{}).transport(t)
			for _, engine := range []corsbrowser.Engine{corsbrowser.Standard, corsbrowser.Chromium, corsbrowser.Firefox} { // WebKit blocks http on loopback
				page, err := corsbrowser.New(intended, corsbrowser.WithEngine(engine), corsbrowser.WithTransport(transport))
				if err != nil {
					t.Fatal(err)
				}
				for name, call := range map[string]corsbrowser.Call{
					"Connect": corsbrowser.Connect(url + me), "Connect GET": corsbrowser.ConnectGet(url + me), "gRPC-Web": corsbrowser.GRPCWeb(url + me),
				} {
					if err := call(t.Context(), page.Client()); err != nil {
						t.Errorf("%s in %s: %v", name, engine, err)
					}
				}
				for _, e := range page.Log() {
					if e.Status != http.StatusOK && e.Status != http.StatusNoContent {
						t.Errorf("%s: %s %s is answered with %d, %v", engine, e.Method, e.URL, e.Status, e.Answer)
					}
				}
			}
		})
	}
}
