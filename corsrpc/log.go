package corsrpc

import (
	"context"
	"hash/maphash"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/boundedlog"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// eventLog logs what a layer does. It logs requests that are refused and requests that a shadow
// policy decides differently; the number of these lines is bounded.
type eventLog struct {
	*boundedlog.Log
	explains bool // whether WithExplain is given
}

// newEventLog returns a log that writes to logger. explains is whether WithExplain is given.
func newEventLog(logger *slog.Logger, explains bool) *eventLog {
	return &eventLog{boundedlog.New(logger, len(reasonTable), summaries[:]...), explains}
}

// The kinds of log lines about requests.
const (
	lineRefused boundedlog.Kind = iota
	lineWouldRefuse
	lineDifference
	lineKinds
)

// summaries holds the message that reports how many lines of a kind were suppressed.
var summaries = [lineKinds]string{
	lineRefused:     "corsrpc: suppressed similar refusals in the last minute",
	lineWouldRefuse: "corsrpc: suppressed similar would-be refusals in the last minute",
	lineDifference:  "corsrpc: suppressed similar shadow differences in the last minute",
}

// keySeed is the seed of the hashes in keys of log lines. Clients do not know it, so they cannot
// make a request whose line has the key of another one.
var keySeed = maphash.MakeSeed()

// maxKeyBytes is the number of bytes of an Origin header that a key depends on. Only values that no
// browser sends are longer.
const maxKeyBytes = 300

// lineOf returns the kind, the class and the keys of a log line about a request. rule is the grant of
// the rule, or nil. from is the Origin header.
//
// Clients invent origins and header names, so each of these is in a key that is more precise than the
// one for what the policy determines: reasons, rule and target. The lines about pages of explainable
// origins have the owner of the origin (Plan.ownerOf) in their first key, so that each page that the
// policy names is logged. owner is empty for all other origins.
func lineOf(kind boundedlog.Kind, owner string, cause, other reasonID, rule *grant, from string, d *Decision) boundedlog.Line {
	line := boundedlog.Line{Kind: kind, Class: boundedlog.Other, Cause: int(cause)}
	first, last := reasonsKey(kind, cause, other), lastKey(kind, cause, other, rule, from, d)
	governed := keyFactors[0] + governedKey(first, rule, d)
	if owner != "" {
		line.Class, first = boundedlog.Known, keyFactors[8]*maphash.String(keySeed, owner)
		governed += first
		if !d.target.known {
			last += boundedlog.Key(keyFactors[5] * maphash.String(keySeed, d.target.name))
		}
		if from == "" { // the Host field names the origin, which the last key does not have
			last += boundedlog.Key(first)
		}
	}
	line.Keys = [boundedlog.Precisions]boundedlog.Key{boundedlog.Key(first), boundedlog.Key(governed), last}
	return line
}

// lastKey returns the last key of a line, to which lineOf adds the name of a target that is not known if the origin is
// explainable. The owner of the origin is not in it, since the Origin header and the rule determine the owner. If the
// request has no Origin header and Host names the origin, lineOf adds the owner.
func lastKey(kind boundedlog.Kind, cause, other reasonID, rule *grant, from string, d *Decision) boundedlog.Key {
	key := keyFactors[7] + governedKey(reasonsKey(kind, cause, other), rule, d) + keyFactors[2]*maphash.String(keySeed, from[:min(len(from), maxKeyBytes)])
	if d.missing != "" {
		key += keyFactors[6] * maphash.String(keySeed, d.missing)
	}
	return boundedlog.Key(key)
}

// reasonsKey returns the part of the keys that the kind and the reasons of a line determine.
func reasonsKey(kind boundedlog.Kind, cause, other reasonID) uint64 {
	return keyFactors[1] * (uint64(kind)<<16 | uint64(cause)<<8 | uint64(other))
}

// governedKey adds to the key of the reasons what the policy determines.
func governedKey(reasons uint64, rule *grant, d *Decision) uint64 {
	key := reasons + keyFactors[3]*d.target.id
	if rule != nil {
		key += keyFactors[4] * rule.id
	}
	return key
}

// keyFactors are odd random numbers. Each part of a key is multiplied by one of them, so that keys with
// different parts are equal with a negligible probability, which no client can raise.
var keyFactors = func() (factors [9]uint64) {
	for i := range factors {
		factors[i] = maphash.Bytes(keySeed, []byte{byte(i)}) | 1
	}
	return factors
}()

// sampleOf returns the attributes of a summary. They are the reason that all of its lines have in common,
// under the name of that attribute in the lines, the class of their origins, and the origin and the target
// of one of them.
func sampleOf(r *http.Request, d *Decision, name string, reason reasonID, of boundedlog.Class) []slog.Attr {
	origins := "others"
	if of == boundedlog.Known {
		origins = "named by the policy, or loopback"
	}
	attrs := []slog.Attr{slog.String(name, string(reason.public())), slog.String("origins", origins), slog.String("sample_origin", safetext.Sample(firstOrigin(r)))}
	if target := d.knownTarget(); target != "" {
		return append(attrs, slog.String("sample_target", target))
	}
	return append(attrs, slog.String("sample_path", safetext.Sample(r.URL.Path)))
}

// firstOrigin returns the first Origin line of a request; empty if there is none. The key of the field
// is in its canonical form.
func firstOrigin(r *http.Request) string {
	if lines := r.Header["Origin"]; len(lines) > 0 {
		return lines[0]
	}
	return ""
}

// targetOrPath returns the attribute for the procedure or the path pattern of a request, or for its path
// if neither is known.
func targetOrPath(r *http.Request, d *Decision) slog.Attr {
	if name := d.knownTarget(); name != "" {
		return slog.String("target", name)
	}
	return slog.String("path", safetext.Sample(r.URL.Path))
}

// targetAttr returns the attribute for the procedure or the path pattern of a request. It makes a name
// that is not known safe to log, since such a name is input from the network.
func (e effect) targetAttr() slog.Attr {
	name := e.knownTarget()
	if name == "" && e.target != nil {
		name = safetext.Sample(e.target.name)
	}
	return slog.String("target", name)
}

// repeats counts a refusal of which a line was logged in the last minute, and reports whether there was one. from is the
// Origin header. It does not recognize the lines whose key has the name of a target or the owner of a host (lineOf);
// refused counts those.
func (l *eventLog) repeats(r *http.Request, d *Decision, from string) bool {
	kind := refusalKind(d)
	return l.Repeats(kind, int(d.reason), lastKey(kind, d.reason, reasonNone, d.target.grant, from, d), func(of boundedlog.Class) []slog.Attr {
		return sampleOf(r, d, "reason", d.reason, of)
	})
}

// refusalKind returns the kind of the line about a refusal.
func refusalKind(d *Decision) boundedlog.Kind {
	if d.observed {
		return lineWouldRefuse
	}
	return lineRefused
}

// refused logs or counts a refusal. from is the Origin header, and owner is that of the origin (Plan.ownerOf).
func (l *eventLog) refused(ctx context.Context, r *http.Request, d *Decision, from, owner string) {
	line := lineOf(refusalKind(d), owner, d.reason, reasonNone, d.target.grant, from, d)
	if !l.Admit(line, func(of boundedlog.Class) []slog.Attr { return sampleOf(r, d, "reason", d.reason, of) }) {
		return
	}
	attrs := []slog.Attr{
		slog.String("reason", string(d.Reason())),
		slog.String("why", d.reason.text()),
	}
	if from != "" {
		attrs = append(attrs, slog.String("origin", safetext.Sample(from)))
	}
	attrs = append(attrs, targetOrPath(r, d))
	if d.missing != "" {
		attrs = append(attrs, slog.String("missing", safetext.Sample(d.missing)))
	}
	if d.field() != "" {
		attrs = append(attrs, slog.String("rule", d.From().String()))
	}
	if !d.Enforced() {
		attrs = append(attrs, slog.Bool("enforced", false))
	}
	remedy := d.reason.remedy()
	if l.explains && owner != "" {
		remedy = d.Remedy() // production's log does not advise to grant requests of attackers
	}
	if remedy != "" {
		attrs = append(attrs, slog.String("remedy", remedy))
	}
	l.WriteAdmitted(ctx, line.Class, refusalMessage(d), attrs...)
}

// refusalMessage returns the message of the log line about a refusal.
func refusalMessage(d *Decision) string {
	message := "corsrpc: refused a cross-origin call"
	if d.preflight {
		message = "corsrpc: refused a preflight"
		switch {
		case d.readable != nil:
			message = "corsrpc: a preflight asked for what is not granted; it was answered so that the page can read the refusal of its call"
		case d.outcome == OutcomePreflight:
			message = "corsrpc: a preflight asked for more than is granted, so the browser will not send the call"
		}
	}
	if !d.Enforced() {
		message = strings.Replace(message, "refused", "would have refused", 1)
	}
	return message
}

// differed logs or counts a request that the shadow policy decides differently. Its summary has the
// reason of the shadow policy. owner is that of the origin (Plan.ownerOf).
func (l *eventLog) differed(ctx context.Context, r *http.Request, d, shadow *Decision, owner string) {
	line := lineOf(lineDifference, owner, shadow.reason, d.reason, shadow.target.grant, firstOrigin(r), d)
	if !l.Admit(line, func(of boundedlog.Class) []slog.Attr { return sampleOf(r, d, "shadow_reason", shadow.reason, of) }) {
		return
	}
	attrs := []slog.Attr{
		targetOrPath(r, d), slog.String("origin", safetext.Sample(firstOrigin(r))),
		slog.String("outcome", d.outcome.String()), slog.String("reason", string(d.Reason())), slog.String("rule", d.From().String()),
		slog.String("shadow_outcome", shadow.outcome.String()), slog.String("shadow_reason", string(shadow.Reason())), slog.String("shadow_rule", shadow.From().String()),
	}
	if d.observed != shadow.observed {
		attrs = append(attrs, slog.Bool("enforced", !d.observed), slog.Bool("shadow_enforced", !shadow.observed))
	}
	l.WriteAdmitted(ctx, line.Class, "corsrpc: the shadow policy decides differently", attrs...)
}

// sourceLoaded logs each failure of a source, its first success after a failure, and skipped rows
// if they differ from those of the last report.
func (l *eventLog) sourceLoaded(ctx context.Context, report, last SourceReport) {
	name := slog.String("source", report.Name)
	if report.Err != nil {
		message := "corsrpc: an origin source failed; keeping the origins that were loaded last"
		if report.Loaded.IsZero() {
			message = "corsrpc: an origin source failed, and has never been loaded, so it allows no origin"
		}
		l.Write(ctx, slog.LevelError, message,
			name, slog.Any("error", report.Err), slog.Int("origins", report.Origins), slog.Duration("age", report.Age))
		return
	}
	if last.Err != nil {
		l.Write(ctx, slog.LevelInfo, "corsrpc: an origin source works again", name, slog.Int("origins", report.Origins))
	}
	if report.Skipped > 0 && (report.Skipped != last.Skipped || report.Sample != last.Sample) {
		l.Write(ctx, slog.LevelWarn, "corsrpc: skipped rows of an origin source that are not exact https origins",
			name, slog.Int("skipped", report.Skipped), slog.String("sample", report.Sample), slog.Int("origins", report.Origins))
	}
}

// reloaded logs the result of a reload.
func (l *eventLog) reloaded(ctx context.Context, err error) {
	if err != nil {
		l.Write(ctx, slog.LevelError, "corsrpc: policy reload failed; keeping the previous policy", slog.Any("error", err))
		return
	}
	l.Write(ctx, slog.LevelInfo, "corsrpc: policy reloaded; the new policy is in force")
}

// started warns of WithExplain, which is for development only.
func (l *eventLog) started() {
	if l.explains {
		l.Write(context.Background(), slog.LevelWarn,
			"corsrpc: WithExplain shows parts of the policy to pages on loopback origins and on origins that the policy names; use it in development only")
	}
}

// loaded logs the profile that is in force, and whether an option or the environment chose it.
func (l *eventLog) loaded(policy, profile, chosenBy string) {
	l.Write(context.Background(), slog.LevelInfo, "corsrpc: policy loaded with a profile",
		slog.String("policy", policy), slog.String("profile", profile), slog.String("chosen_by", chosenBy))
}

// maxFindingLines is the maximum number of findings about a policy that are logged.
const maxFindingLines = 10

// found logs the findings about a policy: first those about values that may grant more than is
// intended. It logs at most maxFindingLines of them, and the number of the others.
func (l *eventLog) found(ctx context.Context, all findings) {
	ordered := slices.Clone(all.listed)
	slices.SortStableFunc(ordered, func(a, b Finding) int {
		switch {
		case a.Kind.mayGrantTooMuch() == b.Kind.mayGrantTooMuch():
			return 0
		case a.Kind.mayGrantTooMuch():
			return -1
		}
		return 1
	})
	for _, f := range ordered[:min(len(ordered), maxFindingLines)] {
		level := slog.LevelInfo
		if f.Kind.mayGrantTooMuch() {
			level = slog.LevelWarn
		}
		l.Write(ctx, level, "corsrpc: the policy loads with a finding", slog.String("kind", string(f.Kind)),
			slog.String("rule", Provenance{Field: f.Field, File: f.File, Position: f.Position}.String()),
			slog.String("value", f.Value), slog.String("why", f.Message), slog.String("remedy", f.Remedy))
	}
	if left := len(ordered) + all.left - maxFindingLines; left > 0 {
		l.Write(ctx, slog.LevelInfo, "corsrpc: the policy loads with more findings; Plan.Findings returns them", slog.Int("count", left))
	}
}
