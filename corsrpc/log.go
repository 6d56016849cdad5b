package corsrpc

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/boundedlog"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// eventLog logs what a layer does. Of requests it logs those that are refused, and
// those that a shadow policy decides otherwise, in bounded number.
type eventLog struct{ *boundedlog.Log }

func newEventLog(logger *slog.Logger) *eventLog {
	return &eventLog{boundedlog.New(logger, summaries[:]...)}
}

// These are the kinds of lines about requests.
const (
	lineRefused boundedlog.Kind = iota
	lineWouldRefuse
	lineDifference
	lineKinds
)

// summaries say of each kind how many lines were suppressed.
var summaries = [lineKinds]string{
	lineRefused:     "corsrpc: suppressed similar refusals in the last minute",
	lineWouldRefuse: "corsrpc: suppressed similar would-be refusals in the last minute",
	lineDifference:  "corsrpc: suppressed similar shadow differences in the last minute",
}

// keyOf returns what lines of a kind have in common: the reason, the rule, and the target
// if it is a known procedure or a path rule, since their number is bounded. Grant and target
// are ids. A difference with a shadow policy has its reason too; anything else none. Two
// kinds with the same key would share a line; of the few hundred that are kept that is one in
// many millions.
func keyOf(reason, shadow reasonID, grant, target uint64) boundedlog.Key {
	const spread = 0x9e3779b97f4a7c15 // after Knuth: ids that follow one another lie far apart
	return boundedlog.Key(((grant*spread)^target)*spread<<12) | boundedlog.Key(reason)<<6 | boundedlog.Key(shadow)
}

// refused logs a refusal, or counts it.
func (l *eventLog) refused(ctx context.Context, r *http.Request, d *Decision) {
	kind := lineRefused
	if !d.Enforced() {
		kind = lineWouldRefuse
	}
	if !l.Admit(kind, keyOf(d.reason, reasonNone, d.target.grant.id, d.target.id)) {
		return
	}
	attrs := []slog.Attr{
		slog.String("reason", string(d.Reason())),
		slog.String("why", d.reason.text()),
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		attrs = append(attrs, slog.String("origin", safetext.Sample(origin)))
	}
	if name := d.knownTarget(); name != "" {
		attrs = append(attrs, slog.String("target", name))
	} else {
		attrs = append(attrs, slog.String("path", safetext.Sample(r.URL.Path)))
	}
	if d.missing != "" {
		attrs = append(attrs, slog.String("missing", safetext.Sample(d.missing)))
	}
	if d.field() != "" {
		attrs = append(attrs, slog.String("rule", d.From().String()))
	}
	if !d.Enforced() {
		attrs = append(attrs, slog.Bool("enforced", false))
	}
	if remedy := d.reason.remedy(); remedy != "" {
		attrs = append(attrs, slog.String("remedy", remedy))
	}
	what := "corsrpc: refused a cross-origin call"
	if d.preflight {
		what = "corsrpc: refused a preflight"
		if d.outcome == OutcomePreflight {
			what = "corsrpc: a preflight asked for more than is granted, so the browser will not send the call"
		}
	}
	if !d.Enforced() {
		what = strings.Replace(what, "refused", "would have refused", 1)
	}
	l.WriteAdmitted(ctx, what, attrs...)
}

// differed logs, within the same bounds, that a candidate policy decides
// otherwise.
func (l *eventLog) differed(ctx context.Context, r *http.Request, d, shadow Decision) {
	var grant uint64
	if shadow.target.grant != nil {
		grant = shadow.target.grant.id
	}
	if !l.Admit(lineDifference, keyOf(d.reason, shadow.reason, grant, d.target.id)) {
		return
	}
	attrs := []slog.Attr{
		slog.String("target", d.knownTarget()), slog.String("origin", safetext.Sample(r.Header.Get("Origin"))),
		slog.String("outcome", d.outcome.String()), slog.String("reason", string(d.Reason())), slog.String("rule", d.From().String()),
		slog.String("shadow_outcome", shadow.outcome.String()), slog.String("shadow_reason", string(shadow.Reason())), slog.String("shadow_rule", shadow.From().String()),
	}
	if d.observed != shadow.observed {
		attrs = append(attrs, slog.Bool("enforced", !d.observed), slog.Bool("shadow_enforced", !shadow.observed))
	}
	l.WriteAdmitted(ctx, "corsrpc: the shadow policy decides otherwise", attrs...)
}

// asked logs that a source fails, each time, since that is rare; that it answers
// again; and rows that are no origins, when they change.
func (l *eventLog) sourceLoaded(ctx context.Context, report, last SourceReport) {
	name := slog.String("source", report.Name)
	if report.Err != nil {
		l.Write(ctx, slog.LevelError, "corsrpc: an origin source fails; its last good set stays",
			name, slog.Any("error", report.Err), slog.Int("origins", report.Origins), slog.Duration("age", report.Age))
		return
	}
	if last.Err != nil {
		l.Write(ctx, slog.LevelInfo, "corsrpc: an origin source answers again", name, slog.Int("origins", report.Origins))
	}
	if report.Skipped > 0 && (report.Skipped != last.Skipped || report.Sample != last.Sample) {
		l.Write(ctx, slog.LevelWarn, "corsrpc: an origin source has rows that are no exact origins; they count for nothing",
			name, slog.Int("skipped", report.Skipped), slog.String("sample", report.Sample), slog.Int("origins", report.Origins))
	}
}

// reloaded logs that another policy is in force, or why none is.
func (l *eventLog) reloaded(ctx context.Context, err error) {
	if err != nil {
		l.Write(ctx, slog.LevelError, "corsrpc: policy reload failed; keeping the previous policy", slog.Any("error", err))
		return
	}
	l.Write(ctx, slog.LevelInfo, "corsrpc: another policy is in force")
}

// started says what no production server should run with.
func (l *eventLog) started(explains bool) {
	if explains {
		l.Write(context.Background(), slog.LevelWarn,
			"corsrpc: refusals explain the policy to whoever is refused (WithExplain): for development only")
	}
}

// loaded logs which profile was chosen, and by whom.
func (l *eventLog) loaded(policy, profile, chosenBy string) {
	l.Write(context.Background(), slog.LevelInfo, "corsrpc: a profile of the policy is in force",
		slog.String("policy", policy), slog.String("profile", profile), slog.String("chosen_by", chosenBy))
}
