package capture

// meaning says what a SYN is to a flow that exists.
type meaning uint8

const (
	taken   meaning = iota
	another         // it begins another flow between the same ports
	ignored
)

// synchronize takes the SYN of side d.
func (t *Tracker) synchronize(f *record, d int, s *Segment) meaning {
	h, peer := &f.side[d], &f.side[1-d]
	switch {
	case s.Flags&ACK != 0 && t.answersRival(f, d, s):
		return another
	case h.is(synchronized) && h.iss == s.Seq:
		h.tries += btoi(h.syns() < 15)
		return taken
	case s.Flags&ACK != 0 && (h.is(synchronized) || peer.is(synchronized) && !peer.sent(s.Ack)):
		return ignored
	case s.Flags&ACK != 0 && peer.is(synchronized): // it answers that: what came in its sender's name before was another's
		if h.is(known) && h.next-uint32(h.total.count())-(s.Seq+1) > slack {
			f.unfinish(d)
			h.state &^= known | acknowledged
			h.total = long{}
		}
	case f.has(joined) && s.Flags&ACK == 0 && h.seen() == 0:
		return another // what came before is of an older one
	case h.is(synchronized), h.is(known) && uint32(h.next-s.Seq-1) > farthest:
		if f.has(queued) || d == client && !peer.is(known) {
			return another
		}
		return t.rivalled(f, d, s)
	}
	h.iss, f.spoke[d] = s.Seq, t.now
	h.tries += btoi(h.syns() < 15)
	h.state |= synchronized
	f.marks &^= joined
	if !h.is(known) {
		h.begin(s.Seq + 1)
	}
	h.scale = 0
	if s.Scaled {
		h.scale = s.Scale
	} else {
		peer.scale = 0 // both must have the option (RFC 7323 section 2.2)
	}
	if s.Stamped {
		h.state |= stamped
	}
	if s.Flags&ACK != 0 && !peer.is(known) { // its SYN was not captured
		peer.begin(s.Ack)
	}
	return taken
}

// A rival is a SYN that came while another flow between its ports was not over,
// as far as one could see: that has lost its end, or somebody forged the SYN.
type rival struct {
	segment    Segment // without payload
	time       int64
	by         int  // side that sent it
	challenged bool // the peer answered as the old flow would (RFC 5961 section 4.2)
}

const (
	rivalSize = 128   // bytes that are counted for one
	again     = 100e6 // nanoseconds after which a SYN that comes again was sent again
)

// rivalled takes a SYN of side d that may begin another flow. If it comes again,
// and the old flow gave no sign of life, it does.
func (t *Tracker) rivalled(f *record, d int, s *Segment) meaning {
	n := t.aside(f).rival
	if n != 0 {
		r := t.rivals.at(n)
		if r.by == d && r.segment.Seq == s.Seq {
			if !r.challenged && t.now-r.time >= again {
				return another
			}
			return ignored
		}
	} else {
		if t.bytes+rivalSize > t.o.Buffer || t.rivals.used()*rivalSize > t.o.Buffer/8 {
			return ignored
		}
		n = t.rivals.take()
		t.makeAside(f).rival = n
		t.bytes += rivalSize
	}
	r := t.rivals.at(n)
	*r = rival{segment: *s, time: t.now, by: d}
	r.segment.Payload = nil
	return ignored
}

// answersRival reports whether s, which side d sent, acknowledges the SYN of a
// rival: then there is a flow that begins with that.
func (t *Tracker) answersRival(f *record, d int, s *Segment) bool {
	n := t.aside(f).rival
	if n == 0 {
		return false
	}
	r := t.rivals.at(n)
	return r.by != d && s.Ack-r.segment.Seq-1 <= uint32(r.segment.Length)
}

// outlives notes what a segment of the old flow says of its rival: whose SYN it
// was claimed to be would not go on as before.
func (t *Tracker) outlives(f *record, d int, s *Segment) {
	n := t.aside(f).rival
	if n == 0 || s.Flags&SYN != 0 {
		return
	}
	switch r := t.rivals.at(n); {
	case r.by == d:
		t.dropRival(f)
	case s.Length == 0:
		r.challenged = true
	}
}

func (t *Tracker) dropRival(f *record) {
	if a := t.aside(f); a.rival != 0 {
		t.rivals.put(a.rival)
		t.bytes -= rivalSize
		a.rival = 0
	}
}

// renew ends flow n, and begins the one of its rival, if that is the one of s.
func (t *Tracker) renew(n uint32, f *record, s *Segment) {
	var r rival
	if n := t.aside(f).rival; n != 0 {
		r = *t.rivals.at(n)
	}
	t.finish(n)
	if r.time == 0 || s.Flags&(SYN|ACK) == SYN && s.Seq != r.segment.Seq {
		return
	}
	now := t.now
	t.now = r.time
	t.take(&r.segment)
	t.now = now
}
