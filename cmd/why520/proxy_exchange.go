package main

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"why520/validator"
	"why520/validator/edge"
	"why520/wire"
)

// An exchange is one request of a client, from its head to the end of its
// response. It is the ResponseWriter of it, and what becomes a line of the log.
type exchange struct {
	http.ResponseWriter
	s       *proxyServer
	r       *http.Request
	control *http.ResponseController
	began   time.Time
	limit   time.Duration // without progress on the client's side
	content *requestContent

	status  int
	out     int64
	stale   bool
	origin  string // of the route; empty: none
	verdict seen
	failure failureSeen
}

// seen is what is told of a verdict, and of its evidence.
type seen struct {
	valid             bool
	id, reason, cause string
	status            int
	phase, message    string
	offset            int64
	address           string
	notes             []string
	timing            validator.Timing
	attempts          int
	reused            bool
	received          int64
	err               string // what the system said
}

// failureSeen is what edge.Answers says of a failure, with a verdict or without.
type failureSeen struct{ id, reason, err string }

type exchangeKey struct{}

// exchangeOf gives the exchange that a request to an origin is for, or nil.
func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

// begin makes an exchange of a request, which it changes to read through it.
func (s *proxyServer) begin(w http.ResponseWriter, r *http.Request, limit time.Duration) (*exchange, *http.Request) {
	x := &exchange{ResponseWriter: w, s: s, control: http.NewResponseController(w), began: time.Now(), limit: limit}
	x.setWriteDeadline(time.Time{}) // the last exchange on the connection left one
	r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
	if r.ContentLength != 0 && r.Body != nil && r.Body != http.NoBody {
		if r.ProtoMajor == 1 {
			_ = x.control.EnableFullDuplex() // an origin may answer before it has all
		}
		x.content = &requestContent{ReadCloser: r.Body, x: x}
		r.Body = x.content
	}
	x.r = r
	return x, r
}

// deadlines are not for every ResponseWriter of a test; there, nothing is lost.
func (x *exchange) setWriteDeadline(at time.Time) { _ = x.control.SetWriteDeadline(at) }
func (x *exchange) setReadDeadline(at time.Time)  { _ = x.control.SetReadDeadline(at) }

// writing lets what write does take as long as a client may.
func (x *exchange) writing(write func()) {
	x.setWriteDeadline(time.Now().Add(x.limit))
	write()
	if x.r.ProtoMajor != 1 { // where a deadline ends the stream though nothing is being written
		x.setWriteDeadline(time.Time{})
	}
}

// WriteHeader sends the status line and the fields.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		x.status = status
	}
	if status >= 200 && x.closes() {
		x.Header().Set("Connection", "close")
	}
	x.writing(func() { x.ResponseWriter.WriteHeader(status) })
	if status >= 200 && x.content != nil && !x.content.all() {
		_ = x.FlushError() // the client may wait for it before it sends on; what fails here fails at the next write
	}
}

// closes reports whether the connection may not have another request: where content is
// left that would be taken for one (RFC 9112 section 9.3), and of HTTP/1.0, of which
// net/http does not say that a Transfer-Encoding was there, and ignored (section 6.1).
func (x *exchange) closes() bool {
	return x.r.ProtoMajor == 1 && (x.r.ProtoMinor == 0 || x.content != nil && !x.content.all())
}

func (x *exchange) Write(b []byte) (n int, err error) {
	if x.status == 0 {
		x.WriteHeader(http.StatusOK)
	}
	x.writing(func() { n, err = x.ResponseWriter.Write(b) })
	x.out += int64(n)
	return n, err
}

// FlushError sends what is buffered.
func (x *exchange) FlushError() (err error) {
	x.writing(func() { err = x.control.Flush() })
	return err
}

// Hijack hands the connection over: to a protocol that was switched to, or to be
// reset.
func (x *exchange) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, b, err := x.control.Hijack()
	if err == nil && x.status == 0 {
		x.status = http.StatusSwitchingProtocols
	}
	return c, b, err
}

// Unwrap is for http.ResponseController.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// onVerdict takes down what a Transport found.
func (x *exchange) onVerdict(e *validator.Evidence, v *validator.Verdict) {
	s := &x.verdict
	reason, status := x.blame(v)
	*s = seen{
		valid: true, id: e.ID, reason: reason, cause: string(v.Cause), status: status, phase: v.Phase.String(),
		message: message(reason, v), offset: v.Offset, address: e.Address, timing: e.Timing, attempts: e.Attempts, reused: e.Reused, received: e.Received, err: e.Error,
	}
	for _, n := range v.Notes {
		s.notes = append(s.notes, n.Reason.String())
	}
}

// message says what a verdict is about.
func message(reason string, v *validator.Verdict) string {
	switch reason {
	case edge.RequestFault:
		return "what the client sent is malformed"
	case validator.ClientClosed.String():
		return "the client left before the end"
	case ending:
		return errEnding.Error()
	}
	return v.Message
}

// blame gives the reason and the status that a verdict counts under: where the
// origin is not to blame, what the client did, or this proxy. x may be nil.
func (x *exchange) blame(v *validator.Verdict) (reason string, status int) {
	left := slices.ContainsFunc(v.Notes, func(n validator.Finding) bool { return n.Reason == validator.ClientClosed })
	switch {
	case !left:
		return v.Reason.String(), v.EdgeStatus
	case x != nil && isEnding(x.r.Context()):
		return ending, http.StatusServiceUnavailable
	case x != nil && x.content != nil && x.content.isFaulty() && x.r.Context().Err() == nil:
		return edge.RequestFault, http.StatusBadRequest
	}
	return validator.ClientClosed.String(), statusLeft
}

// statusLeft is what logs have of a client that left; see edge.Answers.
const statusLeft = 499

// end ends the exchange, and the log has its line. cut: the response is cut off.
func (x *exchange) end(cut bool) {
	now := time.Now()
	x.setWriteDeadline(now.Add(x.limit))
	m, took := x.s.metrics, now.Sub(x.began)
	if x.status == 0 && !cut {
		x.WriteHeader(http.StatusOK) // net/http would, without a look at the content
	}
	m.requests.WithLabelValues(statusLabel(x.status)).Inc()
	m.seconds.Observe(took.Seconds())
	m.out.Add(float64(x.out))
	if x.content != nil {
		m.in.Add(float64(x.content.bytes()))
	}
	if cut {
		m.cut.Inc()
	}
	if x.stale {
		m.stale.Inc()
	}
	x.log(took, cut)
}

// linger takes in for a while what a client still sends that was answered already.
// Were the connection closed at once, its kernel would be sent a reset, and might
// never show it the answer. It leaves the connection to the next exchange.
func (x *exchange) linger(cut bool) {
	if x.content == nil || x.content.finish() || x.r.ProtoMajor != 1 {
		return
	}
	x.setReadDeadline(time.Now().Add(lingering))
	if !cut && x.FlushError() == nil {
		_, _ = io.Copy(io.Discard, x.content.ReadCloser) // it ends with the client or the deadline
	}
	x.setWriteDeadline(time.Now().Add(x.limit)) // a last chunk may be still to be written
}

const lingering = time.Second

// log writes the line. The query is left out, for it may hold secrets.
func (x *exchange) log(took time.Duration, cut bool) {
	v, r := &x.verdict, x.r
	fields := make([]slog.Attr, 0, 32)
	text := func(key, value string) {
		if value != "" {
			fields = append(fields, slog.String(key, value))
		}
	}
	number := func(key string, value int64) {
		if value != 0 {
			fields = append(fields, slog.Int64(key, value))
		}
	}
	seconds := func(key string, value time.Duration) {
		if value > 0 {
			fields = append(fields, slog.Float64(key, value.Seconds()))
		}
	}
	level := slog.LevelInfo
	text("client", r.RemoteAddr)
	text("protocol", r.Proto)
	text("method", r.Method)
	text("host", r.Host)
	text("path", r.URL.EscapedPath())
	fields = append(fields, slog.Int("status", x.status), slog.Int64("bytes", x.out))
	if x.content != nil {
		number("bytes_in", x.content.bytes())
	}
	fields = append(fields, slog.Float64("seconds", took.Seconds()))
	text("origin", x.origin)
	switch {
	case v.valid:
		text("address", v.address)
		text("reason", v.reason)
		text("cause", v.cause)
		number("edge_status", int64(v.status))
		if id := x.failure.id; id != "" && id != v.id { // the page has one of its own: it is not about this verdict
			v.id, v.err = id, x.failure.err
		}
		text("id", v.id)
		if v.reason != wire.OK.String() || x.failure.reason != "" {
			level = slog.LevelWarn
			text("phase", v.phase)
			if v.offset >= 0 {
				fields = append(fields, slog.Int64("offset", v.offset))
			}
			text("message", v.message)
			text("error", v.err)
		}
		if len(v.notes) > 0 {
			fields = append(fields, slog.Any("notes", v.notes))
		}
		number("received", v.received)
		if v.attempts > 1 {
			number("attempts", int64(v.attempts))
		}
		fields = append(fields, slog.Bool("reused", v.reused))
		seconds("connect", v.timing.Connect)
		seconds("tls", v.timing.TLS)
		seconds("wait", v.timing.Wait)
		seconds("head", v.timing.Head)
		seconds("content", v.timing.Body)
	case x.failure.reason != "":
		level = slog.LevelWarn
		text("reason", x.failure.reason)
		text("id", x.failure.id)
		text("error", x.failure.err)
	}
	if cut {
		fields = append(fields, slog.Bool("cut", true))
	}
	if x.stale {
		fields = append(fields, slog.Bool("stored_copy", true))
	}
	x.s.access.LogAttrs(context.Background(), level, "exchange", fields...)
}

// failures is a slog.Handler that takes down what edge.Answers says, for the
// line that its exchange will have.
type failures struct{}

func (failures) Enabled(context.Context, slog.Level) bool { return true }
func (f failures) WithAttrs([]slog.Attr) slog.Handler     { return f }
func (f failures) WithGroup(string) slog.Handler          { return f }
func (failures) Handle(ctx context.Context, r slog.Record) error {
	x := exchangeOf(ctx)
	if x == nil {
		return nil
	}
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "id":
			x.failure.id = a.Value.String()
		case "reason":
			x.failure.reason = a.Value.String()
		case "error":
			x.failure.err = a.Value.String()
		}
		return true
	})
	return nil
}
