package capture

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// A Watch captures one connection of this process.
//
//	w := tap.Watch()
//	defer w.Close()
//	d := net.Dialer{ControlContext: w.Control}
//	c, err := d.DialContext(ctx, "tcp", address) // refused or not, it is captured
//	...
//	flow := w.Flow()
type Watch struct {
	tap    *Tap
	source netip.Addr // to bind to; the zero Addr: what the system chooses
	asking bool       // the exchange is over once the client closes: what follows is not of it

	mu      sync.Mutex
	ends    ends // valid iff armed
	armed   bool
	since   int64 // nanoseconds since 1970: its SYN comes later
	tracker *Tracker
	flow    *Flow // valid once the tracker gave it
	packets int
	before  int64         // packets that the capture had lost when it was armed
	flags   [2]uint8      // that both sides have sent
	changed chan struct{} // a FIN or a reset came
}

// Watch makes a Watch for a connection that is to be made.
func (t *Tap) Watch() *Watch {
	w := &Watch{tap: t, changed: make(chan struct{}, 1)}
	return w
}

// Control is a net.Dialer's ControlContext: before the socket connects, it is
// bound to a local port, and the connection that it will make is watched. It must
// be called once; a Dialer with it must have no LocalAddr and be given an IP
// address or a name that has one alone.
func (w *Watch) Control(ctx context.Context, _, address string, c syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	from := w.source
	if !from.IsValid() {
		if from, err = sourceTo(ctx, address); err != nil {
			return nil // no way there: connect will say so
		}
	}
	at, err := bind(c, from)
	if err != nil {
		return os.NewSyscallError("bind", err)
	}
	return w.arm(at, to)
}

// sourceTo gives the local address that packets to address leave from; none is
// sent.
func sourceTo(ctx context.Context, address string) (netip.Addr, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "udp", address)
	if err != nil {
		return netip.Addr{}, err
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

func (w *Watch) arm(client, origin netip.AddrPort) error {
	plain := func(a netip.AddrPort) netip.AddrPort {
		return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
	}
	w.mu.Lock()
	if w.armed {
		w.mu.Unlock()
		return errors.New("a Watch is for one connection")
	}
	w.armed, w.since = true, time.Now().UnixNano()
	w.ends = ends{plain(client), plain(origin)}
	w.before = w.tap.live.Drops()
	w.tracker = NewTracker(Options{
		Origins: []Origin{{w.ends.origin.Addr(), w.ends.origin.Port()}},
		Policy:  w.tap.o.Policy, Deadlines: w.tap.o.Deadlines, All: true, Flows: 16,
	}, func(f *Flow) {
		if w.flow == nil {
			w.flow = f
		}
	})
	w.mu.Unlock() // the Tap's lock comes first
	return w.tap.arm(w, w.ends)
}

// take takes a packet that side sent.
func (w *Watch) take(p *Packet, side int, flags uint8) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.packets++
	w.flags[side] |= flags
	if w.flow == nil && (!w.asking || w.flags[client]&(FIN|RST) == 0) {
		w.tracker.Packet(p)
	}
	if flags&(FIN|RST) != 0 {
		select {
		case w.changed <- struct{}{}:
		default:
		}
	}
}

// Flow gives the connection's flow as far as it came; nil: no packet of it was
// seen. The connection is to be closed before: Flow waits until the capture has
// shown that, which is a matter of a few milliseconds, or a reset of the origin
// and, for the time of the Tap's Late, what follows it, for that shows who sent
// it. What comes later is not in the flow.
func (w *Watch) Flow() *Flow {
	w.await()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.tracker == nil {
		return w.flow
	}
	lost := w.tap.live.Drops() - w.before
	w.tracker.Lost(lost)
	w.tracker.Advance(time.Now())
	w.tracker.Close()
	return w.flow
}

// longest is how long the end of a connection is waited for, which will not come
// if the connection was never made, or does not pass where is captured.
const longest = 20 * time.Millisecond

// await waits for late packets.
func (w *Watch) await() {
	began := time.Now()
	for {
		wanted := w.wanted()
		if wanted == 0 {
			return
		}
		late := time.NewTimer(time.Until(began.Add(wanted)))
		select {
		case <-late.C:
			w.tap.sweep()
			return
		case <-w.tap.done:
			late.Stop()
			return
		case <-w.changed:
			late.Stop()
		}
	}
}

// wanted says for how long late packets are waited for, as things stand.
func (w *Watch) wanted() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case !w.armed || w.flow != nil:
		return 0
	case w.flags[origin]&RST != 0:
		return w.tap.o.Late
	case w.flags[client]&(FIN|RST) != 0:
		return 0
	}
	return max(longest, w.tap.o.Late)
}

// Close ends the watch.
func (w *Watch) Close() {
	w.mu.Lock()
	armed := w.armed
	w.mu.Unlock()
	if armed {
		w.tap.disarm(w, w.ends)
	}
}

// unseen says that the capture saw nothing.
func (w *Watch) unseen() string {
	select {
	case <-w.tap.done:
		if w.tap.ended != nil {
			return w.tap.ended.Error()
		}
	default:
	}
	return fmt.Sprintf("no packet of the connection was seen on %s", w.tap.live.o.Interface)
}
