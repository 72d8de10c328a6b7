package why520

import (
	"errors"
	"net"
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"

	"why520/validator"
)

// failure gives reverse_proxy an error that it understands. Caddy asks three
// things of it: whether it is a net.Error that timed out, by a plain assertion
// (504 in the place of 502; *validator.Error is one itself); whether the client
// left (499; the context's error is in the tree); and whether it is a
// reverseproxy.DialError, which has a request of any method sent to the next
// upstream. So a failure is one only while nothing of the request was written.
func (t *Transport) failure(r *http.Request, err error) error {
	var failed *validator.Error
	var local *validator.LocalError
	switch {
	case errors.As(err, &failed):
		if failed.Verdict.Phase <= validator.PhaseTLS && failed.Evidence.Attempts <= 1 {
			return unsent{err, failed.Timeout()}
		}
	case errors.As(err, &local):
		t.told.local(r, local)
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			return unsent{err, false}
		}
	}
	return err
}

// unsent is why there was no connection that the request could be written to.
type unsent struct {
	error
	timeout bool
}

// Unwrap gives the reason, and the mark that Caddy looks for.
func (e unsent) Unwrap() []error { return []error{e.error, reverseproxy.NewDialError(e.error)} }

// Timeout implements net.Error.
func (e unsent) Timeout() bool { return e.timeout }

// Temporary implements net.Error.
func (e unsent) Temporary() bool { return e.timeout }

var _ net.Error = unsent{}
