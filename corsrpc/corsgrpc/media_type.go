package corsgrpc

import (
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// The media types. Each can have a suffix: a "+" and the name of a message format.
const (
	typeGRPC    = "application/grpc"
	typeWeb     = "application/grpc-web"
	typeWebText = "application/grpc-web-text"
)

// suffix reports whether the header's Content-Type is the media type, and returns
// its suffix in lower case, such as "+proto", or "". It ignores parameters and
// letter case (RFC 9110, section 8.3.1). A header with several Content-Types
// matches no media type.
func suffix(h http.Header, mediaType string) (string, bool) {
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
