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

// Digest returns an identity of the rules: "sha256:" and 64 hexadecimal digits. It is over all
// that a decision depends on: the effective rules, with the values of environment variables in
// them, and which names share one (a path whose readings lead to one rule is clear), the profile, the enforcement, the schema's services and procedures, and what the
// caller adds: path prefixes and a version. It is not over the origins of sources, the order
// of rules or list items, comments, or the shadow policy.
func (r *Rules) Digest(prefixes []string, version string) string {
	d := digester{Hash: sha256.New(), rules: map[*Effective]digested{}, origins: map[*origin.Set]string{}}
	d.strings("corsrpc rules", version, r.Profile, fmt.Sprint(r.Observes))
	d.set(prefixes)
	d.set(r.Services)
	d.effective("", r.Nobody)
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

// digester hashes texts, each behind its length, so that no two lists of texts are the same
// bytes.
type digester struct {
	hash.Hash
	rules   map[*Effective]digested // those that were hashed
	origins map[*origin.Set]string
}

// digested is what is known of a rule that was hashed: its number, in the order of the names,
// and its digest.
type digested struct {
	number int
	sum    string
}

// sum returns the digest of what was hashed.
func (d *digester) sum() string { return "sha256:" + hex.EncodeToString(d.Sum(nil)) }

// strings hashes texts.
func (d *digester) strings(texts ...string) {
	for _, text := range texts {
		d.Write(binary.AppendUvarint(nil, uint64(len(text))))
		d.Write([]byte(text))
	}
}

// set hashes texts whose order and repetition mean nothing.
func (d *digester) set(texts []string) {
	sorted := slices.Compact(slices.Sorted(slices.Values(texts)))
	d.strings(fmt.Sprint(len(sorted)))
	d.strings(sorted...)
}

// effective hashes what a rule says, under the name that it holds for. Many names share a
// rule.
func (d *digester) effective(name string, e *Effective) {
	if d.rules[e].sum == "" {
		of := digester{Hash: sha256.New()}
		of.strings(fmt.Sprint(e.kind.Path, e.kind.Unnamed && !e.SaysOrigins(), e.Credentials(), e.Disabled(), e.MaxAge(), e.protocols, e.Present()),
			d.originsOf(e.Origins()), e.request.Canonical(true), e.response.Canonical(false))
		of.set(e.Sources())
		of.set(e.Methods())
		of.set(e.request.Granted()) // which every preflight's answer lists
		d.rules[e] = digested{len(d.rules), of.sum()}
	}
	d.strings(name, strconv.Itoa(d.rules[e].number), d.rules[e].sum)
}

// originsOf returns the digest of a set of origins, which many rules share.
func (d *digester) originsOf(set *origin.Set) string {
	if d.origins[set] == "" {
		texts := make([]string, 0, set.Len())
		for _, text := range set.Texts().All {
			texts = append(texts, text)
		}
		of := digester{Hash: sha256.New()}
		of.set(texts)
		d.origins[set] = of.sum()
	}
	return d.origins[set]
}
