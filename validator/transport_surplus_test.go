package validator_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/wire"
)

// tlsPair gives configurations of an origin and of who trusts it.
func tlsPair(t *testing.T) (origin, client *tls.Config) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	client = s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	client.ServerName, client.NextProtos = "example.com", nil
	return &tls.Config{Certificates: s.TLS.Certificates}, client
}

// hidden hides what a connection can do besides.
type hidden struct{ net.Conn }

// A way is how a Transport comes to its connections.
type way struct {
	name string
	tls  bool
	set  func(tr *validator.Transport, config *tls.Config)
}

var ways = []way{
	{"plain", false, func(*validator.Transport, *tls.Config) {}},
	{"TLS", true, func(tr *validator.Transport, config *tls.Config) { tr.TLSClientConfig = config }},
	{"TLS made elsewhere", true, func(tr *validator.Transport, config *tls.Config) {
		tr.DialTLSContext = (&tls.Dialer{Config: config}).DialContext
	}},
	{"without a descriptor", false, func(tr *validator.Transport, _ *tls.Config) { tr.DialContext = dialHidden }},
	{"TLS without a descriptor", true, func(tr *validator.Transport, config *tls.Config) {
		tr.TLSClientConfig, tr.DialContext = config, dialHidden
	}},
}

func dialHidden(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return hidden{c}, nil
}

// serve starts an origin that w's Transport asks.
func (w way) serve(t *testing.T, tr *validator.Transport, serve func(below, c net.Conn, r *bufio.Reader)) (url string) {
	t.Helper()
	origin, client := tlsPair(t)
	w.set(tr, client)
	url = listen(t, func(_ int, below net.Conn, r *bufio.Reader) {
		c := below
		if w.tls {
			c = tls.Server(below, origin)
			r = bufio.NewReader(c)
		}
		serve(below, c, r)
	})
	if w.tls {
		url = "https" + strings.TrimPrefix(url, "http")
	}
	return url
}

const evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"

// answersTwice serves content, once the head is known to have come, and behind it
// a response that nobody asked for.
func answersTwice(t *testing.T, content string, headed chan bool) func(int, net.Conn, *bufio.Reader) {
	return func(_ int, c net.Conn, r *bufio.Reader) {
		for q, _ := readRequest(r); q != nil; q, _ = readRequest(r) {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(content))
			select {
			case <-headed:
				io.WriteString(c, content+evil)
			case <-t.Context().Done():
				return
			}
		}
	}
}

// What an origin sends behind a response is the answer to no request: not to one
// that must not be sent twice, nor to one that comes at once, however it is read.
func TestWhatFollowsAResponseAnswersNoOtherRequest(t *testing.T) {
	good := strings.Repeat("good", 1<<10)
	for _, w := range ways {
		for name, room := range map[string]int{"by pieces": 500, "exactly": len(good), "at once": 16 << 10} {
			t.Run(w.name+", read "+name, func(t *testing.T) {
				tr, seen := transport(t)
				headed := make(chan bool, 3)
				answer := answersTwice(t, good, headed)
				u := w.serve(t, tr, func(_, c net.Conn, r *bufio.Reader) { answer(0, c, r) })
				for range 3 {
					resp, err := tr.RoundTrip(post(t, u))
					require.NoError(t, err)
					headed <- true
					var got []byte
					for p := make([]byte, room); err == nil; {
						var n int
						n, err = resp.Body.Read(p)
						got = append(got, p[:n]...)
					}
					assert.Equal(t, io.EOF, err)
					assert.Equal(t, good, string(got))
				}
				notes := 0
				for _, v := range seen.list() {
					for _, f := range v.Notes {
						if f.Reason == wire.BytesAfterResponse || f.Reason == wire.BytesOnIdleConnection {
							notes++
						}
					}
				}
				assert.GreaterOrEqual(t, notes, 2)
			})
		}
	}
}

// So it is where a response has no content, and some comes behind it.
func TestContentOfAnAnswerToHEADAnswersNoOtherRequest(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			tr, _ := transport(t)
			wrote := make(chan bool, 20)
			u := w.serve(t, tr, func(_, c net.Conn, r *bufio.Reader) {
				for q, _ := readRequest(r); q != nil; q, _ = readRequest(r) {
					if q.Method == "GET" {
						io.WriteString(c, hello)
						continue
					}
					io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n")
					io.WriteString(c, evil)
					wrote <- true
				}
			})
			for range 20 {
				_, _, err := do(tr, "HEAD", u, nil)
				require.NoError(t, err)
				<-wrote
				_, content, err := do(tr, "GET", u, nil)
				require.NoError(t, err)
				require.Equal(t, "hello", content)
			}
		})
	}
}

// Who waits in line for a connection is not given one that talks.
func TestAConnectionThatIsHandedOnIsLookedAt(t *testing.T) {
	good := strings.Repeat("good", 1<<10)
	tr, _ := transport(t)
	tr.MaxConnsPerHost = 1
	headed := make(chan bool, 20)
	u := listen(t, answersTwice(t, good, headed))
	answers := make(chan string, cap(headed))
	for range cap(answers) {
		q := post(t, u)
		go func() {
			resp, err := tr.RoundTrip(q)
			if err != nil {
				answers <- err.Error()
				return
			}
			headed <- true
			b := make([]byte, len(good)) // no room to see more
			io.ReadFull(resp.Body, b)
			resp.Body.Close()
			answers <- string(b)
		}()
	}
	for range cap(answers) {
		assert.Equal(t, good, <-answers)
	}
}

// A part of a TLS record is no whole one, and yet something that nobody asked for.
func TestAConnectionWithAPartOfARecordIsNotUsedAgain(t *testing.T) {
	for _, w := range ways {
		if !w.tls || w.name == "TLS made elsewhere" { // whose records are not seen
			continue
		}
		t.Run(w.name, func(t *testing.T) {
			tr, _ := transport(t)
			wrote, ports := make(chan bool, 3), map[string]bool{}
			u := w.serve(t, tr, func(below, c net.Conn, r *bufio.Reader) {
				for q, _ := readRequest(r); q != nil; q, _ = readRequest(r) {
					io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nPort: "+c.RemoteAddr().String()+"\r\n\r\n")
					io.WriteString(below, "\x17\x03\x03\x40")
					wrote <- true
				}
			})
			for range 3 {
				resp, _, err := do(tr, "GET", u, nil)
				require.NoError(t, err)
				ports[resp.Header.Get("Port")] = true
				<-wrote
			}
			assert.Len(t, ports, 3)
		})
	}
}

// A connection is used again, whatever it is made of.
func TestQuietConnectionsAreUsedAgain(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			tr, _ := transport(t)
			ports := map[string]bool{}
			u := w.serve(t, tr, func(_, c net.Conn, r *bufio.Reader) {
				for q, _ := readRequest(r); q != nil; q, _ = readRequest(r) {
					io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nPort: "+c.RemoteAddr().String()+"\r\n\r\n")
				}
			})
			for range 5 {
				resp, _, err := do(tr, "POST", u, nil)
				require.NoError(t, err)
				ports[resp.Header.Get("Port")] = true
			}
			assert.Len(t, ports, 1)
		})
	}
}

// post gives a request without content that must not be sent twice.
func post(t *testing.T, url string) *http.Request {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), "POST", url, nil)
	require.NoError(t, err)
	return q
}
