package rules

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strconv"

	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// Digest returns an identity of the rules: "sha256:" and 64 hexadecimal digits. It covers all
// that a decision depends on. It covers the effective rules, including the values of environment
// variables. It covers the sets of names that share a rule, since a path whose readings resolve
// to one rule is not ambiguous. It covers the profile, the enforcement, the schema's services and
// procedures, and the caller's path prefixes and version. It does not cover the origins of sources, the order of
// rules and of list items, comments, and the shadow policy.
func (r *Rules) Digest(version string) string {
	d := digester{Hash: sha256.New(), rules: map[*Effective]digested{}, origins: map[*origin.Set]string{}}
	d.strings("corsrpc rules", version, r.Profile, fmt.Sprint(r.Observes))
	d.set(r.Prefixes)
	d.set(r.Services)
	d.effective("", r.Ungoverned)
	d.effective("", r.Unnamed)
	d.effective("*", r.Uncovered)
	for _, s := range r.Selectors {
		d.effective(s.Name, s.Rule)
		d.effective(s.Name, s.Operational)
	}
	for _, p := range r.Procedures {
		d.effective(p.Name, p.Rule)
	}
	paths := slices.SortedFunc(slices.Values(r.Paths), func(a, b Path) int {
		return slices.Compare([]byte(a.Pattern.String()), []byte(b.Pattern.String()))
	})
	for _, p := range paths {
		d.effective(p.Pattern.String(), p.Rule)
	}
	return d.sum()
}

// digester hashes strings, each after its length, so that two different lists of strings are
// never the same bytes.
type digester struct {
	hash.Hash
	rules   map[*Effective]digested // the rules that were hashed
	origins map[*origin.Set]string
}

// digested is a rule that was hashed: its number, in the order in which the rules were first
// hashed, and its digest.
type digested struct {
	number int
	sum    string
}

// sum returns the digest of all that was hashed.
func (d *digester) sum() string { return "sha256:" + hex.EncodeToString(d.Sum(nil)) }

// strings hashes strings, in their order.
func (d *digester) strings(all ...string) {
	for _, text := range all {
		d.Write(binary.AppendUvarint(nil, uint64(len(text))))
		d.Write([]byte(text))
	}
}

// set hashes strings without regard to their order and to duplicates.
func (d *digester) set(all []string) {
	sorted := slices.Compact(slices.Sorted(slices.Values(all)))
	d.strings(fmt.Sprint(len(sorted)))
	d.strings(sorted...)
}

// effective hashes a rule and a name that it applies to. Several names may share a rule.
func (d *digester) effective(name string, e *Effective) {
	if d.rules[e].sum == "" {
		of := digester{Hash: sha256.New()}
		of.strings(fmt.Sprint(e.kind.Path, e.kind.Unnamed && !e.SetsOrigins(), e.Credentials(), e.Disabled(), e.MaxAge(), e.protocols, e.Present(), e.Timing(), e.GrantsContentType()),
			d.originsOf(e.Origins()), e.request.Canonical(true), e.response.Canonical(false))
		of.set(e.Sources())
		for _, v := range e.Unset() {
			of.strings("unset", v.Name)
		}
		of.set(e.Methods())
		of.set(e.request.Granted()) // the names that the answer to every preflight lists
		d.rules[e] = digested{len(d.rules), of.sum()}
	}
	d.strings(name, strconv.Itoa(d.rules[e].number), d.rules[e].sum)
}

// originsOf returns the digest of a set of origins, which several rules may share.
func (d *digester) originsOf(set *origin.Set) string {
	if d.origins[set] == "" {
		texts := make([]string, 0, set.Len())
		for _, text := range set.Patterns().All {
			texts = append(texts, text)
		}
		of := digester{Hash: sha256.New()}
		of.set(texts)
		d.origins[set] = of.sum()
	}
	return d.origins[set]
}
