// Package fetch implements definitions of the Fetch standard (https://fetch.spec.whatwg.org),
// for servers and for corsbrowser: lists of headers and methods, predicates on them, and the
// grammar of header lists. Every function is pure and safe for concurrent use.
package fetch

// tchar is true for each byte that a token may contain (RFC 9110, section 5.6.2).
var tchar = func() (t [256]bool) {
	for c := '0'; c <= '9'; c++ {
		t[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = true, true
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] = true
	}
	return t
}()

// IsToken reports whether s is a token (RFC 9110, section 5.6.2). Header names and methods are
// tokens.
func IsToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !tchar[s[i]] {
			return false
		}
	}
	return s != ""
}

// Lower returns s with ASCII letters in lower case. It does not allocate if s is in lower case.
// Header names are compared in this form.
func Lower(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if c := b[i]; 'A' <= c && c <= 'Z' {
					b[i] = c + 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}
