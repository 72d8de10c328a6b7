package capture

import "why520/wire"

const (
	keepRaw   = 512 // bytes of a response that are kept, be its head shorter
	keepExtra = 64  // bytes kept around a fault
)

// answer takes the next bytes of the origin: b, and behind it so many that were
// not captured.
func (t *Tracker) answer(f *record, c *talk, b []byte, cut int) {
	at := f.side[origin].total.count() // before b
	for len(b) > 0 || cut > 0 {
		if len(c.asked) == 0 && f.exchanges > 0 || c.whole {
			f.marks |= surplus
			if len(c.asked) == 0 {
				t.unfollow(f)
			}
			return
		}
		if !c.expected {
			c.expected = true
			var q wire.Request // where nobody has asked yet
			if len(c.asked) > 0 {
				q = c.asked[0].q
			}
			c.response.Expect(q)
			f.side[origin].from = longOf(at)
			c.raw, c.rest = c.raw[:0], c.rest[:0]
		}
		if len(b) == 0 {
			break
		}
		n := c.pass(b)
		if n == 0 {
			n = c.feed(f, b)
		}
		b, at = b[n:], at+uint64(n)
		if f.has(faulted) {
			return
		}
		if c.whole {
			t.answered(f, c, at)
			if c.owner != f {
				if (len(b) > 0 || cut > 0) && !f.has(unfollowed) {
					f.marks |= surplus | unfollowed
				}
				return
			}
		}
	}
	if cut == 0 || c.whole {
		return
	}
	c.skipped = true
	if len(c.rest) > 0 || !c.response.Skip(int64(cut)) {
		t.unfollow(f)
		return
	}
	if ev, _, _ := c.response.Next(nil); ev == wire.Done {
		c.whole = true
		t.answered(f, c, at+uint64(cut))
	}
}

// pass takes b where all of it is content, as most bytes are; it gives how many.
func (c *talk) pass(b []byte) int {
	if !c.framed || len(c.rest) > 0 || !c.response.Skip(int64(len(b))) {
		return 0
	}
	c.keep(b, keepRaw)
	if f := &c.response.Framing; f.Delimiter == wire.ByLength && c.response.Bytes == f.Length {
		ev, _, _ := c.response.Next(nil)
		c.whole = ev == wire.Done
	}
	return len(b)
}

// feed takes bytes of a response, up to its end; it gives how many.
func (c *talk) feed(f *record, b []byte) int {
	before, in := len(c.rest), b
	if before > 0 {
		c.rest = append(c.rest, b...)
		in = c.rest
	}
	n := 0
	for {
		ev, done, err := c.response.Next(in[n:])
		bytes := in[n : n+done]
		n += done
		switch ev {
		case wire.InterimHead, wire.FinalHead:
			c.raw = append(c.raw, bytes...)
			c.framed = ev == wire.FinalHead
			if c.framed && c.response.Framing.Delimiter == wire.Tunnel {
				f.marks |= tunnelled
				c.whole = true
				return n - before
			}
		case wire.Measuring:
			_, fault := c.response.Fault()
			c.measured = true
			c.keep(bytes, max(keepRaw, int(fault)+keepExtra))
		case wire.Done:
			c.keep(bytes, keepRaw)
			c.whole = true
			return n - before
		default:
			if c.framed {
				c.keep(bytes, keepRaw)
			}
		}
		switch {
		case err == wire.ErrIncomplete:
			if before == 0 || n > 0 { // else it is there: a head in small pieces is not copied for each
				c.rest = append(c.rest[:0], in[n:]...)
			}
			return len(b)
		case err != nil:
			c.refuse(in, n)
			f.marks |= faulted
			return len(b)
		}
	}
}

// keep appends b to what is kept, up to so many bytes in all.
func (c *talk) keep(b []byte, limit int) {
	if room := limit - len(c.raw); room > 0 && !c.skipped {
		c.raw = append(c.raw, b[:min(room, len(b))]...)
	}
}

// refuse keeps the bytes around a fault; the stream is done with n bytes of b.
func (c *talk) refuse(b []byte, n int) {
	_, fault := c.response.Fault()
	done := c.response.Offset()
	if int64(len(c.raw)) == done && !c.skipped { // nothing is missing before the fault
		c.keep(b[n:], max(keepRaw, int(max(fault, done))+keepExtra, len(c.raw)+c.response.Head().Size()))
	}
	if c.framed && int64(len(c.raw)) < done {
		from := max(n-keepExtra, 0)
		c.around = append(c.around[:0], b[from:min(n+keepExtra, len(b))]...)
		c.from = uint64(done) - uint64(n-from)
	}
	c.rest = c.rest[:0]
}

// answered says that the response is whole; it ends at that payload byte.
func (t *Tracker) answered(f *record, c *talk, end uint64) {
	f.whole = longOf(end)
	f.exchanges += btoi(f.exchanges < 255)
	switch {
	case f.has(tunnelled):
		t.hangUp(f)
	case len(c.asked) > 0 && !c.asked[0].sent:
		f.marks |= early
	default:
		t.turnTo(f, c)
	}
}

// turnTo makes the next request the one that is open, if there is one.
func (t *Tracker) turnTo(f *record, c *talk) {
	if len(c.asked) > 0 {
		c.asked = append(c.asked[:0], c.asked[1:]...)
	}
	c.expected, c.whole, c.measured, c.framed, c.skipped = false, false, false, false, false
	c.raw, c.rest = c.raw[:0], c.rest[:0]
	f.marks &^= early
	switch {
	case len(c.asked) == 0 && c.crowded: // which request comes next is not known
		t.unfollow(f)
		return
	case len(c.asked) == 0:
		t.hangUp(f)
		return
	}
	f.side[client].from = longOf(c.asked[0].begin)
}
