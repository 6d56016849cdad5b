package export

import (
	"fmt"
	"strings"
)

// writeFields writes the maps from what is done with a request to the fields of its response. nginx leaves out empty fields.
func (n *nginx) writeFields() {
	t := &n.text
	t.comment("The fields of the response. Empty ones are left out.")
	t.openMap(`"$cors_verdict $cors_rule"`, "$cors_allow_origin")
	t.row(`"~^(?:grant|preflight) [a-z]+ everyone "`, `"*"`, "")
	t.row(`"~^(?:grant|preflight) "`, "$http_origin", "")
	t.closeMap()
	t.openMap(`"$cors_verdict $cors_rule"`, "$cors_allow_credentials")
	t.row(`"~^(?:grant|preflight) [a-z]+ credentials"`, "true", "")
	t.closeMap()
	n.writeField("preflight", "$cors_allow_methods", func(a *Answer) string { return strings.Join(a.sortedMethods(), ", ") })
	n.writeField("preflight", "$cors_allow_headers", func(a *Answer) string { return strings.Join(a.RequestHeaders, ", ") })
	n.writeField("preflight", "$cors_max_age", func(a *Answer) string { return fmt.Sprint(int64(a.MaxAge.Seconds())) })
	n.writeField("grant", "$cors_expose_headers", func(a *Answer) string { return strings.Join(a.ResponseHeaders, ", ") })
	const vary = "Origin, Sec-Fetch-Site"
	t.openMap("$cors_answer", "$cors_vary")
	for _, a := range n.model.Answers {
		if names := a.vary(); names != vary {
			t.row(fmt.Sprint(a.ID), quoteNginx(names), "")
		}
	}
	t.row("default", quoteNginx(vary), "")
	t.closeMap()
	t.openMap("$cors_verdict", "$cors_cache_control")
	t.row("refuse", "no-store", "")
	t.closeMap()
	t.comment("WebSocket handshakes go through as such; other protocols do not.")
	t.openMap("$http_upgrade", "$cors_upgrade_to")
	t.row("websocket", "websocket", "")
	t.closeMap()
	t.openMap("$cors_upgrade_to", "$cors_connection")
	t.row("websocket", "upgrade", "")
	t.closeMap()
}

// writeField writes the map of a field whose value depends on the answer.
func (n *nginx) writeField(verdict, variable string, of func(*Answer) string) {
	n.text.openMap(`"$cors_verdict $cors_answer"`, variable)
	for _, a := range n.model.Answers {
		if value := of(a); value != "" && a.grantsSomebody() {
			n.text.row(quoteNginx(fmt.Sprintf("%s %d", verdict, a.ID)), n.text.value(value), "")
		}
	}
	n.text.closeMap()
}
