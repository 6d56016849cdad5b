package export

import (
	"fmt"
	"net/url"
	"strings"
)

// writeNginx writes the model as a file for the http context of nginx: maps from the parts of a request to what is done with it, and a server
// for each host of the own origins.
func writeNginx(m *Model) (*Export, error) {
	upstream, err := nginxUpstream(m.Options.Upstream)
	if err != nil {
		return nil, err
	}
	n := nginx{model: m}
	n.writeRoutes()
	n.writeOrigins()
	n.writeVerdict()
	n.writeFields()
	n.writeServers(upstream)
	text := n.head() + strings.TrimRight(n.text.String(), "\n") + "\n"
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		switch {
		case len(line) <= maxToken:
		case strings.HasPrefix(line, "#"):
			lines[i] = line[:maxToken]
		default:
			return nil, fmt.Errorf("line %d is longer than nginx reads (%d bytes): %s...: write shorter lists of headers, or serve fewer path prefixes", i+1, maxToken, line[:80])
		}
	}
	return &Export{Text: strings.Join(lines, "\n"), Losses: m.Losses}, nil
}

// nginx writes a model.
type nginx struct {
	model *Model
	text  nginxText
}

// nginxUpstream checks the URL of the server behind nginx.
func nginxUpstream(text string) (*url.URL, error) {
	if text == "" {
		text = "http://127.0.0.1:8080"
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ContainsAny(text, "$\"'\\;{} \t\r\n"):
	case !strings.EqualFold(text, u.Scheme+"://"+u.Host): // it has more than a host, or escapes, which url.Parse decodes
	default:
		return u, nil
	}
	return nil, fmt.Errorf("--upstream %q is not the URL of a server behind nginx: write a scheme, a host and a port, such as http://127.0.0.1:8080", text)
}

// head returns the beginning of the file.
func (n *nginx) head() string {
	var h nginxText
	h.comment(
		"Written by corsrpc export nginx. Include this file in the http block of nginx.conf, before other map blocks. It needs nginx 1.22 or later.",
		"Requests from pages of other origins pass to the server only as the policy allows.",
	)
	writeLosses(&h.Builder, n.model.Losses)
	size, bucket := n.text.hashSizes()
	fmt.Fprintf(&h, "\nmap_hash_max_size %d;\nmap_hash_bucket_size %d;\n\n", size, bucket)
	if n.text.dollar {
		h.comment("nginx has no escape for a dollar in a value.")
		h.WriteString("geo $cors_dollar {\n    default \"$\";\n}\n\n")
	}
	return h.String()
}
