package edge

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Handler gives next the requests together with what they were before next
// changed them, so that copies are kept under the URI that the client asked for,
// and by the fields that it sent. A proxy that sends one URI's requests to several
// origins needs it. Without it, the URI is that of the request that the origin was
// asked with. X-Forwarded-Host and X-Forwarded-Proto, which many origins take for
// the URI's, count as part of it.
//
// Whether a request has content is not known before it is read where its length is
// not, as of every GET over HTTP/3 and of some over HTTP/2. next gets a Body that
// sees what is read; without Handler, such a request counts as one with content.
func (a *AlwaysOnline) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, before := *r.URL, r.WithContext(r.Context())
		u.Scheme = "" // the connection's counts, as for the origin, not what the client writes
		before.URL, before.Header = &u, r.Header.Clone()
		remembered := &asked{request: before, header: before.Header, at: time.Now()}
		r = r.WithContext(context.WithValue(r.Context(), askedKey{}, remembered))
		if r.ContentLength < 0 && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			remembered.content = &awaited{ReadCloser: r.Body}
			if r.Body != nil {
				r.Body = remembered.content
			}
		}
		next.ServeHTTP(w, r)
	})
}

// awaited is content that tells whether there is any.
type awaited struct {
	io.ReadCloser
	came atomic.Bool
}

func (w *awaited) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if n > 0 {
		w.came.Store(true)
	}
	return n, err
}

type askedKey struct{}

// asked is what a client asked for.
type asked struct {
	request *http.Request
	header  http.Header // before the proxy changed it
	url     *url.URL    // absolute
	proxied string      // what else stands for the URI
	uri     string      // what the copy's key is made of
	sent    http.Header // what the origin was asked with
	at      time.Time   // when it was asked; zero: not known
	content *awaited    // where its length is not known beforehand; nil: it is, or nobody looks
}

// askedBy finds out what the client asked for; r is its request, or one that a
// proxy made of it.
func askedBy(r *http.Request) *asked {
	q := &asked{request: r, header: r.Header}
	if remembered, ok := r.Context().Value(askedKey{}).(*asked); ok {
		*q = *remembered
	}
	for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values := q.header.Values(name); len(values) > 0 {
			q.proxied += "\n" + name + ": " + strings.Join(values, ", ")
		}
	}
	q.sent = r.Header
	u := *q.request.URL
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	if u.Scheme == "" {
		u.Scheme = "http"
		if q.request.TLS != nil {
			u.Scheme = "https"
		}
	}
	if q.request.Host != "" {
		u.Host = q.request.Host
	}
	u.Host = hostOf(&u)
	q.url = &u
	q.uri = q.uriOf(&u)
	return q
}

// withContent reports whether the request has content, which no key has. Where
// the length is not known, that is what was read of it until now.
func (q *asked) withContent() bool {
	if q.content != nil {
		return q.content.came.Load()
	}
	return q.request.ContentLength != 0
}

func (q *asked) uriOf(u *url.URL) string {
	return u.Scheme + "://" + hostOf(u) + u.RequestURI() + q.proxied
}

// hostOf gives host and port of a URI in the form that all of the same have: in
// lower case, without the scheme's own port (RFC 9110 section 4.2.3).
func hostOf(u *url.URL) string {
	host, own := strings.ToLower(u.Host), ":80"
	if u.Scheme == "https" {
		own = ":443"
	}
	return strings.TrimSuffix(strings.TrimSuffix(host, own), ":")
}

// keyOf gives the key under which a Store has text's value: of one length, however
// long URIs are. The text stands in the value as well, and is compared.
func keyOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return string(sum[:])
}

// varyNames gives the names that the Vary fields list, in lower case, sorted.
func varyNames(h http.Header) []string {
	var names []string
	for _, line := range h.Values("Vary") {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.ToLower(strings.Trim(name, " \t")); name != "" {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Responses that vary are stored in two steps: under the URI an index, which has
// the names that Vary listed last, and under the URI, the index's nonce and the
// request's values the copy. Where the index goes, its copies cannot be found any
// more, and are the first to be evicted in the end.

// variant gives what the key of a copy is made of whose response varies by names,
// and the index to be stored before it, nil where it is there.
func (a *AlwaysOnline) variant(q *asked, names []string) (index *copied, text string) {
	old := a.get(q.uri)
	if old != nil && slices.Equal(old.vary, names) {
		return nil, old.variantText(q)
	}
	index = &copied{text: q.uri, vary: names, nonce: rand.Text()}
	return index, index.variantText(q)
}

// variantText joins the index's URI and nonce with a digest of the request's values,
// which may be secrets (Cookie, Authorization) and are not to be read in a store. RFC
// 9111 section 4.1: white space around commas does not matter, and a field that is not
// there is another thing than an empty one.
func (c *copied) variantText(q *asked) string {
	var b strings.Builder
	b.WriteString(c.nonce)
	for _, name := range c.vary {
		b.WriteString("\n" + name)
		if name == "host" { // net/http has it beside the header; it is part of the URI
			continue
		}
		for i, value := range q.header.Values(name) {
			if i == 0 {
				b.WriteString(":")
			}
			for part := range splitOutsideQuotes(value, ',') {
				b.WriteString(" " + strings.Trim(part, " \t") + ",")
			}
		}
	}
	return fmt.Sprintf("%s\n%s\n%x", c.text, c.nonce, sha256.Sum256([]byte(b.String())))
}

// load finds the copy for a request, or nil.
func (a *AlwaysOnline) load(q *asked) *copied {
	c := a.get(q.uri)
	if c != nil && len(c.vary) > 0 {
		c = a.get(c.variantText(q))
	}
	if c == nil || c.status == 0 {
		return nil
	}
	return c
}

// get reads what is stored for text. What is damaged is removed.
func (a *AlwaysOnline) get(text string) *copied {
	key := keyOf(text)
	value, ok := a.store().Load(key)
	if !ok {
		return nil
	}
	c, err := decodeCopy(value)
	if err != nil {
		a.warn("a stored copy is damaged", err)
		a.store().Delete(key)
		return nil
	}
	if c.text != text {
		return nil
	}
	return c
}
