package validator_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
)

// quiet serves one answer after another, without an allocation, to requests
// without content.
func quiet(answer string) func(int, net.Conn, *bufio.Reader) {
	text := []byte(answer)
	return func(_ int, c net.Conn, r *bufio.Reader) {
		for {
			for line := []byte(nil); len(line) != len("\r\n"); { // up to the empty line
				var err error
				if line, err = r.ReadSlice('\n'); err != nil {
					return
				}
			}
			if _, err := c.Write(text); err != nil {
				return
			}
		}
	}
}

func TestAnExchangeAllocatesHalfAsOftenAsNetHTTPsAtMost(t *testing.T) {
	for _, fields := range []int{1, 8, 25} {
		answer := &strings.Builder{}
		answer.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n")
		for i := range fields {
			fmt.Fprintf(answer, "Field-%d: value\r\n", i)
		}
		answer.WriteString("\r\nhello")
		measure := func(tr http.RoundTripper) float64 {
			q, err := http.NewRequest("GET", listen(t, quiet(answer.String())), nil)
			require.NoError(t, err)
			b := make([]byte, 64)
			return allocations(t, func() {
				resp, err := tr.RoundTrip(q)
				if err != nil {
					t.Error(err)
					return
				}
				n, err := io.ReadFull(resp.Body, b[:5])
				assert.True(t, n == 5 && err == nil)
				resp.Body.Read(b) // io.EOF: then the connection is free
				resp.Body.Close()
			})
		}
		ours, theirs := &validator.Transport{}, &http.Transport{}
		got, most := measure(ours), measure(theirs)/2
		ours.CloseIdleConnections()
		theirs.CloseIdleConnections()
		assert.LessOrEqual(t, got, most, "%d fields", fields+1)
	}
}

func TestNamesOfFieldsAreCanonicalAndTheirValuesTogether(t *testing.T) {
	const names = "content-length: 0\r\nSet-Cookie: a=1\r\nX-lower: 1\r\nSET-COOKIE: b=2\r\nServer: x\r\n-a: 1\r\nx--Y: 2\r\nset-cookie: c=3\r\n"
	for text, want := range map[string]http.Header{
		names: {
			"Content-Length": {"0"}, "Set-Cookie": {"a=1", "b=2", "c=3"}, "X-Lower": {"1"}, "Server": {"x"}, "-A": {"1"}, "X--Y": {"2"},
		},
		"Content-Length: 0\r\nX-Y_z: [a]\r\nX^: 1\r\n":                    {"Content-Length": {"0"}, "X-Y_z": {"[a]"}, "X^": {"1"}},
		"Content-Length: 0\r\n" + strings.Repeat("Via: 1.1 edge\r\n", 20): {"Content-Length": {"0"}, "Via": slices.Repeat([]string{"1.1 edge"}, 20)},
	} {
		tr := &validator.Transport{}
		resp, _, err := do(tr, "GET", listen(t, says("HTTP/1.1 200 OK\r\n"+text+"\r\n")), nil)
		if assert.NoError(t, err, "%q", text) {
			assert.Equal(t, want, resp.Header)
			for name := range resp.Header {
				assert.Equal(t, http.CanonicalHeaderKey(name), name)
			}
		}
		tr.CloseIdleConnections()
	}
}

// Whatever their length, and where in them letters and hyphens are.
func TestNamesOfAnyLengthAreCanonical(t *testing.T) {
	const alphabet = "aAzZmM--'`_|~^0"
	random := rand.New(rand.NewPCG(1, 2))
	answers := make(chan string, 1)
	tr := &validator.Transport{}
	defer tr.CloseIdleConnections()
	u := listen(t, func(_ int, c net.Conn, r *bufio.Reader) {
		for q, _ := readRequest(r); q != nil; q, _ = readRequest(r) {
			io.WriteString(c, <-answers)
		}
	})
	for range 50 {
		want := http.Header{"Content-Length": {"0"}}
		answer := "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
		for len(want) < 200 {
			name := make([]byte, 1+random.IntN(40))
			for i := range name {
				name[i] = alphabet[random.IntN(len(alphabet))]
			}
			key := http.CanonicalHeaderKey(string(name))
			if want[key] == nil {
				answer += string(name) + ":" + string(name) + "\r\n"
				want[key] = []string{string(name)}
			}
		}
		answers <- answer + "\r\n"
		resp, _, err := do(tr, "GET", u, nil)
		require.NoError(t, err)
		require.Equal(t, want, resp.Header)
	}
}
