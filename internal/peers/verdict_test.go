package peers

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// A loading is the result of loading a configuration.
type loading struct {
	// handler is the server behind the library, or nil if the configuration does not load.
	handler http.Handler
	// refused are the checks that fail, or the text of a panic.
	refused []string
	// invalid is true if all of them fail because the text is not valid in the library's language.
	invalid bool
	// words are the findings that the library reports, and the lines that it logs or prints.
	words []string
}

// A trial is a configuration that was loaded and visited.
type trial struct {
	class         *class
	product       string
	configuration string
	// byName is true if the configuration names the risk that it takes.
	byName bool
	// function is true if a function of the program decides about an origin.
	function bool
	loading
	// readers are the attackers that read the visitor's secret.
	readers []string
	// anonymous is true if one of them reads the answer to a request without cookies.
	anonymous bool
	// intended is true if the intended page reads the visitor's secret.
	intended bool
}

// A verdict is the result of a trial, as the report names it.
type verdict string

const (
	inSilence     verdict = "accepted in silence"
	byName        verdict = "accepted by name"
	finding       verdict = "a finding"
	refusedAtLoad verdict = "refused at load"
	notReadable   verdict = "not readable"
	// inexpressible is the verdict of a class: see cell.
	inexpressible verdict = "inexpressible"
)

// verdicts explains each verdict, the most dangerous first.
var verdicts = []struct {
	verdict verdict
	meaning string
}{
	{inSilence, "the configuration loads without a message, and a page of an attacker's origin reads the answer"},
	{byName, "the same, but the configuration names the risk (`accept_risks` in corsrpc, a field `Dangerously…` in jub0bs/cors), or a profile for development is chosen"},
	{finding, "the same, but the library reports it: corsrpc as a finding or in its log, the others in a log that is on by default"},
	{refusedAtLoad, "the configuration does not load"},
	{notReadable, "the configuration loads, and no page of an attacker's origin reads the answer with cookies: the configuration means something else, and in most cases matches no origin"},
	{inexpressible, "the language has no text for the class: every attempt is refused because it is not valid in the language, or is not readable"},
}

// verdict derives the verdict from the results.
func (tr *trial) verdict() verdict {
	switch {
	case tr.handler == nil:
		return refusedAtLoad
	case len(tr.readers) == 0:
		return notReadable
	case tr.byName:
		return byName
	case len(tr.words) > 0:
		return finding
	}
	return inSilence
}

// details returns the checks or messages behind the verdict, or "".
func (tr *trial) details() string {
	if tr.handler == nil {
		return strings.Join(tr.refused, ", ")
	}
	return strings.Join(tr.words, "; ")
}

// try loads a configuration, and visits the server from the intended page and from the class's attackers.
func try(t *testing.T, tr trial, load func() loading) *trial {
	t.Helper()
	text := printed(t, func() {
		tr.loading = recovered(load)
		if tr.handler == nil {
			return
		}
		v := visitFrom(t, tr.handler, intended)
		tr.intended = v.get && v.post
		for _, attacker := range tr.class.attackers {
			v := visitFrom(t, tr.handler, attacker)
			if v.get || v.post {
				tr.readers = append(tr.readers, attacker)
			}
			tr.anonymous = tr.anonymous || v.anonymous
		}
	})
	for line := range strings.Lines(text) {
		tr.words = append(tr.words, strings.TrimSpace(line))
	}
	return &tr
}

// recovered calls load. A panic counts as a refusal.
func recovered(load func() loading) (l loading) {
	defer func() {
		if p := recover(); p != nil {
			l = loading{refused: []string{fmt.Sprint("panic: ", p)}}
		}
	}()
	return load()
}
