package validator_test

import (
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"

	"why520/fuzz"
	"why520/validator"
	"why520/wire"
)

// passes gives what of b may pass in answer to q, by a Stream that is given all
// of it at once, and why no more does: io.EOF where the connection ended in order.
func passes(b []byte, q wire.Request, l wire.Limits) (pass int, err error) {
	s := &wire.Stream{Limits: l}
	s.Expect(q)
	from := 0
	for {
		ev, n, err := s.Next(b[from:])
		from += n
		switch {
		case err == wire.ErrIncomplete:
			if err := s.Close(wire.FIN); err != nil {
				return pass, err
			}
			return from, io.EOF
		case err != nil:
			return pass, err
		case ev == wire.Surplus:
			return pass, wire.BytesOnIdleConnection
		case ev == wire.TrailerSection:
		default:
			pass = from
		}
	}
}

// FuzzConn holds a Conn to a Stream: what passes is the same, however the bytes
// come and however much room there is, and so is why no more does; and requests
// are followed alike, however they are written.
func FuzzConn(f *testing.F) {
	fuzz.AddSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		k := fuzz.Generate(data)
		k.Limits.Tolerate, k.Limits.Measure = wire.Set{}, 0
		if k.Limits.Check() != nil {
			k.Limits = wire.Limits{}
		}
		ask, q := "GET / HTTP/1.1\r\nHost: a\r\n", wire.Request{Method: "GET", Upgrade: k.Request.Upgrade}
		if k.Request.Method == "HEAD" || k.Request.Method == "CONNECT" {
			ask, q.Method = k.Request.Method+" / HTTP/1.1\r\n", k.Request.Method
		}
		if q.Upgrade {
			ask += "Connection: upgrade\r\nUpgrade: x\r\n"
		}
		size, room := 1+len(data)%7, 1+len(data)%5
		if len(data)%3 == 0 {
			size, room = 1<<20, 4096
		}
		g := &validator.Guard{Policy: &validator.Policy{Limits: k.Limits}}
		for _, b := range [][]byte{k.Bytes, data} {
			want, reason := passes(b, q, k.Limits)
			got, err := overConn(t, g, ask+"\r\n", string(b), size, room, io.EOF)
			assert.Equal(t, string(b[:want]), got)
			assert.True(t, errors.Is(err, reason), "%v, want %v: %q", err, reason, b)
		}

		// What is written arrives, or is refused, whatever the pieces.
		below := &canned{}
		c := g.Conn(below)
		whole, err := below, error(nil)
		for rest := data; len(rest) > 0 && err == nil; {
			n := min(size, len(rest))
			if _, err = c.Write(rest[:n]); err == nil {
				rest = rest[n:]
			}
		}
		one := &canned{}
		if _, second := g.Conn(one).Write(data); second == nil {
			assert.NoError(t, err)
			assert.Equal(t, one.written.String(), whole.written.String())
		} else {
			assert.Error(t, err)
		}
	})
}
