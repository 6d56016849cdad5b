package corsbrowser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Call makes one call with a client in a page, as [Browser.Client] returns it:
// [Connect], [ConnectGet], [GRPCWeb], [Fetch], or a function that calls a client
// of your own. Its error is the client's, a [*BlockedError] among them.
type Call func(ctx context.Context, page *http.Client) error

// Connect is a unary call of the Connect protocol as connect-web makes it, with
// an empty message in JSON, to the procedure's URL. Names and values of further
// header fields follow, in turn; the call fails for a name without a value. Any
// answer that the script can read is a success, an RPC error too.
func Connect(procedure string, header ...string) Call {
	return call(http.MethodPost, procedure, "{}", append([]string{"Content-Type", "application/json", "Connect-Protocol-Version", "1"}, header...))
}

// ConnectGet is [Connect] by GET, for a procedure without side effects.
func ConnectGet(procedure string, header ...string) Call {
	query := url.Values{"connect": {"v1"}, "encoding": {"json"}, "message": {"{}"}}
	return call(http.MethodGet, procedure+"?"+query.Encode(), "", header)
}

// GRPCWeb is a call of the gRPC-Web protocol with an empty message, otherwise as
// [Connect].
func GRPCWeb(procedure string, header ...string) Call {
	return call(http.MethodPost, procedure, "\x00\x00\x00\x00\x00", append([]string{"Content-Type", "application/grpc-web+proto", "X-Grpc-Web", "1"}, header...))
}

// Fetch is a fetch without a body, with header fields as of [Connect]. Any answer
// that the script can read is a success, whatever its status.
func Fetch(method, url string, header ...string) Call {
	return call(method, url, "", header)
}

func call(method, url, body string, header []string) Call {
	return func(ctx context.Context, page *http.Client) error {
		if len(header)%2 != 0 {
			return fmt.Errorf("corsbrowser: the header %s has no value: names and values alternate", header[len(header)-1])
		}
		var content io.Reader
		if body != "" {
			content = bytes.NewReader([]byte(body))
		}
		r, err := http.NewRequestWithContext(ctx, method, url, content)
		if err != nil {
			return err
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Add(header[i], header[i+1])
		}
		response, err := page.Do(r)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, response.Body)
		return errors.Join(err, response.Body.Close())
	}
}
