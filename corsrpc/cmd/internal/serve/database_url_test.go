package serve

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// env returns a function that looks up variables, given as NAME=VALUE.
func env(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, pair := range pairs {
			if n, value, _ := strings.Cut(pair, "="); n == name {
				return value, true
			}
		}
		return "", false
	}
}

// oddPassword has every character that means something in a URL.
const oddPassword = `p/w@d:%41?#[]&=+ "é`

// TestExpand: a row has a URL, and what it expands to, or what the error contains.
func TestExpand(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"postgres://u@host/db":                     "postgres://u@host/db",
		"postgres://u:${PW}@host/db":               "postgres://u:p%2Fw%40d%3A%2541%3F%23%5B%5D%26%3D%2B%20%22%C3%A9@host/db",
		"postgres://host/db?password=${PW}&user=u": "postgres://host/db?password=p%2Fw%40d%3A%2541%3F%23%5B%5D%26%3D%2B%20%22%C3%A9&user=u",
		"${URL}":                    "postgres://u:secret@host/db",
		"sqlite:${DIR}/t.db":        "sqlite:/var/lib/a b?c/t.db",
		"postgres://${U}@${H}/db":   "postgres://user@db.internal/db",
		"postgres://${NONE}@h/db":   "error: the URL needs the environment variable NONE, which is empty or not set",
		"postgres://${EMPTY}@h/db":  "error: EMPTY, which is empty or not set",
		"postgres://${NO NE}@h/db":  "error: ${NO NE}, which is not of the form ${NAME}",
		"postgres://${}@h/db":       "error: ${}, which is not of the form ${NAME}",
		"postgres://$PW@h/db":       "postgres://$PW@h/db",
		"postgres://${NONE}@${}/db": "error: NONE, which is empty or not set\nthe URL has ${}",
	} {
		e, err := expand(raw, env("PW="+oddPassword, "URL=postgres://u:secret@host/db", "DIR=/var/lib/a b?c", "U=user", "H=db.internal", "EMPTY="))
		if text, isError := strings.CutPrefix(want, "error: "); isError {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: error %v, want %q", raw, err, text)
			}
			continue
		}
		if err != nil || e.url != want {
			t.Errorf("%s: %q, %v, want %q", raw, e.url, err, want)
		}
	}
}

// TestPasswordInURL: PostgreSQL gets the password of a variable as it is.
func TestPasswordInURL(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"postgres://u:${PW}@localhost/db", "postgres://localhost/db?user=u&password=${PW}"} {
		e, err := expand(raw, env("PW="+oddPassword))
		if err != nil {
			t.Fatal(err)
		}
		config, err := parsePostgres(e.url)
		if err != nil || config.Password != oddPassword || config.User != "u" || config.Database != "db" {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

// TestErrorsWithoutPasswords: no error of a URL that is not valid, or of a server that does not answer,
// contains the password.
func TestErrorsWithoutPasswords(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	for _, password := range []string{"hunter2secret", oddPassword, "back\\slash'quote"} {
		for _, url := range []string{
			"postgres://u:${PW}@host:port/db", "postgres://u:${PW}@ho st/db", "postgres://u:${PW}@h/db?sslmode=x", "postgres://u:${PW}@h/db?sslcert=/none&sslkey=/none",
			"postgres://[::1/db?password=${PW}", "postgres://u@h:99999/db?password=${PW}&connect_timeout=x", "mysql://u:${PW}@h/db", "postgres://u:" + escape(password) + "@h:x/db",
			"postgres://u:${PW}@h/db?min_protocol_version=${PW}", "postgres:// u:hunter2secret@h/db", "${URL}", "postgres://u:${PW}@" + address + "/db?sslmode=disable",
			"postgres://u@" + address + "/db?sslmode=disable&password=${PW}", "postgres://u:${PW}@" + address + "/db",
		} {
			o, err := OpenOrigins(&corsrpcv1.OriginSource{Name: "tenants", Url: url, NotifyChannel: "c"}, env("PW="+password, "URL=postgres://u:"+escape(password)+"@h:x/db"))
			if err == nil {
				source := o.Source().From
				for _, e := range source.(*notifyingSource).Origins(t.Context()) {
					err = errors.Join(err, e)
				}
				err = errors.Join(err, source.(*notifyingSource).Notify(t.Context()), o.Close())
			}
			if err == nil {
				t.Errorf("%s: not an error", url)
				continue
			}
			for _, secret := range []string{password, escape(password), "hunter2secret", fmt.Sprintf("%q", password)} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%s: the error has the password: %v", url, err)
				}
			}
		}
	}
}
