package validator_test

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"why520/validator"
	"why520/wire"

	"github.com/stretchr/testify/assert"
)

func TestAnErrorIsItsReasonAndItsCause(t *testing.T) {
	verdict := &validator.Verdict{Reason: wire.HeadReset, Message: "the origin reset the connection within the head, after 17 bytes"}
	var err error = &validator.Error{Verdict: verdict, Err: syscall.ECONNRESET}
	assert.ErrorIs(t, err, wire.HeadReset)
	assert.ErrorIs(t, err, syscall.ECONNRESET)
	assert.NotErrorIs(t, err, wire.HeadCut)
	assert.Equal(t, "head-reset: the origin reset the connection within the head, after 17 bytes", err.Error())
	assert.ErrorIs(t, &validator.Error{Verdict: verdict}, wire.HeadReset)
}

// An error is a timeout if its Proxy-Status type says so.
func TestTimeouts(t *testing.T) {
	for _, r := range wire.Reasons() {
		err := &validator.Error{Verdict: &validator.Verdict{Reason: r}}
		var e net.Error
		assert.True(t, errors.As(error(err), &e))
		switch validator.NamesOf(r).ProxyStatus {
		case "dns_timeout", "connection_timeout", "connection_read_timeout", "connection_write_timeout", "http_response_timeout":
			assert.True(t, e.Timeout(), "%v", r)
		default:
			assert.Equal(t, r == validator.TLSHandshakeTimeout, e.Timeout(), "%v", r)
		}
	}
}
