package export

import (
	"fmt"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/regexpsyntax"
)

// nginxText builds a configuration of nginx. The zero value is empty. It is not safe for concurrent use.
type nginxText struct {
	strings.Builder

	longest, most int // the bytes of the longest text key, and the number of text keys in the map with the most
	keys          int // of the map that is being written
	dollar        bool
}

// comment adds a comment.
func (t *nginxText) comment(lines ...string) {
	for _, line := range lines {
		t.WriteString(strings.TrimRight("# "+nginxComment(line), " ") + "\n")
	}
}

// maxToken is the number of bytes of the longest comment and the longest row. nginx reads 4096 in one comment or parameter.
const maxToken = 4000

// nginxComment returns a text for a comment: printable ASCII, not longer than nginx reads.
func nginxComment(text string) string {
	text = comment(text)
	return text[:min(len(text), maxToken)]
}

// openMap begins a map from one value to a variable.
func (t *nginxText) openMap(from, to string) {
	fmt.Fprintf(t, "map %s %s {\n", from, to)
	t.keys = 0
}

// row adds a row to a map. The key and the value are as nginx reads them; about is a comment, or "".
func (t *nginxText) row(key, value, about string) {
	fmt.Fprintf(t, "    %s %s;", key, value)
	if about != "" {
		t.WriteString(" # " + nginxComment(about))
	}
	t.WriteByte('\n')
}

// textRow adds a row whose key is a text, which nginx compares without regard to letter case.
func (t *nginxText) textRow(key, value, about string) {
	t.keys++
	t.most, t.longest = max(t.most, t.keys), max(t.longest, len(key))
	t.row(quoteNginx(key), value, about)
}

// closeMap ends a map.
func (t *nginxText) closeMap() { t.WriteString("}\n\n") }

// value returns a text as a value, in which nginx would take a dollar for the beginning of a variable's name.
func (t *nginxText) value(text string) string {
	if strings.Contains(text, "$") {
		t.dollar = true
	}
	return strings.ReplaceAll(quoteNginx(text), "$", "${cors_dollar}")
}

// quoteNginx returns a text in quotes. It has no control characters.
func quoteNginx(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// wholeRegexp returns the key of a map that matches whole values, with regard to letter case unless ignoreCase is true.
func wholeRegexp(expression string, ignoreCase bool) string {
	sign := "~"
	if ignoreCase {
		sign = "~*"
	}
	return quoteNginx(sign + "^" + expression + "$")
}

// exactRegexp returns the key of a map that matches one value only.
func exactRegexp(text string) string { return wholeRegexp(regexpsyntax.Literal(text), false) }

// The least values of the directives, which are nginx's own defaults.
const (
	leastHashSize   = 2048
	leastBucketSize = 64
)

// hashSizes returns the values of map_hash_max_size and map_hash_bucket_size: nginx needs a bucket for about two keys, and a bucket has to hold several of
// the longest.
func (t *nginxText) hashSizes() (size, bucket int) {
	const keysInBucket, overhead = 4, 24 // a pointer, a length and padding for each key
	size, bucket = leastHashSize, leastBucketSize
	for size < 2*t.most {
		size *= 2
	}
	for bucket < keysInBucket*(t.longest+overhead) {
		bucket *= 2
	}
	return size, bucket
}
