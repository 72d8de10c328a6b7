package validator

import (
	"time"

	"why520/wire"
)

// A connClock is what the deadlines of a Conn are counted from.
type connClock struct {
	wanted      time.Time // by the client
	wantedWrite time.Time
	armed       time.Time // what is set
	waiting     waiting   // of the response; began, sent and sendErr are the question's
}

// arm sets the earlier of the deadlines of the Guard and of the client for
// reading. c.mu is locked.
func (c *Conn) arm(anyway bool) error {
	at, _ := c.due()
	if w := c.clock.wanted; at.IsZero() || !w.IsZero() && w.Before(at) || c.tunnel.Load() {
		at = w
	}
	if at.Equal(c.clock.armed) && !anyway {
		return nil
	}
	c.clock.armed = at
	return c.link.Conn.SetReadDeadline(at)
}

// due gives when the Guard's patience with the oldest question ends. c.mu is
// locked.
func (c *Conn) due() (at time.Time, overall bool) {
	q := c.asking.front()
	if q == nil {
		return time.Time{}, false
	}
	w := c.clock.waiting
	w.began, w.sent, w.sendErr = q.asked, q.sent, c.asking.err
	return w.due(&c.g.set.deadlines)
}

// late reports whether a deadline of the Guard is over, and which end that is;
// again: it is not, and neither is one of the client's.
func (c *Conn) late() (end wire.End, over, again bool) {
	if !c.g.set.timed {
		return wire.Timeout, false, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	at, overall := c.due()
	end, over = lateBy(at, overall, c.clock.waiting.received, c.clock.waiting.last, c.g.set.deadlines.Idle)
	if over {
		return end, true, false
	}
	if w := c.clock.wanted; w.IsZero() || time.Now().Before(w) {
		return wire.Timeout, false, true
	}
	return wire.Timeout, false, false
}

// tick tells the clock how the response stands.
func (c *Conn) tick() {
	if !c.g.set.timed {
		return
	}
	r := &c.response
	c.mu.Lock()
	if c.clock.waiting = (waiting{}); r.open {
		between := r.stream.Interim > 0 && r.from == r.to
		c.clock.waiting = waiting{last: r.lastByte, received: r.received > 0, headed: r.head > 0, between: between}
	}
	_ = c.arm(false) // a connection that has none fails by itself
	c.mu.Unlock()
}
