package corsrpc

import (
	"fmt"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Check identifies a check of a policy, and names what is wrong if the check fails. Its values are
// stable: programs may compare them.
type Check string

// The checks. Check.Purpose says what each one ensures.
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
	CheckAnyInstallation    Check = Check(origin.CodeAnyInstallation)

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

// checkPurposes is the list of all checks, each with a condition that holds for every valid policy.
var checkPurposes = []struct {
	check   Check
	purpose string
}{
	{CheckSyntax, "the text is valid in the format that the file's extension names"},
	{CheckUnknownField, "every field is a field of the policy"},
	{CheckDuplicateKey, "no field is set twice"},
	{CheckWrongType, "every value has the type of its field"},
	{CheckUnknownEnumValue, "every enum value is a value of its enum"},
	{CheckEmptyList, "no list is written empty, since an empty list would be inherited"},
	{CheckTooLarge, "the text is not larger than the maximum size"},
	{CheckTooDeep, "the text is not nested deeper than a policy can be"},
	{CheckNotUTF8, "the text is valid UTF-8"},
	{CheckYAMLAlias, "the text has no YAML aliases or merge keys"},
	{CheckMultipleDocuments, "the file has one YAML document"},
	{CheckEmptyFile, "the file is not empty"},
	{CheckUnknownFormat, "the file's extension names a known format"},
	{CheckOriginSyntax, "every origin is a valid origin or pattern"},
	{CheckOriginNeverSent, "every origin is written as browsers send it"},
	{CheckNullOrigin, "the origins null and file:// are allowed only if the rule accepts the risk"},
	{CheckPlainHTTPOrigin, "http origins other than loopback hosts are allowed only if the rule accepts the risk"},
	{CheckPublicSuffixOrigin, "wildcards over hosts that anyone can register are allowed only if the rule accepts the risk"},
	{CheckAnyInstallation, "every installation of every extension is allowed only if the rule accepts the risk"},
	{CheckWildcardWithCredentials, "credentials are not granted together with the origin *, nor to every extension"},
	{CheckNullWithCredentials, "credentials are not granted together with the origin null or file://"},
	{CheckSelectorMissing, "every rule has a selector or a path"},
	{CheckSelectorMisplaced, "neither defaults nor options in the schema have a selector or a path"},
	{CheckSelectorSyntax, "every selector is valid"},
	{CheckSelectorUnknown, "every selector matches something in the schema"},
	{CheckSelectorDuplicate, "no two rules have the same selector or path"},
	{CheckPathSyntax, "every path is a valid net/http pattern without method and host"},
	{CheckPathConflict, "if two paths overlap, one is more specific"},
	{CheckPathIsProcedure, "no path rule is for a procedure"},
	{CheckFieldMisplaced, "every field is set where it has an effect"},
	{CheckMethodSyntax, "every method is valid, and scripts may use it"},
	{CheckHeaderSyntax, "every header name is valid, or is a prefix that ends in -*"},
	{CheckHeaderForbidden, "no header is granted that browsers never send or never show to scripts"},
	{CheckHeaderContradiction, "no rule both grants and withholds a header"},
	{CheckProtocolHeader, "no header is withheld that the protocols need"},
	{CheckMaxAgeRange, "max_age is in the range that browsers honor"},
	{CheckRuleIneffective, "no rule, and no list of origins of a profile, is without effect because a wider rule is disabled"},
	{CheckProfileUnknown, "the chosen profile is one of the policy's"},
	{CheckEnvironment, "every environment variable that the policy uses is set to valid origins"},
	{CheckOriginSource, "every name of an origin source is valid and listed once, and the source is given to the layer"},
	{CheckSchemaOption, "options in the schema only narrow what the policy grants, unless the policy trusts them"},
	{CheckNoOrigins, "the policy allows at least one origin unless its defaults are disabled, and a rule takes the origins that a profile adds"},
	{CheckOption, "options in Go code are valid"},
}

// Checks returns all checks that ParsePolicy and Compile make, always in the same order.
func Checks() []Check {
	all := make([]Check, len(checkPurposes))
	for i, c := range checkPurposes {
		all[i] = c.check
	}
	return all
}

// Purpose returns the condition that the check ensures, as a clause in English; empty for a value
// that is not a check. The wording may change.
func (c Check) Purpose() string {
	for _, row := range checkPurposes {
		if row.check == c {
			return row.purpose
		}
	}
	return ""
}

// Position is a position in a text. Lines and columns count from 1; columns count characters. The
// zero value means that the position is not known. It is comparable.
type Position struct {
	Line, Column int
}

// Related is another value that a violation involves. It is comparable.
type Related struct {
	// Field is the path of the value, as in Violation.
	Field string
	// File and Position are the place of the value, if they are known.
	File     string
	Position Position
}

// Violation is one problem of a policy. Fields may be added: use field names in literals.
type Violation struct {
	// Check is the check that failed.
	Check Check
	// Field is the path of the value, such as rules[1].allow_origins[0]; empty if the
	// violation is about the whole policy. For an option in Go it is the option's name.
	Field string
	// Value is the value, shortened if it is long.
	Value string
	// File is the name of the policy text or the .proto file; empty if it is not known.
	File string
	// Position is the position of the value in the file, if it is known.
	Position Position
	// Reason says what is wrong with the value.
	Reason string
	// Fix is what to write instead; empty if that is not known.
	Fix string
	// Related are other values that the violation involves, such as the wildcard in
	// allow_origins for a violation of allow_credentials.
	Related []Related
}

// String returns the violation in one line:
// file:line:column: field: "value" reason: write fix [CHECK].
func (v Violation) String() string {
	remedy := ""
	if v.Fix != "" {
		remedy = "write " + v.Fix
	}
	return inOneLine(v, remedy)
}

// inOneLine returns a violation, or a finding in the form of one, as one line that ends in a remedy.
func inOneLine(v Violation, remedy string) string {
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
	if remedy != "" {
		b.WriteString(": " + remedy)
	}
	fmt.Fprintf(&b, " [%s]", v.Check)
	return b.String()
}

// place returns a file name with a position, if that is known.
func place(file string, p Position) string {
	if p == (Position{}) {
		return file
	}
	return fmt.Sprintf("%s:%d:%d", file, p.Line, p.Column)
}

// shorten cuts a long value, for messages.
func shorten(s string) string {
	const maxRunes = 80
	if r := []rune(s); len(r) > maxRunes {
		return string(r[:maxRunes]) + "…"
	}
	return s
}

// PolicyError is the error of a policy with problems. It lists them in file order.
type PolicyError struct {
	// Violations are the problems: at least one in an error that this package returns.
	Violations []Violation
}

// maxListed is the maximum number of violations in the text of an error.
const maxListed = 100

// Error returns the violations, one on each line, and the number of those beyond maxListed.
func (e *PolicyError) Error() string {
	var b strings.Builder
	switch n := len(e.Violations); n {
	case 0:
		return "corsrpc: the policy is not valid"
	case 1:
		b.WriteString("corsrpc: the policy has a problem:")
	default:
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

// policyError returns the violations as a *PolicyError.
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
