package origin

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

func TestParseAccepts(t *testing.T) {
	label63 := strings.Repeat("a", 63)
	name253 := strings.Repeat(label63+".", 3) + strings.Repeat("a", 61)
	for _, test := range []struct {
		value string
		want  Parsed
	}{
		{"null", Parsed{Null: true}},
		{"https://example.com", Parsed{Scheme: "https", Host: "example.com"}},
		{"http://example.com", Parsed{Scheme: "http", Host: "example.com"}},
		{"https://example.com:8443", Parsed{Scheme: "https", Host: "example.com", Port: "8443"}},
		{"https://example.com:80", Parsed{Scheme: "https", Host: "example.com", Port: "80"}},
		{"http://example.com:443", Parsed{Scheme: "http", Host: "example.com", Port: "443"}},
		{"https://example.com:1", Parsed{Scheme: "https", Host: "example.com", Port: "1"}},
		{"https://example.com:65535", Parsed{Scheme: "https", Host: "example.com", Port: "65535"}},
		{"http://localhost:3000", Parsed{Scheme: "http", Host: "localhost", Port: "3000"}},
		{"http://localhost.:8080", Parsed{Scheme: "http", Host: "localhost.", Port: "8080"}},
		{"https://example.com.", Parsed{Scheme: "https", Host: "example.com."}},
		{"https://my_app.example.com", Parsed{Scheme: "https", Host: "my_app.example.com"}},
		{"https://-a-.example.com", Parsed{Scheme: "https", Host: "-a-.example.com"}},
		{"https://xn--bcher-kva.example", Parsed{Scheme: "https", Host: "xn--bcher-kva.example"}},
		{"https://1.example.com", Parsed{Scheme: "https", Host: "1.example.com"}},
		{"https://example.0xg", Parsed{Scheme: "https", Host: "example.0xg"}},
		{"https://example.1a", Parsed{Scheme: "https", Host: "example.1a"}},
		{"http://127.0.0.1", Parsed{Scheme: "http", Host: "127.0.0.1"}},
		{"http://255.255.255.255:8080", Parsed{Scheme: "http", Host: "255.255.255.255", Port: "8080"}},
		{"http://0.0.0.0", Parsed{Scheme: "http", Host: "0.0.0.0"}},
		{"http://[::1]:8080", Parsed{Scheme: "http", Host: "[::1]", Port: "8080"}},
		{"http://[::]", Parsed{Scheme: "http", Host: "[::]"}},
		{"http://[::ffff:7f00:1]", Parsed{Scheme: "http", Host: "[::ffff:7f00:1]"}},
		{"http://[2001:db8::1]", Parsed{Scheme: "http", Host: "[2001:db8::1]"}},
		{"http://[2001:db8::1:0:0:1]", Parsed{Scheme: "http", Host: "[2001:db8::1:0:0:1]"}},
		{"http://[2001:db8:0:1:1:1:1:1]", Parsed{Scheme: "http", Host: "[2001:db8:0:1:1:1:1:1]"}},
		{"http://[1:2:3:4:5:6:7:8]", Parsed{Scheme: "http", Host: "[1:2:3:4:5:6:7:8]"}},
		{"http://[1:0:0:2::3]", Parsed{Scheme: "http", Host: "[1:0:0:2::3]"}},
		{"http://[fe80::]", Parsed{Scheme: "http", Host: "[fe80::]"}},
		{"https://" + label63 + ".example.com", Parsed{Scheme: "https", Host: label63 + ".example.com"}},
		{"https://" + name253 + ".:65535", Parsed{Scheme: "https", Host: name253 + ".", Port: "65535"}},
		{"capacitor://localhost", Parsed{Scheme: "capacitor", Host: "localhost"}},
		{"ionic://localhost:8080", Parsed{Scheme: "ionic", Host: "localhost:8080"}},
		{"tauri://localhost", Parsed{Scheme: "tauri", Host: "localhost"}},
		{"file://", Parsed{Scheme: "file"}},
		{"app://.", Parsed{Scheme: "app", Host: "."}},
		{"chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb", Parsed{Scheme: "chrome-extension", Host: "aapbdbdomjkkjkaonfhkkikfgjllcleb"}},
		{"moz-extension://3c78b7c7-5e4c-4b6a-9a0e-0e3b2b7d7c11", Parsed{Scheme: "moz-extension", Host: "3c78b7c7-5e4c-4b6a-9a0e-0e3b2b7d7c11"}},
		{"safari-web-extension://6DF1A3C4-9F2E-4B1B-8B0A-7B7B1C2D3E4F", Parsed{Scheme: "safari-web-extension", Host: "6DF1A3C4-9F2E-4B1B-8B0A-7B7B1C2D3E4F"}},
		{"x+y.z-1://a", Parsed{Scheme: "x+y.z-1", Host: "a"}},
	} {
		got, ok := Parse(test.value)
		if !ok || got != test.want {
			t.Errorf("Parse(%q) = %+v, %t; want %+v, true", test.value, got, ok, test.want)
		}
		if got.String() != test.value {
			t.Errorf("Parse(%q).String() = %q", test.value, got.String())
		}
	}
}

func TestParseRefuses(t *testing.T) {
	label64 := strings.Repeat("a", 64)
	name254 := strings.Repeat(strings.Repeat("a", 63)+".", 3) + strings.Repeat("a", 62)
	for class, values := range map[string][]string{
		"empty or in parts": {"", " ", "/", ":", "://", "https", "https:", "https:/", "https://", "https:example.com", "https:/example.com",
			"https//example.com", "//example.com", "example.com", "example.com:443", "localhost", "://example.com", "*", "https://*"},
		"case":         {"HTTPS://example.com", "Https://example.com", "https://Example.com", "https://example.COM", "http://[::FFFF:1:1]", "Null", "NULL", "Capacitor://localhost"},
		"default port": {"https://example.com:443", "http://example.com:80", "http://[::1]:80", "https://127.0.0.1:443"},
		"port": {"https://example.com:", "https://example.com:0", "https://example.com:00", "https://example.com:08443", "https://example.com:65536", "https://example.com:99999",
			"https://example.com:100000", "https://example.com:4294967739", "https://example.com:18446744073709560059", "https://example.com:+8443", "https://example.com:-1", "https://example.com:8443:", "https://example.com:8443:8443",
			"https://example.com:a", "https://example.com:84a3", "https://example.com: 8443", "https://example.com:*", "https://:8443", "http://[::1]:", "http://[::1]8080", "http://[::1]:0"},
		"path, query, fragment": {"https://example.com/", "https://example.com/a", "https://example.com:8443/", "https://example.com?", "https://example.com#", "https://example.com\\", "https:///", "https:///example.com"},
		"userinfo":              {"https://user@example.com", "https://user:pass@example.com", "https://@example.com", "capacitor://user@localhost"},
		"Unicode":               {"https://bücher.example", "https://exаmple.com", "https://example。com", "https://example.com\u200b", "https://ｅxample.com", "nullé", "https://\xff.com", "capacitor://löcalhost"},
		"percent":               {"https://ex%61mple.com", "https://example%2ecom", "https://example.com%00"},
		"other characters": {"https://exam ple.com", "https://example.com ", " https://example.com", "https://example.com\t", "https://example.com\n", "https://example.com\r\n", "https://example.com\x00", "\x00https://example.com",
			"https://example.com\x7f", "https://a,b.com", "https://a;b.com", "https://a'b.com", "https://a\"b.com", "https://a`b.com", "https://a{b.com", "https://a|b.com", "https://a^b.com", "https://a$b.com",
			"https://a&b.com", "https://a+b.com", "https://a=b.com", "https://a!b.com", "https://a~b.com", "https://(a).com", "https://<a>.com", "null ", " null", "null\n", "null,null", "null null"},
		"lists":      {"https://a.com,https://b.com", "https://a.com, https://b.com", "https://a.com https://b.com", "https://a.com;https://b.com"},
		"labels":     {"https://.", "https://..", "https://.example.com", "https://a..example.com", "https://example.com..", "https://" + label64 + ".com", "https://" + label64, "https://" + name254, "https://" + name254 + "."},
		"IPv4":       {"http://127.1", "http://127.0.1", "http://2130706433", "http://0x7f000001", "http://0x7f.0.0.1", "http://0x7f.1", "http://0177.0.0.1", "http://127.0.0.01", "http://127.0.0.1.", "http://1.2.3.999", "http://1.2.3.256", "http://1.2.3.4.5", "http://1.2.3", "http://0", "http://0x", "http://example.0x", "http://example.0x1f", "http://example.com.1", "http://example.1.", "http://1.2.3.4a.5", "http://1.2..4", "http://00.0.0.0"},
		"IPv6":       {"http://[]", "http://[", "http://]", "http://[::1", "http://::1", "http://::1]", "http://[:::]", "http://[:1]", "http://[1:]", "http://[::1::]", "http://[0:0:0:0:0:0:0:1]", "http://[::01]", "http://[::0001]", "http://[::0]", "http://[0::]", "http://[1::0]", "http://[1:2:3:4:5:6:7]", "http://[1:2:3:4:5:6:7:8:9]", "http://[1:2:3:4:5:6:7::]", "http://[::2:3:4:5:6:7:8]", "http://[1::3:4:5:6:7:8]", "http://[1::2:3:4:5:6:7:8]", "http://[1::2:0:0:0:3]", "http://[2001:db8:0:0:1::1]", "http://[2001:db8:0::1]", "http://[::127.0.0.1]", "http://[::ffff:127.0.0.1]", "http://[::1%25lo]", "http://[::1%lo]", "http://[::12345]", "http://[::10001]", "http://[1:2:3:4:5:6:7:8::]", "http://[::1:2:3:4:5:6:7:8]", "http://[0:0:0:0::0:0:0:1]", "http://[::g]", "http://[127.0.0.1]", "http://[v1.a]", "http://[::1].", "http://[::1].com", "http://[::1]]", "http://[[::1]]", "http://x[::1]"},
		"custom":     {"capacitor://", "capacitor:///", "capacitor://localhost/", "capacitor://localhost/index.html", "file:///", "file:///etc/passwd", "capacitor://a b", "capacitor://a,b", "capacitor://a'b", "capacitor://a\"b", "capacitor://a\\b", "capacitor://a?b", "capacitor://a#b", "capacitor://*", "capacitor://a<b", "capacitor://a>b", "capacitor://a^b", "capacitor://a|b", "capacitor://a`b", "capacitor://a{b}", "capacitor://a\x00", "capacitor://a\x7f", "1a://b", "+a://b", "a_b://c", "-://a", "a b://c", "capacitor:localhost", "capacitor:/localhost"},
		"no origins": {"ws://example.com", "wss://example.com", "data://a", "blob://a", "blob:https://example.com", "about://blank", "about:blank", "javascript://a", "ftp://example.com", "data:,"},
		"long":       {"https://" + strings.Repeat("a.", 150) + "example.com", "capacitor://" + strings.Repeat("a", MaxLen), strings.Repeat("a", 1<<20), "https://" + strings.Repeat("a", 1<<20)},
	} {
		for _, value := range values {
			if got, ok := Parse(value); ok || got != (Parsed{}) {
				t.Errorf("%s: Parse(%.80q) = %+v, %t; want the zero value, false", class, value, got, ok)
			}
		}
	}
}

func TestParseBoundsTheLength(t *testing.T) {
	longest := "capacitor://" + strings.Repeat("a", MaxLen-len("capacitor://"))
	if _, ok := Parse(longest); !ok {
		t.Errorf("Parse of %d bytes fails", len(longest))
	}
	if _, ok := Parse(longest + "a"); ok {
		t.Errorf("Parse of %d bytes succeeds", len(longest)+1)
	}
}

// TestParseByteByByte: each byte at each kind of position in an origin is accepted only if it
// is listed here.
func TestParseByteByByte(t *testing.T) {
	const lower, digits = "abcdefghijklmnopqrstuvwxyz", "0123456789"
	const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for _, test := range []struct{ format, accepted string }{
		{"https://exa%sple.com", lower + digits + "-_."},
		{"https://%sexample.com", lower + digits + "-_"},
		{"https://example.com%s", lower + digits + "-_."},
		{"https://example.com:84%s3", digits},
		{"https://[2001:db8::%s]", digits[1:] + "abcdef"},
		{"http://127.0.0.%s", digits + lower + "-_"},
		{"capacitor://local%shost", lower + upper + digits + "-._~!$&()+;=%:[]"},
		{"cap%sacitor://localhost", lower + digits + "+.-"},
		{"%scapacitor://localhost", lower},
		{"%snull", ""},
		{"null%s", ""},
	} {
		for b := range 256 {
			c := string([]byte{byte(b)})
			value := fmt.Sprintf(test.format, c)
			if _, ok := Parse(value); ok != strings.Contains(test.accepted, c) {
				t.Errorf("Parse(%q) = %t", value, ok)
			}
		}
	}
}

// TestParseAgainstNetip: an IP address that netip parses is accepted in its canonical form
// only.
func TestParseAgainstNetip(t *testing.T) {
	var hosts []string
	groups := []string{"0", "1", "00", "f", "ffff", "F", "0db8", "db8", ""}
	for _, a := range groups {
		for _, b := range groups {
			for _, c := range groups {
				hosts = append(hosts, a+":"+b+"::"+c, "::"+a+":"+b+":"+c, a+"::"+b+":"+c, a+":"+b+":0:0:0:0:"+c+":1", "1:0:"+a+":"+b+":0:"+c+":0:1", a+":"+b+":"+c+"::")
			}
		}
	}
	for _, host := range hosts {
		addr, err := netip.ParseAddr(host)
		want := err == nil && addr.Is6() && modelIPv6(addr) == host
		if _, ok := Parse("https://[" + host + "]"); ok != want {
			t.Errorf("Parse(https://[%s]) = %t, want %t", host, ok, want)
		}
	}
	parts := []string{"0", "00", "1", "01", "9", "10", "99", "100", "199", "200", "249", "250", "255", "256", "260", "300", "999", "1000", "", "a", "0x1", "-1"}
	for _, a := range parts {
		for _, b := range parts {
			host := a + ".2.3." + b
			addr, err := netip.ParseAddr(host)
			if b == "a" || b == "-1" {
				continue // a name
			}
			want := err == nil && addr.String() == host
			if _, ok := Parse("https://" + host); ok != want {
				t.Errorf("Parse(https://%s) = %t, want %t", host, ok, want)
			}
		}
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	for _, value := range []string{
		"null", "https://app.example.com", "http://127.0.0.1:8080", "http://[2001:db8::1]:8080", "capacitor://localhost",
		"", "https://App.example.com", "http://[0:0::1]", "http://[::1", "http://1.2.3.999", "https://example.com:99999", strings.Repeat("https://a.", 1000),
	} {
		if n := testing.AllocsPerRun(100, func() { Parse(value) }); n != 0 {
			t.Errorf("Parse(%.80q) allocates %v times", value, n)
		}
	}
}

// TestParsedIsLoopback: origins of the visitor's own machine are found in each form of its addresses.
func TestParsedIsLoopback(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]bool{
		"https://localhost": true, "https://localhost.": true, "http://a.localhost:3000": true, "https://127.0.0.1": true, "https://127.8.9.1:8443": true, "https://[::1]:8443": true,
		"https://0.0.0.0": true, "https://[::]": true, "https://[::ffff:7f00:1]": true, "https://[::ffff:0:0]": true,
		"https://127.example.com": false, "https://localhost.example.com": false, "https://10.0.0.1": false, "https://[::2]": false, "https://[::ffff:a00:1]": false, "capacitor://localhost": false, "null": false,
	} {
		o, ok := Parse(raw)
		if got := o.IsLoopback(); !ok || got != want {
			t.Errorf("%s: %t, want %t", raw, got, want)
		}
	}
}
