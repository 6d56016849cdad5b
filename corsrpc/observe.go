package corsrpc

import "context"

// Observer is told of what a layer decides. Observe is called on the request's
// goroutine, before the answer, from many goroutines at once: it should be
// quick and must not block. A panic in it is recovered and does not touch the
// request.
type Observer interface {
	Observe(ctx context.Context, e Event)
}

// ObserverFunc is a function that is an Observer.
type ObserverFunc func(ctx context.Context, e Event)

// Observe calls f.
func (f ObserverFunc) Observe(ctx context.Context, e Event) { f(ctx, e) }

// EventKind says what an event is about.
type EventKind uint8

// The kinds. Kinds are added as the layer learns more: ignore those that are
// not known.
const (
	// EventDecision: a request was decided on.
	EventDecision EventKind = iota + 1
)

// String returns the kind's name, in lower case.
func (k EventKind) String() string {
	if k == EventDecision {
		return "decision"
	}
	return "unknown"
}

// Event is one thing that a layer did.
type Event struct {
	// Kind says which of the other fields are set.
	Kind EventKind
	// Decision is what became of a request, of an EventDecision.
	Decision Decision
}
