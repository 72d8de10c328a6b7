package validator

import (
	"context"
	"net"
	"runtime"
	"time"
)

// A reached is what a function of the caller's that makes connections came to.
type reached struct {
	c        net.Conn
	err      error
	panicked bool
	with     any // nil: it ended its goroutine
}

// reach makes a connection by dial, which is the caller's and may not obey ctx: x
// does, and leaves its turn to what dial is at then.
func (x *trip) reach(ctx context.Context, dial func(context.Context, string, string) (net.Conn, error), address string) (net.Conn, error) {
	got := make(chan reached, 1)
	began := time.Now()
	go func() {
		r := reached{panicked: true}
		defer func() {
			if r.panicked {
				r.with = recover()
			}
			got <- r
		}()
		r.c, r.err = dial(ctx, "tcp", address)
		r.panicked = false
	}()
	r, ok := reached{}, true
	select {
	case r = <-got:
	case <-ctx.Done():
		r, ok = x.reachedLate(got)
	}
	switch {
	case !ok:
		x.turn = false
		go x.t.takeLate(x.o, got, address, began)
		return nil, ctx.Err()
	case r.panicked && r.with == nil:
		runtime.Goexit() // as dial did
	case r.panicked:
		panic(r.with)
	}
	return r.c, r.err
}

// lastWord is how long a dial whose deadline is over may take to say what it met
// with: a silent name server is no silent origin.
const lastWord = time.Second

// reachedLate waits, where the deadline of connecting is over, for what dial says
// of it.
func (x *trip) reachedLate(got <-chan reached) (r reached, ok bool) {
	timer := time.NewTimer(lastWord)
	defer timer.Stop()
	select {
	case r = <-got:
		return r, true
	case <-x.ctx.Done():
	case <-timer.C:
	}
	return reached{}, false
}

// takeLate takes a connection to o that nobody waits for any more: one without
// TLS is kept, as if an exchange were over.
func (t *Transport) takeLate(o *origin, got <-chan reached, address string, began time.Time) {
	r := <-got
	if r.c == nil {
		t.pool.unmade(o)
		return
	}
	c := t.newConn(o, r.c, address, time.Since(began))
	if o.key.tls || c.blind || t.DisableKeepAlives {
		c.close()
		t.pool.gone(c)
		return
	}
	t.keep(c, time.Now())
}
