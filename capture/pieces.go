package capture

// A piece is payload that came before what is due, or before what it answers.
type piece struct {
	next uint32 // number of the next piece of the same side, in order; 0: none
	seq  uint32
	ack  uint32 // what came with it, of the origin
	cut  int    // bytes behind data that were not captured
	data []byte
}

func (p *piece) end() uint32 { return p.seq + uint32(len(p.data)+p.cut) }

const (
	mostPieces = 128 // of one side
	mostHeld   = 16  // part of Options.Buffer that those of one side may take
	patience   = 32  // packets of a flow that missing bytes are waited for, once they were acknowledged
	pieceSize  = 128 // counted for a piece beside its data
)

// hold keeps the payload of s, which begins at seq, until what is before it came.
func (t *Tracker) hold(f *record, d int, seq uint32, s *Segment) {
	h, a := &f.side[d], t.makeAside(f)
	if a.gap[d] == 0 {
		a.gap[d] = f.packets
	}
	count, held := 0, 0
	at := &a.piece[d]
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
		held += len(p.data)
	}
	if count >= mostPieces || held > t.o.Buffer/mostHeld || !t.room(len(s.Payload)+pieceSize, f) {
		t.giveUp(f, d) // what is missing will not come, as it seems
		t.ack = f.acks(s)
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
	p.seq, p.ack, p.next = seq, f.acks(s), *at
	p.data = append(p.data[:0], s.Payload...)
	p.cut = s.Length - len(s.Payload)
	*at = n
	t.bytes += cap(p.data) + pieceSize
	t.held += cap(p.data) + pieceSize
}

// release delivers the pieces that are due now.
func (t *Tracker) release(f *record, d int) {
	h, a := &f.side[d], t.aside(f)
	for a.piece[d] != 0 {
		p := t.pieces.at(a.piece[d])
		if int32(h.next-p.seq) < 0 || d == origin && f.unasked(p.ack) {
			return
		}
		t.first(f, d)
	}
	a.gap[d] = 0
}

// first delivers the first piece, as far as it is new and not behind a FIN.
func (t *Tracker) first(f *record, d int) {
	h, a := &f.side[d], t.aside(f)
	n := a.piece[d]
	p := t.pieces.at(n)
	a.piece[d], t.ack = p.next, p.ack
	if old := int(int32(h.next - p.seq)); old >= 0 && int32(p.end()-h.next) > 0 {
		t.deliver(f, d, p.data[min(old, len(p.data)):], len(p.data)+p.cut-max(len(p.data), old))
	}
	t.discard(n)
}

// discard frees a piece.
func (t *Tracker) discard(n uint32) {
	p := t.pieces.at(n)
	t.bytes -= cap(p.data) + pieceSize
	t.held -= cap(p.data) + pieceSize
	if cap(p.data) > 2048 {
		p.data = nil // a few large ones must not stay for good
	}
	t.pieces.put(n)
}

// discardAll frees the pieces of both sides of f.
func (t *Tracker) discardAll(f *record) {
	a := t.aside(f)
	for d := range f.side {
		for a.piece[d] != 0 {
			n := a.piece[d]
			a.piece[d] = t.pieces.at(n).next
			t.discard(n)
		}
	}
	a.gap = [2]uint32{}
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
	if gap := int32(h.acked - due); gap <= 0 || gap == 1 && t.aside(f).piece[d] == 0 { // 1: a FIN, perhaps
		if a := t.aside(f); a.gap[d] != 0 && a.piece[d] == 0 {
			a.gap[d] = 0
		}
		return
	}
	a := t.makeAside(f)
	if a.gap[d] == 0 {
		a.gap[d] = f.packets
	}
	if f.packets-a.gap[d] >= patience {
		if d == origin && a.gap[client] != 0 { // what it answers goes before
			t.missing(f, client)
		}
		t.giveUp(f, d)
		if gap := int32(h.acked - h.next); gap > 0 && a.piece[d] == 0 {
			t.lose(f, d, int(gap))
		}
	}
}

// giveUp passes over what is missing before the pieces of side d.
func (t *Tracker) giveUp(f *record, d int) {
	h, a := &f.side[d], t.aside(f)
	for a.piece[d] != 0 {
		if gap := int32(t.pieces.at(a.piece[d]).seq - h.next); gap > 0 {
			t.lose(f, d, int(gap))
		}
		t.first(f, d)
	}
	if a.gap[d] != 0 {
		a.gap[d] = 0
	}
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
}
