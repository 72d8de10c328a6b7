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
