package validator

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"

	"why520/wire"
)

// A Transport is an http.RoundTripper for who stands between clients and origins
// of HTTP/1.x: it takes the place of http.Transport in an http.Client or an
// httputil.ReverseProxy, and says of every exchange what the origin did.
//
// The zero Transport is ready; its fields must not change while it is used, and
// it may be used by many goroutines at once. It keeps connections and reuses
// them; it goes through no HTTP proxy, speaks no HTTP/2, and neither asks for
// nor decodes compression.
//
// # Errors
//
// RoundTrip fails with a *[Error] where the origin is at fault, a *[LocalError]
// where this machine is, the caller's context's error where the caller left, a
// *[ContentError] where the request's content could not be had, and another error
// where the request cannot be sent as it stands. A fault of the
// content that is beyond HoldContent comes from the Read of the body, as *Error
// too: the content of a response that was cut never ends with io.EOF.
//
// # Repair
//
// Where a violation is tolerated, the Response is as if the origin had not
// committed it (RFC 9112 sections 5.1, 5.2 and 6.3): folded lines are joined,
// control bytes are spaces, white space before a colon is gone, a repeated
// Content-Length comes once. The verdict has it as a note. The interim responses
// that httptrace's Got1xxResponse is given, and trailers, are without the fields of
// the connection, so that a proxy may pass them on (RFC 9110 section 7.6.1).
//
// # Connections that died while idle
//
// A connection is looked at before it is reused, and its origin's habit is
// learned: a Keep-Alive field's timeout is obeyed, and after an origin closed a
// connection that was idle for some time, others are retired earlier than that.
// Nothing can be read on it at the moment it is handed out, or the request is
// written: bytes that an origin sends behind a response, in another TLS record
// too, answer no other request. Where a reused connection nevertheless ends before a byte of the response, the
// request is sent once more, on a new connection, if it may be: with a method
// that is idempotent (RFC 9110 section 9.2.2) or an Idempotency-Key, or with any
// method where nothing was sent or where the origin's FIN proves that its TCP
// had received nothing of the request, which therefore was never applied; and
// with content only as far as GetBody gives it anew. That is no 520, and
// Evidence.Attempts counts it.
type Transport struct {
	Policy *Policy // what is refused; nil: Report()

	// Deadlines bound the phases of an exchange. Other than a Prober's, they are
	// not set by default, as streams may last, save Connect and TLS: 10 s each. Total
	// is from RoundTrip to the end of the content, time in line included (see
	// MaxConnsPerHost). Where it is over in line, or for the time there, that is a
	// *LocalError around ErrConnectionLimit, and no verdict on the origin.
	Deadlines Deadlines

	// HoldContent is how many bytes of content are read and verified before
	// RoundTrip returns: where the content is no longer than that, its faults are
	// errors of RoundTrip. Of content without a length as much is read ahead,
	// save of text/event-stream. 0: none.
	HoldContent int64

	// OnVerdict, if set, is called once for each request that was sent, or could
	// not be for what the origin did, at the end of its content or its failure, on
	// the goroutine that met with it. A fault of this side before the request is
	// sent is an error alone: it says nothing of the origin. Evidence and Verdict are valid during the call: Clone keeps them.
	// Of an exchange that went well, without a note, the Evidence holds what
	// costs nothing: no ID, no fields and no bytes. A caller that left before the
	// end is a note, ClientClosed, and so is a time that was over for having waited in
	// line. A switch of protocols ends its exchange.
	OnVerdict func(*http.Request, *Evidence, *Verdict)

	// Recorder, if set, keeps the evidence of exchanges that failed.
	Recorder *Recorder

	// DialContext makes connections; nil: a net.Dialer's. It should obey ctx: where
	// it does not, the request does, and a connection that comes later is kept for
	// others, save for https. A connection that gives no descriptor, by SyscallConn
	// or by that of its NetConn, is looked at for a millisecond before each reuse; one
	// without deadlines either is not used again.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)

	// DialTLSContext makes connections for https, with TLS on them; nil:
	// DialContext and TLSClientConfig. Errors of crypto/tls that it gives are told of
	// as if the handshake had been made here.
	DialTLSContext func(ctx context.Context, network, address string) (net.Conn, error)

	// TLSClientConfig is for https; nil: the system's roots. NextProtos nil:
	// http/1.1; h2 is never offered. Its functions are called as crypto/tls says:
	// where one of them refuses, the error is a *LocalError around its own, and no
	// verdict on the origin.
	TLSClientConfig *tls.Config

	TLSHandshakeTimeout   time.Duration // another name of Deadlines.TLS, which goes first
	ResponseHeaderTimeout time.Duration // another name of Deadlines.Head, which goes first
	ExpectContinueTimeout time.Duration // to wait for 100 (Continue) before the content is sent; 0: not at all

	MaxIdleConns        int           // idle connections of all origins; 0: 1024; negative: none
	MaxIdleConnsPerHost int           // of one; 0: 256; negative: none
	MaxConnsPerHost     int           // of one, those in use too, beyond which requests wait in line; 0: no limit
	IdleConnTimeout     time.Duration // 0: 90 s
	DisableKeepAlives   bool          // each request has a connection of its own

	once sync.Once
	set  settings
	pool pool
}

// settings is what the fields of a Transport come to.
type settings struct {
	err       error
	policy    Policy
	limits    wire.Limits // with defaults
	deadlines Deadlines
	timed     bool // some deadline bounds reading
	idle      int
	idleEach  int
	idleTime  time.Duration
}

const (
	defaultDial     = 10 * time.Second
	defaultIdle     = 1024
	defaultIdleEach = 256
	defaultIdleTime = 90 * time.Second
)

// settings gives them, made by the first call.
func (t *Transport) settings() *settings {
	t.once.Do(func() {
		s := &t.set
		d := t.Deadlines
		d.Connect = either(d.Connect, defaultDial)
		d.TLS = either(d.TLS, either(t.TLSHandshakeTimeout, defaultDial))
		d.Head = either(d.Head, t.ResponseHeaderTimeout)
		s.take(t.Policy, d)
		s.idle = either(t.MaxIdleConns, defaultIdle)
		s.idleEach = either(t.MaxIdleConnsPerHost, defaultIdleEach)
		s.idleTime = either(t.IdleConnTimeout, defaultIdleTime)
	})
	return &t.set
}

// take takes a policy, nil for Report, and deadlines.
func (s *settings) take(p *Policy, d Deadlines) {
	s.policy = Report()
	if p != nil {
		s.policy = *p
	}
	s.err = s.policy.Limits.Check()
	s.limits = s.policy.Limits.WithDefaults()
	s.deadlines = d
	s.timed = d.Write > 0 || d.FirstByte > 0 || d.Head > 0 || d.Idle > 0 || d.Total > 0
}

// either gives v, or byDefault where v is zero.
func either[T comparable](v, byDefault T) T {
	var zero T
	if v == zero {
		return byDefault
	}
	return v
}

// RoundTrip sends req to its origin and gives the response. It is safe to call
// from many goroutines; the body of the response must be read to its end or
// closed.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	x := newTrip(t, req)
	over := false
	defer func() {
		if !over { // a function of the caller's panicked
			x.abandon()
		}
	}()
	err := x.prepare()
	if err != nil {
		over = true
		x.closeContent()
		x.free()
		return nil, err
	}
	for again := true; again; {
		if again, err = x.attempt(); err != nil {
			over = true
			x.free()
			return nil, err
		}
	}
	r, err := x.response()
	over = true
	return r, err
}

// CloseIdleConnections closes the connections that no request is using, and those
// that requests are done with before another is made.
func (t *Transport) CloseIdleConnections() { t.pool.closeIdle() }
