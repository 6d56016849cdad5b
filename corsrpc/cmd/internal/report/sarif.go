package report

import (
	"io"
	"net/url"
	"path"
	"slices"
	"strings"
)

// The parts of SARIF 2.1.0 that the program writes
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool               sarifTool                `json:"tool"`
		Invocations        []sarifInvocation        `json:"invocations"`
		OriginalURIBaseIDs map[string]sarifArtifact `json:"originalUriBaseIds"`
		ColumnKind         string                   `json:"columnKind"`
		Results            []sarifResult            `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string         `json:"id"`
		ShortDescription *sarifMessage  `json:"shortDescription,omitempty"`
		Configuration    sarifRuleLevel `json:"defaultConfiguration"`
	}
	sarifRuleLevel struct {
		Level Severity `json:"level"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   Severity     `json:"level"`
		Message sarifMessage `json:"message"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     Severity        `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
		Related   []sarifLocation `json:"relatedLocations,omitempty"`
	}
	sarifLocation struct {
		ID       int            `json:"id,omitempty"`
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
		Message  *sarifMessage  `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI         string        `json:"uri,omitempty"`
		URIBaseID   string        `json:"uriBaseId,omitempty"`
		Description *sarifMessage `json:"description,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
	}
)

// sarifRoot names the root of the repository, by the name that code scanning services use.
const sarifRoot = "%SRCROOT%"

// WriteSARIF writes the report as SARIF 2.1.0. Names of files are relative to the root of the
// repository.
func (r *Report) WriteSARIF(w io.Writer) error {
	run := sarifRun{
		Invocations:        []sarifInvocation{r.sarifInvocation()},
		OriginalURIBaseIDs: map[string]sarifArtifact{sarifRoot: {Description: &sarifMessage{"the root of the repository"}}},
		ColumnKind:         "unicodeCodePoints",
		Results:            []sarifResult{},
	}
	rules := r.sarifRules()
	for _, p := range r.Problems {
		run.Results = append(run.Results, r.sarifResult(p, rules))
	}
	run.Tool.Driver = sarifDriver{"corsrpc", r.Version, "https://github.com/corsrpc/corsrpc-go", rules}
	return writeJSON(w, sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

// sarifInvocation returns the failures and the notes.
func (r *Report) sarifInvocation() sarifInvocation {
	run := sarifInvocation{Successful: len(r.Failures) == 0}
	for _, failure := range r.Failures {
		run.Notifications = append(run.Notifications, sarifNotification{Error, sarifMessage{Printable(failure)}})
	}
	for _, note := range r.Notes {
		run.Notifications = append(run.Notifications, sarifNotification{Note, sarifMessage{Printable(note)}})
	}
	return run
}

// sarifRules returns the rules of the report, and those of problems whose code is not among them.
func (r *Report) sarifRules() []sarifRule {
	rules, known := []sarifRule{}, map[string]bool{}
	for _, rule := range r.Rules {
		known[rule.ID] = true
		rules = append(rules, sarifRule{rule.ID, &sarifMessage{Printable(rule.Description)}, sarifRuleLevel{rule.Severity}})
	}
	for _, p := range r.Problems {
		if !known[p.Code] {
			known[p.Code] = true
			rules = append(rules, sarifRule{p.Code, nil, sarifRuleLevel{p.Severity}})
		}
	}
	return rules
}

// sarifResult returns a problem as a result.
func (r *Report) sarifResult(p Problem, rules []sarifRule) sarifResult {
	result := sarifResult{
		RuleID: p.Code, RuleIndex: slices.IndexFunc(rules, func(rule sarifRule) bool { return rule.ID == p.Code }),
		Level: p.Severity, Message: sarifMessage{r.details(p)},
	}
	if at, ok := r.sarifLocation(p.Place); ok {
		result.Locations = []sarifLocation{at}
	}
	for _, other := range p.Related {
		if at, ok := r.sarifLocation(other.Place); ok {
			at.ID = len(result.Related) + 1
			at.Message = &sarifMessage{inField(other.Field, other.Message)}
			result.Related = append(result.Related, at)
		}
	}
	return result
}

// sarifLocation returns a place as a location. It is false if neither the file nor the field is
// known.
func (r *Report) sarifLocation(p Place) (at sarifLocation, ok bool) {
	if p.Field != "" {
		at.Logical, ok = []sarifLogical{{Printable(p.Field)}}, true
	}
	file, inRepository := r.inRepository(p.File)
	if !inRepository {
		file = r.inWorkTree(p.File)
	}
	if file == "" {
		return at, ok
	}
	at.Physical = &sarifPhysical{Artifact: artifact(file)}
	if p.Line > 0 && inRepository {
		at.Physical.Region = &sarifRegion{p.Line, p.Column}
	}
	return at, true
}

// inWorkTree returns the name of the file that a problem of a commit's file, or of the standard input, is shown at,
// as inRepository does: code scanning of GitHub refuses a log with a result that no file has. The line is in the
// message. It is empty if the problem is not about a file.
func (r *Report) inWorkTree(name string) string {
	if _, file, ok := strings.Cut(strings.TrimPrefix(name, "git:"), ":"); ok {
		if path.IsAbs(file) {
			return path.Clean(file)[1:]
		}
		name = file
	}
	if name == "" {
		return ""
	}
	return path.Join(r.Folder, name)
}

// artifact returns the location of a file: a relative URI, or one with the scheme file.
func artifact(file string) sarifArtifact {
	if path.IsAbs(file) {
		return sarifArtifact{URI: (&url.URL{Scheme: "file", Path: file}).String()}
	}
	uri := strings.TrimPrefix((&url.URL{Path: file}).String(), "./")
	return sarifArtifact{URI: strings.ReplaceAll(uri, ":", "%3A"), URIBaseID: sarifRoot}
}
