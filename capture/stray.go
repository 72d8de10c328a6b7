package capture

// A stray is a segment that lies nowhere near what its side sends.
type stray struct{ end, ack uint32 }

const straySize = 8 // bytes that are counted for one

// astray takes a segment of side d that lies nowhere near what is due. It reports
// whether the flow went on there all the same: that is so where both sides say
// the same of numbers that are far from those of before, and the capture has a gap.
func (t *Tracker) astray(f *record, d int, s *Segment) bool {
	h, peer := &f.side[d], &f.side[1-d]
	if s.Flags&ACK == 0 || !h.is(known) || !peer.is(known) {
		return false
	}
	if n := t.aside(f).stray[1-d]; n != 0 {
		if o := t.strays.at(n); apart(s.Ack, o.end) <= farthest && apart(s.Seq, o.ack) <= farthest {
			t.dropStrays(f)
			t.resume(f, d, s.Seq)
			t.resume(f, 1-d, s.Ack)
			return true
		}
	}
	n := t.aside(f).stray[d]
	if n == 0 {
		if t.bytes+straySize > t.o.Buffer || t.strays.used()*straySize > t.o.Buffer/8 {
			return false
		}
		n = t.strays.take()
		t.makeAside(f).stray[d] = n
		t.bytes += straySize
	}
	*t.strays.at(n) = stray{s.Seq + uint32(s.Length), s.Ack}
	return false
}

func (t *Tracker) dropStrays(f *record) {
	a := t.aside(f)
	for d, n := range a.stray {
		if n != 0 {
			t.strays.put(n)
			t.bytes -= straySize
			a.stray[d] = 0
		}
	}
}

// apart gives how far two sequence numbers are apart.
func apart(a, b uint32) uint32 { return min(a-b, b-a) }

// beyond takes s, which side d sent, and which acknowledges what its peer cannot
// have come to; unless the capture has a gap, as a segment shows that is due itself,
// or one of the peer's that lies there.
func (t *Tracker) beyond(f *record, d int, s *Segment) {
	h, peer := &f.side[d], &f.side[1-d]
	if !h.is(known) || !peer.is(known) {
		return
	}
	n := t.aside(f).stray[1-d]
	if s.Seq == h.next || n != 0 && apart(s.Ack, t.strays.at(n).end) <= farthest {
		t.resume(f, 1-d, s.Ack)
	}
}

// resume says that side d has come to that number, and that the capture has not
// what is before it.
func (t *Tracker) resume(f *record, d int, at uint32) {
	h := &f.side[d]
	t.giveUp(f, d)
	if h.is(finished) {
		f.unfinish(d)
	}
	if n := int(at - h.next); n > 0 {
		t.deliver(f, d, nil, n)
	}
	h.max, h.ends = at, [2]uint32{at, at}
	h.state |= acknowledged
	h.acked, h.edge = at, at
}
