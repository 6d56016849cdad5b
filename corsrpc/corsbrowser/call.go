package corsbrowser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// Call is a function that makes one call with the HTTP client of a page, which
// [Browser.Client] returns. [Connect], [ConnectGet], [GRPCWeb], [MCP] and [Fetch]
// return Calls; a Call of your own can use a generated client. It returns the client's
// error, which wraps a [*BlockedError] if the browser blocked the call.
type Call func(ctx context.Context, page *http.Client) error

// Connect returns a unary call of the Connect protocol as connect-web makes it:
// a POST of an empty JSON message to procedure, the URL of a procedure. The
// arguments in header are names and values of further request headers,
// alternately; the call fails if the last name has no value. The call succeeds if
// the script can read the response, even if that is an RPC error.
func Connect(procedure string, header ...string) Call {
	return post(procedure, rpc.CallHeader(rpc.Connect), header)
}

// ConnectGet is like [Connect], but the call is a GET, for a procedure without side
// effects.
func ConnectGet(procedure string, header ...string) Call {
	return call(http.MethodGet, procedure+"?"+rpc.GetCallQuery, "", header)
}

// GRPCWeb is like [Connect], but the call is of the gRPC-Web protocol, with an
// empty binary message.
func GRPCWeb(procedure string, header ...string) Call {
	return post(procedure, rpc.CallHeader(rpc.GRPCWeb), header)
}

// MCP returns a call of the Model Context Protocol as its clients make it: a POST of a
// ping to url, the URL of the server's endpoint. The arguments in header are as for
// [Connect]. The call succeeds if the script can read the response, even if that is an
// error.
func MCP(url string, header ...string) Call {
	return call(http.MethodPost, url, rpc.PingOfMCP, append(rpc.CallHeader(rpc.MCP), header...))
}

// Fetch returns a request without a body. The arguments in header are as for
// [Connect]. The call succeeds if the script can read the response, whatever its
// status.
func Fetch(method, url string, header ...string) Call {
	return call(method, url, "", header)
}

// post returns a call with an empty message. The protocol's header begins with Content-Type.
func post(procedure string, protocol, header []string) Call {
	return call(http.MethodPost, procedure, rpc.EmptyMessage(protocol[1]), append(protocol, header...))
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
