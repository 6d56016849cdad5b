package bench

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// isSafe reports whether caches may store the response to a method.
func isSafe(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// isPreflight reports whether a request with the method OPTIONS is a preflight: it asks for one method, which is a
// token.
func isPreflight(r *http.Request) bool {
	asked := r.Header["Access-Control-Request-Method"]
	return len(asked) == 1 && (asked[0] == http.MethodPost || len(asked[0]) <= fetch.MaxRequestedBytes && fetch.IsToken(asked[0]))
}

// isUpgrade reports whether a request asks for another protocol.
func isUpgrade(r *http.Request) bool {
	return r.Method == http.MethodConnect || r.Method == http.MethodGet && len(r.Header["Upgrade"]) > 0
}

// canBeCall reports whether a request can be a call, or the preflight of one.
func canBeCall(r *http.Request) bool {
	switch {
	case isUpgrade(r):
		return true
	case r.Method == http.MethodPost:
		return !(slices.Equal(r.Header["Sec-Fetch-Mode"], []string{"navigate"}) && rpc.IsForm(r.Header["Content-Type"]))
	case r.Method == http.MethodGet:
		return rpc.IsGetCall(r.URL.RawQuery)
	case r.Method != http.MethodOptions || len(r.Header["Origin"]) == 0 || !isPreflight(r):
		return false
	}
	asked := r.Header["Access-Control-Request-Method"][0]
	return asked == http.MethodPost || asked == http.MethodGet && rpc.IsGetCall(r.URL.RawQuery)
}

// A refusal is the message of a 403 response in each protocol, in the layer's words.
type refusal struct{ text, json, grpc string }

func refusalFor(reason corsrpc.Reason) *refusal {
	message := "corsrpc refused this cross-origin request (" + string(reason) + "): " + reason.Text() + ": " + reason.Remedy()
	return &refusal{message + "\n", `{"code":"permission_denied","message":` + strconv.Quote(message) + `}`, strings.ReplaceAll(message, "%", "%25")}
}

var (
	originMissing         = refusalFor(corsrpc.ReasonOriginMissing)
	originRepeated        = refusalFor(corsrpc.ReasonOriginRepeated)
	originMalformed       = refusalFor(corsrpc.ReasonOriginMalformed)
	originNotAllowed      = refusalFor(corsrpc.ReasonOriginNotAllowed)
	modeNotCORS           = refusalFor(corsrpc.ReasonModeNotCORS)
	credentialsNotAllowed = refusalFor(corsrpc.ReasonCredentialsNotAllowed)
	pathNotCanonical      = refusalFor(corsrpc.ReasonPathNotCanonical)
	operationalNotNamed   = refusalFor(corsrpc.ReasonOperationalNotNamed)
)

// refuse answers a request that the policy refuses, in the format of its protocol.
func (f *floor) refuse(w http.ResponseWriter, r *http.Request, why *refusal, kind pathKind) {
	if f.logs {
		f.refused.Add(1)
	}
	header := w.Header()
	if isSafe(r.Method) {
		addVary(header)
	}
	dropCORS(header)
	body, contentType := why.text, "text/plain; charset=utf-8"
	if kind != pathAmbiguous && (r.Method != http.MethodOptions || len(r.Header["Origin"]) == 0 || !isPreflight(r)) {
		asked := r.Header["Content-Type"]
		switch {
		case len(asked) == 1 && (asked[0] == "application/json" || asked[0] == "application/proto"):
			body, contentType = why.json, "application/json"
		default:
			joined := strings.Join(asked, ",")
			switch rpc.FormatOf(r.Method, joined) {
			case rpc.FormatConnect:
				body, contentType = why.json, "application/json"
			case rpc.FormatGRPC:
				body, contentType = "", joined
				header["Grpc-Status"], header["Grpc-Message"] = []string{"7"}, []string{why.grpc}
			}
		}
	}
	values := [3]string{contentType, "no-store", "nosniff"}
	header["Content-Type"] = values[0:1:1]
	header["Cache-Control"] = values[1:2:2]
	header["X-Content-Type-Options"] = values[2:3:3]
	w.WriteHeader(http.StatusForbidden)
	if body != "" {
		io.WriteString(w, body)
	}
}

// addVary adds the fields that a response to GET depends on.
func addVary(header http.Header) {
	lines := header["Vary"]
	if len(lines) == 0 {
		header["Vary"] = []string{"Origin, Sec-Fetch-Site"}
		return
	}
	var missing []string
	for _, name := range []string{"Origin", "Sec-Fetch-Site"} {
		if !fetch.Lists(lines, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		header["Vary"] = append(lines[:len(lines):len(lines)], strings.Join(missing, ", "))
	}
}

// dropCORS removes the CORS fields that another middleware wrote into the header of the floor's own response.
func dropCORS(header http.Header) {
	if len(header) == 0 {
		return
	}
	for key := range header {
		if fetch.IsAccessControl(key) || strings.EqualFold(key, "Timing-Allow-Origin") {
			delete(header, key)
		}
	}
}
