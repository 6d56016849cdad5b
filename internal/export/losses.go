package export

import (
	"cmp"
	"slices"
)

// LossName names a kind of what an export loses. Its value is an item of --allow-loss.
type LossName string

// The losses.
const (
	LossExposure       LossName = "exposure"
	LossRefusal        LossName = "refusal"
	LossHeaderPatterns LossName = "header-patterns"
	LossOrigins        LossName = "origins"
	LossWildcards      LossName = "wildcards"
	LossMethods        LossName = "methods"
	LossSources        LossName = "sources"
	LossTiming         LossName = "timing"
	LossPathPattern    LossName = "path-patterns"
	LossOtherPaths     LossName = "other-paths"
	LossObserve        LossName = "observe"
	LossShadow         LossName = "shadow"
	LossServerFields   LossName = "server-fields"
	LossMaxAge         LossName = "max-age"
	LossReasons        LossName = "reasons"
)

// lossTable holds, for each loss, what it means for the reader who has to accept it.
var lossTable = []struct {
	name LossName
	text string
}{
	{LossExposure, "scripts read only the response headers that expose_headers and the protocols name, not each one that a response carries (expose: PRESENT)"},
	{LossRefusal, "calls that the policy refuses reach the server, though the page cannot read the answer"},
	{LossHeaderPatterns, "request headers that a prefix such as x-acme-*, * or the family of a protocol grants are not granted, unless allow_headers names them"},
	{LossOrigins, "some allowed origins cannot be written there, so that their pages cannot call"},
	{LossWildcards, "a pattern such as https://*.example.com also allows the hosts below example.com whose names have characters other than a-z, 0-9, - and _, which the policy refuses"},
	{LossMethods, "some allowed methods cannot be written there, so that pages cannot use them"},
	{LossSources, "origin sources are not followed: only the origins of --source may call, until the next export"},
	{LossTiming, "pages do not see the timing of calls (timing: true)"},
	{LossPathPattern, "the paths of these rules cannot be written there, so that no page may call them"},
	{LossOtherPaths, "no page of another origin may call paths without a rule, procedures that the schema does not have, and other spellings of a path; the server's own CORS fields are removed there too"},
	{LossObserve, "the policy only observes (enforcement: OBSERVE), and the export enforces it"},
	{LossShadow, "the shadow policy is not compared"},
	{LossServerFields, "if the server sends CORS fields of its own, its responses may have two of each, or may be readable for other pages: it must send none"},
	{LossMaxAge, "browsers may cache preflights for 1 second where the policy says 0"},
	{LossReasons, "neither the log nor the answer says why a call was refused"},
}

// Text returns what the loss means, as a clause.
func (n LossName) Text() string {
	for _, row := range lossTable {
		if row.name == n {
			return row.text
		}
	}
	return ""
}

// LossNames returns all names of losses, in the order in which they are reported.
func LossNames() []LossName {
	names := make([]LossName, len(lossTable))
	for i, row := range lossTable {
		names[i] = row.name
	}
	return names
}

// Loss is something that an export does not say exactly.
type Loss struct {
	// Name is the kind of loss.
	Name LossName
	// Targets are the full names of the procedures and the patterns of the path rules that it is for. They are nil
	// if it is for the policy as a whole.
	Targets []string
	// Values are the origins and methods that cannot be written, sorted; nil for other losses.
	Values []string
}

// lose adds a loss for some targets.
func (m *Model) lose(name LossName, targets ...string) {
	m.Losses = addLoss(m.Losses, name, targets...)
}

// addLoss returns losses with one more, in the order of LossNames.
func addLoss(losses []Loss, name LossName, targets ...string) []Loss {
	i := slices.IndexFunc(losses, func(l Loss) bool { return l.Name == name })
	if i < 0 {
		losses = append(slices.Clip(losses), Loss{Name: name})
		slices.SortStableFunc(losses, func(a, b Loss) int {
			return cmp.Compare(slices.Index(LossNames(), a.Name), slices.Index(LossNames(), b.Name))
		})
		i = slices.IndexFunc(losses, func(l Loss) bool { return l.Name == name })
	}
	losses[i].Targets = addTexts(losses[i].Targets, targets)
	return losses
}

// addLostValues returns losses with one more, which is for some values of a target.
func addLostValues(losses []Loss, name LossName, target string, values []string) []Loss {
	losses = addLoss(losses, name, target)
	i := slices.IndexFunc(losses, func(l Loss) bool { return l.Name == name })
	losses[i].Values = addTexts(losses[i].Values, values)
	return losses
}

// addTexts returns a sorted list with more texts, each once. It does not change the list.
func addTexts(sorted, more []string) []string {
	for _, text := range more {
		if i, found := slices.BinarySearch(sorted, text); !found {
			sorted = slices.Insert(slices.Clip(sorted), i, text)
		}
	}
	return sorted
}

// addLosses adds the losses that every exporter has.
func (b *builder) addLosses() {
	m := b.model
	m.lose(LossOtherPaths)
	m.lose(LossReasons)
	if b.rules.Observes {
		m.lose(LossObserve)
	}
	if b.rules.Shadow != nil {
		m.lose(LossShadow)
	}
	for _, p := range b.rules.Procedures {
		if len(p.Rule.Sources()) > 0 && !p.Rule.Disabled() {
			m.lose(LossSources, p.Name)
		}
	}
	for _, p := range b.rules.Paths {
		if len(p.Rule.Sources()) > 0 && !p.Rule.Disabled() {
			m.lose(LossSources, p.Pattern.String())
		}
	}
	for _, r := range m.Routes {
		a := r.Answer
		if a == nil {
			continue
		}
		granted := a.Rule.GrantedHeaders()
		if granted.Open() || a.Rule.Protocols() != 0 {
			m.lose(LossHeaderPatterns, r.Name)
		}
		if a.Rule.Present() {
			m.lose(LossExposure, r.Name)
		}
		if a.Rule.Timing() {
			m.lose(LossTiming, r.Name)
		}
	}
}
