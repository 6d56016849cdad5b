package origin

import (
	"strings"
	"unicode"
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

// punycode encodes a label (RFC 3492, section 6.3).
func punycode(label []rune) string {
	const base, tmin, tmax, skew, damp, initialBias, initialN = 36, 1, 26, 38, 700, 72, 128
	var out strings.Builder
	for _, r := range label {
		if r < initialN {
			out.WriteRune(r)
		}
	}
	basic := out.Len()
	if basic > 0 {
		out.WriteByte('-')
	}
	digit := func(d int) { out.WriteByte("abcdefghijklmnopqrstuvwxyz0123456789"[d]) }
	n, delta, bias := rune(initialN), 0, initialBias
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
			// Section 6.1, bias adaptation.
			if done == basic {
				delta /= damp
			} else {
				delta /= 2
			}
			done++
			delta += delta / done
			bias = 0
			for ; delta > (base-tmin)*tmax/2; bias += base {
				delta /= base - tmin
			}
			bias += (base - tmin + 1) * delta / (delta + skew)
			delta = 0
		}
		delta++
		n++
	}
	return out.String()
}
