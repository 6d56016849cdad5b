package corsinspect

import (
	"errors"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/pageguard"
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
			name, ok := pageguard.HostName(host)
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
