package origin

import "testing"

func TestSameHost(t *testing.T) {
	const plain, tls = false, true
	for _, test := range []struct {
		origin, host string
		tls          bool
		want         bool
	}{
		// One host, no ports.
		{"https://example.com", "example.com", tls, true},
		{"http://example.com", "example.com", plain, true},
		{"https://example.com", "example.com", plain, true}, // a proxy may have terminated TLS
		{"http://example.com", "example.com", tls, false},   // an attacker on the network could have forged it
		{"https://example.com", "EXAMPLE.Com", tls, true},

		// Default ports count as none, the scheme's own only.
		{"https://example.com", "example.com:443", tls, true},
		{"http://example.com", "example.com:80", plain, true},
		{"https://example.com", "example.com:80", plain, false},
		{"http://example.com", "example.com:443", plain, false},
		{"http://example.com:443", "example.com:443", plain, true},
		{"http://example.com:443", "example.com", plain, false},
		{"https://example.com:80", "example.com:80", tls, true},
		{"https://example.com:80", "example.com", tls, false},

		// Other ports.
		{"https://example.com:8443", "example.com:8443", tls, true},
		{"https://example.com:8443", "example.com", tls, false},
		{"https://example.com", "example.com:8443", tls, false},
		{"https://example.com:8443", "example.com:8444", tls, false},
		{"https://example.com:8443", "example.com:08443", tls, false},
		{"https://example.com", "example.com:", tls, false},
		{"https://example.com", "example.com:0443", tls, false},
		{"https://example.com", "example.com:443 ", tls, false},
		{"http://localhost:3000", "localhost:8080", plain, false},
		{"http://localhost:8080", "localhost:8080", plain, true},
		{"http://localhost:8080", "LOCALHOST:8080", plain, true},

		// Other hosts.
		{"https://example.com", "app.example.com", tls, false},
		{"https://app.example.com", "example.com", tls, false},
		{"https://example.com", "example.com.evil.example", tls, false},
		{"https://example.com", "evilexample.com", tls, false},
		{"https://example.com", "example.co", tls, false},
		{"https://example.com", "", tls, false},
		{"https://example.com", ":443", tls, false},
		{"https://example.com", "example.com@evil.example", tls, false},
		{"https://example.com", "evil.example:443@example.com", tls, false},
		{"https://kelvin.example", "\u212aelvin.example", tls, false}, // no Unicode folding
		{"http://localhost:8080", "127.0.0.1:8080", plain, false},

		// The trailing dot is part of the host.
		{"https://example.com.", "example.com.", tls, true},
		{"https://example.com.", "example.com.:443", tls, true},
		{"https://example.com.", "example.com", tls, false},
		{"https://example.com", "example.com.", tls, false},

		// IP addresses.
		{"http://127.0.0.1:8080", "127.0.0.1:8080", plain, true},
		{"http://[::1]:8080", "[::1]:8080", plain, true},
		{"http://[::1]", "[::1]", plain, true},
		{"http://[::1]", "[::1]:80", plain, true},
		{"http://[2001:db8::a]", "[2001:DB8::A]", plain, true},
		{"http://[::1]", "::1", plain, false},
		{"http://[::1]:8080", "[::1]", plain, false},
		{"http://[::1]", "[::1]8080", plain, false},
		{"http://[::1]", "[::1", plain, false},

		// Origins without a host.
		{"null", "null", plain, false},
		{"null", "", plain, false},
		{"capacitor://localhost", "localhost", plain, false},
		{"file://", "", plain, false},
	} {
		o, ok := Parse(test.origin)
		if !ok {
			t.Fatalf("Parse(%q) fails", test.origin)
		}
		if got := o.SameHost(test.host, test.tls); got != test.want {
			t.Errorf("%s: SameHost(%q, tls %t) = %t, want %t", test.origin, test.host, test.tls, got, test.want)
		}
	}
}

func TestSameHostOfNothing(t *testing.T) {
	for _, host := range []string{"", ":", ":80", "example.com"} {
		if (Parsed{}).SameHost(host, false) {
			t.Errorf("the zero value has the host %q", host)
		}
	}
}
