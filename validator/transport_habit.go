package validator

import "time"

// A habit is what is known of how long an origin leaves connections idle.
type habit struct {
	said    time.Duration // by a Keep-Alive field; 0: nothing
	learned time.Duration // from connections that it closed; 0: nothing
	at      time.Time     // when that was learned
}

const (
	sweepEvery  = time.Second            // how often connections that are idle are looked at
	justNow     = 10 * time.Millisecond  // idle no longer than this, a connection is not looked at before a replayable request
	leastIdle   = 100 * time.Millisecond // a learned limit is not below that
	forgetEvery = time.Minute            // a learned limit is a tenth longer after each
)

// limit is how long a connection may be idle at most to be used again: seven
// eighths of what the origin says or does. 0: any time. For a request that may
// be sent twice it grows again, so that a habit that has changed is noticed.
func (h *habit) limit(now time.Time, replayable bool) time.Duration {
	d := h.said
	if h.learned > 0 {
		learned := h.learned
		if replayable {
			for range min(now.Sub(h.at)/forgetEvery, 48) { // beyond, it is a hundred times as long
				learned += learned / 10
			}
		}
		if d == 0 || learned < d {
			d = learned
		}
	}
	return d - d/8
}

// alive learns that a connection lived when it had been idle for that time.
func (h *habit) alive(idle time.Duration, now time.Time) {
	if h.learned > 0 && idle > h.learned {
		h.learned, h.at = idle, now
	}
}

// closed learns that a connection was closed when it had been idle for a time
// between alive, when it was last seen alive, and found.
func (h *habit) closed(alive, found time.Duration, now time.Time) {
	d := max(alive, found/2, leastIdle)
	if h.learned == 0 || d < h.learned || now.Sub(h.at) > forgetEvery {
		h.learned = d
	}
	h.at = now
}

// A look says what is seen of an idle connection.
type look uint8

const (
	alive  look = iota
	closed      // by the origin
	talks       // it sent what nobody asked for
)

// look looks at c, which is idle, without waiting and without taking a byte.
func (c *conn) look() look {
	if c.raw != nil {
		return peek(c.raw)
	}
	return c.lookByReading()
}

// lookByReading is for connections without a descriptor: their deadline is
// over, so that a read cannot wait.
func (c *conn) lookByReading() look {
	c.tap.SetReadDeadline(time.Unix(1, 0))
	var one [1]byte
	n, err := c.tap.Read(one[:])
	switch {
	case n > 0:
		return talks
	case err != nil && !timedOut(err):
		return closed
	}
	c.tap.SetReadDeadline(time.Time{})
	return alive
}

// usable reports whether c, which was idle, can carry x; it is closed otherwise.
func (x *trip) usable(c *conn) bool {
	now := x.began
	idle := now.Sub(c.idleAt)
	p := &x.t.pool
	if idle <= justNow && x.replayable {
		return true
	}
	p.mu.Lock()
	limit := c.o.habit.limit(now, x.replayable)
	p.mu.Unlock()
	if idle > x.t.settings().idleTime || limit > 0 && idle > limit {
		c.close()
		return false
	}
	switch seen := c.look(); seen {
	case alive:
		return true
	case talks:
		if c.facts == nil {
			x.surprised = true
			break
		}
		fallthrough // within TLS, as a rule, it is the alert that goes before a close
	case closed:
		p.mu.Lock()
		c.o.habit.closed(c.aliveAt.Sub(c.idleAt), idle, now)
		p.mu.Unlock()
	}
	c.close()
	return false
}

// sweep closes what was idle for too long or is closed already, and comes again
// while there is anything idle.
func (t *Transport) sweep() {
	p, s := &t.pool, t.settings()
	now := time.Now()
	var gone []*conn
	p.mu.Lock()
	for c := p.oldest; c != nil; {
		newer := c.newer
		if t.stale(c, now, s) {
			p.remove(c)
			p.left(c.o)
			gone = append(gone, c)
		}
		c = newer
	}
	switch {
	case p.sweeper == nil: // CloseIdleConnections came meanwhile
	case p.idle > 0:
		p.sweeper.Reset(sweepEvery)
	default:
		p.sweeper = nil
	}
	p.mu.Unlock()
	for _, c := range gone {
		c.close()
	}
}

// stale reports whether c, which is idle, is to be closed. The pool is locked.
func (t *Transport) stale(c *conn, now time.Time, s *settings) bool {
	idle := now.Sub(c.idleAt)
	switch limit := c.o.habit.limit(now, true); {
	case idle > s.idleTime, limit > 0 && idle > limit:
		return true
	}
	switch c.look() {
	case closed:
		c.o.habit.closed(c.aliveAt.Sub(c.idleAt), idle, now)
		return true
	case talks:
		if c.facts != nil {
			c.o.habit.closed(c.aliveAt.Sub(c.idleAt), idle, now)
		} else {
			c.o.talked = true
		}
		return true
	}
	c.aliveAt = now
	c.o.habit.alive(idle, now)
	return false
}
