package servers

import (
	"net/http"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

// The lines of the policy that the recipes of the page have.
const (
	twoOrigins    = "allow_origins: [https://app.example.com, https://admin.example.com]"
	noCredentials = "allow_credentials: none"
	anyOrigin     = `allow_origins: ["*"]`
)

var recipePolicy = []string{twoOrigins, "allow_credentials: true", "allow_headers: [authorization]", "expose: DECLARED", "expose_headers: [x-request-id]", "max_age: 600s"}

// filesRule is for paths other than those of procedures.
const filesRule = `rules:
  - path: /files/
    allow_methods: [GET, POST, PUT]
`

// Texts of the notes of several programs.
const (
	methodsBySchema = "Nothing: procedures need no list"
	methodsOfPath   = "For what is not a procedure, a rule: `path: /files/` with `allow_methods: [GET, POST, PUT]`"
	contentType     = "`content-type` is granted"
	maxAgeDay       = "A longer time does not load"
	maxAgeFive      = "Browsers keep a preflight for 5 seconds without the header"
	maxAgeDefault   = "Nothing, if the policy's default of 7200 seconds is meant to hold"
	credentialsStar = "Browsers refuse the pair, and a policy with `allow_credentials: true` and a star does not load"
	exposeDefault   = "Nothing, if scripts may read what the application sends"
	reflected       = "The program sends each origin back. List the origins of your pages instead: see [Reflected origins](#reflected-origins)"
	varyNote        = "Nothing: the gateway writes `Vary` itself"
	replaced        = "Nothing: the gateway replaces the fields of the server"
	answered        = "Nothing: the gateway answers preflights"
	noRegexp        = "A policy has no regular expressions"
	privateNetwork  = "Nothing: no browser asks for it any more"
	nullRisk        = "Every page can get the origin `null`, so that a policy needs the line about the risk, and allows no credentials"
)

func narrowed(origins ...string) sidebyside.Named {
	return sidebyside.OriginsRefused("ORIGIN_NARROWED", "The expression matches origins of other owners or ports too, because a dot is not escaped, an end is not marked, or any text may stand there", origins...)
}

// The origins that expressions match by mistake.
const (
	evilSuffix  = "https://evilexample.com"
	evilPrefix  = "https://app.example.com.evil.example"
	otherPort   = "https://app.example.com:8443"
	unescaped   = "https://appxexample.com"
	plainHTTP   = "http://app.example.com"
	nullOrigin  = "null"
	uppercase   = "https://App.example.com"
	otherDomain = "https://evil.example"
)

var (
	cookiesOfAll = sidebyside.Named{Code: "COOKIES_OF_ALL", Words: "Pages of every origin could read answers for the visitor's cookies. A policy allows that to listed origins only", Explains: func(d sidebyside.Difference) bool {
		return d.Call.Credentials && !d.Wider && (d.What == "readable" || d.What == "ran") && d.Before.Readable
	}}
	errorsReadable = sidebyside.Named{Code: "ERRORS", Words: "Scripts read the status and the body of an error. Before, the answer had no CORS fields, and the script got a network error", Explains: func(d sidebyside.Difference) bool {
		return d.What == "readable" && d.Wider && (d.Call.Path == failed || d.Call.Path == failedHere)
	}}
	twoValues = sidebyside.Named{Code: "TWO_VALUES", Words: "The answer had two origins in Access-Control-Allow-Origin, which browsers refuse", Explains: func(d sidebyside.Difference) bool {
		return d.Wider && (d.What == "readable" || d.What == "ran")
	}}
	inheritance = sidebyside.Named{Code: "INHERITANCE", Words: "A block with a line add_header of its own has none of those outside of it, so that every preflight failed", Explains: func(d sidebyside.Difference) bool {
		return d.Wider && d.Before.Preflight == http.StatusNoContent
	}}
	preflightFields = sidebyside.Named{Code: "PREFLIGHT_FIELDS", Words: "The answer to a preflight had no CORS fields, so that every preflight failed", Explains: func(d sidebyside.Difference) bool {
		return d.Wider && d.Before.Preflight/100 == 2
	}}
	exposedOfServer = sidebyside.Named{Code: "EXPOSED_OF_SERVER", Words: "Scripts do not read the fields that the program adds to each answer, such as Server and Connection", Explains: func(d sidebyside.Difference) bool {
		return d.What == "exposed" && !d.Wider && (d.Header == "server" || d.Header == "connection")
	}}
	starWithCookies = sidebyside.Named{Code: "STAR_WITH_COOKIES", Words: "The star of a policy holds for calls with cookies too. For browsers, the star in the field is a name then", Explains: func(d sidebyside.Difference) bool {
		return d.Wider && d.Call.Credentials
	}}
)

// failedHere is a path whose error the program itself makes, and ownFields one whose answer has CORS fields of the
// server behind a proxy.
const (
	failedHere = sidebyside.Me + "?own=1"
	ownFields  = sidebyside.Me + "?cors=1"
)

func call(name, path string) []sidebyside.Call {
	return []sidebyside.Call{{Name: name, Origin: sidebyside.App, Method: http.MethodGet, Path: path}}
}

// refused leaves to CredentialsRefused what it explains.
var refused = sidebyside.Named{Code: sidebyside.RefusedBeforeHandler.Code, Words: sidebyside.RefusedBeforeHandler.Words, Explains: func(d sidebyside.Difference) bool {
	return sidebyside.RefusedBeforeHandler.Explains(d) && !sidebyside.CredentialsRefused.Explains(d)
}}

var everywhere = []sidebyside.Named{refused, sidebyside.OtherPaths, sidebyside.ProtocolHeaders, sidebyside.StatusHeaders, sidebyside.Trailers}

// without returns the lines of a policy that has no line of the recipes.
func without(lines ...string) []string {
	for _, line := range recipePolicy {
		field, _, _ := strings.Cut(line, ":")
		lines = append(lines, field+sidebyside.NotSet)
	}
	return lines
}

// edit returns a text with replacements, each of which has to occur.
func edit(text string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			panic("no " + pairs[i] + " in\n" + text)
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}
