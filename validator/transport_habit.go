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
	justNow     = 10 * time.Millisecond  // idle no longer than this, a connection has not been so for too long
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

// mayUse reports whether c, which carried another exchange before, can carry x:
// at this moment, nothing can be read on it, or it is looked at later. It is
// closed otherwise, and its turn is x's.
func (x *trip) mayUse(c *conn, now time.Time) bool {
	idle := now.Sub(c.idleAt)
	p := &x.t.pool
	if idle > justNow {
		p.mu.Lock()
		limit := c.o.habit.limit(now, x.replayable)
		p.mu.Unlock()
		if idle > x.t.settings().idleTime || limit > 0 && idle > limit {
			c.close()
			return false
		}
	}
	if x.looksLater(c) {
		return true
	}
	seen := c.look()
	if seen == alive {
		return true
	}
	x.surprised = x.surprised || seen == talks
	if seen == closed {
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
	var gone, doubtful []*conn
	p.mu.Lock()
	for c := p.oldest; c != nil; {
		newer := c.newer
		idle := now.Sub(c.idleAt)
		switch limit := c.o.habit.limit(now, true); {
		case idle > s.idleTime, limit > 0 && idle > limit:
			p.remove(c)
			p.lose(c)
			gone = append(gone, c)
		case c.tap.eye == nil:
			doubtful = append(doubtful, c)
		default:
			switch seen := c.tap.eye.peek(); {
			case seen == alive:
				c.lived(now)
			case !c.tap.plain || c.tap.framed:
				doubtful = append(doubtful, c)
			default:
				p.remove(c)
				c.died(seen, now)
				p.lose(c)
				gone = append(gone, c)
			}
		}
		c = newer
	}
	p.mu.Unlock()
	for _, c := range gone {
		c.close()
	}
	for _, c := range doubtful {
		t.examine(c)
	}
	p.mu.Lock()
	switch {
	case p.sweeper == nil: // CloseIdleConnections came meanwhile
	case p.idle > 0:
		p.sweeper.Reset(sweepEvery)
	default:
		p.sweeper = nil
	}
	p.mu.Unlock()
}

// examine looks at c, if it is still idle, in a way that may take a moment.
func (t *Transport) examine(c *conn) {
	p := &t.pool
	p.mu.Lock()
	if !c.pooled {
		p.mu.Unlock()
		return
	}
	p.remove(c)
	p.mu.Unlock()
	seen := c.look()
	now := time.Now()
	p.mu.Lock()
	if seen == alive {
		c.lived(now)
		p.mu.Unlock()
		t.put(c)
		return
	}
	c.died(seen, now)
	p.lose(c)
	p.mu.Unlock()
	c.close()
}

// lived notes that c, which is idle, was seen alive. The pool is locked.
func (c *conn) lived(now time.Time) {
	c.aliveAt = now
	c.o.habit.alive(now.Sub(c.idleAt), now)
}

// died notes what else was seen of it. The pool is locked.
func (c *conn) died(seen look, now time.Time) {
	switch seen {
	case closed:
		c.o.habit.closed(c.aliveAt.Sub(c.idleAt), now.Sub(c.idleAt), now)
	case talks:
		c.o.talked = true
	}
}
