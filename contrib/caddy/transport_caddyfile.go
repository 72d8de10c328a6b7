package why520

import (
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"

	"why520/validator"
	"why520/wire"
)

// UnmarshalCaddyfile takes the block of `transport why520`:
//
//	transport why520 {
//	    policy                  report|strict|<edge>
//	    head|line|chunk_line|trailer|body <size>
//	    fields|interim          <count>
//	    tolerate                <reasons...>
//	    hold_content            <size>
//	    recorder                [<count> [<size>]]
//
//	    write_timeout           <duration>
//	    first_byte_timeout      <duration>
//	    response_header_timeout <duration>
//	    read_timeout            <duration>
//	    total_timeout           <duration>
//
//	    dial_timeout            <duration>
//	    dial_fallback_delay     <duration>
//	    expect_continue_timeout <duration>
//	    resolvers               <addresses...>
//	    max_conns_per_host      <count>
//	    keepalive               off|<duration>
//	    keepalive_interval      <duration>
//	    keepalive_idle_conns    <count>
//	    keepalive_idle_conns_per_host <count>
//	    tls
//	    tls_...
//	}
//
// What is to be tolerated adds to what the policy does. The options of the last
// group, all that begin with tls_ among them, are read by Caddy's own transport,
// http, and are as documented there.
func (t *Transport) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the transport's name
	shared := []caddyfile.Token{d.Token(), brace(d, "{")}
	if d.NextArg() {
		return d.ArgErr()
	}
	for d.NextBlock(0) {
		var err error
		switch name := d.Val(); name {
		case "policy":
			if err = text(d, &t.Policy); err == nil && !isPolicy(t.Policy) {
				err = d.Errf("policy %s: want strict, report, or one of %s", t.Policy, strings.Join(edgeNames(), ", "))
			}
		case "head":
			err = size(d, &t.Limits.Head)
		case "line":
			err = size(d, &t.Limits.Line)
		case "chunk_line":
			err = size(d, &t.Limits.ChunkLine)
		case "trailer":
			err = size(d, &t.Limits.Trailer)
		case "body":
			err = size(d, &t.Limits.Body)
		case "fields":
			err = count(d, &t.Limits.Fields)
		case "interim":
			err = count(d, &t.Limits.Interim)
		case "tolerate":
			err = t.tolerate(d)
		case "hold_content":
			err = size(d, &t.HoldContent)
		case "recorder":
			err = t.record(d)
		case "write_timeout":
			err = duration(d, &t.WriteTimeout)
		case "first_byte_timeout":
			err = duration(d, &t.FirstByteTimeout)
		case "read_timeout":
			err = duration(d, &t.ReadTimeout)
		case "total_timeout":
			err = duration(d, &t.TotalTimeout)
		default:
			if !shares[name] {
				return d.Errf("transport why520 has no option %s", name)
			}
			shared = append(shared, d.NextSegment()...)
		}
		if err != nil {
			return err
		}
	}
	return t.unmarshalShared(append(shared, brace(d, "}")))
}

func isPolicy(name string) bool {
	_, edge := validator.EdgeByName(name)
	return edge || name == "report" || name == "strict"
}

// shares has the options that are read by Caddy's own transport.
var shares = map[string]bool{
	"dial_timeout": true, "dial_fallback_delay": true, "response_header_timeout": true, "expect_continue_timeout": true,
	"resolvers": true, "max_conns_per_host": true,
	"keepalive": true, "keepalive_interval": true, "keepalive_idle_conns": true, "keepalive_idle_conns_per_host": true,
	"tls": true, "tls_client_auth": true, "tls_insecure_skip_verify": true, "tls_curves": true, "tls_timeout": true,
	"tls_trusted_ca_certs": true, "tls_trust_pool": true, "tls_server_name": true, "tls_renegotiation": true, "tls_except_ports": true,
}

func (t *Transport) unmarshalShared(tokens []caddyfile.Token) error {
	var h reverseproxy.HTTPTransport
	if err := h.UnmarshalCaddyfile(caddyfile.NewDispenser(tokens)); err != nil {
		return err
	}
	t.DialTimeout, t.FallbackDelay = h.DialTimeout, h.FallbackDelay
	t.ResponseHeaderTimeout, t.ExpectContinueTimeout = h.ResponseHeaderTimeout, h.ExpectContinueTimeout
	t.Resolver, t.MaxConnsPerHost, t.KeepAlive, t.TLS = h.Resolver, h.MaxConnsPerHost, h.KeepAlive, h.TLS
	return nil
}

// brace gives a token that d does not hand out, at its place.
func brace(d *caddyfile.Dispenser, s string) caddyfile.Token {
	t := d.Token()
	t.Text = s
	return t
}

func (t *Transport) tolerate(d *caddyfile.Dispenser) error {
	tokens := d.RemainingArgs()
	if len(tokens) == 0 {
		return d.ArgErr()
	}
	for _, s := range tokens {
		r, ok := wire.ReasonByToken(s)
		if !ok || !r.Tolerable() {
			return d.Errf("%s is no reason that can be tolerated", s)
		}
		t.Limits.Tolerate = t.Limits.Tolerate.With(r)
	}
	return nil
}

func (t *Transport) record(d *caddyfile.Dispenser) error {
	t.Recorder = new(Recorder)
	if d.CountRemainingArgs() == 0 {
		return nil
	}
	d.NextArg()
	n, err := strconv.Atoi(d.Val())
	if err != nil || n <= 0 {
		return d.Errf("recorder: %s is no number of exchanges", d.Val())
	}
	if t.Recorder.Most = n; d.CountRemainingArgs() == 0 {
		return nil
	}
	return size(d, &t.Recorder.MostBytes)
}

var _ caddyfile.Unmarshaler = (*Transport)(nil)
