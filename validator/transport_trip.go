package validator

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"why520/wire"
)

// A trip is one request through a Transport, to the end of the response's
// content. Trips are pooled, with their buffers.
type trip struct {
	passing
	intake
	ask  outgoing
	text []byte       // room for canonical
	good goodEvidence // valid during OnVerdict
}

// passing is what a trip leaves behind for no other.
type passing struct {
	t          *Transport
	req        *http.Request
	ctx        context.Context
	release    func()                 // ends what was made for ctx; nil: nothing was
	trace      *httptrace.ClientTrace // nil: nobody wants to know
	watched    bool                   // by a trace that is told of connections or of what is sent
	key        originKey
	content    io.ReadCloser // of the request, to be closed yet; nil: none
	replayable bool          // by its method
	fresh      bool          // a new connection is wanted
	surprised  bool          // an idle connection had bytes to read
	attempts   int

	o        *origin
	turn     bool      // one of o's is x's, for a connection that is being made
	granted  time.Time // x waited in line until then; zero: it did not
	dialling net.Conn  // nil, or what is made so far
	c        *conn
	unbind   func() bool // ends the watch over ctx; nil: there is none
	up       *upload     // nil: the content went with the head, or there is none
	before   int64       // bytes sent on the connection before the request
	sendErr  error       // of the head

	segment []byte // of buf, content that is not given yet

	// How it stands, or ended.
	phase     Phase
	cause     error // what the system said of the end
	local     error // a fault of this side: there is no verdict
	trailer   http.Header
	left      bool // the caller did not want the rest
	closes    bool // the connection ends with it
	address   string
	name      *NameFacts
	tls       *TLSFacts
	dialled   time.Duration
	encrypted time.Duration
	began     time.Time // of RoundTrip
	asked     time.Time // the request began
	sent      time.Time // the head, and content that went with it
	firstByte time.Time
	lastByte  time.Time // zero where it is not known: of content, without deadlines
	headAt    time.Time // the final head was complete
}

var trips = sync.Pool{New: func() any { return &trip{intake: intake{buf: make([]byte, leastBuffer)}} }}

const (
	leastBuffer = 4 << 10
	bigBuffer   = 64 << 10 // content is read by as much at most
)

// newTrip gives a trip of req.
func newTrip(t *Transport, req *http.Request) *trip {
	x := trips.Get().(*trip)
	x.t, x.req, x.ctx, x.began = t, req, req.Context(), time.Now()
	if x.trace = httptrace.ContextClientTrace(x.ctx); x.trace != nil {
		w := x.trace
		x.watched = w.GetConn != nil || w.GotConn != nil || w.WroteHeaderField != nil || w.WroteHeaders != nil || w.WroteRequest != nil
	}
	//lint:ignore SA1019 http.Client sets it, for its Timeout
	if req.Cancel != nil {
		x.obeyCancel()
	}
	return x
}

// noTime is no deadline.
var noTime time.Time

var errCancelled = errors.New("validator: the request was cancelled by its Cancel channel")

// obeyCancel makes ctx end with the request's Cancel channel too.
func (x *trip) obeyCancel() {
	ctx, cancel := context.WithCancelCause(x.ctx)
	//lint:ignore SA1019 as above
	c := x.req.Cancel
	go func() {
		select {
		case <-c:
			cancel(errCancelled)
		case <-ctx.Done():
		}
	}()
	x.ctx, x.release = ctx, func() { cancel(nil) }
}

// free gives x back; its memory is another trip's from then on.
func (x *trip) free() {
	if x.release != nil {
		x.release()
	}
	if len(x.buf) > bigBuffer {
		x.buf = make([]byte, leastBuffer)
	}
	if cap(x.text) > bigBuffer {
		x.text = nil
	}
	head, fields := x.ask.head, x.ask.fields
	if cap(head) > bigBuffer {
		head = nil
	}
	clear(fields)
	x.ask = outgoing{head: head[:0], fields: fields[:0]}
	if x.good.e.Version != 0 {
		x.good = goodEvidence{}
	}
	x.passing, x.progress = passing{}, progress{}
	trips.Put(x)
}

// closeContent closes the content of the request, if that is not done yet or
// another's.
func (x *trip) closeContent() {
	c := x.content
	if x.content = nil; c == nil && x.up == nil && x.attempts == 0 {
		c = x.req.Body // it was refused before anything else
	}
	if c != nil {
		c.Close()
	}
}

// attempt sends the request and reads the head of the response, and content
// that is to be held. again: it has to be tried anew.
func (x *trip) attempt() (again bool, err error) {
	x.attempts++
	for sent := false; !sent; {
		if x.ctx.Err() != nil || !x.connect() {
			return false, x.fail()
		}
		x.phase = PhaseRequest
		x.tls, x.address = x.c.facts, x.c.address
		if x.ctx.Done() != nil {
			x.unbind = context.AfterFunc(x.ctx, x.c.cut)
		}
		x.stream.Limits = x.t.settings().policy.Limits
		x.stream.Expect(x.ask.wire)
		sent = x.send()
	}
	if x.readHead() {
		return false, nil
	}
	if x.mayRepeat() {
		return x.repeat()
	}
	return false, x.fail()
}

// mayRepeat reports whether the request may be sent anew: a reused connection
// ended before a byte of the response. See Transport.
func (x *trip) mayRepeat() bool {
	switch {
	case !x.c.kept || x.attempts > 1 || x.received > 0 || x.refused || x.ctx.Err() != nil:
		return false
	case x.end != wire.FIN && x.end != wire.RST && x.end != wire.Truncated && x.end != Alert:
		return false
	case x.up != nil && x.req.GetBody == nil:
		return false
	case x.replayable || x.c.tap.sent.Load() == x.before:
		return true
	}
	return x.end != wire.RST && x.c.tap.ackedSince(x.before) == 0
}

// repeat makes x ready for another attempt.
func (x *trip) repeat() (again bool, err error) {
	x.abandon() // an upload whose content does not come may outlive it
	if x.up != nil {
		if x.content, err = x.req.GetBody(); err != nil {
			x.local, x.left = err, true
			return false, x.fail()
		}
	}
	x.c, x.up, x.sendErr = nil, nil, nil
	x.from, x.to, x.kept, x.head, x.start = 0, 0, 0, 0, 0
	x.end, x.cause, x.fresh = wire.Open, nil, true
	return true, nil
}

// drop closes the connection.
func (x *trip) drop() {
	if x.unbind != nil {
		x.unbind()
		x.unbind = nil
	}
	if x.c != nil {
		x.c.close()
		x.t.pool.gone(x.c)
		x.c = nil
	}
}
