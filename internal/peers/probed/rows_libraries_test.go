package probed

import (
	"regexp"
	"strings"
	"testing"

	connectcors "connectrpc.com/cors"
	"github.com/gorilla/handlers"
	"github.com/rs/cors"
)

// recipe is rs/cors with the lists of connectrpc.com/cors.
var recipe = rsServer(func(*cors.Options) {})

// rsRow returns a row of rs/cors with the lists of connectrpc.com/cors, which is the recipe of Connect's
// documentation. It grants the headers that each preflight asks for, whatever its list is.
func rsRow(name, fault string, change func(*cors.Options), found ...string) row {
	return row{name: "rs/cors: " + name, fault: fault, found: append([]string{"PREFLIGHT_PER_MIX"}, found...), notes: len(found) == 0, start: rsServer(change), fixed: recipe, left: []string{"PREFLIGHT_PER_MIX"}}
}

func rsServer(change func(*cors.Options), header ...string) func(*testing.T, *traffic) server {
	options := cors.Options{
		AllowedOrigins: []string{intended}, AllowCredentials: true, MaxAge: 7200,
		AllowedMethods: connectcors.AllowedMethods(), AllowedHeaders: connectcors.AllowedHeaders(), ExposedHeaders: connectcors.ExposedHeaders(),
	}
	change(&options)
	return func(t *testing.T, seen *traffic) server {
		t.Helper()
		return newServer(t, seen.watch(cors.New(options).Handler(account(nil, header...))))
	}
}

// originFunc returns a change that has a function decide about origins.
func originFunc(allows func(origin string) bool) func(*cors.Options) {
	return func(o *cors.Options) { o.AllowedOrigins, o.AllowOriginFunc = nil, allows }
}

var rsRows = []row{
	rsRow("the recipe", "It grants the headers that each preflight asks for.", func(*cors.Options) {}),
	rsRow("no origins", "It names no origins, which means everyone.", func(o *cors.Options) { o.AllowedOrigins = nil }, "WILDCARD_WITH_CREDENTIALS").gets("ALLOW_ORIGIN_WILDCARD"),
	rsRow("the wildcard", "It grants everyone, with credentials.", func(o *cors.Options) { o.AllowedOrigins = []string{"*"} }, "WILDCARD_WITH_CREDENTIALS").gets("ALLOW_ORIGIN_WILDCARD"),
	rsRow("suffix", "Its function compares the end of the origin.", originFunc(func(o string) bool { return strings.HasSuffix(o, "example.com") }), "SUFFIX_MATCH").telling("SUFFIX_MATCH", "https://attackexample.com"),
	rsRow("prefix", "Its function compares the beginning of the origin.", originFunc(func(o string) bool { return strings.HasPrefix(o, intended) }), "PREFIX_MATCH").telling("PREFIX_MATCH", "https://app.example.com.attacker.example"),
	rsRow("dot", "Its regular expression does not escape dots.", originFunc(regexp.MustCompile(`^https://app.example.com$`).MatchString), "DOT_NOT_ESCAPED").telling("DOT_NOT_ESCAPED", "https://appaexample.com"),
	rsRow("substring", "Its function looks for the domain anywhere.", originFunc(func(o string) bool { return strings.Contains(o, "example.com") }), "SUBSTRING_MATCH"),
	rsRow("part of the origin", "Its function looks for the origin in a text with all origins.", originFunc(func(o string) bool {
		return strings.Contains("https://app.example.com https://admin.example.com", o)
	}), "SUBSTRING_MATCH"),
	rsRow("reflects", "Its function grants every origin.", originFunc(func(string) bool { return true }), "REFLECTS_ORIGIN"),
	rsRow("no Max-Age", "It has no MaxAge.", func(o *cors.Options) { o.MaxAge = 0 }, "MAX_AGE_MISSING").onlyNotes(),
	rsRow("no exposed headers", "It has no ExposedHeaders.", func(o *cors.Options) { o.ExposedHeaders = nil }, "STATUS_NOT_EXPOSED"),
	rsRow("no Connect", "Its list of request headers has only content-type.", func(o *cors.Options) { o.AllowedHeaders = []string{"Content-Type"} }).finds("HEADERS_NOT_GRANTED").gets("ALLOW_ORIGIN_ABSENT"),
	rsRow("GET only", "Its list of methods has only GET.", func(o *cors.Options) { o.AllowedMethods = []string{"GET"} }).finds("METHODS_NOT_GRANTED").gets("ALLOW_ORIGIN_ABSENT"),
}

// sentRows are servers with the recipe to which calls are sent. rs/cors has the handler execute the calls of
// pages that it refuses.
var sentRows = []row{
	{
		name: "rs/cors: metadata of Connect", fault: "It does not expose the header that the handler sends, and the handler executes refused calls.",
		found: []string{"METADATA_NOT_EXPOSED", "PREFLIGHT_PER_MIX", "REFUSED_CALL_RUNS"}, notes: true, sends: true, flags: []string{"--protocol", "connect"},
		start: rsServer(func(*cors.Options) {}, "Acme-Region", "eu"),
	},
	{
		name: "rs/cors: metadata of gRPC-Web", fault: "It does not expose the header that the handler sends, and the handler executes refused calls.",
		found: []string{"METADATA_NOT_EXPOSED", "PREFLIGHT_PER_MIX", "REFUSED_CALL_RUNS"}, notes: true, sends: true, flags: []string{"--protocol", "grpc-web"},
		start: rsServer(func(*cors.Options) {}, "Acme-Region", "eu"),
	},
	{
		name: "rs/cors: status of gRPC-Web", fault: "It has no ExposedHeaders, and the handler executes refused calls.",
		found: []string{"PREFLIGHT_PER_MIX", "REFUSED_CALL_RUNS", "STATUS_NOT_EXPOSED"}, sends: true, flags: []string{"--protocol", "grpc-web"},
		start: rsServer(func(o *cors.Options) { o.ExposedHeaders = nil }),
	},
}

// gorillaRow returns a row of gorilla/handlers.
func gorillaRow(name, fault string, origins handlers.CORSOption, found ...string) row {
	return row{name: "gorilla/handlers: " + name, fault: fault, found: append([]string{"PREFLIGHT_PER_MIX"}, found...), start: func(t *testing.T, seen *traffic) server {
		t.Helper()
		layer := handlers.CORS(origins, handlers.AllowCredentials(), handlers.MaxAge(600), handlers.AllowedMethods(connectcors.AllowedMethods()),
			handlers.AllowedHeaders(connectcors.AllowedHeaders()), handlers.ExposedHeaders(connectcors.ExposedHeaders()))
		return newServer(t, seen.watch(layer(account(nil))))
	}}
}

var gorillaRows = []row{
	gorillaRow("one origin", "It sends no Vary, and grants the headers that each preflight asks for.", handlers.AllowedOrigins([]string{intended}), "VARY_MISSING"),
	gorillaRow("prefix", "Its regular expression has no end.", handlers.AllowedOriginValidator(regexp.MustCompile(`^https://app[.]example[.]com`).MatchString), "PREFIX_MATCH", "VARY_MISSING"),
	gorillaRow("no escaped dot", "Its regular expression does not escape dots.", handlers.AllowedOriginValidator(regexp.MustCompile(`^https://app.example.com$`).MatchString), "DOT_NOT_ESCAPED", "VARY_MISSING"),
}
