package validator

import (
	"fmt"

	"why520/wire"
)

// An Error is why an exchange failed, for who sits between a client and an
// origin: what Transport and Conn fail with. It is a net.Error.
type Error struct {
	Verdict  *Verdict
	Evidence *Evidence // what Verdict was made from
	Err      error     // what the system, TLS or the caller's context said; nil where only the bytes are at fault
}

// Error says what the origin did, and the token of the reason.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s", e.Verdict.Reason.Info().Token, e.Verdict.Message)
}

// Unwrap gives the reason, so that errors.Is(err, wire.HeadTooLarge) and the like
// hold, and Err where there is one.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Verdict.Reason}
	}
	return []error{e.Verdict.Reason, e.Err}
}

// Timeout reports whether the origin, or the path to it, was waited for in vain.
func (e *Error) Timeout() bool {
	switch e.Verdict.Reason {
	case DNSTimeout, ConnectionTimeout, RequestUnacknowledged, TLSHandshakeTimeout, RequestWriteTimeout,
		wire.FirstByteTimeout, wire.HeadStalled, wire.HeadDeadline, wire.BodyStalled, wire.ChunkedStalled,
		wire.CloseDelimitedStalled, wire.BodyDeadline, wire.InterimThenStall:
		return true
	}
	return false
}

// Temporary is Timeout: it is there for net.Error.
func (e *Error) Temporary() bool { return e.Timeout() }

// A ContentError is why the content of a request could not be sent: its Read or its
// Close failed, or it is not as long as ContentLength says. It says nothing of the
// origin.
type ContentError struct{ Err error }

func (e *ContentError) Error() string { return "reading the request's content: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *ContentError) Unwrap() error { return e.Err }
