package corsrpc

import (
	"fmt"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Check names what is wrong with a policy. Its values are stable: programs
// may compare them.
type Check string

// The checks. Purpose says what each one guards.
const (
	CheckSyntax             Check = policyfile.CodeSyntax
	CheckUnknownField       Check = policyfile.CodeUnknownField
	CheckDuplicateKey       Check = policyfile.CodeDuplicateKey
	CheckWrongType          Check = policyfile.CodeWrongType
	CheckUnknownEnumValue   Check = policyfile.CodeUnknownEnumValue
	CheckEmptyList          Check = policyfile.CodeEmptyList
	CheckTooLarge           Check = policyfile.CodeTooLarge
	CheckTooDeep            Check = policyfile.CodeTooDeep
	CheckNotUTF8            Check = policyfile.CodeNotUTF8
	CheckYAMLAlias          Check = policyfile.CodeAlias
	CheckMultipleDocuments  Check = policyfile.CodeMultipleDocuments
	CheckEmptyFile          Check = policyfile.CodeEmptyFile
	CheckUnknownFormat      Check = policyfile.CodeUnknownFormat
	CheckOriginSyntax       Check = Check(origin.CodeSyntax)
	CheckOriginNeverSent    Check = Check(origin.CodeNeverSent)
	CheckNullOrigin         Check = Check(origin.CodeNull)
	CheckPlainHTTPOrigin    Check = Check(origin.CodePlainHTTP)
	CheckPublicSuffixOrigin Check = Check(origin.CodePublicSuffix)

	CheckWildcardWithCredentials Check = Check(rules.CodeWildcardWithCredentials)
	CheckNullWithCredentials     Check = Check(rules.CodeNullWithCredentials)
	CheckSelectorMissing         Check = Check(rules.CodeSelectorMissing)
	CheckSelectorMisplaced       Check = Check(rules.CodeSelectorMisplaced)
	CheckSelectorSyntax          Check = Check(rules.CodeSelectorSyntax)
	CheckSelectorUnknown         Check = Check(rules.CodeSelectorUnknown)
	CheckSelectorDuplicate       Check = Check(rules.CodeSelectorDuplicate)
	CheckPathSyntax              Check = Check(rules.CodePathSyntax)
	CheckPathConflict            Check = Check(rules.CodePathConflict)
	CheckPathIsProcedure         Check = Check(rules.CodePathIsProcedure)
	CheckFieldMisplaced          Check = Check(rules.CodeFieldMisplaced)
	CheckMethodSyntax            Check = Check(rules.CodeMethodSyntax)
	CheckHeaderSyntax            Check = Check(rules.CodeHeaderSyntax)
	CheckHeaderForbidden         Check = Check(rules.CodeHeaderForbidden)
	CheckHeaderContradiction     Check = Check(rules.CodeHeaderContradiction)
	CheckProtocolHeader          Check = Check(rules.CodeProtocolHeader)
	CheckMaxAgeRange             Check = Check(rules.CodeMaxAgeRange)
	CheckRuleIneffective         Check = Check(rules.CodeRuleIneffective)
	CheckProfileUnknown          Check = Check(rules.CodeProfileUnknown)
	CheckEnvironment             Check = Check(rules.CodeEnvironment)
	CheckOriginSource            Check = Check(rules.CodeOriginSource)
	CheckSchemaOption            Check = Check(rules.CodeSchemaOption)
	CheckNoOrigins               Check = Check(rules.CodeNoOrigins)
	CheckOption                  Check = Check(rules.CodeOption)
)

// checkPurposes is the one table of checks: compiling, the documents and the
// tests read it.
var checkPurposes = []struct {
	check   Check
	purpose string
}{
	{CheckSyntax, "the text can be read in the format that its extension names"},
	{CheckUnknownField, "every field is one of the policy's"},
	{CheckDuplicateKey, "no field is given twice"},
	{CheckWrongType, "every value has its field's type"},
	{CheckUnknownEnumValue, "every enum value is one of its enum's"},
	{CheckEmptyList, "no list is written empty, since that would inherit"},
	{CheckTooLarge, "a text is small enough to be read"},
	{CheckTooDeep, "a text is not nested without need"},
	{CheckNotUTF8, "a text is UTF-8"},
	{CheckYAMLAlias, "every value is written where it holds"},
	{CheckMultipleDocuments, "a file holds one policy"},
	{CheckEmptyFile, "a file holds a policy"},
	{CheckUnknownFormat, "the file's extension names its format"},
	{CheckOriginSyntax, "every origin has the form of one"},
	{CheckOriginNeverSent, "every origin is written as browsers send it"},
	{CheckNullOrigin, "opaque origins are allowed on purpose only"},
	{CheckPlainHTTPOrigin, "origins that the network can forge are allowed on purpose only"},
	{CheckPublicSuffixOrigin, "hosts that strangers can register are allowed on purpose only"},
	{CheckWildcardWithCredentials, "credentials are never granted to everyone"},
	{CheckNullWithCredentials, "credentials are never granted to opaque origins"},
	{CheckSelectorMissing, "every rule says what it is for"},
	{CheckSelectorMisplaced, "defaults are for everything"},
	{CheckSelectorSyntax, "every selector has the form of one"},
	{CheckSelectorUnknown, "every selector selects something"},
	{CheckSelectorDuplicate, "one rule a selector or path"},
	{CheckPathSyntax, "every path is a pattern of net/http without method and host"},
	{CheckPathConflict, "of two paths that overlap, one is more specific"},
	{CheckPathIsProcedure, "procedures are governed by selectors"},
	{CheckFieldMisplaced, "a field is set where it has a meaning"},
	{CheckMethodSyntax, "every method is one that a script can use"},
	{CheckHeaderSyntax, "every header name is one, or a prefix that ends in -*"},
	{CheckHeaderForbidden, "only what browsers let pass is granted"},
	{CheckHeaderContradiction, "no rule both grants and withholds a header"},
	{CheckProtocolHeader, "what the protocols need is never withheld"},
	{CheckMaxAgeRange, "max_age is a time that browsers honour"},
	{CheckRuleIneffective, "no rule stands below a wider disabled one without effect"},
	{CheckProfileUnknown, "the profile that is chosen is one of the policy's"},
	{CheckEnvironment, "what the environment should say, it says"},
	{CheckOriginSource, "every origin source has a name, and is named once"},
	{CheckSchemaOption, "options in a schema shape what the operator grants, and grant nothing themselves"},
	{CheckNoOrigins, "somebody may call something"},
	{CheckOption, "options given in code are valid"},
}

// Checks returns every check that loading makes, in the order of the
// documents.
func Checks() []Check {
	all := make([]Check, len(checkPurposes))
	for i, c := range checkPurposes {
		all[i] = c.check
	}
	return all
}

// Purpose says in a few words what the check guards; it is empty for a value
// that is no check.
func (c Check) Purpose() string {
	for _, row := range checkPurposes {
		if row.check == c {
			return row.purpose
		}
	}
	return ""
}

// Position is a place in a policy text. Lines and columns count from 1,
// columns in characters; the zero value means that the place is not
// known. It is comparable.
type Position struct {
	Line, Column int
}

// Related is another value that a violation is about. It is comparable.
type Related struct {
	// Field is its path.
	Field string
	// File and Position are its place, where it is known.
	File     string
	Position Position
}

// Violation is one thing that is wrong with a policy. Fields may be added: use field names in literals.
type Violation struct {
	// Check is which check found it.
	Check Check
	// Field is the path of the value: rules[1].allow_origins[0]. It is empty
	// where the violation is about the whole policy.
	Field string
	// Value is the offending value, shortened where it is long.
	Value string
	// File is the name of the policy text, where there is one.
	File string
	// Position is the place of the value in the text, where it is known.
	Position Position
	// Reason says why the value is refused.
	Reason string
	// Fix is what to write instead, where that can be said.
	Fix string
	// Related are the other values involved, such as the wildcard that
	// credentials were allowed with.
	Related []Related
}

// String returns the violation in one line:
// file:line:column: field: value: reason; write fix [CHECK].
func (v Violation) String() string {
	var b strings.Builder
	if v.File != "" {
		b.WriteString(place(v.File, v.Position))
		b.WriteString(": ")
	}
	if v.Field != "" {
		b.WriteString(v.Field)
		b.WriteString(": ")
	}
	if v.Value != "" {
		fmt.Fprintf(&b, "%q ", shorten(v.Value))
	}
	b.WriteString(v.Reason)
	for _, r := range v.Related {
		fmt.Fprintf(&b, " (%s", r.Field)
		if r.Position != (Position{}) || r.File != v.File {
			b.WriteString(" at " + place(r.File, r.Position))
		}
		b.WriteString(")")
	}
	if v.Fix != "" {
		fmt.Fprintf(&b, ": write %s", v.Fix)
	}
	fmt.Fprintf(&b, " [%s]", v.Check)
	return b.String()
}

func place(file string, p Position) string {
	if p == (Position{}) {
		return file
	}
	return fmt.Sprintf("%s:%d:%d", file, p.Line, p.Column)
}

// shorten cuts a value that would make a message unreadable.
func shorten(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// PolicyError says everything that is wrong with a policy, in file order.
type PolicyError struct {
	// Violations holds at least one.
	Violations []Violation
}

// maxListed bounds the text of an error; Violations has them all.
const maxListed = 100

// Error lists the violations, one a line.
func (e *PolicyError) Error() string {
	var b strings.Builder
	if n := len(e.Violations); n == 1 {
		b.WriteString("corsrpc: the policy has a problem:")
	} else {
		fmt.Fprintf(&b, "corsrpc: the policy has %d problems:", n)
	}
	for i, v := range e.Violations {
		if i == maxListed {
			fmt.Fprintf(&b, "\n\tand %d more", len(e.Violations)-i)
			break
		}
		b.WriteString("\n\t" + v.String())
	}
	return b.String()
}

// policyError returns the error of a policy that has violations.
func policyError(found []rules.Violation) *PolicyError {
	all := make([]Violation, len(found))
	for i, v := range found {
		all[i] = Violation{
			Check: Check(v.Code), Field: v.Field, Value: v.Value, File: v.File, Position: Position(v.Position), Reason: v.Reason, Fix: v.Fix,
		}
		for _, r := range v.Related {
			all[i].Related = append(all[i].Related, Related{r.Field, r.File, Position(r.Position)})
		}
	}
	return &PolicyError{all}
}
