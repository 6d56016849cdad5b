package probe

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// calls sends the call of the page, and calls of a page that the server refuses, if that is allowed.
func (a *auditor) calls() error {
	if !a.options.SendCalls {
		a.add(ClassNotExamined, report.Note, nil, "", "The audit sent no calls, so it did not examine whether scripts can read the responses to calls, with their status and metadata, and whether calls of refused pages run.")
		a.findings[len(a.findings)-1].Fix = "Add --send, and name a procedure that may be called with an empty message."
		return nil
	}
	own, err := a.look(a.callOf())
	if err != nil {
		return err
	}
	plain, credentialed := own.passes()
	switch {
	case plain:
		a.credentials(own, !credentialed)
		a.exposure(own)
	case own.answer().Preflight: // told already
	case own.plain.Result == Refused:
		a.refused(own)
	default:
		a.allowOrigin(own)
		if !a.has(ClassAllowOriginRepeated) && !a.has(ClassAllowOriginInvalid) && !a.has(ClassOriginNotGranted) {
			a.add(ClassResponseNotGranted, report.Error, own, allowOrigin, fmt.Sprintf("The preflight grants the call, and the response (%d) has no grant.", own.answer().Status))
		}
	}
	return a.refusedCalls(own)
}

// callOf returns the call of the page, with an empty message.
func (a *auditor) callOf() want {
	w := a.preflightOf(a.protocol)
	w.preflight, w.call = false, true
	for i := 0; i < len(w.header); i += 2 { // no timeout is needed
		if strings.EqualFold(w.header[i], "Content-Type") {
			w.body = rpc.EmptyMessage(w.header[i+1])
		}
	}
	return w
}

// refusedCalls sends the call for a page that the server refuses: first so that a browser sends it without a
// preflight, and then as a client sends it.
func (a *auditor) refusedCalls(own *sight) error {
	answer := own.answer()
	if plain, _ := a.unrelated.passes(); plain || a.has(ClassReflectsOrigin) {
		return nil
	}
	if answer.Status < 200 || answer.Status > 299 || answer.Preflight || own.method != http.MethodPost {
		a.add(ClassNotExamined, report.Note, own, "", "The page's own call does not succeed, or is a GET, so the audit did not examine whether calls of refused pages run.")
		return nil
	}
	w := own.want
	simple := slices.Clone(w.header)
	simple = simple[:0:0]
	for _, attempt := range []struct {
		header   []string
		severity report.Severity
		message  string
	}{
		{append(simple, "Content-Type", "text/plain"), report.Warning, "A call that browsers send without a preflight is executed for a page of %s, which is not allowed."},
		{w.header, report.Note, "A call for a page of %s, which is not allowed, is executed. Browsers do not send it, because its preflight fails."},
	} {
		e, err := a.directCall(attempt.header, w.body)
		if err != nil {
			return err
		}
		if ran(*e, answer) {
			a.add(ClassRefusedCallRuns, attempt.severity, &sight{want: want{origin: a.unrelated.origin}, plain: &Outcome{Exchanges: []Exchange{*e}}}, "", fmt.Sprintf(attempt.message, a.unrelated.origin))
			return nil
		}
	}
	return nil
}

// ran reports whether an answer is that of a handler: a success, or the same as the answer to the page.
func ran(e, own Exchange) bool {
	if reasonOfRefusal(e) != "" {
		return false
	}
	status := func(x Exchange) string { return valueOf(x.Answer, "Grpc-Status") }
	return e.Status >= 200 && e.Status <= 299 && (bytes.Equal(e.Body, own.Body) || status(e) == status(own))
}

// directCall sends a call of the unrelated page without asking a browser whether it may be sent.
func (a *auditor) directCall(header []string, body string) (*Exchange, error) {
	u, err := a.options.Call.url(a.wire.server)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(a.ctx, http.MethodPost, u.String(), strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Origin", a.unrelated.origin)
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"} {
		r.Header.Set(name, value)
	}
	for field := range slices.Chunk(header, 2) {
		r.Header.Add(field[0], field[1])
	}
	return a.direct(r)
}

// direct sends a request without a browser. A server that does not answer ends the audit.
func (a *auditor) direct(r *http.Request) (*Exchange, error) {
	got, err := a.wire.exchange(r)
	switch {
	case errors.Is(err, ErrTooMany):
		return nil, a.tooMany()
	case err != nil:
		return nil, err
	case a.ctx.Err() != nil:
		return nil, a.ctx.Err()
	}
	e := &Exchange{
		Exchange: corsbrowser.Exchange{Method: r.Method, URL: r.URL.String(), Header: r.Header, Status: got.status, Answer: got.header},
		Sent:     got.sent, Proto: got.proto, Elapsed: got.elapsed,
	}
	if got.err != nil {
		return nil, a.unreachable(got.err, r.Header.Get("Origin"), *e)
	}
	e.Body = got.decodedBody()
	return e, nil
}
