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
	// EventShadow: a candidate policy decided otherwise than the one in force.
	EventShadow
	// EventRefresh: an origin source was asked.
	EventRefresh
	// EventReload: another policy was put in force, or could not be.
	EventReload
)

// String returns the kind's name, in lower case.
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
	}
	return "unknown"
}

// Event is one thing that a layer did. Fields may be added: use field names in literals.
type Event struct {
	// Kind says which of the other fields are set.
	Kind EventKind
	// Decision is what became of a request, of an EventDecision and of an
	// EventShadow.
	Decision Decision
	// Shadow is what the candidate policy would have done, of an EventShadow.
	Shadow Decision
	// Source is what came of it, of an EventRefresh.
	Source SourceReport
	// Err is why a policy was not put in force, of an EventReload; nil where it was.
	Err error
	// Plan is the one in force, of an EventReload.
	Plan *Plan
}

// observers are told one after another; none keeps the next, or the request, from
// going on by a panic.
type observers []Observer

func (all observers) observe(ctx context.Context, e Event) {
	for _, o := range all {
		func() {
			defer func() { _ = recover() }()
			o.Observe(ctx, e)
		}()
	}
}
