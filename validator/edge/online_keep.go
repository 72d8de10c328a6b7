package edge

import (
	"encoding/binary"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// maxHeld is how many bytes of content that is not yet at its end are held.
const maxHeld = 64 << 20

// Keep sees a response that is about to be passed on, and puts a reader around
// its content that stores a copy at its end. Content that is cut, or that the
// client does not wait for, is not stored. The error is always nil: it is there for
// Answers.Good, and for httputil.ReverseProxy's ModifyResponse.
func (a *AlwaysOnline) Keep(resp *http.Response) error {
	if resp.Request == nil {
		return nil
	}
	q := askedBy(resp.Request)
	switch method, status := resp.Request.Method, resp.StatusCode; {
	case !safe(method):
		if status >= 200 && status < 400 {
			a.invalidate(q, resp.Header)
		}
	case method != http.MethodGet && method != http.MethodHead && method != "", q.withContent():
	case status == http.StatusNotFound || status == http.StatusGone || status == http.StatusUnavailableForLegalReasons:
		a.forget(q.uri, q.uri)
	case status >= 200 && status < 400 && withdraws(resp.Header):
		a.withdraw(q, resp.Header)
	case method == http.MethodHead:
		if status == http.StatusOK {
			a.compare(q, resp.Header)
		}
	case status == http.StatusNotModified:
		a.freshen(q, resp.Header)
	case storable(resp, q):
		a.tee(resp, q)
	}
	return nil
}

// safe reports whether a method changes nothing, RFC 9110 section 9.2.1.
func safe(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// invalidate forgets what a request has changed, RFC 9111 section 4.4: its target,
// and what Location and Content-Location name of the same origin.
func (a *AlwaysOnline) invalidate(q *asked, h http.Header) {
	a.forget(q.uri, q.uri)
	for _, name := range []string{"Location", "Content-Location"} {
		if h.Get(name) == "" {
			continue
		}
		u, err := q.url.Parse(h.Get(name))
		if err != nil || u.Scheme != q.url.Scheme || hostOf(u) != hostOf(q.url) {
			continue
		}
		a.forget(q.uriOf(u), q.uriOf(u))
	}
}

// forget removes what is stored for text, the URI's or one of its variants'. What is
// still on its way then is older, and is not stored either.
func (a *AlwaysOnline) forget(uri, text string) {
	a.forgotten.of(uri).Add(1)
	a.store().Delete(keyOf(text))
}

// forgotten counts what was removed. URIs share counters: one more is not stored now
// and then.
type forgotten [256]atomic.Uint64

func (f *forgotten) of(uri string) *atomic.Uint64 { return &f[keyOf(uri)[0]] }

// withdraw forgets the copy that a newer response takes the place of, and may not be
// stored itself: where responses vary, the one for this request.
func (a *AlwaysOnline) withdraw(q *asked, h http.Header) {
	text := q.uri
	if c := a.get(text); c != nil && len(c.vary) > 0 && !slices.Contains(varyNames(h), "*") {
		text = c.variantText(q)
	}
	a.forget(q.uri, text)
}

// compare holds the copy against what HEAD says of the content now, RFC 9111
// section 4.3.5. A copy of other content is forgotten.
func (a *AlwaysOnline) compare(q *asked, h http.Header) {
	c := a.load(q)
	switch {
	case c == nil:
	case c.status != http.StatusOK || c.differs(h):
		a.forget(q.uri, c.text)
	default:
		a.freshen(q, h)
	}
}

// freshen takes over what a 304, or an answer to HEAD, says of the copy that it
// confirms, RFC 9111 sections 4.3.4 and 4.3.5. A copy that may not be served any more
// then is forgotten.
func (a *AlwaysOnline) freshen(q *asked, h http.Header) {
	now := time.Now()
	if !shareable(h, q) || a.confirmed.before(q.uri, now) {
		return
	}
	c := a.load(q)
	if c == nil || !c.confirmedBy(h) {
		return
	}
	if c.update(h, q.at, now); c.dead() {
		a.forget(q.uri, c.text)
		return
	}
	a.save(c.text, c.encode(c.content, 0))
}

// confirmed remembers which URIs had a 304 within this second, as far as it has
// room: their copies are not read and written anew for each client that asks.
type confirmed [256]atomic.Uint64

// before reports whether it was called for uri in this second, and remembers it.
func (c *confirmed) before(uri string, now time.Time) bool {
	key := keyOf(uri)
	stamp := binary.LittleEndian.Uint64([]byte(key[1:])) ^ uint64(now.Unix())
	return c[key[0]].Swap(stamp) == stamp
}

// tee puts a reader around the content that stores a copy at its end.
func (a *AlwaysOnline) tee(resp *http.Response, q *asked) {
	length := resp.ContentLength
	if length > a.maxSize() {
		return
	}
	c := newCopy(resp, q, time.Now())
	if c.dead() {
		a.withdraw(q, resp.Header)
		return
	}
	t := &tee{ReadCloser: resp.Body, online: a, asked: q, length: length, forgotten: a.forgotten.of(q.uri)}
	t.before = t.forgotten.Load()
	if length > 0 && !t.reserve(length) {
		t.drop()
		return
	}
	if names := varyNames(resp.Header); len(names) > 0 {
		t.index, c.text = a.variant(q, names)
	}
	t.text = c.text
	t.parts = [][]byte{c.encode(nil, max(length, 0))}
	if length < 0 && !t.reserve(int64(cap(t.parts[0]))) {
		t.drop()
		return
	}
	resp.Body = t
}

// save keeps a sealed value.
func (a *AlwaysOnline) save(text string, value []byte) {
	if err := a.store().Save(keyOf(text), value); err != nil {
		a.warn("a copy could not be kept", err)
	}
}

// A tee collects what is read of content.
type tee struct {
	io.ReadCloser
	online *AlwaysOnline
	asked  *asked
	length int64   // of the content; -1: not known
	text   string  // what the key is made of
	index  *copied // to be stored first, where there are variants; or nil

	forgotten *atomic.Uint64
	before    uint64 // what forgotten was

	mu       sync.Mutex // Close may come while Read waits
	parts    [][]byte   // the head of the copy, and what was read; nil: nothing is to be stored (any more)
	have     int64      // bytes of content in parts
	reserved int64
}

// Read reads. At the end of whole content, the copy is stored.
func (t *tee) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.parts == nil {
		return n, err
	}
	t.have += int64(n)
	switch {
	case err != nil && err != io.EOF, t.have > t.online.maxSize(), t.length >= 0 && t.have > t.length, !t.take(p[:n]):
		t.drop()
		return n, err
	}
	if err == io.EOF {
		value := t.whole()
		if value != nil && (t.length < 0 || t.have == t.length) && t.forgotten.Load() == t.before && !t.asked.withContent() {
			if t.index != nil {
				t.online.save(t.index.text, t.index.encode(nil, 0))
			}
			t.online.save(t.text, seal(value))
		}
		t.drop()
	}
	return n, err
}

// step is how much room is made at a time for content whose length is not known.
const step = 16 << 10

// take appends to parts, and reports whether there was room.
func (t *tee) take(p []byte) bool {
	for len(p) > 0 {
		last := &t.parts[len(t.parts)-1]
		if len(*last) == cap(*last) {
			if !t.reserve(t.reserved + step) {
				return false
			}
			t.parts = append(t.parts, make([]byte, 0, step))
			continue
		}
		n := copy((*last)[len(*last):cap(*last)], p)
		*last, p = (*last)[:len(*last)+n], p[n:]
	}
	return true
}

// whole gives the parts as one; nil: there is no room for that.
func (t *tee) whole() []byte {
	if len(t.parts) == 1 {
		return t.parts[0]
	}
	if !t.reserve(t.reserved + t.have) {
		return nil
	}
	return slices.Concat(t.parts...)
}

// Close closes; what was read until then is forgotten.
func (t *tee) Close() error {
	t.mu.Lock()
	t.drop()
	t.mu.Unlock()
	return t.ReadCloser.Close()
}

// reserve reports whether n bytes in all may be held.
func (t *tee) reserve(n int64) bool {
	more := n - t.reserved
	if more <= 0 {
		return true
	}
	t.reserved = n
	return t.online.held.Add(more) <= maxHeld
}

func (t *tee) drop() {
	t.online.held.Add(-t.reserved)
	t.reserved, t.parts = 0, nil
}
