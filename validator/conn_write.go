package validator

import (
	"net"
	"time"
)

// unasked looks whether anything can be read, now that a request is to be sent
// and none waits: it would be taken for the answer. Whoever reads is told then.
func (c *Conn) unasked() bool {
	c.mu.Lock()
	a := &c.asking
	between := a.count > 0 && a.front() == nil && a.requests.Between() && !a.tunnel && a.refused == nil && a.over == nil && a.err == nil
	c.mu.Unlock()
	if !between {
		return false
	}
	seen := alive
	if c.reading.TryLock() {
		seen = c.look()
		if c.reading.Unlock(); c.closed.Load() {
			c.leave()
		}
	} else if eye := c.link.tap.eye; eye != nil {
		seen = eye.peek()
	}
	return seen == talks || seen == partly
}

// look looks at c, which nobody reads: reading is locked.
func (c *Conn) look() look {
	r := &c.response
	if c.err != nil {
		return closed // or worse, as Read says
	}
	seen := talks
	if r.from == r.to {
		c.mu.Lock()
		seen = c.link.look()
		if !c.link.tap.plain {
			_ = c.arm(true) // a connection that has none fails by itself
		}
		c.mu.Unlock()
	}
	if seen == talks || seen == partly {
		c.finish(errUnasked)
	}
	return seen
}

// write is Write, while nobody else writes.
func (c *Conn) write(p []byte) (int, error) {
	if len(p) > 0 && c.unasked() {
		return 0, errUnasked
	}
	a := &c.asking
	limit := c.g.set.deadlines.Write
	c.mu.Lock()
	switch {
	case a.tunnel:
		c.mu.Unlock()
		return c.net.Write(p)
	case a.refused != nil:
		c.mu.Unlock()
		return 0, a.refused
	case a.err != nil: // Read tells of it
		c.mu.Unlock()
		return len(p), nil
	}
	before := c.link.tap.sent.Load()
	if a.refused = a.take(p, before); a.refused != nil {
		c.mu.Unlock()
		return 0, a.refused
	}
	if limit > 0 {
		at := time.Now().Add(limit)
		if w := c.clock.wantedWrite; !w.IsZero() && w.Before(at) {
			at = w
		}
		_ = c.link.Conn.SetWriteDeadline(at) // a connection that has none fails by itself
	}
	c.mu.Unlock()
	n, err := c.link.Conn.Write(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if limit > 0 {
		_ = c.link.Conn.SetWriteDeadline(c.clock.wantedWrite)
	}
	closed := c.closed.Load()
	told := closed || c.shut.Load() || a.tunnel || a.blind || timedOut(err) && !c.overdue(limit)
	switch f := c.failed.Load(); {
	case err == nil:
		a.sentAll(nowFrom(c.made))
	case !told:
		a.err, a.errAt = err, a.count
	case closed && f != nil:
		err = f
	case !a.tunnel && a.refused == nil:
		a.refused = a.took(p, n, before)
		a.sentAll(nowFrom(c.made))
	}
	if c.g.set.timed {
		_ = c.arm(false)
	}
	if told && err != nil {
		return n, err
	}
	return len(p), nil
}

// overdue reports whether a Write that came to a deadline came to the Guard's.
func (c *Conn) overdue(limit time.Duration) bool {
	w := c.clock.wantedWrite
	return limit > 0 && (w.IsZero() || time.Now().Before(w))
}

var _ net.Conn = (*Conn)(nil)
