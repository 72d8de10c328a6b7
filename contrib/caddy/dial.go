package why520

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

type dial func(ctx context.Context, network, address string) (net.Conn, error)

// dialer gives what connects to upstreams. Caddy's own hides the system's error
// behind a type of its own, and with it the reason.
func (t *Transport) dialer() (dial, error) {
	d := &net.Dialer{FallbackDelay: time.Duration(t.FallbackDelay)}
	if t.KeepAlive != nil && t.KeepAlive.ProbeInterval != 0 {
		d.KeepAlive = time.Duration(t.KeepAlive.ProbeInterval) // where it is negative, there are no probes
	}
	var err error
	if d.Resolver, err = t.resolver(); err != nil {
		return nil, err
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if chosen, ok := reverseproxy.GetDialInfo(ctx); ok {
			network, address = chosen.Network, chosen.Address
		}
		return d.DialContext(ctx, network, address)
	}, nil
}

// resolver gives who is asked for names; nil: the system.
func (t *Transport) resolver() (*net.Resolver, error) {
	if t.Resolver == nil {
		return nil, nil
	}
	var servers []caddy.NetworkAddress
	for _, s := range t.Resolver.Addresses {
		a, err := caddy.ParseNetworkAddressWithDefaults(s, "udp", 53)
		if err == nil && a.PortRangeSize() != 1 {
			err = fmt.Errorf("want one port")
		}
		if err != nil {
			return nil, fmt.Errorf("resolver %q: %w", s, err)
		}
		servers = append(servers, a)
	}
	if len(servers) == 0 {
		return nil, fmt.Errorf("resolver: no address is given")
	}
	return &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			s := servers[rand.IntN(len(servers))]
			return new(net.Dialer).DialContext(ctx, s.Network, s.JoinHostPort(0))
		},
	}, nil
}
