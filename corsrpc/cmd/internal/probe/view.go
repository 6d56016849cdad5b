package probe

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// View is the outcome of a call in all engines in which it is the same to the script.
type View struct {
	// Outcome is that in the first of the engines.
	Outcome
	Engines []corsbrowser.Engine
	// Console holds the sentences in the consoles of these engines, as far as they are known.
	Console []Sentence
	// Verdict says in a sentence how the call ends, and Causes what usually makes a server answer so.
	Verdict string
	Causes  []string
}

// Sentence is what the console of an engine says.
type Sentence struct {
	Engine corsbrowser.Engine
	Text   string
}

// Views returns the outcomes that differ, in the order of the engines.
func (t *Trial) Views(s Server) (views []View) {
	for i := range t.Outcomes {
		o := &t.Outcomes[i]
		v := View{Outcome: *o, Verdict: o.verdict(t.Call, s), Causes: o.Causes(t.Call, s)}
		at := slices.IndexFunc(views, func(have View) bool { return have.sameAs(v) })
		if at < 0 {
			at, views = len(views), append(views, v)
		}
		views[at].Engines = append(views[at].Engines, o.Engine)
		if o.Blocked != nil && o.Blocked.ConsoleText != "" {
			views[at].Console = append(views[at].Console, Sentence{o.Engine, o.Blocked.ConsoleText})
		}
	}
	return views
}

// sameAs reports whether a script cannot tell two views apart.
func (v View) sameAs(w View) bool {
	return v.Result == w.Result && v.Verdict == w.Verdict && slices.Equal(v.Causes, w.Causes) && len(v.Exchanges) == len(w.Exchanges) &&
		slices.Equal(v.ReadableNames(), w.ReadableNames()) && slices.Equal(v.Hidden, w.Hidden) && slices.Equal(namesOf(v.Dropped), namesOf(w.Dropped))
}

// AtFault returns the values of the field that failed the check, one for each line of the response. There
// are none if the field is missing.
func (v View) AtFault() []string { return lines(v.blockedExchange().Answer, v.Blocked.Header) }

// ReadableNames returns the names of the response fields that the script can read, in lower case, sorted.
func (v View) ReadableNames() []string { return namesOf(v.Readable) }

// DroppedNames returns the names of the fields that browsers do not send, in lower case, sorted.
func (v View) DroppedNames() []string { return namesOf(v.Dropped) }

func namesOf(header http.Header) (names []string) {
	for name := range header {
		names = append(names, fetch.Lower(name))
	}
	slices.Sort(names)
	return names
}

// verdict says in a sentence how a call ends.
func (o *Outcome) verdict(call Call, s Server) string {
	switch o.Result {
	case Readable:
		text := fmt.Sprintf("the script can read the response (status %d)", o.last().Status)
		if s.hasOrigin(call.Origin) {
			text += ": the page and the server have the same origin, so CORS does not apply"
		}
		return text
	case Refused:
		return "the script can read only that the server refuses the call, and in production it gets a network error: " + refusalOf(o.last())
	case PreflightPasses:
		return "the preflight passes, so the browser sends the call; the probe did not send it, so it is not known whether the script can read the response (--send sends the call, and the server executes it)"
	case SameOrigin:
		return "the page and the server have the same origin, so CORS does not apply, and the browser sends the call without a preflight"
	case NotSent:
		return "the browser sends the call without a preflight; the probe did not send it, so it is not known whether the script can read the response (--send sends the call, and the server executes it)"
	case NotFollowed:
		return fmt.Sprintf("the server redirects the call to %s, which was not asked: probe that server too", o.redirectedTo())
	case TooMany:
		return "the probe has sent as many requests as it may, and cannot tell how the call ends: a larger --max-requests lets it go on"
	case Unreachable:
		return s.Failure(o.Err)
	}
	text := "the browser does not send the call, and the script gets a network error: "
	if o.Blocked.Sent {
		text = "the script gets a network error, although the server has got the call: "
	}
	return text + o.Blocked.Reason
}

// redirectedTo returns the URL to which the last response redirects.
func (o *Outcome) redirectedTo() string {
	last := o.last()
	location := last.Answer.Get("Location")
	from, err := url.Parse(last.URL)
	if err != nil {
		return location
	}
	to, err := from.Parse(location)
	if err != nil {
		return location
	}
	return to.String()
}

// slowPreflight is how long a preflight takes that is worth a note: the call waits for it.
const slowPreflight = time.Second

// Notes say what is remarkable about the responses, one sentence each, whatever the outcome.
func (t *Trial) Notes(s Server) (notes []string) {
	add := func(note string) {
		if !slices.Contains(notes, note) {
			notes = append(notes, note)
		}
	}
	for i := range t.Outcomes {
		for _, e := range t.Outcomes[i].Exchanges {
			if e.Preflight && e.Elapsed >= slowPreflight {
				add(fmt.Sprintf("The preflight took %.1f s, and the call waits for it.", e.Elapsed.Seconds()))
			}
		}
	}
	for i := range t.Outcomes {
		o := &t.Outcomes[i]
		at := slices.IndexFunc(o.Exchanges, func(e Exchange) bool {
			return e.Preflight && slices.Equal(lines(e.Answer, "Access-Control-Max-Age"), []string{"0"})
		})
		if at >= 0 && o.Result == PreflightPasses {
			add("Access-Control-Max-Age: 0 is also how a server with corsrpc and WithExplain answers a preflight that its policy refuses: --send finds out.")
		}
	}
	to := s.pageURL()
	if from, err := url.Parse(t.Call.Origin); err == nil && !isLoopback(from.Hostname()) {
		if isLoopback(to.Hostname()) || isPrivate(to.Hostname()) {
			add("Chromium asks the visitor for permission before a public page calls a loopback or private address.")
		}
		if from.Scheme == "https" && to.Scheme == "http" && isLoopback(to.Hostname()) {
			add("Safari does not let an https page call an http URL on loopback; Chromium and Firefox do.")
		}
	}
	return notes
}

// ExitResult says what a run has found out.
type ExitResult int

// The results of a run, from the best to the worst.
const (
	Fine ExitResult = iota
	Unknown
	Found
	NotReached
)

// Exit says what the trials have found out together.
func Exit(trials []*Trial) ExitResult {
	worst, answered := Fine, false
	for _, t := range trials {
		for i := range t.Outcomes {
			o := &t.Outcomes[i]
			answered = answered || o.last().Status != 0 || o.Err == nil || NoAnswer(o.Err)
			worst = max(worst, o.Result.exit())
		}
	}
	if !answered && len(trials) > 0 {
		return NotReached
	}
	return worst
}

func (r Result) exit() ExitResult {
	switch r {
	case Readable, PreflightPasses, SameOrigin:
		return Fine
	case Blocked, Refused:
		return Found
	}
	return Unknown
}

// FirstFailure returns the first error of a connection.
func FirstFailure(trials []*Trial) error {
	for _, t := range trials {
		for i := range t.Outcomes {
			if err := t.Outcomes[i].Err; err != nil {
				return err
			}
		}
	}
	return errors.New("no request was sent")
}
