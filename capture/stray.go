package capture

// A stray is a segment that lies nowhere near what its side sends.
type stray struct {
	end, ack uint32
	by       int // side that sent it
}

const straySize = 16 // bytes that are counted for one

// astray takes a segment of side d that lies nowhere near what is due. It reports
// whether the flow went on there all the same: that is so where both sides say
// the same of numbers that are far from those of before, and the capture has a gap.
func (t *Tracker) astray(f *record, d int, s *Segment) bool {
	h, peer := &f.side[d], &f.side[1-d]
	switch {
	case s.Flags&ACK == 0 || !h.is(known) || !peer.is(known):
		return false
	case f.stray != 0:
		if o := t.strays.at(f.stray); o.by != d && apart(s.Ack, o.end) <= farthest && apart(s.Seq, o.ack) <= farthest {
			t.dropStray(f)
			t.resume(f, d, s.Seq)
			t.resume(f, 1-d, s.Ack)
			return true
		}
	case t.bytes+straySize > t.o.Buffer, t.strays.used()*straySize > t.o.Buffer/8:
		return false
	default:
		f.stray = t.strays.take()
		t.bytes += straySize
	}
	*t.strays.at(f.stray) = stray{s.Seq + uint32(s.Length), s.Ack, d}
	return false
}

func (t *Tracker) dropStray(f *record) {
	if f.stray != 0 {
		t.strays.put(f.stray)
		t.bytes -= straySize
		f.stray = 0
	}
}

// apart gives how far two sequence numbers are apart.
func apart(a, b uint32) uint32 { return min(a-b, b-a) }

// beyond takes s, which side d sent, and which acknowledges what its peer cannot
// have come to; unless the capture has a gap, as a segment shows that is due itself.
func (t *Tracker) beyond(f *record, d int, s *Segment) {
	if h := &f.side[d]; s.Seq == h.next && h.is(known) && f.side[1-d].is(known) {
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
		f.marks |= lossy
	}
	h.max, h.ends = at, [2]uint32{at, at}
	h.state |= acknowledged
	h.acked, h.edge = at, at
}
