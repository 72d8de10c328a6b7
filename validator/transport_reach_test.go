package validator_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
)

// A stubborn dial goes on when its context is over, until it is let.
type stubborn struct {
	begun chan context.Context
	let   chan error // nil: it makes the connection
	conns chan net.Conn
}

func newStubborn() *stubborn {
	return &stubborn{make(chan context.Context, 9), make(chan error, 9), make(chan net.Conn, 9)}
}

func (s *stubborn) dial(ctx context.Context, network, address string) (net.Conn, error) {
	s.begun <- ctx
	if err := <-s.let; err != nil {
		return nil, err
	}
	c, err := net.Dial(network, address)
	s.conns <- c
	return c, err
}

// leaves makes a request whose caller leaves while s dials.
func (s *stubborn) leaves(t *testing.T, tr *validator.Transport, url string) {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		<-s.begun
		leave()
	}()
	q, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	require.NoError(t, err)
	_, err = tr.RoundTrip(q)
	require.ErrorIs(t, err, context.Canceled)
}

func TestARequestEndsThoughItsDialDoesNot(t *testing.T) {
	u := listen(t, says(hello))
	tr, seen := transport(t)
	tr.MaxConnsPerHost = 1
	s := newStubborn()
	tr.DialContext = s.dial
	s.leaves(t, tr, u)
	s.let <- nil // and the turn is still that dial's
	for range 2 {
		asksSoon(t, tr, u)
	}
	assert.Len(t, s.conns, 1)
	e, _ := seen.last(t)
	assert.True(t, e.Reused)
}

func TestADialThatFailsLateGivesUpItsTurn(t *testing.T) {
	u := listen(t, says(hello))
	tr, _ := transport(t)
	tr.MaxConnsPerHost = 1
	s := newStubborn()
	tr.DialContext = s.dial
	s.leaves(t, tr, u)
	s.let <- errors.New("late")
	s.let <- nil
	asksSoon(t, tr, u)
}

func TestAConnectionWithTLSThatComesLateIsClosed(t *testing.T) {
	u := listen(t, says(hello))
	tr, _ := transport(t)
	s := newStubborn()
	tr.DialContext = s.dial
	s.leaves(t, tr, "https"+u[len("http"):])
	s.let <- nil
	c := <-s.conns
	for { // until it is closed
		if _, err := c.Read(make([]byte, 1)); errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

func TestTheDeadlineOfConnectingEndsARequestThoughItsDialDoesNot(t *testing.T) {
	tr, _ := transport(t)
	tr.Deadlines.Connect = 10 * time.Millisecond
	s := newStubborn()
	tr.DialContext = s.dial
	_, _, err := do(tr, "GET", "http://origin.test/", nil)
	assert.ErrorIs(t, err, validator.ConnectionTimeout)
	s.let <- errors.New("late")
}
