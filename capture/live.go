package capture

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"sync"
	"time"
)

// A Live gives the packets of a network interface as they pass. It is for
// Linux; elsewhere OpenLive fails.
type Live struct {
	o    LiveOptions
	link LinkType
	ring *ring

	mu     sync.Mutex // held while packets are read in the ring
	data   []byte     // of the packet that Next gave last
	counts sync.Mutex
	drops  int64
	stats  Stats // of Flows
}

// LiveOptions say what a Live captures.
type LiveOptions struct {
	// Interface is "eth0", or "any" or empty for all of them. Of all, packets
	// begin with IP: flows are of no VLAN, and what passes through two
	// interfaces of this machine, as from a VLAN's to that below it, is seen
	// twice. What goes down is not told of.
	Interface string
	Origins   []Origin // whose TCP is captured, both ways, the filter being locked; none: all TCP

	Ring   int    // bytes of the ring, 256 KiB at least; 0: 32 MiB
	Snap   int    // bytes of a packet that are kept, 128 KiB at most; 0: as many
	Fanout uint16 // group of Lives that share the flows out among them; 0: none

	// Drop says that the process gives up all its capabilities, for good, once
	// the Live is open: what is open stays so. It takes a binary without cgo.
	Drop bool
}

// ErrCgo says that a process cannot give up its capabilities: it was built with
// cgo.
var ErrCgo = errors.New("a binary with cgo cannot: build it with CGO_ENABLED=0")

// A LiveError says why there is no live capture, or no more, and what to do about
// it.
type LiveError struct {
	Interface string
	Doing     string // "opening a packet socket"
	Err       error  // fs.ErrPermission, errors.ErrUnsupported or a system's error
}

func (e *LiveError) Error() string {
	s := fmt.Sprintf("no capture on %s: %s: %v", e.Interface, e.Doing, e.Err)
	switch {
	case errors.Is(e.Err, fs.ErrPermission):
		self, err := os.Executable()
		if err != nil {
			self = "why520"
		}
		s += "; it needs CAP_NET_RAW: run as root, or allow it once with: sudo setcap cap_net_raw+ep " + self +
			" (in a container: --cap-add NET_RAW)"
	case errors.Is(e.Err, errors.ErrUnsupported):
		s += "; it needs Linux: elsewhere, read a file that tcpdump -w wrote"
	case errors.Is(e.Err, down):
		s += "; the interface is down, or gone: no more packets come"
	}
	return s
}

func (e *LiveError) Unwrap() error { return e.Err }

// OpenLive begins to capture: what passes once it has returned is seen. The error
// is a *LiveError.
func OpenLive(o LiveOptions) (*Live, error) {
	if o.Interface == "" {
		o.Interface = "any"
	}
	if o.Ring <= 0 {
		o.Ring = 32 << 20
	}
	if o.Snap <= 0 {
		o.Snap = 128 << 10
	}
	l := &Live{o: o}
	if err := l.open(); err != nil {
		return nil, err
	}
	return l, nil
}

// Link says what the packets begin with.
func (l *Live) Link() LinkType { return l.link }

// Next waits for the next packet and fills p with it. Its Data is valid until
// the next call. The error is io.EOF once the Live is closed, and a *LiveError
// where no more packets will come: the interface is down, or gone.
func (l *Live) Next(p *Packet) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.next(p, time.Time{}); err != nil {
		return err
	}
	l.data = append(l.data[:0], p.Data...)
	p.Data = l.data
	return nil
}

// Drops gives how many packets were lost so far, because nobody read them in
// time.
func (l *Live) Drops() int64 {
	l.counts.Lock()
	defer l.counts.Unlock()
	l.drops += l.ring.drops()
	return l.drops
}

// Close ends the capture, a call of Next that waits, and Flows.
func (l *Live) Close() error {
	l.Drops() // the last that can be asked for
	err := l.ring.stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ring.unmap()
	return err
}

// each waits for a packet until then, the zero time being for ever, and calls f
// with what the ring holds: until that is empty for a moment, which it reports, or
// was gone through once, for it need never be. Data of a packet is valid during the
// call. The error is io.EOF once the Live is closed, os.ErrDeadlineExceeded where no
// packet came in time, and otherwise a *LiveError.
func (l *Live) each(until time.Time, f func(*Packet)) (empty bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var p Packet
	turn := l.ring.done + l.ring.blocks()
	if err := l.next(&p, until); err != nil {
		return true, err
	}
	for l.ring.done < turn {
		f(&p)
		if !l.ring.more(&p) {
			return true, nil
		}
	}
	f(&p)
	return false, nil
}

// next waits for the next packet of the ring until then. The lock is held.
func (l *Live) next(p *Packet, until time.Time) error {
	err := l.ring.next(p, until)
	if err == nil || err == io.EOF || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return &LiveError{l.o.Interface, "reading packets", err}
}

// wake ends a wait of each, and all that follow until woken was called, as if
// nothing had come until then.
func (l *Live) wake() { l.ring.wake() }

// woken reports whether wake was called since the last call.
func (l *Live) woken() bool { return l.ring.woken.Swap(false) }

// Flows gives the flows that pass, each o.Linger after its end, until the Live is
// closed; then those that are left. What is lost makes verdicts less certain.
func (l *Live) Flows(o Options) iter.Seq2[*Flow, error] {
	return func(yield func(*Flow, error) bool) {
		var over []*Flow
		t := NewTracker(o, func(f *Flow) { over = append(over, f) })
		give := func() bool {
			for _, f := range over {
				if !yield(f, nil) {
					return false
				}
			}
			over = over[:0]
			return true
		}
		t.Lost(l.Drops())
		const tick = 5 * time.Millisecond
		for {
			empty, err := l.each(time.Now().Add(tick), t.Packet)
			if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Close()
				l.tell(t.Stats())
				if give() && err != io.EOF {
					yield(nil, err)
				}
				return
			}
			t.Lost(l.Drops())
			l.tell(t.Stats())
			if empty {
				t.Advance(time.Now().Add(-2 * tick)) // what the kernel has not given yet may be older
			}
			if !give() {
				return
			}
		}
	}
}

// Stats gives the counts of Flows so far.
func (l *Live) Stats() Stats {
	l.counts.Lock()
	defer l.counts.Unlock()
	return l.stats
}

func (l *Live) tell(s Stats) {
	l.counts.Lock()
	defer l.counts.Unlock()
	l.stats = s
}
