package export

import "fmt"

// verdictRows decide on a request: its key has the words of $cors_from, of the rule, the method, and the kind and fields of the
// request. The first that matches applies. Their order is that of the comment of Answer.
var verdictRows = []struct{ about, expression, verdict string }{
	{"not from a page of another origin", `^own `, "pass"},
	{"a preflight from an allowed page", `^allowed (?:procedure|path) [^;]*; preflight `, "preflight"},
	{"cookies of pages with unrelated owners", `^[a-z]+ [^;]* shared[^;]*; write [^;]* with-cookie`, "refuse"},
	{"passwords that a script did not set", `^[a-z]+ [^;]* shared[^;]*; write [^;]*(?:navigate|other)-mode[^;]* with-authorization`, "refuse"},
	{"passwords that scripts may not set", `^[a-z]+ [^;]* shared; write [^;]* with-authorization`, "refuse"},
	{"images, links and the like", `^absent (?:unruled|procedure everyone [^;]*|path (?:everyone )?anonymous[^;]*); read (?![^;]*with-upgrade)`, "pass"},
	{"links to a path with cookies", `^absent path [^;]*; read [^;]*navigate-mode(?![^;]*with-upgrade)`, "pass"},
	{"a handshake without allow_credentials", `^allowed [a-z]+ [^;]*anonymous[^;]*; [^;]*with-upgrade`, "refuse"},
	{"a handshake; no script reads its answer", `^allowed (?:path [^;]*; [a-z]+ listed-method |procedure [^;]*; [^;]*cors-mode)[^;]*with-upgrade`, "pass"},
	{"a method of the path", `^allowed path [^;]*; [a-z]+ listed-method `, "grant"},
	{"a call with allow_credentials", `^allowed procedure [^;]*credentials[^;]*; [^;]*cors-mode`, "grant"},
	{"a call without cookies", `^allowed procedure [^;]*; [^;]*cors-mode(?![^;]*with-cookie)`, "grant"},
}

// writeVerdict writes the maps from a request to what is done with it.
func (n *nginx) writeVerdict() {
	t := &n.text
	t.comment("Without a rule: paths that servers may read in several ways, and those of procedures, are closed.")
	t.openMap("$request_uri", "$cors_unruled")
	t.row(quoteNginx("~*"+n.model.OddTarget), "closed", "")
	t.row("default", "unruled", "")
	t.closeMap()
	t.comment("The rules. Each comment names the place of the narrowest rule.")
	t.openMap("$cors_answer", "$cors_rule")
	t.row(`""`, "$cors_unruled", "")
	t.row("0", "closed", "disabled, or no such procedure")
	for _, a := range n.model.Answers {
		t.row(fmt.Sprint(a.ID), quoteNginx(a.words()), a.about())
	}
	t.closeMap()

	t.comment("The request, in words.")
	t.openMap(`"$request_method $http_access_control_request_method"`, "$cors_method")
	t.row(`"~^(?:GET|HEAD) "`, "read", "")
	t.row(`"~^OPTIONS ."`, "preflight", "")
	t.row("default", "write", "")
	t.closeMap()
	t.openMap(`"$cors_answer $request_method"`, "$cors_method_listed")
	for _, a := range n.model.Answers {
		if !a.ToPath || len(a.Methods) == 0 || !a.grantsSomebody() {
			continue
		}
		t.row(wholeRegexp(fmt.Sprintf("%d (?:%s)", a.ID, methodsRegexp(a.sortedMethods())), false), "listed", "")
	}
	t.row("default", "unlisted", "")
	t.closeMap()
	t.openMap("$http_sec_fetch_mode", "$cors_mode")
	t.row(`""`, "cors", "")
	t.row(`"~^cors$"`, "cors", "")
	t.row(`"~^navigate$"`, "navigate", "")
	t.row("default", "other", "")
	t.closeMap()
	for _, field := range []string{"cookie", "authorization", "upgrade"} {
		t.openMap("$http_"+field, "$cors_"+field)
		t.row(`""`, `""`, "")
		t.row("default", quoteNginx(" with-"+field), "")
		t.closeMap()
	}

	t.comment("The verdict: pass, grant (a script may read the answer), preflight, refuse. The first that matches applies.")
	t.openMap(`"$cors_from $cors_rule; $cors_method $cors_method_listed-method $cors_mode-mode$cors_cookie$cors_authorization$cors_upgrade"`, "$cors_verdict")
	for _, r := range verdictRows {
		t.row(quoteNginx("~"+r.expression), r.verdict, r.about)
	}
	t.row("default", "refuse", "")
	t.closeMap()
}
