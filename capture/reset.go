package capture

// A reset is a segment with RST, with what stood around it when it came.
type reset struct {
	next    uint32 // number of the next reset of the flow; 0: none
	seq     uint32
	ack     uint32
	due     uint32    // of its sender: sequence number that was due
	max     uint32    // end of what its sender had sent
	acked   uint32    // of its sender: what the receiver had acknowledged
	edge    uint32    // of its sender: end of the widest window that it had been given; valid iff heeded
	ends    [2]uint32 // where its sender's segments had ended
	time    int64
	window  uint16
	usual   uint16 // of its sender: window of the segment before
	id      uint16
	lastID  uint16 // of its sender: IP identification of the segment before
	packets uint32 // of the flow so far
	ttl     uint8
	version uint8
	flags   uint8
	header  uint8
	side    uint8 // that claims to be its sender
	resent  uint8 // of its sender: how often it had sent something again since its peer's last packet
	stamped bool
	closed  bool // both sides had closed
	peer    bool // its receiver had
	opened  bool // the origin's SYN had been seen
	heeded  bool // acked and edge are valid
	after   after
}

// after is what followed a reset.
type after uint8

const (
	sentOn     after = 1 << iota // its sender sent payload or a FIN that lies behind it
	movedOn                      // the receiver acknowledged what lies behind it
	challenged                   // the receiver answered with an acknowledgement that acknowledges nothing new
	answered                     // the sender's SYN-ACK came: it had refused nothing
	repeated                     // challenged, below it: the receiver had not yet all that came before it
)

// mostResets is how many resets of a flow are kept.
const mostResets = 8

// reset takes a reset that side d claims to have sent.
func (t *Tracker) reset(n uint32, f *record, d int, s *Segment) {
	h, peer := &f.side[d], &f.side[1-d]
	count := 0
	at := &t.makeAside(f).resets
	for *at != 0 {
		at = &t.resets.at(*at).next
		count++
	}
	if count < mostResets {
		*at = t.resets.take()
		r := t.resets.at(*at)
		*r = reset{
			seq: s.Seq, ack: s.Ack, due: h.next, max: h.max, acked: h.acked, edge: h.edge, ends: h.ends, time: t.now,
			window: s.Window, usual: h.window, id: s.ID, lastID: h.id, packets: f.packets,
			ttl: s.TTL, version: s.Version, flags: s.Flags, header: s.Header, side: uint8(d), resent: h.resent(), stamped: s.Stamped,
			closed: h.is(finished) && peer.is(finished), peer: peer.is(finished), opened: f.side[origin].is(synchronized), heeded: h.is(acknowledged),
		}
		if h.is(finished) && s.Seq == h.fin+1 {
			r.due = s.Seq
		}
	}
	t.end(n, f)
}

// dropResets frees the resets of f.
func (t *Tracker) dropResets(f *record) {
	a := t.aside(f)
	for n := a.resets; n != 0; {
		next := t.resets.at(n).next
		t.resets.put(n)
		n = next
	}
	a.resets = 0
}

// behindReset notes what s of side d says of the resets before it.
func (t *Tracker) behindReset(f *record, d int, s *Segment) {
	for n := t.aside(f).resets; n != 0; {
		r := t.resets.at(n)
		n = r.next
		if int(r.side) == d {
			end := s.Seq + uint32(s.Length)
			if s.Flags&FIN != 0 {
				end++
			}
			switch {
			case s.Flags&SYN != 0 && !r.opened:
				r.after |= answered
			case end != s.Seq && int32(end-r.seq) > 0 && s.Flags&SYN == 0:
				r.after |= sentOn
			}
			continue
		}
		if s.Flags&(ACK|SYN) != ACK {
			continue
		}
		switch {
		case int32(s.Ack-r.seq) > 0 && int32(s.Ack-r.seq) < farthest:
			r.after |= movedOn
		case s.Length == 0 && s.Flags&FIN == 0:
			r.after |= challenged
			if r.heeded && s.Ack == r.acked && r.seq != s.Ack {
				r.after |= repeated
			}
		}
	}
}

// aim says where in the sequence space of its receiver a reset lies.
type aim uint8

const (
	outside  aim = iota // its receiver drops it
	inWindow            // its receiver answers with a challenge ACK (RFC 5961 section 3.2)
	exact               // its receiver obeys
)

// aim says where r lies, now that the whole flow was seen. Segments may be under
// way that the receiver has not acknowledged, or acknowledged without our having
// seen it: so the end of every earlier segment counts as exact, as netfilter has
// it.
func (r *reset) aim(f *record) aim {
	h, peer := &f.side[r.side], &f.side[1-r.side]
	if r.side == origin && !h.is(synchronized) && !f.has(joined) || r.side == origin && !r.opened && !f.has(joined) {
		// It answers the SYN (RFC 9293 section 3.10.7.3): it must acknowledge that.
		if r.flags&ACK != 0 && peer.is(synchronized) && int32(r.ack-peer.iss) > 0 && int32(r.ack-peer.max) <= 0 {
			return exact
		}
		return outside
	}
	if !h.is(known) || r.heeded && int32(r.seq-r.acked) < 0 {
		return outside
	}
	switch r.seq {
	case r.due, r.max, h.next, h.max, r.ends[0], r.ends[1]:
		return exact
	}
	if h.is(acknowledged) && (r.seq == h.acked || r.seq == r.acked) || h.is(finished) && r.seq == h.fin+1 {
		return exact
	}
	left, edge := h.next, r.max+slack
	if h.is(acknowledged) {
		left = h.acked
	}
	if r.heeded {
		edge = r.edge
	}
	if int32(r.seq-left) >= 0 && int32(edge-r.seq) >= 0 {
		return inWindow
	}
	return outside
}

// counts reports whether r ended f for its receiver, and was no more than
// the end of one that both sides had closed.
func (t *Tracker) counts(f *record, r *reset) bool {
	h, peer := &f.side[r.side], &f.side[1-r.side]
	switch {
	case f.has(joined), r.closed, r.after&(movedOn|answered) != 0:
		return false
	case h.is(finished) && peer.is(finished) && int32(r.seq-h.fin) > 0:
		return false
	}
	switch r.aim(f) {
	case exact:
		return r.after&repeated == 0
	case inWindow:
		// The receiver would have challenged it, unless what came before it is
		// missing in the capture only.
		return r.after&(challenged|sentOn) == 0 && (f.has(lossy) || t.aside(f).piece[r.side] != 0) && peer.is(known)
	}
	return false
}

// over reports whether f is over.
func (t *Tracker) over(f *record) bool {
	if f.side[client].is(closed) && f.side[origin].is(closed) {
		return true
	}
	return t.counted(f) != nil
}

// counted gives the first reset that counts.
func (t *Tracker) counted(f *record) *reset {
	for n := t.aside(f).resets; n != 0; {
		r := t.resets.at(n)
		if t.counts(f, r) {
			return r
		}
		n = r.next
	}
	return nil
}
