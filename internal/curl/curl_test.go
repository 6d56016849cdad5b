package curl

import (
	"net/http"
	"testing"
)

func TestCommand(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, url string
		header      http.Header
		body        string
		options     []string
		want        string
	}{
		{"GET", "https://a.example/b", nil, "", nil, "curl -i -g --path-as-is -X GET https://a.example/b"},
		{"HEAD", "https://a.example/b?c=d", nil, "", nil, "curl -i -g --path-as-is --head 'https://a.example/b?c=d'"},
		{"OPTIONS", "http://a.example/", http.Header{"Origin": {"https://b.example"}, "X": {""}}, "", []string{"--http2-prior-knowledge"}, "curl -i -g --path-as-is --http2-prior-knowledge -X OPTIONS http://a.example/ -H 'Origin: https://b.example' -H 'X;'"},
		{"POST", "http://a.example/", http.Header{"A": {"it's"}}, "{}", nil, `curl -i -g --path-as-is -X POST http://a.example/ -H 'A: it'\''s' -H Content-Type: --data '{}'`},
		{"POST", "http://a.example/", http.Header{"Content-Type": {"application/json"}}, "{}", nil, `curl -i -g --path-as-is -X POST http://a.example/ -H 'Content-Type: application/json' --data '{}'`},
		{"POST", "http://a.example/", http.Header{"Content-Type": {"application/proto"}}, "", nil, `curl -i -g --path-as-is -X POST http://a.example/ -H 'Content-Type: application/proto' --data ''`},
		{"POST", "http://a.example/", http.Header{"Content-Type": {"a/b"}}, "\x00%\\'\xff{}", nil, `printf '\000%%\134\047\377{}' | curl -i -g --path-as-is -X POST http://a.example/ -H 'Content-Type: a/b' --data-binary @-`},
		{"POST", "http://a.example/", http.Header{"Content-Type": {"a/b"}}, "@/etc/passwd", nil, `printf '@/etc/passwd' | curl -i -g --path-as-is -X POST http://a.example/ -H 'Content-Type: a/b' --data-binary @-`},
	} {
		if got := Command(c.method, c.url, c.header, c.body, c.options...); got != c.want {
			t.Errorf("got %s\nwant %s", got, c.want)
		}
	}
}
