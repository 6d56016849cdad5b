package probe

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// refusalBegin begins each refusal of a server with corsrpc.
var refusalBegin = regexp.MustCompile(`corsrpc refused this cross-origin request \([A-Z_]+\)`)

// refusalOf returns what a server with corsrpc says about a request that it refuses. It is empty if the response
// is not such a refusal.
func refusalOf(e Exchange) string {
	if message, err := url.PathUnescape(e.Answer.Get("Grpc-Message")); err == nil && refusalBegin.MatchString(message) {
		return message
	}
	at := refusalBegin.FindIndex(e.Body)
	if at == nil {
		return ""
	}
	if begin := strings.IndexByte(string(e.Body), '{'); begin >= 0 && begin < at[0] {
		var unary, stream struct {
			Message string
			Error   struct{ Message string }
		}
		if json.Unmarshal(e.Body[begin:], &unary) == nil && refusalBegin.MatchString(unary.Message) {
			return unary.Message
		}
		if json.Unmarshal(e.Body[begin:], &stream) == nil && refusalBegin.MatchString(stream.Error.Message) {
			return stream.Error.Message
		}
	}
	text, _, _ := strings.Cut(string(e.Body[at[0]:]), "\n")
	return text
}

// isHTTPSRefusal reports whether a server with TLS answers that it was called without.
func isHTTPSRefusal(e Exchange) bool {
	if e.Status != http.StatusBadRequest {
		return false
	}
	body := strings.ToLower(string(e.Body[:min(len(e.Body), 4096)]))
	return strings.Contains(body, "http request to an https server") || strings.Contains(body, "plain http request was sent to https port") ||
		strings.Contains(body, "speaking plain http to an ssl-enabled server port")
}
