package validator

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// A Guard puts a [Conn] around connections to origins, for clients of HTTP/1.x
// other than [Transport]: see Around for net/http's, DialAddr for fasthttp's and
// its like, and Conn for all others.
//
// The zero Guard is ready; its fields must not change while it is used, and it
// may be used by many goroutines at once.
type Guard struct {
	Policy *Policy // what is refused; nil: Report()

	// Deadlines bound the phases of an exchange, beside those that the client
	// sets. They are not set by default, save Connect and TLS: 10 s each.
	Deadlines Deadlines

	// OnVerdict, if set, is called once for each request that began to be written
	// or whose connection could not be made, with a nil Conn then: at the end of
	// the response, where it was refused, or at Close. A new connection that the
	// origin speaks on, or ends within a second, counts as asked. It runs on the
	// goroutine that met with it, which must not read from the Conn meanwhile; Close is
	// allowed. Evidence and Verdict are valid during the call: Clone keeps them. Of
	// an exchange that went well, without a note, the Evidence holds what costs
	// nothing: no ID, no fields and no bytes. A client that closed before the end
	// is a note, ClientClosed. A switch of protocols ends its exchange.
	OnVerdict func(*Conn, *Evidence, *Verdict)

	// Recorder, if set, keeps the evidence of exchanges that failed.
	Recorder *Recorder

	// Connect makes TCP connections; nil: a net.Dialer's.
	Connect func(ctx context.Context, network, address string) (net.Conn, error)

	// TLSClientConfig is for https; nil: the system's roots. NextProtos nil:
	// http/1.1; h2 is never offered. Its functions are called as crypto/tls says:
	// where one of them refuses, the error is a *LocalError around its own, and no
	// verdict on the origin.
	TLSClientConfig *tls.Config

	once sync.Once
	set  settings
}

// settings gives them, made by the first call.
func (g *Guard) settings() *settings {
	g.once.Do(func() {
		d := g.Deadlines
		d.Connect, d.TLS = either(d.Connect, defaultDial), either(d.TLS, defaultDial)
		g.set.take(g.Policy, d)
	})
	return &g.set
}

// Conn gives a Conn over c, which is connected, with TLS on it where there is
// TLS, and from which nothing was read yet. c is the Conn's from then on.
func (g *Guard) Conn(c net.Conn) *Conn {
	g.settings()
	w := &Conn{g: g}
	w.link.tap = newTap(c, 0)
	w.link.Conn = w.link.tap
	if t, ok := c.(interface{ ConnectionState() tls.ConnectionState }); ok {
		state := t.ConnectionState()
		if state.HandshakeComplete {
			w.state, w.facts = &state, &TLSFacts{ServerName: state.ServerName}
			w.facts.agreed(state)
		}
	}
	w.begun(c)
	return w
}

// begun completes a new Conn over c.
func (c *Conn) begun(over net.Conn) {
	c.net, c.made = over, time.Now()
	c.asking.made = c.made
	c.err = c.g.set.err
	if a := over.RemoteAddr(); a != nil {
		c.address = a.String()
	}
}

// tell tells OnVerdict and the Recorder of a failure.
func (g *Guard) tell(c *Conn, e *Evidence, v *Verdict) {
	if g.Recorder != nil {
		g.Recorder.Record(e)
	}
	if g.OnVerdict != nil {
		g.OnVerdict(c, e, v)
	}
}
