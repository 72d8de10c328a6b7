package capture

// Sequence numbers are compared by their difference as an int32, so that they
// may wrap (RFC 9293 section 3.4).

// farthest is how far from what is due a sequence number may be: what is
// farther off was not sent by the flow's own TCP.
const farthest = 1 << 26

// meaning says what a SYN is to a flow that exists.
type meaning uint8

const (
	taken   meaning = iota
	another         // it begins another flow between the same ports
	ignored
)

// synchronize takes the SYN of side d.
func (f *record) synchronize(d int, s *Segment) meaning {
	h, peer := &f.side[d], &f.side[1-d]
	switch {
	case h.is(synchronized) && h.iss == s.Seq:
		h.syns += btoi(h.syns < 255)
		return taken
	case h.is(synchronized) && (f.has(queued) || d == client && !peer.is(synchronized)):
		return another
	case h.is(synchronized) && s.Flags&ACK != 0 && f.has(rivalled) && s.Ack == f.rival+1:
		return another // the peer of the rival answers it: the old flow is gone
	case h.is(synchronized):
		if s.Flags&ACK == 0 {
			f.marks |= rivalled
			f.rival = s.Seq
		}
		return ignored
	case h.is(known) && int32(h.next-h.base(s)) != 0 && f.packets > 0:
		if f.has(joined) && s.Flags&ACK == 0 {
			return another
		}
		if d := int32(h.next - h.base(s)); d < 0 || d > farthest {
			return ignored
		}
	}
	h.iss = s.Seq
	h.syns += btoi(h.syns < 255)
	h.state |= synchronized
	f.marks &^= joined
	if !h.is(known) {
		h.begin(s.Seq + 1)
	}
	if s.Scaled {
		h.scale = s.Scale
	}
	if s.Stamped {
		h.state |= stamped
	}
	if s.Flags&ACK != 0 && !peer.is(known) { // its SYN was not captured
		peer.begin(s.Ack)
	}
	return taken
}

// base gives the sequence number of the first byte behind the SYN s.
func (h *half) base(s *Segment) uint32 { return s.Seq + 1 }

// begin says that the number of the first byte that h sends, or that is known of
// it, is next.
func (h *half) begin(next uint32) {
	h.state |= known
	h.next, h.max, h.ends = next, next, [2]uint32{next, next}
}

// acknowledge takes an acknowledgement of what h sent.
func (h *half) acknowledge(ack uint32) {
	switch {
	case !h.is(acknowledged):
		if h.is(known) && (int32(ack-h.max) > farthest || int32(h.max-ack) > farthest) {
			return
		}
		h.state |= acknowledged
		h.acked = ack
	case int32(ack-h.acked) > 0 && int32(ack-h.acked) < farthest:
		h.acked = ack
	default:
		return
	}
	if h.is(finished) && int32(h.acked-h.fin) > 0 {
		h.state |= finAcked
	}
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
	if old > farthest || old < -farthest {
		return
	}
	if s.Flags&FIN != 0 && !h.is(finished) {
		h.state |= finished
		if f.ended == 0 {
			f.ended = t.now
		}
		h.fin, h.finAck = end, s.Ack
		if h.is(acknowledged) && int32(h.acked-end) > 0 {
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
	if s.Length > 0 && int32(end-h.max) > 0 {
		h.data += uint16(btoi(h.data < 0xFFFF))
		h.ends[1], h.ends[0] = h.ends[0], h.max
		h.max = end
	}
	switch {
	case int(old) >= s.Length: // all of it is known: a retransmission, a probe
	case old >= 0:
		t.deliver(f, d, s.Payload[min(int(old), len(s.Payload)):], s.Length-max(len(s.Payload), int(old)))
		if h.piece != 0 {
			t.release(f, d)
		}
	default:
		t.hold(f, d, seq, s)
	}
	if h.is(finished) && h.next == h.fin {
		h.state |= closed
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
	h.total += uint64(n)
	f.spoke[d] = t.now
	if h.is(finished) && h.next == h.fin {
		h.state |= closed
	}
}

// A piece is payload that came before what is due.
type piece struct {
	next uint32 // number of the next piece of the same side, in order; 0: none
	seq  uint32
	cut  int // bytes behind data that were not captured
	data []byte
}

func (p *piece) end() uint32 { return p.seq + uint32(len(p.data)+p.cut) }

const (
	mostPieces = 128 // of one side
	patience   = 32  // packets of a flow that missing bytes are waited for, once they were acknowledged
	pieceSize  = 128 // counted for a piece beside its data
)

// hold keeps the payload of s, which begins at seq, until what is before it came.
func (t *Tracker) hold(f *record, d int, seq uint32, s *Segment) {
	h := &f.side[d]
	if h.gap == 0 {
		h.gap = f.packets
	}
	count := 0
	at := &h.piece
	for *at != 0 {
		p := t.pieces.at(*at)
		if p.seq == seq && len(p.data)+p.cut >= s.Length {
			return // again
		}
		if int32(p.seq-seq) > 0 {
			break
		}
		at = &p.next
		count++
	}
	if count >= mostPieces || t.bytes+len(s.Payload)+pieceSize > t.o.Buffer {
		t.giveUp(f, d) // what is missing will not come, as it seems
		if int32(h.next-seq) >= 0 {
			if old := int(int32(h.next - seq)); old < s.Length {
				t.deliver(f, d, s.Payload[min(old, len(s.Payload)):], s.Length-max(len(s.Payload), old))
			}
			return
		}
		t.lose(f, d, int(int32(seq-h.next)))
		t.deliver(f, d, s.Payload, s.Length-len(s.Payload))
		return
	}
	n := t.pieces.take()
	p := t.pieces.at(n)
	p.seq, p.next = seq, *at
	p.data = append(p.data[:0], s.Payload...)
	p.cut = s.Length - len(s.Payload)
	*at = n
	t.bytes += cap(p.data) + pieceSize
}

// release delivers the pieces that are due now.
func (t *Tracker) release(f *record, d int) {
	h := &f.side[d]
	for h.piece != 0 {
		n := h.piece
		p := t.pieces.at(n)
		old := int(int32(h.next - p.seq))
		if old < 0 {
			return
		}
		h.piece = p.next
		if int32(p.end()-h.next) > 0 {
			t.deliver(f, d, p.data[min(old, len(p.data)):], len(p.data)+p.cut-max(len(p.data), old))
		}
		t.discard(n)
	}
	h.gap = 0
}

// discard frees a piece.
func (t *Tracker) discard(n uint32) {
	p := t.pieces.at(n)
	t.bytes -= cap(p.data) + pieceSize
	if cap(p.data) > 2048 {
		p.data = nil // a few large ones must not stay for good
	}
	t.pieces.put(n)
}

// missing looks whether bytes of side d that are missing will still come: not if
// their receiver has acknowledged them, and that for a while.
func (t *Tracker) missing(f *record, d int) {
	h := &f.side[d]
	if !h.is(known) || !h.is(acknowledged) {
		return
	}
	due := h.next
	if h.is(closed) {
		due++ // the FIN takes a number
	}
	if gap := int32(h.acked - due); gap <= 0 || gap == 1 && h.piece == 0 { // 1: a FIN, perhaps
		if h.piece == 0 {
			h.gap = 0
		}
		return
	}
	if h.gap == 0 {
		h.gap = f.packets
	}
	if f.packets-h.gap >= patience {
		t.giveUp(f, d)
		if gap := int32(h.acked - h.next); gap > 0 && h.piece == 0 {
			t.lose(f, d, int(gap))
		}
	}
}

// giveUp passes over what is missing before the pieces of side d.
func (t *Tracker) giveUp(f *record, d int) {
	h := &f.side[d]
	for h.piece != 0 {
		if gap := int32(t.pieces.at(h.piece).seq - h.next); gap > 0 {
			t.lose(f, d, int(gap))
		}
		n := h.piece
		if t.release(f, d); h.piece == n { // it lies behind the FIN
			h.piece = t.pieces.at(n).next
			t.discard(n)
		}
	}
	h.gap = 0
}

// lose passes over n bytes of side d that the capture does not hold.
func (t *Tracker) lose(f *record, d int, n int) {
	h := &f.side[d]
	if h.is(finished) && int32(h.next+uint32(n)-h.fin) > 0 {
		if n = int(int32(h.fin - h.next)); n <= 0 { // the FIN was acknowledged, too
			return
		}
	}
	t.deliver(f, d, nil, n)
	f.marks |= lossy
}
