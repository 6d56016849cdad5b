package corsinspect

import (
	"errors"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// Option is an option of New.
type Option interface{ apply(*Inspector) error }

type option func(*Inspector) error

func (o option) apply(i *Inspector) error { return o(i) }

// WithHosts adds host names under which the inspector answers, on any port, in
// any letter case, with and without a dot at the end. Of host:port and of a URL it is the
// name that counts. New fails where one is not a host name, such as a wildcard.
// Default: none, and it answers under localhost, names below it, and IP
// addresses only: a page of any site can have its own name point to an internal address
// (DNS rebinding), but none of these.
func WithHosts(hosts ...string) Option {
	return option(func(i *Inspector) error {
		var problems []error
		for _, host := range hosts {
			name, ok := hostName(host)
			if !ok {
				problems = append(problems, &corsrpc.OptionError{
					Option: "corsinspect.WithHosts", Reason: `"` + safetext.Sample(host) + `" is not a host name; write one such as cors.internal.example`,
				})
			}
			i.hosts = append(i.hosts, name)
		}
		return errors.Join(problems...)
	})
}

// hostName returns the host name of an option: of a host, with a port or not, or of a URL.
func hostName(host string) (name string, ok bool) {
	if _, rest, isURL := strings.Cut(host, "://"); isURL {
		end := strings.IndexAny(rest+"/", "/?#")
		host = rest[:end]
	}
	name = plainHost(host)
	_, ok = origin.Parse("https://" + name)
	port := strings.TrimPrefix(host[len(withoutPort(host)):], ":")
	return name, ok && !strings.HasSuffix(name, ".") && strings.Trim(port, "0123456789") == ""
}
