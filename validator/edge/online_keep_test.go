package edge_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/validator/edge"
	"why520/wire"
)

// respond gives a response to r with this content.
func respond(r *http.Request, length int64, content io.Reader) *http.Response {
	return &http.Response{
		StatusCode: 200, Header: http.Header{}, Request: r, ContentLength: length, Body: io.NopCloser(content),
	}
}

// cut is content that ends with an error.
type cut struct {
	io.Reader
	err error
}

func (c cut) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err == io.EOF {
		err = c.err
	}
	return n, err
}

// once fails as its content does, and then is at its end.
type once struct {
	cut
	failed error
}

func (o *once) Read(p []byte) (n int, err error) {
	if o.failed != nil {
		return 0, io.EOF
	}
	n, o.failed = o.cut.Read(p)
	return n, o.failed
}

func TestContentThatIsNotWholeIsNotStored(t *testing.T) {
	short := &validator.Error{Verdict: &validator.Verdict{Reason: wire.BodyShort, EdgeStatus: 520}}
	for name, c := range map[string]struct {
		length  int64
		content io.Reader
	}{
		"the transport says so":    {-1, cut{strings.NewReader("cut"), short}},
		"unexpected end":           {-1, cut{strings.NewReader("cut"), io.ErrUnexpectedEOF}},
		"end below Content-Length": {9, strings.NewReader("cut")},
		"more than Content-Length": {2, strings.NewReader("cut")},
		"the client went":          {-1, cut{strings.NewReader("cut"), context.Canceled}},
		"an error, then the end":   {-1, &once{cut{strings.NewReader("cut"), io.ErrUnexpectedEOF}, nil}},
	} {
		t.Run(name, func(t *testing.T) {
			var a edge.AlwaysOnline
			passOn(t, &a, get("http://example.test/"), 200, "whole")
			resp := respond(get("http://example.test/"), c.length, c.content)
			require.NoError(t, a.Keep(resp))
			_, err := io.ReadAll(resp.Body)
			resp.Body.Read(make([]byte, 1))
			if e, ok := c.content.(cut); ok {
				assert.Equal(t, e.err, err, "the error is passed on as it is")
			}
			require.NoError(t, resp.Body.Close())
			kept := copyFor(t, &a, get("http://example.test/"))
			require.NotNil(t, kept)
			assert.Equal(t, "whole", contentOf(t, kept))
		})
	}
}

func TestContentClosedBeforeItsEndIsNotStored(t *testing.T) {
	var a edge.AlwaysOnline
	resp := respond(get("http://example.test/"), 4, strings.NewReader("four"))
	require.NoError(t, a.Keep(resp))
	_, err := io.ReadFull(resp.Body, make([]byte, 4)) // the end was not seen
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Nil(t, copyFor(t, &a, get("http://example.test/")))
}

func TestContentPassesWithoutDelay(t *testing.T) {
	var a edge.AlwaysOnline
	content, origin := io.Pipe()
	resp := respond(get("http://example.test/"), -1, content)
	require.NoError(t, a.Keep(resp))
	for _, part := range []string{"one", "two", "three"} {
		go origin.Write([]byte(part)) // the next part is written only when this one was passed on
		b := make([]byte, 10)
		n, err := resp.Body.Read(b)
		require.NoError(t, err)
		assert.Equal(t, part, string(b[:n]))
		assert.Nil(t, copyFor(t, &a, get("http://example.test/")), "it is not whole yet")
	}
	go origin.Close()
	_, err := resp.Body.Read(nil)
	for err == nil {
		_, err = resp.Body.Read(make([]byte, 1))
	}
	require.Equal(t, io.EOF, err)
	kept := copyFor(t, &a, get("http://example.test/"))
	require.NotNil(t, kept)
	assert.Equal(t, "onetwothree", contentOf(t, kept))
}

func TestMaxSizeIsExact(t *testing.T) {
	for size, kept := range map[int]bool{9: true, 10: true, 11: false} {
		for _, length := range []int64{int64(size), -1} {
			a := edge.AlwaysOnline{MaxSize: 10}
			resp := respond(get("http://example.test/"), length, strings.NewReader(strings.Repeat("x", size)))
			require.NoError(t, a.Keep(resp))
			content, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			assert.Len(t, content, size)
			assert.Equal(t, kept, copyFor(t, &a, get("http://example.test/")) != nil, "%d bytes, Content-Length %d", size, length)
		}
	}
}

func TestContentThatIsNotAtItsEndIsBounded(t *testing.T) {
	a := edge.AlwaysOnline{MaxSize: 32 << 20}
	small := func() *http.Response {
		passOn(t, &a, get("http://example.test/small"), 200, "content")
		return copyFor(t, &a, get("http://example.test/small"))
	}
	var open []*http.Response
	for range 3 { // the third is refused
		resp := respond(get("http://example.test/"), 32<<20, strings.NewReader("the first of many"))
		require.NoError(t, a.Keep(resp))
		open = append(open, resp)
	}
	assert.Nil(t, small(), "64 MiB are awaited already")
	require.NoError(t, open[0].Body.Close())
	assert.NotNil(t, small())
	require.NoError(t, open[1].Body.Close())
}

// Of content whose length is not known, no more memory is taken than is counted: not
// what append has in reserve, nor what it leaves behind.
func TestContentOfUnknownLengthTakesTheMemoryThatIsCounted(t *testing.T) {
	var a edge.AlwaysOnline
	const readers, each = 8, 2<<20 + 1
	var open [readers]*http.Response
	for i := range open {
		open[i] = respond(get("http://example.test/"), -1, strings.NewReader(strings.Repeat("x", each+1)))
		require.NoError(t, a.Keep(open[i]))
	}
	var before, after runtime.MemStats
	p := make([]byte, 4<<10)
	runtime.ReadMemStats(&before)
	for _, resp := range open {
		for left := each; left > 0; {
			n, err := resp.Body.Read(p[:min(left, len(p))])
			require.NoError(t, err)
			left -= n
		}
	}
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(readers*each*11/10))
	for _, resp := range open {
		require.NoError(t, resp.Body.Close())
	}
}

// counting counts what is asked of a store.
type counting struct {
	edge.MemoryStore
	loads int
}

func (c *counting) Load(key string) ([]byte, bool) {
	c.loads++
	return c.MemoryStore.Load(key)
}

func TestOfManyAtOnceEveryCopyIsWhole(t *testing.T) {
	a := edge.AlwaysOnline{Store: &edge.MemoryStore{Budget: 200 << 10}}
	content := func(uri string, n int) string {
		part := fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%s %d", uri, n)))
		return fmt.Sprintf("%s %d ", uri, n) + strings.Repeat(part, n%40)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 300 {
				n := rand.IntN(1000)
				uri := fmt.Sprintf("http://example.test/%d", n%17)
				switch rand.IntN(8) {
				case 0:
					passOn(t, &a, request("POST", uri), 200, "")
				case 1:
					resp := respond(get(uri), -1, cut{strings.NewReader("not whole"), errors.New("cut")})
					a.Keep(resp)
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				case 2, 3:
					passOn(t, &a, get(uri, "Accept", fmt.Sprint(n%3)), 200, content(uri, n), "Vary", "Accept")
				case 4, 5:
					passOn(t, &a, get(uri), 200, content(uri, n))
				default:
					resp := copyFor(t, &a, get(uri, "Accept", fmt.Sprint(n%3)))
					if resp == nil {
						continue
					}
					got := contentOf(t, resp)
					var of string
					var m int
					_, err := fmt.Sscanf(got, "%s %d ", &of, &m)
					if assert.NoError(t, err, "%q", got) {
						assert.Equal(t, uri, of)
						assert.Equal(t, content(of, m), got)
					}
				}
			}
		})
	}
	all.Wait()
}

func TestGETWithContentIsLeftAlone(t *testing.T) {
	var a edge.AlwaysOnline
	search := func() *http.Request {
		r := get("http://example.test/search")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader("query")), 5
		return r
	}
	passOn(t, &a, search(), 200, "found")
	assert.Nil(t, copyFor(t, &a, get("http://example.test/search")))
	passOn(t, &a, get("http://example.test/search"), 200, "a form")
	assert.Nil(t, copyFor(t, &a, search()))
}

// A server may not know yet whether a GET has content: all of HTTP/3 (quic-go), and of
// HTTP/2 whose END_STREAM comes late. What comes of it decides.
func TestGETOfUnknownLengthHasTheContentThatComes(t *testing.T) {
	// ask sends a GET whose content is read, or is not, before then.
	ask := func(a *edge.AlwaysOnline, content string, read bool, then func(r *http.Request)) {
		r := get("http://example.test/search")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(content)), -1
		a.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			out := r.Clone(r.Context())
			if read {
				io.Copy(io.Discard, out.Body)
			}
			then(out)
		})).ServeHTTP(nil, r)
	}
	keep := func(a *edge.AlwaysOnline) func(*http.Request) {
		return func(r *http.Request) { passOn(t, a, r, 200, "a form") }
	}
	served := func(a *edge.AlwaysOnline, want bool) func(*http.Request) {
		return func(r *http.Request) { assert.Equal(t, want, copyFor(t, a, r) != nil) }
	}
	t.Run("none", func(t *testing.T) {
		for _, read := range []bool{true, false} {
			var a edge.AlwaysOnline
			ask(&a, "", read, keep(&a))
			ask(&a, "", read, served(&a, true))
			assert.NotNil(t, copyFor(t, &a, get("http://example.test/search")))
		}
	})
	t.Run("some", func(t *testing.T) {
		var a edge.AlwaysOnline
		ask(&a, "query", true, keep(&a))
		assert.Nil(t, copyFor(t, &a, get("http://example.test/search")))
		passOn(t, &a, get("http://example.test/search"), 200, "a form")
		ask(&a, "query", true, served(&a, false))
	})
	t.Run("some, while the response comes", func(t *testing.T) {
		var a edge.AlwaysOnline
		ask(&a, "query", false, func(r *http.Request) {
			resp := respond(r, -1, strings.NewReader("found"))
			require.NoError(t, a.Keep(resp))
			resp.Body.Read(make([]byte, 1))
			io.Copy(io.Discard, r.Body)
			io.Copy(io.Discard, resp.Body)
		})
		assert.Nil(t, copyFor(t, &a, get("http://example.test/search")))
	})
	t.Run("not known", func(t *testing.T) { // without Handler
		var a edge.AlwaysOnline
		r := get("http://example.test/search")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader("query")), -1
		passOn(t, &a, r, 200, "found")
		assert.Nil(t, copyFor(t, &a, get("http://example.test/search")))
	})
}

func TestStreamsOfEventsAreNotHeld(t *testing.T) {
	for _, kind := range []string{"text/event-stream", "text/event-stream; charset=utf-8", "Text/Event-Stream ;x=y"} {
		var a edge.AlwaysOnline
		passOn(t, &a, get("http://example.test/"), 200, "data: x\n\n", "Content-Type", kind)
		assert.Nil(t, copyFor(t, &a, get("http://example.test/")), kind)
	}
}

// A full store has no room.
type full struct{ edge.MemoryStore }

func (*full) Save(string, []byte) error { return errors.New("no room") }

func TestAStoreThatHasNoRoomHoldsNobody(t *testing.T) {
	var log strings.Builder
	a := edge.AlwaysOnline{Store: new(full), Logger: slog.New(slog.NewTextHandler(&log, nil))}
	passOn(t, &a, get("http://example.test/"), 200, "content", "Vary", "Accept")
	assert.Nil(t, copyFor(t, &a, get("http://example.test/")))
	assert.Contains(t, log.String(), "no room")
}

func TestMaxStaleIsExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := edge.AlwaysOnline{MaxStale: time.Minute}
		passOn(t, &a, get("http://example.test/"), 200, "content", "Cache-Control", "max-age=60")
		time.Sleep(2 * time.Minute)
		assert.NotNil(t, copyFor(t, &a, get("http://example.test/")))
		time.Sleep(time.Nanosecond)
		assert.Nil(t, copyFor(t, &a, get("http://example.test/")))
	})
}

func TestAResponseWithoutItsRequestIsLeftAlone(t *testing.T) {
	var a edge.AlwaysOnline
	body := io.NopCloser(strings.NewReader("x"))
	resp := &http.Response{StatusCode: 200, Body: body}
	require.NoError(t, a.Keep(resp))
	assert.Equal(t, body, resp.Body)
}
