package export

import (
	"fmt"
	"net/textproto"
	"net/url"
	"slices"

	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// ownFields are the fields of the policy, and their variables.
var ownFields = [][2]string{
	{"Access-Control-Allow-Origin", "$cors_allow_origin"},
	{"Access-Control-Allow-Credentials", "$cors_allow_credentials"},
	{"Access-Control-Allow-Methods", "$cors_allow_methods"},
	{"Access-Control-Allow-Headers", "$cors_allow_headers"},
	{"Access-Control-Max-Age", "$cors_max_age"},
	{"Access-Control-Expose-Headers", "$cors_expose_headers"},
	{"Vary", "$cors_vary"},
	{"Cache-Control", "$cors_cache_control"},
}

// writeServers writes a server for each host of the own origins.
func (n *nginx) writeServers(upstream *url.URL) {
	listens := map[string][]string{}
	var hosts []string
	for _, own := range n.model.Options.OwnOrigins {
		p, _ := origin.Parse(own)
		port, tls := p.Port, ""
		if p.Scheme == "https" {
			tls = " ssl"
		}
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[p.Scheme]
		}
		if listens[p.Host] == nil {
			hosts = append(hosts, p.Host)
		}
		listens[p.Host] = append(listens[p.Host], port+tls)
	}
	slices.Sort(hosts)
	t := &n.text
	for _, host := range hosts {
		ports := listens[host]
		slices.Sort(ports)
		t.WriteString("server {\n")
		for _, port := range slices.Compact(ports) {
			fmt.Fprintf(t, "    listen %s;\n", port)
		}
		t.WriteString("    # For IPv6 add the same lines with [::]: before the port; for HTTP/2 add http2, or \"http2 on;\" since nginx 1.25.1.\n")
		if slices.ContainsFunc(ports, func(port string) bool { return port[len(port)-1] == 'l' }) {
			t.WriteString("    # nginx does not start without a certificate, here or in the http block:\n" +
				"    # ssl_certificate FILE;\n    # ssl_certificate_key FILE;\n")
		}
		fmt.Fprintf(t, "    server_name %s;\n", host)
		n.writeServer(upstream)
		t.WriteString("}\n\n")
	}
}

// writeServer writes what all servers have.
func (n *nginx) writeServer(upstream *url.URL) {
	t := &n.text
	t.WriteString(`
    # Otherwise a script could send Sec_Fetch_Site, which nginx takes for Sec-Fetch-Site.
    underscores_in_headers off;
    default_type text/plain;

    # A location with an add_header of its own does not inherit these lines: repeat them there.
`)
	for _, f := range ownFields {
		fmt.Fprintf(t, "    add_header %s %s always;\n", f[0], f[1])
	}
	t.WriteString("\n    # The server's own fields.\n")
	for _, field := range serverFields {
		name := textproto.CanonicalMIMEHeaderKey(field)
		fmt.Fprintf(t, "    proxy_hide_header %s;\n", name)
	}
	t.WriteString(`
    if ($cors_verdict = refuse) {
        return 403 "corsrpc refused this cross-origin request\n";
    }
    if ($cors_verdict = preflight) {
        return 204;
    }

    location / {
`)
	fmt.Fprintf(t, "        proxy_pass %s://%s; # without a path, so that the server gets the path as it was sent\n", upstream.Scheme, upstream.Host)
	if upstream.Scheme == "https" {
		t.WriteString("        proxy_ssl_server_name on;\n")
		t.WriteString("        # Without these lines nginx does not check the server's certificate:\n        # proxy_ssl_verify on;\n        # proxy_ssl_trusted_certificate FILE;\n")
	}
	t.WriteString(`        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Upgrade $cors_upgrade_to;
        proxy_set_header Connection $cors_connection;
        proxy_buffering off; # streams
        # A stream that is silent for 60 seconds ends, unless proxy_read_timeout is longer.
        # Programs that speak gRPC itself need HTTP/2: replace each proxy_ above by grpc_ (grpc_pass grpc://HOST:PORT), without
        # proxy_http_version, proxy_buffering and the lines for Upgrade and Connection. Then WebSockets do not pass.
    }
`)
}
