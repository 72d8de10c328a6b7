package capture

import "time"

// A Passed is a packet of a flow as it passed.
type Passed struct {
	Time       time.Time
	FromOrigin bool  // or in its name
	Flags      uint8 // of its TCP header
	Seq, Ack   uint32
	Length     int // of its payload, in bytes
	Skipped    int // packets before it that were not kept
}

// A trace is the first packets of a flow, and the last ones: the second half of
// kept is a ring once it is full. Where there was no room, kept is not full, and
// holds the first ones.
type trace struct {
	kept  []sighting
	count int // packets that passed
}

// A sighting is what is kept of a packet.
type sighting struct {
	time     int64
	seq, ack uint32
	length   uint32
	side     uint8
	flags    uint8
}

const sightingSize = 24 // bytes that are counted for one

// sight keeps what passed, where there is room.
func (t *Tracker) sight(f *record, d int, s *Segment) {
	n := t.aside(f).trace
	if n == 0 {
		if f.packets > 0 || t.traced+sightingSize > t.o.Buffer/2 {
			return
		}
		n = t.traces.take()
		t.makeAside(f).trace = n
	}
	c := t.traces.at(n)
	seen := sighting{t.now, s.Seq, s.Ack, uint32(s.Length), uint8(d), s.Flags}
	switch first := t.o.Trace / 2; {
	case len(c.kept) == t.o.Trace:
		c.kept[first+(c.count-first)%(t.o.Trace-first)] = seen
	case len(c.kept) == c.count && t.traced+sightingSize <= t.o.Buffer/2: // else there was no room before
		c.kept = append(c.kept, seen)
		t.traced += sightingSize
	}
	c.count++
}

// unsee frees the trace of f.
func (t *Tracker) unsee(f *record) {
	a := t.aside(f)
	if a.trace == 0 {
		return
	}
	c := t.traces.at(a.trace)
	t.traced -= sightingSize * len(c.kept)
	c.kept, c.count = nil, 0 // what is held is what is counted
	t.traces.put(a.trace)
	a.trace = 0
}

// passed gives the trace of f.
func (t *Tracker) passed(f *record) []Passed {
	n := t.aside(f).trace
	if n == 0 {
		return nil
	}
	c := t.traces.at(n)
	all := make([]Passed, 0, len(c.kept))
	first, ring := t.o.Trace/2, t.o.Trace-t.o.Trace/2
	full := len(c.kept) == t.o.Trace
	for i := range c.kept {
		at := i
		if full && i >= first {
			at = first + (c.count-first+i-first)%ring
		}
		k := &c.kept[at]
		p := Passed{
			Time: time.Unix(0, k.time).UTC(), FromOrigin: k.side == origin, Flags: k.flags,
			Seq: k.seq, Ack: k.ack, Length: int(k.length),
		}
		if full && i == first {
			p.Skipped = c.count - len(c.kept)
		}
		all = append(all, p)
	}
	return all
}
