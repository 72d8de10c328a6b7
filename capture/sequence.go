package capture

// Sequence numbers are compared by their difference as an int32, so that they
// may wrap (RFC 9293 section 3.4).

const (
	farthest = 1 << 26 // bytes that numbers may be apart where no window says more
	slack    = 1 << 16 // bytes beyond its receiver's window that a segment may lie: the capture may be late to see that grow
)

// begin says that the number of the first byte that h sends, or that is known of
// it, is next.
func (h *half) begin(next uint32) {
	h.state |= known
	h.next, h.max, h.ends = next, next, [2]uint32{next, next}
}

// near reports whether s, which side d sent and which is not the next in order,
// lies where its receiver may take it (RFC 9293 section 3.10.7.4), or took it
// before. What does not is of another connection, or of nobody; or the capture
// has a gap.
func (f *record) near(d int, s *Segment) bool {
	h, peer := &f.side[d], &f.side[1-d]
	off := int64(int32(s.Seq - h.next))
	switch {
	case !h.is(known): // its SYN was not seen: does it know that of its peer?
		return !peer.is(synchronized) || s.Flags&ACK != 0 && peer.sent(s.Ack)
	case off < 0:
		return off >= -farthest
	case !h.is(acknowledged):
		return off <= farthest
	}
	room := max(slack, int64(int32(h.edge-h.acked)))
	return off+int64(s.Length) <= int64(int32(h.edge-h.next))+room
}

// sent reports whether ack acknowledges what h, whose SYN was seen, may have sent.
func (h *half) sent(ack uint32) bool {
	return int32(ack-h.iss) > 0 && int32(ack-h.max) <= slack
}

// widest is the largest window scale, taken where that is not known (RFC 7323
// section 2.3).
const widest = 14

// acknowledge takes an acknowledgement of what h sent, and the window beyond it.
// It reports whether that is a number that h cannot have come to.
func (h *half) acknowledge(ack, window uint32) (beyond bool) {
	edge := ack + window
	if !h.is(acknowledged) {
		if h.is(known) && apart(ack, h.max) > farthest {
			return true
		}
		h.state |= acknowledged
		h.acked, h.edge = ack, edge-1
	}
	ahead := int32(ack - h.acked)
	if ahead < 0 {
		return ahead < -farthest
	}
	if int32(edge-h.edge) > 0 {
		if int32(ack-h.edge) > slack && !(h.is(known) && int32(h.max-ack) >= 0) { // others that moved it may be missing
			return true
		}
		h.edge = edge
	}
	if h.acked = ack; ahead > 0 {
		h.state &^= retried
	}
	if h.is(finished) && int32(ack-h.fin) > 0 {
		h.state |= finAcked
	}
	return false
}

// payload takes what s of side d carries beyond its header.
func (t *Tracker) payload(f *record, d int, s *Segment) {
	h := &f.side[d]
	seq := s.Seq
	if s.Flags&SYN != 0 {
		seq++
	}
	if !h.is(known) { // the flow is joined here
		h.begin(seq)
	}
	end := seq + uint32(s.Length)
	old := int32(h.next - seq) // bytes of it that came before
	if h.is(finished) && old >= 0 && s.Length > 0 && int32(end-h.fin) > 0 {
		if h.is(finAcked) {
			return // nothing comes behind a FIN
		}
		f.unfinish(d)
	}
	if int32(end-h.max) <= 0 && (s.Length > 0 || h.is(finished)) {
		t.retry(f, d, s.Length > 0, end+uint32(btoi(s.Flags&FIN != 0)))
	}
	if s.Flags&FIN != 0 && int32(end-h.next) >= 0 {
		t.fin(f, d, end, s.Ack)
	}
	if s.Length > 0 && int32(end-h.max) > 0 {
		h.few += btoi(h.data() < 15)
		h.ends[1], h.ends[0] = h.ends[0], h.max
		h.max = end
	}
	switch {
	case int(old) >= s.Length, s.Length == 0: // all of it is known: a retransmission, a probe
	case old >= 0 && !(d == origin && f.unasked(f.acks(s))):
		t.ack = f.acks(s)
		t.deliver(f, d, s.Payload[min(int(old), len(s.Payload)):], s.Length-max(len(s.Payload), int(old)))
		if t.aside(f).piece[d] != 0 {
			t.release(f, d)
		}
	default:
		t.hold(f, d, seq, s)
	}
	if h.is(finished) && h.next == h.fin {
		h.state |= closed
	}
}

// retry notes that side d sent again what ends there, payload or its FIN alone, if
// the peer has not acknowledged it yet, and if it is no copy that the capture made.
func (t *Tracker) retry(f *record, d int, payload bool, end uint32) {
	h, since := &f.side[d], f.spoke[d]
	if !payload {
		since = f.ended
	}
	if h.is(acknowledged) && int32(end-h.acked) > 0 && t.now-since >= again {
		h.tries += btoi(h.resent() < 15) << 4
		if payload {
			h.state |= retried
		}
	}
}

// acks gives what s, of the origin, acknowledges; all that there is, where it
// does not say.
func (f *record) acks(s *Segment) uint32 {
	if s.Flags&ACK == 0 {
		return f.side[client].next
	}
	return s.Ack
}

// unasked reports whether ack, of the origin, acknowledges what the client did not
// send as far as was seen: that was captured late, then, and what comes with ack
// waits for it, for it may be the answer. 1: a FIN, perhaps.
func (f *record) unasked(ack uint32) bool {
	c := &f.side[client]
	return c.is(known) && int32(ack-c.next) > 1
}

// fin takes a FIN of side d with that number. One that is neither in order nor
// acknowledged gives way to another.
func (t *Tracker) fin(f *record, d int, number, ack uint32) {
	h := &f.side[d]
	if h.is(finished) && (number == h.fin || h.is(closed) || h.is(finAcked)) {
		return
	}
	h.state |= finished
	if f.ended == 0 {
		f.ended = t.now
	}
	h.fin, h.finAck = number, ack
	if h.is(acknowledged) && int32(h.acked-number) > 0 {
		h.state |= finAcked
	}
	// Where neither acknowledges the other, the order of the packets decides.
	if f.side[1-d].is(finished) {
		f.marks &^= clientLast
		if d == client {
			f.marks |= clientLast
		}
	}
}

// unfinish says that the FIN in the name of side d was not its own: it went on.
func (f *record) unfinish(d int) {
	f.side[d].state &^= finished | closed | finAcked
	if !f.side[1-d].is(finished) {
		f.ended = 0
	}
}

// deliver takes payload that is due: b, and behind it so many bytes that were
// not captured.
func (t *Tracker) deliver(f *record, d int, b []byte, cut int) {
	h := &f.side[d]
	n := len(b) + cut
	h.next += uint32(n)
	if int32(h.next-h.max) > 0 {
		h.max = h.next
	}
	if cut > 0 {
		f.marks |= lossy
	}
	t.converse(f, d, b, cut)
	h.total = longOf(h.total.count() + uint64(n))
	f.spoke[d] = t.now
	if h.is(finished) && h.next == h.fin {
		h.state |= closed
	}
	if d == client && t.aside(f).piece[origin] != 0 {
		t.release(f, origin)
	}
}
