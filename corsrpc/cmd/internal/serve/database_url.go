package serve

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// expanded is the URL of a database, with the values of its variables.
type expanded struct {
	url     string
	secrets secrets
}

// variable matches ${NAME}.
var variable = regexp.MustCompile(`\$\{([^{}]*)\}`)

// variableName matches the name of an environment variable.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expand replaces each ${NAME} in the URL of a database by the value of an environment variable. It escapes the
// value, unless the URL is nothing else, or names a file.
func expand(raw string, lookupEnv func(name string) (string, bool)) (expanded, error) {
	if lookupEnv == nil {
		lookupEnv = os.LookupEnv
	}
	e := expanded{secrets: newSecrets()}
	whole := variable.FindString(raw) == raw
	var problems []error
	e.url = variable.ReplaceAllStringFunc(raw, func(found string) string {
		name := variable.FindStringSubmatch(found)[1]
		value, ok := lookupEnv(name)
		switch {
		case !variableName.MatchString(name):
			problems = append(problems, fmt.Errorf("the URL has %s, which is not of the form ${NAME}", found))
		case !ok || value == "":
			problems = append(problems, fmt.Errorf("the URL needs the environment variable %s, which is empty or not set", name))
		case whole || strings.HasPrefix(raw, "sqlite:"):
			return value
		}
		e.secrets.add(value)
		return escape(value)
	})
	if u, err := url.Parse(e.url); err == nil {
		e.secrets.addURL(u)
	} else if rest, ok := strings.CutPrefix(e.url, "postgres"); ok { // the error of the parser has the URL
		e.secrets.add(rest)
	}
	return e, errors.Join(problems...)
}

// escape escapes everything in a text that has a meaning in a URL.
func escape(value string) string { return strings.ReplaceAll(url.QueryEscape(value), "+", "%20") }

// secrets are texts that errors must not contain. They are safe for concurrent use.
type secrets struct {
	mu  *sync.Mutex
	all *[]string // the longest first
}

func newSecrets() secrets { return secrets{&sync.Mutex{}, new([]string)} }

// add adds a secret: as it is, as URLs contain it, and as quoted texts contain it.
func (s secrets) add(secret string) {
	if secret == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	quoted, ascii := strconv.Quote(secret), strconv.QuoteToASCII(secret)
	for _, text := range []string{
		secret, escape(secret), url.PathEscape(secret), url.QueryEscape(secret), url.UserPassword("", secret).String()[1:],
		quoted[1 : len(quoted)-1], ascii[1 : len(ascii)-1],
	} {
		if !slices.Contains(*s.all, text) {
			*s.all = append(*s.all, text)
		}
	}
	slices.SortFunc(*s.all, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
}

// addURL adds the passwords of a URL.
func (s secrets) addURL(u *url.URL) {
	if password, ok := u.User.Password(); ok {
		s.add(password)
	}
	for _, name := range []string{"password", "sslpassword"} {
		for _, value := range u.Query()[name] {
			s.add(value)
		}
	}
}

// remove returns an error without the secrets; the error itself if it has none.
func (s secrets) remove(err error) error {
	if err == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	text := err.Error()
	for _, secret := range *s.all {
		text = strings.ReplaceAll(text, secret, "xxxxx")
	}
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}
