package validator

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

// A conn is a connection of a Transport.
type conn struct {
	link
	o       *origin
	address string               // of the peer, for evidence
	facts   *TLSFacts            // nil: plain
	state   *tls.ConnectionState // nil: plain
	kill    func()               // closes it from any goroutine
	cut     func()               // so does it, and gives up its turn
	uses    int                  // requests that were put on it
	kept    bool                 // it came by keep: its origin may have ended it meanwhile
	armed   time.Time            // the read deadline that arm set last; zero: none
	fired   bool                 // a deadline is over, that or an upload's: the next is to be set, whatever it is
	blind   bool                 // it cannot be looked at, and is not used again
	lost    bool                 // it is not counted any more; the pool is locked
	pooled  bool                 // it is idle; the pool is locked

	idleAt  time.Time // since when it is idle; valid in the pool
	aliveAt time.Time // when it was last seen alive while idle; not before idleAt
	older   *conn     // in the pool, as they came into it
	newer   *conn
}

// A pool is the connections of a Transport: those that are idle, and the number
// of the others.
type pool struct {
	mu      sync.Mutex
	origins map[originKey]*origin
	oldest  *conn // idle
	newest  *conn
	idle    int
	closing bool        // what becomes idle is closed, until a connection is wanted
	sweeper *time.Timer // runs while a connection is idle
}

type originKey struct {
	tls  bool
	host string // of the URL, as it stands there
}

// An origin is what a pool knows of one.
type origin struct {
	key     originKey
	conns   int // idle, in use, and being made
	idle    []*conn
	waiting []chan *conn // requests in line; nil is leave to make a connection
	habit   habit
	talked  bool // it sent what nobody asked for, which no exchange tells of yet
}

// maxOrigins is how many origins are remembered while none of their connections
// is open.
const maxOrigins = 1024

// origin gives the origin of that key. p is locked.
func (p *pool) origin(key originKey) *origin {
	if o := p.origins[key]; o != nil {
		return o
	}
	if p.origins == nil {
		p.origins = map[originKey]*origin{}
	}
	if len(p.origins) >= maxOrigins {
		for k, o := range p.origins {
			if o.conns == 0 && len(o.waiting) == 0 {
				delete(p.origins, k)
			}
		}
	}
	o := &origin{key: key}
	p.origins[key] = o
	return o
}

// take gives a connection for x that another exchange is done with, or nil and
// leave to make one. The error, of waiting in line, is ctx's or, where the time for
// all of it is over, x.local.
func (p *pool) take(ctx context.Context, x *trip) (*conn, error) {
	p.mu.Lock()
	p.closing = false
	o := p.origin(x.key)
	x.o = o
	x.surprised, o.talked = x.surprised || o.talked, false
	for !x.fresh && len(o.idle) > 0 {
		c := o.idle[len(o.idle)-1]
		p.remove(c)
		p.mu.Unlock()
		if x.mayUse(c, x.began) {
			return c, nil
		}
		p.mu.Lock()
		p.lose(c)
	}
	limit := x.t.MaxConnsPerHost
	switch {
	case limit <= 0 || o.conns < limit:
		o.conns++
		p.mu.Unlock()
		return nil, nil
	case len(o.idle) > 0: // x wants a new one, which takes the place of that
		c := o.idle[0]
		p.remove(c)
		c.lost = true
		p.mu.Unlock()
		c.close()
		return nil, nil
	}
	turn := make(chan *conn, 1)
	o.waiting = append(o.waiting, turn)
	p.mu.Unlock()
	var over <-chan time.Time
	if limit := x.within(0); limit != 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case c := <-turn:
		x.granted = time.Now()
		return x.inTurn(c), nil
	case <-ctx.Done():
		p.leave(x, turn)
		return nil, ctx.Err()
	case <-over:
		p.leave(x, turn)
		x.local = x.inLine()
		return nil, x.local
	}
}

// ErrConnectionLimit is in the [LocalError] of a request whose Deadlines.Total was
// over in line for a connection, or for the time there: see MaxConnsPerHost.
var ErrConnectionLimit = errors.New("none of the connections that MaxConnsPerHost allows came free in time")

// inLine gives the error of x, whose time was over in line.
func (x *trip) inLine() error {
	return &LocalError{"waiting in line for a connection to " + x.key.host, fmt.Errorf("%w (%w)", ErrConnectionLimit, os.ErrDeadlineExceeded)}
}

// inTurn gives c, whose turn has become x's, or nil where x has to make another
// connection: as it does where c is nil.
func (x *trip) inTurn(c *conn) *conn {
	switch {
	case c == nil:
		return nil
	case x.fresh:
		c.close()
	case x.mayUse(c, time.Now()):
		return c
	}
	p := &x.t.pool
	p.mu.Lock()
	c.lost = true
	p.mu.Unlock()
	return nil
}

// leave takes a request out of its line; what it was given meanwhile is another's.
func (p *pool) leave(x *trip, turn chan *conn) {
	p.mu.Lock()
	if i := slices.Index(x.o.waiting, turn); i >= 0 {
		x.o.waiting = slices.Delete(x.o.waiting, i, i+1)
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	if c := <-turn; c != nil {
		x.t.keep(c, time.Now())
	} else {
		p.unmade(x.o)
	}
}

// unmade counts a connection of o less, which was never made.
func (p *pool) unmade(o *origin) {
	p.mu.Lock()
	p.left(o)
	p.mu.Unlock()
}

// gone counts c less, once: it is closed.
func (p *pool) gone(c *conn) {
	p.mu.Lock()
	p.lose(c)
	p.mu.Unlock()
}

// lose is gone, where p is locked.
func (p *pool) lose(c *conn) {
	if !c.lost {
		c.lost = true
		p.left(c.o)
	}
}

// left gives the turn of a connection of o to the next in line. p is locked.
func (p *pool) left(o *origin) {
	if len(o.waiting) > 0 {
		turn := o.waiting[0]
		o.waiting = slices.Delete(o.waiting, 0, 1)
		turn <- nil
		return
	}
	o.conns--
}

// keep puts c, which carries no exchange since then, into the pool, or hands it
// to who waits in line. It reports whether it did: c is closed otherwise.
func (t *Transport) keep(c *conn, since time.Time) bool {
	c.idleAt, c.aliveAt, c.kept = since, since, true
	return t.put(c)
}

// put is keep for what may have been idle before.
func (t *Transport) put(c *conn) bool {
	p, s := &t.pool, t.settings()
	p.mu.Lock()
	o := c.o
	if len(o.waiting) > 0 {
		turn := o.waiting[0]
		o.waiting = slices.Delete(o.waiting, 0, 1)
		turn <- c
		p.mu.Unlock()
		return true
	}
	if p.closing || s.idle <= 0 || len(o.idle) >= s.idleEach {
		p.lose(c)
		p.mu.Unlock()
		c.close()
		return false
	}
	var over *conn
	if p.idle >= s.idle {
		over = p.oldest
		p.remove(over)
		p.lose(over)
	}
	p.add(c)
	if p.sweeper == nil {
		p.sweeper = time.AfterFunc(sweepEvery, t.sweep)
	}
	p.mu.Unlock()
	if over != nil {
		over.close()
	}
	return true
}

// add makes c the newest of those that are idle. p is locked.
func (p *pool) add(c *conn) {
	c.o.idle = append(c.o.idle, c)
	if c.older = p.newest; c.older != nil {
		c.older.newer = c
	} else {
		p.oldest = c
	}
	p.newest = c
	p.idle++
	c.pooled = true
}

// remove takes c out of those that are idle. p is locked.
func (p *pool) remove(c *conn) {
	o := c.o
	if last := len(o.idle) - 1; o.idle[last] == c {
		o.idle[last] = nil
		o.idle = o.idle[:last]
	} else {
		i := slices.Index(o.idle, c)
		o.idle = slices.Delete(o.idle, i, i+1)
	}
	if c.older != nil {
		c.older.newer = c.newer
	} else {
		p.oldest = c.newer
	}
	if c.newer != nil {
		c.newer.older = c.older
	} else {
		p.newest = c.older
	}
	c.older, c.newer = nil, nil
	p.idle--
	c.pooled = false
}

// closeIdle closes all that is idle, and has what becomes so closed before a
// connection is wanted again.
func (p *pool) closeIdle() {
	var closed []*conn
	p.mu.Lock()
	p.closing = true
	for p.oldest != nil {
		c := p.oldest
		p.remove(c)
		p.lose(c)
		closed = append(closed, c)
	}
	if p.sweeper != nil {
		p.sweeper.Stop()
		p.sweeper = nil
	}
	p.mu.Unlock()
	for _, c := range closed {
		c.close()
	}
}
