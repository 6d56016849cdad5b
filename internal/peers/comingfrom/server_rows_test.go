package comingfrom

import (
	"net/http"
	"strings"
	"testing"
)

// phpWith returns a function that starts PHP with these lines, the usual lists and those of a row, which replace them.
func phpWith(before string) func(string) func(*testing.T) http.Handler {
	return func(option string) func(*testing.T) http.Handler {
		return php(phpLists + "\n" + before + "\n" + option)
	}
}

// apacheWith is phpWith for Apache.
func apacheWith(before string) func(string) func(*testing.T) http.Handler {
	return func(option string) func(*testing.T) http.Handler {
		return apache(apacheLists + "\n" + before + "\n" + option)
	}
}

// nginxLines is phpWith for nginx, which adds a field for each line, so that a line of a row stands in place of the usual one.
func nginxLines(before string) func(string) func(*testing.T) http.Handler {
	return func(option string) func(*testing.T) http.Handler {
		lines := "set $cors \"\";\n" + before + option
		for _, list := range []string{"Access-Control-Allow-Headers \"Content-Type, Connect-Protocol-Version\"", "Access-Control-Allow-Methods \"GET, PUT\""} {
			if name, _, _ := strings.Cut(list, " "); !strings.Contains(option, name) {
				lines += "\nadd_header " + list + " always;"
			}
		}
		return nginxWith(lines + "\nif ($request_method = OPTIONS) { return 204; }")
	}
}

// everyoneNote is the note of a configuration that allows every origin.
const everyoneNote = "Every page may call, without credentials."

// reflected is a difference where a configuration grants credentials to every origin.
const reflected = "stricter: procedure with cookies, GET with cookies of every page"

var expressTable = table{
	name: "Express cors", kinds: kinds,
	common:  []string{"allow_origins: [https://app.example.com]", `allow_headers: ["*", authorization]`, "expose: DECLARED", "max_age: 5s"},
	methods: "allow_methods: [GET, HEAD, PUT, PATCH, POST, DELETE]",
	rows: []row{
		{option: `{ origin: "https://app.example.com" }`, becomes: "allow_origins: [https://app.example.com]\nallow_headers: [\"*\", authorization]", start: express},
		{option: `{ origin: ["https://app.example.com", "https://other.example.com"] }`, becomes: "allow_origins: [https://app.example.com, https://other.example.com]", start: express},
		{option: `{ origin: /\.example\.com$/ }`, becomes: `allow_origins: ["https://*.example.com"]`, differs: []string{"stricter: procedure, procedure with Authorization, procedure with X-Tenant-Id, GET, PUT, DELETE of http://app.example.com"}, note: overHTTPNote, start: express},
		{option: `{}`, becomes: `allow_origins: ["*"]`, note: everyoneNote, start: express},
		{option: `{ origin: true }`, becomes: `allow_origins: ["*"]`, note: everyoneNote, start: express},
		{option: `{ origin: true, credentials: true }`, becomes: `allow_origins: ["*"]`, differs: []string{reflected}, note: "Everyone and credentials together are an error in a policy: list the origins that need cookies.", start: express},
		{option: `{ origin: (origin, done) => done(null, origin === "https://app.example.com") }`, becomes: "allow_origins: [https://app.example.com]", note: "For origins in a database, an origin source.", start: express},
		{option: `{ origin: "https://app.example.com", methods: ["GET"] }`, becomes: "allow_methods: [GET]", start: express},
		{option: `{ origin: "https://app.example.com", allowedHeaders: ["Content-Type", "Connect-Protocol-Version", "Authorization"] }`, becomes: "allow_headers: [authorization]", start: express},
		{option: `{ origin: "https://app.example.com", exposedHeaders: ["X-Request-Id"] }`, becomes: "expose_headers: [x-request-id]", start: express},
		{option: `{ origin: "https://app.example.com", credentials: true }`, becomes: "allow_credentials: true", start: express},
		{option: `{ origin: "https://app.example.com", maxAge: 600 }`, becomes: "max_age: 600s", start: express},
		{option: `{ origin: "https://app.example.com", optionsSuccessStatus: 200 }`, note: "Answers to preflights have the status 204.", start: express},
	},
}

var flaskTable = table{
	name: "Flask-CORS", kinds: kinds,
	common:  expressTable.common,
	methods: expressTable.methods,
	rows: []row{
		{option: `origins=["https://app.example.com"]`, becomes: "allow_origins: [https://app.example.com]\nallow_headers: [\"*\", authorization]", start: flask},
		{option: `origins=r"https://.*\.example\.com"`, becomes: `allow_origins: ["https://*.example.com"]`, start: flask},
		{option: `origins="*"`, becomes: `allow_origins: ["*"]`, note: everyoneNote, start: flask},
		{option: `origins="*", supports_credentials=True`, becomes: `allow_origins: ["*"]`, differs: []string{reflected}, note: "Everyone and credentials together are an error in a policy: list the origins that need cookies.", start: flask},
		{option: `origins=["https://app.example.com"], methods=["GET"]`, becomes: "allow_methods: [GET]", differs: []string{"wider: procedure, procedure with Authorization, procedure with X-Tenant-Id of https://app.example.com"}, note: "The methods of procedures follow from the schema.", start: flask},
		{option: `origins=["https://app.example.com"], allow_headers=["Content-Type", "Connect-Protocol-Version", "Authorization"]`, becomes: "allow_headers: [authorization]", start: flask},
		{option: `origins=["https://app.example.com"], expose_headers=["X-Request-Id"]`, becomes: "expose_headers: [x-request-id]", start: flask},
		{option: `origins=["https://app.example.com"], supports_credentials=True`, becomes: "allow_credentials: true", start: flask},
		{option: `origins=["https://app.example.com"], max_age=600`, becomes: "max_age: 600s", start: flask},
		{option: `origins=["https://app.example.com"], send_wildcard=True`, note: "The layer sends `*` if `allow_origins` is `*`.", start: flask},
		{option: `origins=["https://app.example.com"], vary_header=False`, note: "The layer adds `Vary` where a response depends on the origin.", start: flask},
		{option: `resources={r"/v1/*": {"origins": ["https://app.example.com"]}, r"/acme.*": {"origins": ["https://app.example.com"]}}`, note: "A rule with `path` or `selector` for each resource.", start: flask},
	},
}

var phpTable = table{
	name: "PHP", kinds: kinds,
	common:  []string{"allow_origins: [https://app.example.com]", "expose: DECLARED", "max_age: 5s"},
	methods: usualMethods,
	rows: []row{
		{option: `header("Access-Control-Allow-Origin: https://app.example.com");`, becomes: "allow_origins: [https://app.example.com]", start: phpWith("")},
		{option: `header("Access-Control-Allow-Origin: *");`, becomes: `allow_origins: ["*"]`, note: everyoneNote, start: phpWith("")},
		{option: `header("Access-Control-Allow-Origin: " . ($_SERVER["HTTP_ORIGIN"] ?? ""));`, becomes: `allow_origins: ["*"]`, note: everyoneNote, start: phpWith("")},
		{option: `if (preg_match('/^https:\/\/[a-z]+\.example\.com$/', $_SERVER["HTTP_ORIGIN"] ?? "")) header("Access-Control-Allow-Origin: " . $_SERVER["HTTP_ORIGIN"]);`, becomes: `allow_origins: ["https://*.example.com"]`, start: phpWith("")},
		{option: `header("Access-Control-Allow-Headers: Content-Type, Connect-Protocol-Version, Authorization");`, becomes: "allow_headers: [authorization]", start: phpWith(phpOrigin)},
		{option: `header("Access-Control-Allow-Methods: GET, POST, PUT, DELETE");`, becomes: "allow_methods: [GET, PUT, DELETE]", start: phpWith(phpOrigin)},
		{option: `header("Access-Control-Allow-Credentials: true");`, becomes: "allow_credentials: true", start: phpWith(phpOrigin)},
		{option: `header("Access-Control-Expose-Headers: X-Request-Id");`, becomes: "expose_headers: [x-request-id]", start: phpWith(phpOrigin)},
		{option: `header("Access-Control-Max-Age: 600");`, becomes: "max_age: 600s", start: phpWith(phpOrigin)},
	},
}

// The lines that a PHP script has before those of a row.
const (
	phpOrigin = `header("Access-Control-Allow-Origin: https://app.example.com");`
	phpLists  = `header("Access-Control-Allow-Headers: Content-Type, Connect-Protocol-Version"); header("Access-Control-Allow-Methods: GET, PUT");`
)

var apacheTable = table{
	name: "Apache", kinds: kinds,
	common:  phpTable.common,
	methods: usualMethods,
	rows: []row{
		{option: `Header always set Access-Control-Allow-Origin "https://app.example.com"`, becomes: "allow_origins: [https://app.example.com]", start: apacheWith("")},
		{option: `Header always set Access-Control-Allow-Origin "*"`, becomes: `allow_origins: ["*"]`, note: everyoneNote, start: apacheWith("")},
		{option: "SetEnvIf Origin \"^https://[a-z]+\\.example\\.com$\" CORS=$0\nHeader always set Access-Control-Allow-Origin %{CORS}e env=CORS", becomes: `allow_origins: ["https://*.example.com"]`, start: apacheWith("")},
		{option: `Header always set Access-Control-Allow-Headers "Content-Type, Connect-Protocol-Version, Authorization"`, becomes: "allow_headers: [authorization]", start: apacheWith(apacheOrigin)},
		{option: `Header always set Access-Control-Allow-Methods "GET, POST, PUT, DELETE"`, becomes: "allow_methods: [GET, PUT, DELETE]", start: apacheWith(apacheOrigin)},
		{option: `Header always set Access-Control-Allow-Credentials "true"`, becomes: "allow_credentials: true", start: apacheWith(apacheOrigin)},
		{option: `Header always set Access-Control-Expose-Headers "X-Request-Id"`, becomes: "expose_headers: [x-request-id]", start: apacheWith(apacheOrigin)},
		{option: `Header always set Access-Control-Max-Age "600"`, becomes: "max_age: 600s", start: apacheWith(apacheOrigin)},
	},
}

// The lines that Apache's configuration has before those of a row.
const (
	apacheOrigin = `Header always set Access-Control-Allow-Origin "https://app.example.com"`
	apacheLists  = "Header always set Access-Control-Allow-Headers \"Content-Type, Connect-Protocol-Version\"\nHeader always set Access-Control-Allow-Methods \"GET, PUT\""
)

var nginxTable = table{
	name: "nginx", kinds: kinds,
	common:  phpTable.common,
	methods: usualMethods,
	rows: []row{
		{option: `add_header Access-Control-Allow-Origin https://app.example.com always;`, becomes: "allow_origins: [https://app.example.com]", start: nginxLines("")},
		{option: `add_header Access-Control-Allow-Origin * always;`, becomes: `allow_origins: ["*"]`, note: everyoneNote, start: nginxLines("")},
		{option: `add_header Access-Control-Allow-Origin $http_origin always;`, becomes: `allow_origins: ["*"]`, note: everyoneNote, start: nginxLines("")},
		{option: `if ($http_origin ~ "^https://[a-z]+\.example\.com$") { set $cors $http_origin; } add_header Access-Control-Allow-Origin $cors always;`, becomes: `allow_origins: ["https://*.example.com"]`, start: nginxLines("")},
		{option: `add_header Access-Control-Allow-Headers "Content-Type, Connect-Protocol-Version, Authorization" always;`, becomes: "allow_headers: [authorization]", start: nginxLines(nginxOrigin)},
		{option: `add_header Access-Control-Allow-Methods "GET, POST, PUT, DELETE" always;`, becomes: "allow_methods: [GET, PUT, DELETE]", start: nginxLines(nginxOrigin)},
		{option: `add_header Access-Control-Allow-Credentials true always;`, becomes: "allow_credentials: true", start: nginxLines(nginxOrigin)},
		{option: `add_header Access-Control-Expose-Headers X-Request-Id always;`, becomes: "expose_headers: [x-request-id]", start: nginxLines(nginxOrigin)},
		{option: `add_header Access-Control-Max-Age 600 always;`, becomes: "max_age: 600s", start: nginxLines(nginxOrigin)},
	},
}

// nginxOrigin is the line that nginx's configuration has before that of a row.
const nginxOrigin = "add_header Access-Control-Allow-Origin https://app.example.com always;\n"
