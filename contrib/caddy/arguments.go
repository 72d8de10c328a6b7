package why520

import (
	"math"
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/dustin/go-humanize"
)

// flag takes an option that stands alone.
func flag(d *caddyfile.Dispenser, to *bool) error {
	if d.CountRemainingArgs() > 0 {
		return d.ArgErr()
	}
	*to = true
	return nil
}

// text takes one argument.
func text(d *caddyfile.Dispenser, to *string) error {
	if d.CountRemainingArgs() != 1 {
		return d.ArgErr()
	}
	d.NextArg()
	*to = d.Val()
	return nil
}

// size takes a number of bytes, such as 16KiB.
func size[T int | int64](d *caddyfile.Dispenser, to *T) error {
	var s string
	if err := text(d, &s); err != nil {
		return err
	}
	n, err := humanize.ParseBytes(s)
	if err != nil || n == 0 || n > math.MaxInt64 || uint64(T(n)) != n {
		return d.Errf("%s is no number of bytes", s)
	}
	*to = T(n)
	return nil
}

// count takes a number.
func count(d *caddyfile.Dispenser, to *int) error {
	var s string
	if err := text(d, &s); err != nil {
		return err
	}
	n, err := strconv.Atoi(s)
	if err != nil || n <= 0 {
		return d.Errf("%s is no number", s)
	}
	*to = n
	return nil
}

func duration(d *caddyfile.Dispenser, to *caddy.Duration) error {
	var s string
	if err := text(d, &s); err != nil {
		return err
	}
	n, err := caddy.ParseDuration(s)
	if err != nil || n <= 0 {
		return d.Errf("%s is no duration", s)
	}
	*to = caddy.Duration(n)
	return nil
}
