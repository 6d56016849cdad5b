package origin

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// punycodeHost returns a host that contains Unicode letters as browsers send it. It accepts
// only lower-case letters of common scripts that IDNA leaves unchanged (RFC 5892, PVALID),
// since others would need the tables of golang.org/x/net/idna. It returns false for any other
// host.
func punycodeHost(host string) (ascii string, ok bool) {
	labels := strings.Split(host, ".")
	for i, label := range labels {
		plain := true
		for _, r := range label {
			if r >= 0x80 {
				plain = false
				if !isPlainLetter(r) {
					return "", false
				}
			}
		}
		if !plain {
			labels[i] = "xn--" + punycode([]rune(label))
		}
	}
	return strings.Join(labels, "."), true
}

func isPlainLetter(r rune) bool {
	for _, in := range [...]struct{ first, last rune }{
		{0xdf, 0xf6}, {0xf8, 0x131}, {0x135, 0x13e}, {0x142, 0x148}, {0x14b, 0x17e}, // Latin
		{0x3ac, 0x3ce},                     // Greek
		{0x430, 0x45f},                     // Cyrillic
		{0x5d0, 0x5ea},                     // Hebrew
		{0x3041, 0x3096}, {0x30a1, 0x30fa}, // Hiragana, Katakana
		{0x4e00, 0x9fa5}, // Han
		{0xac00, 0xd7a3}, // Hangul
	} {
		if in.first <= r && r <= in.last {
			return unicode.ToLower(r) == r
		}
	}
	return false
}

// invalidPunycode returns the first label of a host that begins with xn-- and that browsers refuse, since it is not the
// punycode of a name; "" if there is none. A browser decodes such a label and checks the result (URL standard, section
// "Host parsing", domain to ASCII). The check is less strict than a browser's, which needs the tables of
// golang.org/x/net/idna.
func invalidPunycode(host string) string {
	if !strings.Contains(host, "xn--") {
		return ""
	}
	for label := range strings.SplitSeq(host, ".") {
		encoded, ok := strings.CutPrefix(label, "xn--")
		if !ok {
			continue
		}
		name, ok := decodePunycode(encoded)
		if !ok || punycode(name) != encoded || !slices.ContainsFunc(name, isUnicode) || slices.ContainsFunc(name, isNeverInName) {
			return label
		}
	}
	return ""
}

func isUnicode(r rune) bool { return r >= utf8.RuneSelf }

// isNeverInName reports whether r is a control character, or a letter that IDNA replaces by its lower case. It replaces
// Cherokee letters by their upper case.
func isNeverInName(r rune) bool {
	return unicode.IsControl(r) || unicode.ToLower(r) != r && !unicode.Is(unicode.Cherokee, r)
}

// The parameters of punycode (RFC 3492, section 5).
const (
	punycodeBase        = 36
	punycodeTMin        = 1
	punycodeTMax        = 26
	punycodeSkew        = 38
	punycodeDamp        = 700
	punycodeInitialBias = 72
	punycodeInitialN    = 0x80
)

// adaptBias returns the bias after a delta (RFC 3492, section 6.1). The number of characters so far includes the one
// that the delta is for.
func adaptBias(delta, characters int, first bool) int {
	if first {
		delta /= punycodeDamp
	} else {
		delta /= 2
	}
	delta += delta / characters
	bias := 0
	for ; delta > (punycodeBase-punycodeTMin)*punycodeTMax/2; bias += punycodeBase {
		delta /= punycodeBase - punycodeTMin
	}
	return bias + (punycodeBase-punycodeTMin+1)*delta/(delta+punycodeSkew)
}

// decodePunycode decodes a label of at most 63 bytes without xn-- (RFC 3492, section 6.2). It returns false if s is not
// punycode.
func decodePunycode(s string) (label []rune, ok bool) {
	if i := strings.LastIndexByte(s, '-'); i >= 0 {
		label, s = []rune(s[:i]), s[i+1:]
	}
	n, index, bias := punycodeInitialN, 0, punycodeInitialBias
	for first := true; s != ""; first = false {
		delta, weight := int64(0), int64(1)
		for k := punycodeBase; ; k += punycodeBase {
			if s == "" {
				return nil, false
			}
			digit := strings.IndexByte(punycodeDigits, s[0])
			if s = s[1:]; digit < 0 {
				return nil, false
			}
			if delta += int64(digit) * weight; delta > unicode.MaxRune*64 { // no label has so many characters
				return nil, false
			}
			t := min(max(k-bias, punycodeTMin), punycodeTMax)
			if digit < t {
				break
			}
			weight *= int64(punycodeBase - t)
		}
		characters := len(label) + 1
		bias = adaptBias(int(delta), characters, first)
		index += int(delta)
		n += index / characters
		if index %= characters; n > unicode.MaxRune || !utf8.ValidRune(rune(n)) {
			return nil, false
		}
		label = slices.Insert(label, index, rune(n))
		index++
	}
	return label, true
}

const punycodeDigits = "abcdefghijklmnopqrstuvwxyz0123456789"

// punycode encodes a label (RFC 3492, section 6.3).
func punycode(label []rune) string {
	const base, tmin, tmax = punycodeBase, punycodeTMin, punycodeTMax
	var out strings.Builder
	for _, r := range label {
		if r < punycodeInitialN {
			out.WriteRune(r)
		}
	}
	basic := out.Len()
	if basic > 0 {
		out.WriteByte('-')
	}
	digit := func(d int) { out.WriteByte(punycodeDigits[d]) }
	n, delta, bias := rune(punycodeInitialN), 0, punycodeInitialBias
	for done := basic; done < len(label); {
		next := rune(0x10ffff)
		for _, r := range label {
			if r >= n {
				next = min(next, r)
			}
		}
		delta += int(next-n) * (done + 1)
		n = next
		for _, r := range label {
			if r < n {
				delta++
			}
			if r != n {
				continue
			}
			q := delta
			for k := base; ; k += base {
				t := min(max(k-bias, tmin), tmax)
				if q < t {
					break
				}
				digit(t + (q-t)%(base-t))
				q = (q - t) / (base - t)
			}
			digit(q)
			done++
			bias, delta = adaptBias(delta, done, done == basic+1), 0
		}
		delta++
		n++
	}
	return out.String()
}
