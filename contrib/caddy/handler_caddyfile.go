package why520

import (
	"strconv"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	httpcaddyfile.RegisterHandlerDirective("why520", func(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		handler := new(Handler)
		return handler, handler.UnmarshalCaddyfile(h.Dispenser)
	})
	// It goes around whatever may hold a reverse_proxy, and sees the URI as the
	// client sent it.
	httpcaddyfile.RegisterDirectiveOrder("why520", httpcaddyfile.Before, "redir")
}

// UnmarshalCaddyfile takes the directive:
//
//	why520 [<matcher>] {
//	    name     <name>
//	    gateway
//	    contact  <text>
//	    types    <URI prefix>
//	    page     <file>
//	    details  private_ranges|<ranges...>
//	    trailers
//	    always_online {
//	        memory    <name>
//	        disk      <folder>
//	        budget    <size>
//	        max_size  <size>
//	        max_stale <duration>
//	        statuses  <codes...>
//	        banner
//	    }
//	}
func (h *Handler) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the directive's name
	if d.NextArg() {
		return d.ArgErr()
	}
	for d.NextBlock(0) {
		var err error
		switch d.Val() {
		case "name":
			err = text(d, &h.Name)
		case "gateway":
			err = flag(d, &h.Gateway)
		case "contact":
			err = text(d, &h.Contact)
		case "types":
			err = text(d, &h.Types)
		case "page":
			err = text(d, &h.Page)
		case "details":
			if h.Details = append(h.Details, d.RemainingArgs()...); len(h.Details) == 0 {
				err = d.ArgErr()
			}
		case "trailers":
			err = flag(d, &h.Trailers)
		case "always_online":
			h.AlwaysOnline = new(AlwaysOnline)
			err = h.AlwaysOnline.unmarshal(d)
		default:
			err = d.Errf("why520 has no option %s", d.Val())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *AlwaysOnline) unmarshal(d *caddyfile.Dispenser) error {
	if d.CountRemainingArgs() > 0 {
		return d.ArgErr()
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		var err error
		switch d.Val() {
		case "memory":
			err = text(d, &a.Memory)
		case "disk":
			err = text(d, &a.Disk)
		case "budget":
			err = size(d, &a.Budget)
		case "max_size":
			err = size(d, &a.MaxSize)
		case "max_stale":
			err = duration(d, &a.MaxStale)
		case "statuses":
			err = a.statuses(d)
		case "banner":
			err = flag(d, &a.Banner)
		default:
			err = d.Errf("always_online has no option %s", d.Val())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *AlwaysOnline) statuses(d *caddyfile.Dispenser) error {
	codes := d.RemainingArgs()
	if len(codes) == 0 {
		return d.ArgErr()
	}
	for _, s := range codes {
		n, err := strconv.Atoi(s)
		if err != nil || n < 520 || n > 530 {
			return d.Errf("statuses: %s is none of 520 to 526 and 530", s)
		}
		a.Statuses = append(a.Statuses, n)
	}
	return nil
}

var _ caddyfile.Unmarshaler = (*Handler)(nil)
