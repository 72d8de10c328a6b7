package origintest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"why520/validator"
	"why520/wire"
)

// A Fault is a way for an origin to fail; or not to, where Reason is OK.
type Fault struct {
	Name   string        // unique: the reason's token, or "token/variant"
	Reason wire.Reason   // the verdict of the last request that Origin.Target makes
	Notes  []wire.Reason // that are among the notes of one of its verdicts
	About  string        // what the origin does, in a line

	script  script
	tls     func(*authority) *tls.Config // nil: no TLS
	refuses bool                         // the port is bound, and nobody listens
	full    bool                         // the port's accept queue is full
	deaf    bool                         // its TCP hears nothing once it accepted
	names   string                       // the URL's host, to be looked up at a name server here
	ask     func(*validator.Target)
	tune    func(*validator.Prober)
	skip    func() string
}

// Skip says why this system cannot show f; empty: it can.
func (f *Fault) Skip() string {
	switch {
	case f.skip != nil:
		return f.skip()
	case (f.refuses || f.full || f.deaf) && !rawSockets:
		return "needs Linux sockets"
	}
	return ""
}

// Faults gives all of them: good origins, then the reasons' in the order of
// their table.
func Faults() []Fault { return append([]Fault(nil), faults...) }

// Hostile gives origins that go on without end, each with the verdict that
// stops it.
func Hostile() []Fault { return append([]Fault(nil), hostile...) }

// Lookup finds a fault by its name, hostile ones too.
func Lookup(name string) (Fault, bool) {
	for _, group := range [][]Fault{faults, hostile} {
		for _, f := range group {
			if f.Name == name {
				return f, true
			}
		}
	}
	return Fault{}, false
}

// An Origin shows its fault to everyone who asks, until Close.
type Origin struct {
	Fault Fault

	address string // of the port that is to be asked
	server  *NameServer
	close   func() // of what is not a listener
	l       net.Listener
	config  *tls.Config
	wait    sync.WaitGroup
	mu      sync.Mutex
	conns   map[net.Conn]bool // false: not yet deaf, where the fault wants it to be
	changed *sync.Cond
	closed  bool
	done    context.Context
	end     context.CancelFunc
}

// TB is what Start needs of a test: *testing.T and *testing.B have it.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
}

// Start starts the origin of that name for a test, which is skipped where this
// system cannot show it.
func Start(t TB, name string) *Origin {
	t.Helper()
	f, ok := Lookup(name)
	if !ok {
		t.Fatalf("origintest has no origin %q", name)
	}
	if why := f.Skip(); why != "" {
		t.Skipf("%s: skipped: %s", name, why)
	}
	o, err := New(f, "")
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(o.Close)
	return o
}

// New starts an origin on the address listen; empty: on a free port of
// 127.0.0.1.
func New(f Fault, listen string) (*Origin, error) {
	if why := f.Skip(); why != "" {
		return nil, fmt.Errorf("%s cannot be shown here: %s", f.Name, why)
	}
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	o := &Origin{Fault: f, conns: map[net.Conn]bool{}}
	o.changed = sync.NewCond(&o.mu)
	o.done, o.end = context.WithCancel(context.Background())
	if f.tls != nil {
		o.config = f.tls(theAuthority())
	}
	var err error
	switch {
	case f.names != "":
		if o.server, err = newNameServer(listen); err == nil {
			o.address, o.close = o.server.address, o.server.Close
		}
	case f.refuses:
		o.address, o.close, err = bindOnly(listen)
	case f.full:
		o.address, o.close, err = listenFull(listen)
	default:
		if o.l, err = net.Listen("tcp", listen); err == nil {
			o.address = o.l.Addr().String()
			o.wait.Go(o.accept)
		}
	}
	if err != nil {
		o.end()
		return nil, err
	}
	return o, nil
}

// Addr gives the address to connect to; of an origin whose fault is its name's,
// the name server's.
func (o *Origin) Addr() string { return o.address }

// URL gives what to ask for.
func (o *Origin) URL() string {
	switch {
	case o.Fault.names != "":
		return "http://" + o.Fault.names + "/"
	case o.Fault.tls != nil:
		return "https://" + o.address + "/"
	}
	return "http://" + o.address + "/"
}

// Target gives what to ask so that the fault shows.
func (o *Origin) Target() validator.Target {
	t := validator.Target{URL: o.URL(), Host: "origin.test", SNI: "origin.test"}
	if o.Fault.names != "" {
		t.Host, t.SNI = "", ""
	}
	if o.Fault.ask != nil {
		o.Fault.ask(&t)
	}
	return t
}

// Prober gives who must ask so that the fault shows, and shows soon.
func (o *Origin) Prober() *validator.Prober {
	p := &validator.Prober{TLS: &tls.Config{RootCAs: theAuthority().pool}}
	if o.server != nil {
		p.Resolver = o.server.Resolver()
	}
	if o.Fault.deaf {
		p.Connected = o.untilDeaf
	}
	if o.Fault.tune != nil {
		o.Fault.tune(p)
	}
	return p
}

// Close ends the origin and its connections, and waits for that.
func (o *Origin) Close() {
	o.end()
	if o.close != nil {
		o.close()
	}
	if o.l != nil {
		o.l.Close()
	}
	o.mu.Lock()
	o.closed = true
	for c := range o.conns {
		reset(c)
	}
	o.changed.Broadcast()
	o.mu.Unlock()
	o.wait.Wait()
}

func (o *Origin) accept() {
	for {
		c, err := o.l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue
		}
		o.mu.Lock()
		if o.closed {
			o.mu.Unlock()
			reset(c)
			return
		}
		if o.Fault.deaf {
			deafen(c.(*net.TCPConn))
		}
		o.conns[c] = true
		o.changed.Broadcast()
		o.mu.Unlock()
		o.wait.Go(func() { o.serve(c) })
	}
}

// serve plays the script on one connection.
func (o *Origin) serve(c net.Conn) {
	s := newSession(o.done, c)
	if o.config != nil && !o.Fault.script.raw() {
		s.encrypt(o.config)
	}
	s.play(o.Fault.script)
	o.mu.Lock()
	delete(o.conns, c)
	o.mu.Unlock()
}

// untilDeaf waits until the origin accepted the connection whose other side c
// is, and made it deaf.
func (o *Origin) untilDeaf(ctx context.Context, c net.Conn) error {
	stop := context.AfterFunc(ctx, o.changed.Broadcast)
	defer stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		for theirs := range o.conns {
			if theirs.RemoteAddr().String() == c.LocalAddr().String() {
				return nil
			}
		}
		if ctx.Err() != nil || o.closed {
			return context.Cause(ctx)
		}
		o.changed.Wait()
	}
}

// reset ends c with a RST.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	c.Close()
}

// tick is how long a slow origin pauses between bytes.
const tick = 20 * time.Millisecond
