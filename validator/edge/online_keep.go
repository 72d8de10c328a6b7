package edge

import (
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
