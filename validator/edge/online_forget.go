package edge

import (
	"encoding/binary"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

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
