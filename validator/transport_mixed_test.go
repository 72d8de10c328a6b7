package validator_test

import (
	"bufio"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/wire"
)

// mixed answers by the path: well, badly, slowly, not at all.
func mixed(_ int, c net.Conn, r *bufio.Reader) {
	for {
		q, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if q.URL.Path == "/early" {
			io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			return
		}
		io.Copy(io.Discard, q.Body)
		text := map[string]string{
			"/length": hello, "/chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n",
			"/interim": "HTTP/1.1 103 Early Hints\r\n\r\n" + hello, "/empty": "HTTP/1.1 204 No Content\r\nA: b\r\n\r\n",
			"/cut": "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "/bad": "HTTP/1.1 200 OK\r\nA\rb\r\n\r\n",
			"/close": "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", "/switch": "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
		}[q.URL.Path]
		if _, err := io.WriteString(c, text); err != nil {
			return
		}
		switch q.URL.Path {
		case "/cut", "/bad", "/close", "/switch":
			return
		case "/silent":
			r.ReadByte()
			return
		}
	}
}

// descriptors counts the open files of this process, where that is known.
func descriptors() int {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(all)
}

// Whatever is mixed, each request has one verdict, and nothing is left behind.
func TestEveryExchangeOfAMixtureIsCountedOnce(t *testing.T) {
	const workers, each = 16, 60
	before := descriptors()
	u := listen(t, mixed)
	var counted atomic.Int64
	tr := &validator.Transport{HoldContent: 4, MaxConnsPerHost: 12, Recorder: &validator.Recorder{Most: 8}}
	tr.OnVerdict = func(*http.Request, *validator.Evidence, *validator.Verdict) { counted.Add(1) }
	paths := []string{"length", "chunked", "interim", "empty", "cut", "bad", "close", "switch", "early", "silent", "length", "length"}
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(520, uint64(worker)))
			for range each {
				askMixed(t, tr, u, paths[random.IntN(len(paths))], random.IntN(4))
			}
		})
	}
	all.Wait()
	assert.EqualValues(t, workers*each, counted.Load())
	assert.Len(t, tr.Recorder.All(), 8)
	tr.CloseIdleConnections()
	if before > 0 {
		assert.Eventually(t, func() bool { return descriptors() <= before+2 }, time.Minute, 10*time.Millisecond, "descriptors: %d before", before)
	}
}

// askMixed makes one request, of which the caller may have enough before its end.
func askMixed(t *testing.T, tr *validator.Transport, u, path string, how int) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if path == "silent" {
		ctx, cancel = context.WithTimeout(ctx, 5*time.Millisecond)
		defer cancel()
	}
	var content io.Reader
	switch how {
	case 1:
		content = strings.NewReader("short")
	case 2:
		content = io.MultiReader(strings.NewReader(strings.Repeat("long", 30000)))
	}
	q, err := http.NewRequestWithContext(ctx, map[bool]string{true: "POST", false: "GET"}[content != nil], u+path, content)
	require.NoError(t, err)
	if path == "switch" {
		q.Header.Set("Connection", "Upgrade")
		q.Header.Set("Upgrade", "x")
	}
	resp, err := tr.RoundTrip(q)
	switch path {
	case "bad":
		assert.ErrorIs(t, err, wire.BareCR)
	case "silent":
		assert.ErrorIs(t, err, context.DeadlineExceeded)
	case "early", "cut":
	default:
		assert.NoError(t, err, path)
	}
	if err != nil {
		return
	}
	defer resp.Body.Close()
	if how < 3 && path != "switch" {
		_, err = io.Copy(io.Discard, resp.Body)
		assert.Equal(t, path == "cut", err != nil, "%s: %v", path, err)
	}
}
