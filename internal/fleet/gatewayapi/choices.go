package gatewayapi

import (
	"math/rand/v2"
	"net/http"
)

// These are the ways in which a Gateway may treat a field of the filter CORS that the server has sent itself.
const (
	replacesFields = iota
	addsFields
	keepsFields
)

// choices are what the texts leave to an implementation, or do not say.
type choices struct {
	wildcard               string // the expression of "*" at the left of a host
	assumesPort            bool   // an origin with the default port is the one without it
	ignoresCase            bool   // in origins
	writesStar             bool   // instead of the origin, where every origin is allowed
	listsSafelistedMethods bool
	answersEveryOptions    bool // with Origin, as a preflight
	matchesRequestedMethod bool // for preflights, instead of OPTIONS
	preflightStatus        int
	refusedStatus          int  // of preflights; 0 if the server gets them
	modifierFirst          bool // before the filter CORS, for responses
	modifiesOwnAnswers     bool
	removesServerFields    bool // where the origin is not allowed
	serverFields           int  // replacesFields, addsFields or keepsFields
}

// drawChoices draws an implementation.
func drawChoices(r *rand.Rand) choices {
	yes := func() bool { return r.IntN(2) == 0 }
	return choices{
		wildcard:    []string{`.*`, `.+`, `[^/]*`, `[^/:]+`, `[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*`, `(?:[^.]+\.)*[^.]*`}[r.IntN(6)],
		assumesPort: yes(), ignoresCase: yes(), writesStar: yes(), listsSafelistedMethods: yes(), answersEveryOptions: yes(), matchesRequestedMethod: yes(),
		preflightStatus: []int{http.StatusOK, http.StatusNoContent}[r.IntN(2)],
		refusedStatus:   []int{0, http.StatusOK, http.StatusNoContent, http.StatusForbidden}[r.IntN(4)],
		modifierFirst:   yes(), modifiesOwnAnswers: yes(), removesServerFields: yes(),
		serverFields: []int{replacesFields, addsFields, keepsFields}[r.IntN(3)],
	}
}
