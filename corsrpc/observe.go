package corsrpc

import "context"

// Observer receives the events of a layer. Observe is called on the goroutine of the request,
// before the response unless the kind of the event says otherwise, and concurrently for concurrent
// requests: it should be quick and must not block. A panic in it is recovered and does not affect the request.
//
// An observer receives the kinds of events up to EventReload, unless it is a SelectiveObserver. An
// observer that needs the layer itself is a LayerObserver.
type Observer interface {
	Observe(ctx context.Context, e Event)
}

// ObserverFunc is a function that implements Observer.
type ObserverFunc func(ctx context.Context, e Event)

// Observe calls f.
func (f ObserverFunc) Observe(ctx context.Context, e Event) { f(ctx, e) }

// SelectiveObserver is an Observer that receives some kinds of events only. Events that no
// observer receives are not built.
type SelectiveObserver interface {
	Observer
	// Enabled reports whether the observer receives events of a kind. New calls it once for each
	// kind.
	Enabled(kind EventKind) bool
}

// LayerObserver is an Observer that needs the layer that it observes.
type LayerObserver interface {
	Observer
	// Attach gives the observer its layer. New calls it last, when only the Attach of another
	// observer can still fail. Events of origin sources that New waits for come before it. If
	// Attach returns an error, New fails with it: an observer may refuse a second layer, for
	// example. After a New that failed, an observer may have been attached to a layer that New
	// did not return: make a new observer for the next attempt.
	Attach(l *Layer) error
}

// EventKind is the kind of an event.
type EventKind uint8

// The kinds of events. A later version may add kinds: ignore unknown ones.
const (
	// EventDecision: a layer has decided on a request.
	EventDecision EventKind = iota + 1
	// EventShadow: the shadow policy decides a request differently than the policy in force.
	EventShadow
	// EventRefresh: an origin source was loaded, or failed.
	EventRefresh
	// EventReload: a policy was put in force, or a reload failed.
	EventReload
	// EventRefusal: a request was refused, or would be under ENFORCE (Decision.Refused). It comes
	// in addition to the request's EventDecision, for observers that need refusals only: only a
	// SelectiveObserver that enables it receives it.
	EventRefusal
	// EventUngoverned: no rule governs a preflight or a cross-origin call of a page, and its response
	// came back without the CORS fields that the page needs. Under enforcement: OBSERVE it comes also
	// if another CORS middleware has written them (Event.Answered). The page is on a loopback origin
	// or on one that a rule names or matches by a pattern. The layer reports a bounded number of paths;
	// UngovernedOthers counts all other such requests. The event comes after the response. Only a
	// SelectiveObserver that enables it receives it.
	EventUngoverned
	// EventCallMissing: a preflight was granted without credentials, and within 10 seconds the page
	// made no call. It may have called with credentials: "include", which the browser stops after
	// such a preflight. The page is on an origin as for EventUngoverned. The event comes on a
	// goroutine of the layer. Only a SelectiveObserver that enables it receives it.
	EventCallMissing

	eventKinds = EventCallMissing + 1
)

// String returns the kind's name, in lower case; "unknown" for a value that is not a kind.
func (k EventKind) String() string {
	switch k {
	case EventDecision:
		return "decision"
	case EventShadow:
		return "shadow"
	case EventRefresh:
		return "refresh"
	case EventReload:
		return "reload"
	case EventRefusal:
		return "refusal"
	case EventUngoverned:
		return "ungoverned"
	case EventCallMissing:
		return "call_missing"
	}
	return "unknown"
}

// Event describes something that a layer did. Fields may be added: use field names in literals.
type Event struct {
	// Kind determines which of the other fields are set.
	Kind EventKind
	// Decision is the decision on a request, for all kinds but EventRefresh and EventReload.
	Decision Decision
	// Shadow is the decision of the shadow policy, for EventShadow.
	Shadow Decision
	// Request is the request, for all kinds but EventRefresh and EventReload. It is input from the
	// network. It shares the header of the http.Request, which the handler uses later: read it before
	// Observe returns, and do not modify or retain it. For EventCallMissing it is the preflight, with
	// the header fields of the CORS protocol only.
	Request Request
	// Remedy is the text to write into the policy or the program, for EventUngoverned and
	// EventCallMissing. It may hold names from the request, made safe to log.
	Remedy string
	// Answered reports whether the response has CORS fields of another middleware or of the handler,
	// for EventUngoverned.
	Answered bool
	// Source is the result of loading the source, for EventRefresh.
	Source SourceReport
	// Err is the error of a failed reload, for EventReload; nil if it succeeded.
	Err error
	// Plan is the plan in force after the reload, for EventReload. Plan.Digest identifies it.
	Plan *Plan
}

// observers holds the observers of each kind of event, in the order of their options.
type observers [eventKinds][]Observer

// observersOf sorts observers by the kinds of events that they receive.
func observersOf(given []Observer) (all observers) {
	for _, o := range given {
		selective, ok := o.(SelectiveObserver)
		for kind := EventDecision; kind < eventKinds; kind++ {
			if ok && selective.Enabled(kind) || !ok && kind < EventRefusal {
				all[kind] = append(all[kind], o)
			}
		}
	}
	return all
}

// want reports whether any observer receives events of a kind.
func (all *observers) want(kind EventKind) bool { return len(all[kind]) > 0 }

// observe calls the observers of the event's kind in order. A panic in one is recovered.
func (all *observers) observe(ctx context.Context, e Event) {
	for _, o := range all[e.Kind] {
		func() {
			defer func() { _ = recover() }()
			o.Observe(ctx, e)
		}()
	}
}
