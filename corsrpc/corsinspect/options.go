package corsinspect

import (
	"errors"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/privatepage"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// Option is an option of New.
type Option interface{ apply(*Inspector) error }

type option func(*Inspector) error

func (o option) apply(i *Inspector) error { return o(i) }

// WithHosts adds host names under which the inspector answers, on any port. Letter case and
// a trailing dot do not matter. A text may also be host:port or a URL; only its host name is
// used. New fails if a text has no valid host name; wildcards are not valid. Default: none.
// The inspector always answers under localhost, its subdomains, and IP addresses. It refuses
// other names, since an attacker's site can resolve its own name to an internal address (DNS
// rebinding).
func WithHosts(hosts ...string) Option {
	return option(func(i *Inspector) error {
		var problems []error
		for _, host := range hosts {
			name, ok := hostName(host)
			if !ok {
				problems = append(problems, &corsrpc.OptionError{
					Option: "corsinspect.WithHosts", Reason: `"` + safetext.Sample(host) + `" is not a host name: write a name such as cors.internal.example`,
				})
			}
			i.hosts = append(i.hosts, name)
		}
		return errors.Join(problems...)
	})
}

// hostName returns the host name of a host, of host:port or of a URL, as privatepage.PlainHost
// returns it.
func hostName(host string) (name string, ok bool) {
	if _, rest, isURL := strings.Cut(host, "://"); isURL {
		end := strings.IndexAny(rest+"/", "/?#")
		host = rest[:end]
	}
	name = privatepage.PlainHost(host)
	_, ok = origin.Parse("https://" + name)
	port := strings.TrimPrefix(host[len(privatepage.WithoutPort(host)):], ":")
	return name, ok && !strings.HasSuffix(name, ".") && strings.Trim(port, "0123456789") == ""
}
