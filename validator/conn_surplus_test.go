package validator_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/wire"
)

// Where something can be read before a request is sent, it is no answer to it: the
// request is not sent, and reading fails. Nobody reads meanwhile, as with clients
// that look at a connection only when they use it.
func TestConnDoesNotSendARequestThatWasAnsweredBefore(t *testing.T) {
	origin, client := tlsPair(t)
	for name, dial := range map[string]func(address string) (net.Conn, error){
		"plain": new(validator.Guard).DialAddr,
		"TLS":   (&validator.Guard{TLSClientConfig: client}).DialTLSAddr,
		"TLS made elsewhere": func(address string) (net.Conn, error) {
			c, err := tls.Dial("tcp", address, client)
			if err != nil {
				return nil, err
			}
			return new(validator.Guard).Conn(c), nil
		},
		"without a descriptor": func(address string) (net.Conn, error) {
			c, err := net.Dial("tcp", address)
			return new(validator.Guard).Conn(hidden{c}), err
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer l.Close()
			more, sent := make(chan bool, 1), make(chan bool, 1)
			go func() {
				c, err := l.Accept()
				if err != nil {
					return
				}
				defer c.Close()
				if strings.HasPrefix(name, "TLS") {
					c = tls.Server(c, origin)
				}
				r := bufio.NewReader(c)
				for range 2 {
					readRequest(r)
					c.Write([]byte(hello))
				}
				<-more
				c.Write([]byte(evil))
				sent <- true
				readRequest(r)
			}()
			c, err := dial(l.Addr().String())
			require.NoError(t, err)
			defer c.Close()
			p := []byte(hello)
			for range 2 { // a connection that is silent is used again
				write(t, c, onePlain)
				_, err := io.ReadFull(c, p)
				require.NoError(t, err)
				assert.Equal(t, hello, string(p))
			}
			more <- true
			<-sent
			_, err = c.Write([]byte(onePlain))
			assert.ErrorIs(t, err, wire.BytesOnIdleConnection)
			_, err = c.Read(p)
			assert.ErrorIs(t, err, wire.BytesOnIdleConnection)
		})
	}
}

// What came behind a response was read with it: the next request is not sent, be
// it written before Read has failed with it or while that is still reading.
func TestConnDoesNotSendARequestBehindWhatWasReadTooMuch(t *testing.T) {
	const hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
	for _, reading := range []bool{true, false} {
		seen, below := &connVerdicts{}, &canned{text: hello + hello, size: 1000, err: io.EOF}
		var again error
		g := &validator.Guard{OnVerdict: func(c *validator.Conn, e *validator.Evidence, v *validator.Verdict) {
			if seen.add(c, e, v); reading {
				_, again = c.Write([]byte(onePlain))
			}
		}}
		c := g.Conn(below)
		write(t, c, onePlain)
		_, err := io.ReadFull(c, make([]byte, len(hello)))
		require.NoError(t, err)
		if !reading {
			_, again = c.Write([]byte(onePlain))
		}
		assert.ErrorIs(t, again, wire.BytesOnIdleConnection)
		_, err = c.Read(make([]byte, 1))
		assert.ErrorIs(t, err, wire.BytesOnIdleConnection)
		require.NoError(t, c.Close())
		assert.Equal(t, onePlain, below.written.String())
		assert.Equal(t, []wire.Reason{wire.OK}, seen.reasons(), "of what was sent")
	}
}

// Where reading has failed, a request would have no answer: it is not sent. What
// was begun goes on.
func TestConnSendsNoRequestWhereReadingHasFailed(t *testing.T) {
	const hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
	for text, want := range map[string]error{
		"HTTP/1.1 2x0 OK\r\n\r\n":            wire.StatusCodeDigits,
		hello[:len(hello)-1]:                 wire.BodyShort,
		hello:                                io.EOF,
		"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbye": io.EOF,
	} {
		seen, below := &connVerdicts{}, &canned{text: text, size: 1000, err: io.EOF}
		c := (&validator.Guard{OnVerdict: seen.add}).Conn(below)
		const ask = "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n"
		write(t, c, ask+"hel")
		_, failed := c.Read(make([]byte, 1000))
		for failed == nil {
			_, failed = c.Read(make([]byte, 1000))
		}
		require.ErrorIs(t, failed, want)
		write(t, c, "lo")
		_, err := c.Write([]byte(onePlain))
		assert.Equal(t, failed, err, "%q", text)
		require.NoError(t, c.Close())
		assert.Equal(t, ask+"hello", below.written.String(), "%q", text)
		assert.Len(t, seen.reasons(), 1, "%q", text)
	}
}
