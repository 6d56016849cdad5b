package corsrpc

import "context"

// Observer is told of what a layer decides. Observe is called on the request's
// goroutine, before the answer, from many goroutines at once: it should be
// quick and must not block. A panic in it is recovered and does not touch the
// request.
//
// It is told of all kinds of events but EventRefusal, unless it is a SelectiveObserver.
// One that is a LayerObserver is told its layer.
type Observer interface {
	Observe(ctx context.Context, e Event)
}

// ObserverFunc is a function that is an Observer.
type ObserverFunc func(ctx context.Context, e Event)

// Observe calls f.
func (f ObserverFunc) Observe(ctx context.Context, e Event) { f(ctx, e) }

// SelectiveObserver is an Observer that says which events it wants. Events that nobody
// wants are not built.
type SelectiveObserver interface {
	Observer
	// Enabled reports whether the observer wants events of a kind. New asks once for each
	// kind that it knows.
	Enabled(kind EventKind) bool
}

// LayerObserver is an Observer that needs its layer.
type LayerObserver interface {
	Observer
	// Attach tells the observer its layer. New calls it before it returns, when nothing
	// but another observer's Attach can fail; events of sources that New waits for come
	// before. New fails where it returns an error, as an observer does that serves one layer
	// only and has another. An observer that was attached by a New that failed keeps the
	// layer that nobody gets: make another one.
	Attach(l *Layer) error
}

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
	// EventRefusal: a request was refused, or would be (Decision.Refused). It comes beside
	// its EventDecision, for observers that want no others: only a SelectiveObserver that
	// asks for it is told.
	EventRefusal

	eventKinds = EventRefusal + 1
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
	case EventRefusal:
		return "refusal"
	}
	return "unknown"
}

// Event is one thing that a layer did. Fields may be added: use field names in literals.
type Event struct {
	// Kind says which of the other fields are set.
	Kind EventKind
	// Decision is what became of a request, of an EventDecision, an EventRefusal and an
	// EventShadow.
	Decision Decision
	// Shadow is what the candidate policy would have done, of an EventShadow.
	Shadow Decision
	// Request is what was decided on, of an EventDecision, an EventRefusal and an
	// EventShadow. It shares the request's header, which is the handler's afterwards: it
	// may be read until Observe returns, and its header may not be changed or kept. It is
	// input from the network.
	Request Request
	// Source is what came of it, of an EventRefresh.
	Source SourceReport
	// Err is why a policy was not put in force, of an EventReload; nil where it was.
	Err error
	// Plan is the one in force, of an EventReload. Plan.Digest identifies it.
	Plan *Plan
}

// observers are those of each kind of event, in the order of WithObserver. A panic in one
// is recovered: the next is told, and the request goes on.
type observers [eventKinds][]Observer

func observersOf(given []Observer) (all observers) {
	for _, o := range given {
		selective, ok := o.(SelectiveObserver)
		for kind := EventDecision; kind < eventKinds; kind++ {
			if ok && selective.Enabled(kind) || !ok && kind != EventRefusal {
				all[kind] = append(all[kind], o)
			}
		}
	}
	return all
}

// want reports whether any observer is told of a kind of event.
func (all *observers) want(kind EventKind) bool { return len(all[kind]) > 0 }

func (all *observers) observe(ctx context.Context, e Event) {
	for _, o := range all[e.Kind] {
		func() {
			defer func() { _ = recover() }()
			o.Observe(ctx, e)
		}()
	}
}
