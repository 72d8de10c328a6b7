package validator

import (
	"context"
	"net"
	"net/netip"

	"why520/wire"
)

// names is what a name was found to be.
type names struct {
	NameFacts
	end wire.End
}

// resolve gives the addresses, with port, to ask; none where the name does not
// resolve. names is nil where there was nothing to look up.
func (p *Prober) resolve(ctx context.Context, a *ask) (*names, []string, error) {
	host, port := a.dialHost, a.dialPort
	if ip, err := netip.ParseAddr(host); err == nil {
		return nil, []string{netip.AddrPortFrom(ip, port).String()}, nil
	}
	resolver := p.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	family := map[Addresses]string{IPv4: "ip4", IPv6: "ip6"}[p.Addresses]
	if family == "" {
		family = "ip"
	}
	limited, stop := context.WithTimeout(ctx, p.Deadlines.withDefaults().Connect)
	defer stop()
	found, err := resolver.LookupNetIP(limited, family, host)
	if err := cancelled(ctx, "looking up "+host); err != nil {
		return nil, nil, err
	}
	n := &names{}
	if err != nil {
		n.end, n.Code, err = unnamed(err, host)
		return n, nil, err
	}
	var addresses []string
	for _, ip := range found {
		n.Addresses = append(n.Addresses, ip.Unmap().String())
		addresses = append(addresses, netip.AddrPortFrom(ip.Unmap(), port).String())
	}
	if p.Addresses != AllAddresses && len(addresses) > 1 {
		addresses = addresses[:1]
	}
	return n, addresses, nil
}
