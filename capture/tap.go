package capture

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"why520/validator"
)

// A Tap captures around connections that this process makes. It may be used by
// many goroutines at once.
type Tap struct {
	live *Live
	o    TapOptions
	done chan struct{} // closed when the packets have ended

	mu       sync.Mutex
	watches  map[ends][]*Watch // of one pair of ends, more than one only while a port is used again
	filtered []Origin          // that the filter takes
	file     *Writer           // nil: nobody asked
	failed   error             // of writing

	segment Segment

	sweeping sync.Mutex
	swept    chan struct{} // told when a sweep is done
	ended    error         // why there are no more packets; valid once done is closed, nil: Close was called
}

// TapOptions say how a Tap works. The zero TapOptions are useful.
type TapOptions struct {
	Policy    validator.Policy    // that responses are read under
	Deadlines validator.Deadlines // silence of the origin that counts as its timeout; zero: the defaults of a Prober

	// Late is how long what follows a reset is waited for, once an exchange is
	// over. 0: 6 ms.
	Late time.Duration

	// Pcap, if set, gets all packets of the connections, as pcapng.
	Pcap io.Writer
}

// ends are those of a connection.
type ends struct{ client, origin netip.AddrPort }

// NewTap makes a Tap of a Live, which is the Tap's from then on. If the Live has
// no Origins, its filter takes the addresses alone that are connected to.
func NewTap(l *Live, o TapOptions) (*Tap, error) {
	if o.Late == 0 {
		o.Late = 6 * time.Millisecond
	}
	t := &Tap{live: l, o: o, done: make(chan struct{}), watches: map[ends][]*Watch{}, swept: make(chan struct{})}
	if o.Pcap != nil {
		file, err := NewWriter(o.Pcap, l.o.Interface, l.link)
		if err != nil {
			return nil, err
		}
		t.file = file
	}
	if len(l.o.Origins) == 0 {
		if err := l.only(nobody); err != nil {
			return nil, &LiveError{l.o.Interface, "setting the filter", err}
		}
	}
	go t.run()
	return t, nil
}

// run takes packets until there will be no more.
func (t *Tap) run() {
	defer close(t.done)
	for {
		asked, until := t.live.woken(), time.Time{}
		if asked { // for what is there, without waiting
			until = time.Unix(1, 0)
		}
		switch _, err := t.live.each(until, t.packet); {
		case err == io.EOF:
			return
		case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
			t.ended = err
			return
		}
		if asked {
			t.swept <- struct{}{}
		}
	}
}

// sweep waits until all is taken that the ring has by now: on a busy machine,
// that may come after any time that one would wait.
func (t *Tap) sweep() {
	t.sweeping.Lock()
	defer t.sweeping.Unlock()
	t.live.wake()
	select {
	case <-t.swept:
	case <-t.done:
	}
}

// packet gives p to the connection that it is of, if that is watched.
func (t *Tap) packet(p *Packet) {
	s := &t.segment
	if s.Decode(p) != IsTCP {
		return
	}
	from, to := s.SourceAddress(), s.DestinationAddress()
	t.mu.Lock()
	defer t.mu.Unlock()
	e, side := ends{from, to}, client
	of := t.watches[e]
	if of == nil {
		e, side = ends{to, from}, origin
		if of = t.watches[e]; of == nil {
			return
		}
	}
	if len(of) > 1 && side == client && s.Flags&SYN != 0 && p.Time >= of[1].since {
		of = of[1:]
		t.watches[e] = of
	}
	if t.file != nil && t.failed == nil {
		t.failed = t.file.Write(p)
	}
	of[0].take(p, side, s.Flags)
}

// nobody is an origin that no packet has.
var nobody = []Origin{{Address: netip.IPv6Unspecified()}}

// mostFiltered is how many addresses the filter tells apart; with more, it takes
// all TCP.
const mostFiltered = 64

// arm begins to watch the connection between e for w.
func (t *Tap) arm(w *Watch, e ends) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.watches[e] = append(t.watches[e], w)
	fixed := t.live.o.Origins
	if len(fixed) > 0 {
		if !slices.ContainsFunc(fixed, func(o Origin) bool {
			return o.Address.Unmap().WithZone("") == e.origin.Addr() && (o.Port == 0 || o.Port == e.origin.Port())
		}) {
			t.remove(w, e)
			return fmt.Errorf("the capture was opened for other origins than %v", e.origin)
		}
		return nil
	}
	if slices.Contains(t.filtered, Origin{Address: e.origin.Addr()}) {
		return nil
	}
	var origins []Origin
	for e := range t.watches {
		if o := (Origin{Address: e.origin.Addr()}); !slices.Contains(origins, o) {
			origins = append(origins, o)
		}
		if len(origins) > mostFiltered {
			origins = nil
			break
		}
	}
	t.filtered = origins
	return t.live.only(origins)
}

// disarm ends the watch of w over the connection between e.
func (t *Tap) disarm(w *Watch, e ends) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(w, e)
}

func (t *Tap) remove(w *Watch, e ends) {
	left := slices.DeleteFunc(t.watches[e], func(other *Watch) bool { return other == w })
	if len(left) == 0 {
		delete(t.watches, e)
		return
	}
	t.watches[e] = left
}

// Drops gives how many packets the capture lost so far.
func (t *Tap) Drops() int64 { return t.live.Drops() }

// Close ends the capture. The error is one of writing to Pcap, or a *LiveError
// where the capture had ended before.
func (t *Tap) Close() error {
	err := t.live.Close()
	<-t.done
	err = cmp.Or(t.ended, err)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == nil {
		return err
	}
	for _, last := range []func() error{func() error { return t.file.Drops(t.live.Drops()) }, t.file.Flush} {
		if t.failed == nil {
			t.failed = last()
		}
	}
	if t.failed != nil {
		return t.failed
	}
	return err
}
