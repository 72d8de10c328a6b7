package captest

import (
	"container/heap"
	"iter"
	"math/rand/v2"
	"net/netip"
	"time"

	"why520/wire"
)

// Truth is what a reader of the capture should say of a flow.
type Truth struct {
	Reason    wire.Reason // OK: nothing is refused
	ResetBy   string      // origin, client, injected, or empty
	Stage     string      // where it ended
	Handshake string      // complete, partial, none, unseen
	Notes     []wire.Reason
}

// A Class is a kind of flow.
type Class struct {
	Name   string
	Truth  Truth
	script func(*talk)
}

// A Flow is one flow of a capture.
type Flow struct {
	Class          *Class
	Client, Origin netip.AddrPort
	Frames         []Frame
}

// Options say what is made.
type Options struct {
	Seed    uint64
	Flows   int
	Begin   int64         // of the capture, nanoseconds since 1970; 0: 1767225600 seconds
	Spacing time.Duration // between the beginnings of flows; 0: 1 ms
	Only    string        // a class; empty: all, in turn
	Clean   int           // sound flows for each flow of the classes; they are short and plain
	Content int           // bytes of content of these, on average; 0: 2000
}

// Classes gives all classes.
func Classes() []Class {
	var all []Class
	for _, table := range [][]Class{sound, connections, resets, injections, ends, silences, encrypted, sequences, strays, unseen, gaps, astray, reused, doubted, late} {
		all = append(all, table...)
	}
	return all
}

// Flows gives flows in the order in which they begin.
func Flows(o Options) iter.Seq[*Flow] {
	if o.Begin == 0 {
		o.Begin = 1767225600e9
	}
	if o.Spacing == 0 {
		o.Spacing = time.Millisecond
	}
	if o.Content == 0 {
		o.Content = 2000
	}
	classes := Classes()
	if o.Only != "" {
		var only []Class
		for _, c := range classes {
			if c.Name == o.Only {
				only = append(only, c)
			}
		}
		classes = only
	}
	return func(yield func(*Flow) bool) {
		for i := range o.Flows {
			r := rand.New(rand.NewPCG(o.Seed, uint64(i)))
			class := &classes[i/(o.Clean+1)%len(classes)]
			if i%(o.Clean+1) != 0 {
				class = plain(o.Content)
			}
			if !yield(class.flow(r, i, o.Begin+int64(i)*int64(o.Spacing))) {
				return
			}
		}
	}
}

// flow makes flow i, which has addresses of its own.
func (c *Class) flow(r *rand.Rand, i int, begin int64) *Flow {
	t := &talk{Rand: r, now: begin, step: 200 * time.Microsecond, stamped: r.IntN(4) > 0}
	port := uint16(20000 + i%40000)
	from := netip.AddrFrom4([4]byte{192, 0, byte(2 + i/40000), byte(1 + r.IntN(250))})
	to := netip.AddrFrom4([4]byte{198, 51, 100, byte(1 + r.IntN(8))})
	if r.IntN(10) == 0 {
		from = netip.AddrFrom16([16]byte{0: 0x20, 1: 1, 2: 0x0D, 3: 0xB8, 13: byte(i / 40000), 15: byte(1 + r.IntN(250))})
		to = netip.AddrFrom16([16]byte{0: 0x20, 1: 1, 2: 0x0D, 3: 0xB8, 7: 1, 15: byte(1 + r.IntN(8))})
	}
	if r.IntN(50) == 0 {
		t.vlan = uint16(1 + r.IntN(4000))
	}
	t.client = &endpoint{netip.AddrPortFrom(from, port), 64, uint16(r.Uint32()), r.Uint32(), 502}
	t.origin = &endpoint{netip.AddrPortFrom(to, 80), uint8(45 + r.IntN(12)), uint16(1 + r.IntN(60000)), r.Uint32(), 509}
	c.script(t)
	return &Flow{c, t.client.address, t.origin.address, t.frames}
}

// Merge gives the frames of flows in the order of time. It holds the flows that
// overlap, no more.
func Merge(flows iter.Seq[*Flow]) iter.Seq[*Frame] {
	return func(yield func(*Frame) bool) {
		var open pending
		for f := range flows {
			begin := f.Frames[0].Time
			for len(open) > 0 && open[0][0].Time <= begin {
				if !open.next(yield) {
					return
				}
			}
			heap.Push(&open, f.Frames)
		}
		for len(open) > 0 {
			if !open.next(yield) {
				return
			}
		}
	}
}

// pending is a heap of frames of flows, by the time of their first.
type pending [][]Frame

func (p pending) Len() int           { return len(p) }
func (p pending) Less(i, j int) bool { return p[i][0].Time < p[j][0].Time }
func (p pending) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *pending) Push(x any)        { *p = append(*p, x.([]Frame)) }
func (p *pending) Pop() any {
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last
}

// next gives the earliest frame.
func (p *pending) next(yield func(*Frame) bool) bool {
	first := &(*p)[0][0]
	if (*p)[0] = (*p)[0][1:]; len((*p)[0]) == 0 {
		heap.Pop(p)
	} else {
		heap.Fix(p, 0)
	}
	return yield(first)
}
