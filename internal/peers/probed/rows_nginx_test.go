package probed

import "testing"

// nginxRow returns a row of nginx before a sound server.
func nginxRow(name, fault, location string, found ...string) row {
	return row{name: "nginx: " + name, fault: fault, found: found, start: nginxServer(location), fixed: nginxServer("proxy_pass BACKEND;")}
}

func nginxServer(location string) func(*testing.T, *traffic) server {
	return func(t *testing.T, seen *traffic) server {
		t.Helper()
		return newNginx(t, seen, newServer(t, byHand{}.wrap(account(nil))), location)
	}
}

// nginxWhole is how nginx alone answers for a backend without CORS: preflights, and all headers in each block.
const nginxWhole = `
add_header Access-Control-Allow-Origin "https://app.example.com" always;
add_header Access-Control-Allow-Credentials "true" always;
add_header Access-Control-Expose-Headers "grpc-status, grpc-message, grpc-status-details-bin" always;
if ($request_method = OPTIONS) {
  add_header Access-Control-Allow-Origin "https://app.example.com";
  add_header Access-Control-Allow-Credentials "true";
  add_header Access-Control-Allow-Methods "GET, POST";
  add_header Access-Control-Allow-Headers "authorization, connect-accept-encoding, connect-content-encoding, connect-protocol-version, connect-timeout-ms, content-type, grpc-accept-encoding, grpc-encoding, grpc-timeout, user-agent, x-grpc-web, x-user-agent";
  add_header Access-Control-Max-Age "7200";
  return 204;
}
proxy_pass BACKEND;
`

// nginxBare returns a server of nginx before a backend without CORS.
func nginxBare(location string) func(*testing.T, *traffic) server {
	return func(t *testing.T, seen *traffic) server {
		t.Helper()
		return newNginx(t, seen, newServer(t, account(nil)), location)
	}
}

var nginxRows = []row{
	nginxRow("wildcard on top", "It adds `Access-Control-Allow-Origin: *` to the backend's.", `
add_header Access-Control-Allow-Origin "*" always;
proxy_pass BACKEND;`, "ALLOW_ORIGIN_REPEATED").gets("ALLOW_ORIGIN_REPEATED"),
	nginxRow("origin on top", "It adds the origin that the backend adds too.", `
add_header Access-Control-Allow-Origin $http_origin always;
proxy_pass BACKEND;`, "ALLOW_ORIGIN_REPEATED").gets("ALLOW_ORIGIN_REPEATED"),
	{
		name: "nginx: add_header is not inherited", fault: "Its `if` block for OPTIONS has a header of its own, and so none of the others.",
		found: []string{"PREFLIGHT_NOT_HANDLED"}, page: "ALLOW_ORIGIN_ABSENT", fixed: nginxBare(nginxWhole), start: nginxBare(`
add_header Access-Control-Allow-Origin "https://app.example.com" always;
add_header Access-Control-Allow-Credentials "true" always;
add_header Access-Control-Expose-Headers "grpc-status, grpc-message, grpc-status-details-bin" always;
if ($request_method = OPTIONS) {
  add_header Access-Control-Max-Age "7200";
  return 204;
}
proxy_pass BACKEND;`),
	},
	nginxRow("exposure dropped", "It removes Access-Control-Expose-Headers.", `
proxy_hide_header Access-Control-Expose-Headers;
proxy_pass BACKEND;`, "STATUS_NOT_EXPOSED"),
	nginxRow("Vary dropped", "It removes Vary.", `
proxy_hide_header Vary;
proxy_pass BACKEND;`, "VARY_MISSING"),
	nginxRow("reflects", "It grants every origin by `$http_origin`.", `
proxy_hide_header Access-Control-Allow-Origin;
proxy_hide_header Access-Control-Allow-Credentials;
add_header Access-Control-Allow-Origin $http_origin always;
add_header Access-Control-Allow-Credentials "true" always;
proxy_pass BACKEND;`, "REFLECTS_ORIGIN"),
}

// soundNginx are servers of nginx without a fault.
var soundNginx = []row{
	{name: "nginx before a sound server", start: nginxServer("proxy_pass BACKEND;")},
	{name: "nginx with a CORS configuration of its own", start: nginxBare(nginxWhole)},
}
