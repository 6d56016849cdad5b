package comingfrom

import (
	"context"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

// libraries are those of the page, in its order.
var libraries = []library{rs, jub, gorilla, chi, ginLibrary, connect, web}

// Texts of the notes of several libraries.
const (
	upperCase       = "A policy with upper case in an origin does not load"
	starNull        = "With a star, both allow the origin `null` too"
	byPath          = "A rule for each path or procedure: `selector: acme.v1.AccountService.Buy` with `allow_origins: [https://admin.example.com]`"
	byValue         = "The function read the value of a field, which no preflight of a browser has. Check it in the handler"
	methodsBySchema = "Nothing: procedures need no list"
	methodsOfPath   = "For what is not a procedure, a rule: `path: /files/` with `allow_methods: [GET, POST, PUT]`"
	methodsCase     = "Nothing: the library compares letter case, and allowed no method that browsers send"
	methodsAnyCase  = "Nothing: the library ignores letter case, and procedures need no list"
	contentType     = "`content-type` is granted"
	maxAgeDay       = "A longer time does not load"
	maxAgeFive      = "Browsers keep a preflight for 5 seconds without the header"
	maxAgeNegative  = "The library sends no header for a negative time"
	maxAgeDefault   = "Nothing, if the policy's default of 7200 seconds is meant to hold"
	credentialsStar = "Browsers refuse the pair, and a policy with `allow_credentials: true` and a star does not load"
	exposeDefault   = "Nothing, if scripts may read what the application sends"
	privateNetwork  = "Nothing: no browser asks for it any more"
	passthrough     = "Nothing: the handler does not get preflights"
	successStatus   = "Nothing: the layer answers with `204`"
	debug           = "Nothing: see [Seeing what it does](seeing.md)"
)

// previewBelow is an origin whose first two labels a star of other libraries matches.
const previewBelow = "https://pr-1.test.example.com"

func narrowed(origins ...string) []sidebyside.Named {
	return []sidebyside.Named{sidebyside.OriginsRefused("ORIGIN_NARROWED", "A star of these libraries, or the end of a text, matches other hosts and schemes too. The star of a policy stands for characters of one label, or for whole labels after `https://`", origins...)}
}

var (
	// methodCase is the difference of a list of methods in lower case.
	methodCase = sidebyside.Named{Code: "METHOD_CASE", Words: "A list of methods in lower case allowed nothing, because browsers send these methods in upper case", Explains: func(d sidebyside.Difference) bool {
		return d.Wider && (d.Call.Method == http.MethodPost || d.Call.Method == http.MethodGet)
	}}
	withoutMark = sidebyside.Named{Code: "X_GRPC_WEB", Words: "A call of gRPC-Web does not need the field `x-grpc-web`. The wrapper answers no preflight without it", Explains: func(d sidebyside.Difference) bool {
		return d.Wider && strings.HasPrefix(d.Call.Header.Get("Content-Type"), "application/grpc-web") && d.Call.Header.Get("X-Grpc-Web") == ""
	}}
	otherProtocols = sidebyside.Named{Code: "OTHER_PROTOCOLS", Words: "Pages may call procedures by Connect and GET too. They read the error of a server that has only gRPC-Web", Explains: func(d sidebyside.Difference) bool {
		return d.Wider && !strings.HasPrefix(d.Call.Header.Get("Content-Type"), "application/grpc-web") && d.Call.Path != sidebyside.File
	}}
	valuesOfFields = sidebyside.Named{Code: "VALUES", Words: "The policy does not decide by the values of request fields", Explains: func(d sidebyside.Difference) bool {
		return d.Wider && d.Call.Header.Get("X-Tenant-Id") != ""
	}}
)

const (
	buyRule = `rules:
  - selector: acme.v1.AccountService.Buy
    allow_origins: [https://admin.example.com]
`
	filesRule = `rules:
  - path: /files/
    allow_methods: [GET, POST, PUT]
`
)

// allowedFor decides by the path too.
func allowedFor(path, origin string) bool {
	return origin == sidebyside.Admin || origin == sidebyside.App && !strings.HasSuffix(path, "/Buy")
}

// tenants are the origins of a database.
var tenants = map[string]bool{"https://app.example.com": true, "https://admin.example.com": true}

const tenantsText = `corsrpc.WithOriginSource("tenants", source)`

var tenantsSource = []corsrpc.Option{corsrpc.WithOriginSource("tenants", corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for o := range maps.Keys(tenants) {
			if !yield(o, nil) {
				return
			}
		}
	}
}), corsrpc.SourceWait(10*time.Second))}

var discard = []corsrpc.Option{corsrpc.WithLogger(slog.New(slog.DiscardHandler))}
