package corsgrpc

import (
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// The media types, each alone or with a "+" and the name of a message format
// after it.
const (
	typeGRPC    = "application/grpc"
	typeWeb     = "application/grpc-web"
	typeWebText = "application/grpc-web-text"
)

// subtype returns what follows the media type, "" or "+proto" and the like,
// and whether the Content-Type of the header is of that type. Parameters are
// dropped, letter case is ignored (RFC 9110, section 8.3.1), and of two
// Content-Types neither counts.
func subtype(h http.Header, mediaType string) (string, bool) {
	values := h["Content-Type"]
	if len(values) != 1 {
		return "", false
	}
	essence, _, _ := strings.Cut(values[0], ";")
	essence = strings.Trim(essence, " \t")
	if len(essence) < len(mediaType) || !strings.EqualFold(essence[:len(mediaType)], mediaType) {
		return "", false
	}
	format, plus := strings.CutPrefix(essence[len(mediaType):], "+")
	switch {
	case plus && httpguts.ValidHeaderFieldName(format): // a token
		return "+" + strings.ToLower(format), true
	case plus, format != "":
		return "", false
	}
	return "", true
}
