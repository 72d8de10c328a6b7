package edge

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// storable reports whether a shared cache may store a response to GET, RFC 9111
// section 3, and whether it is a good one.
func storable(resp *http.Response, q *asked) bool {
	if kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";"); strings.EqualFold(strings.TrimSpace(kind), "text/event-stream") {
		return false // it would be held for as long as somebody listens, and never be whole
	}
	switch resp.StatusCode {
	case 200, 203, 204, 300, 301, 308: // heuristically cacheable, RFC 9110 section 15.1
	case 302, 303, 307:
		if d := directivesOf(resp.Header); !d.has("public") && !explicit(resp.Header, d) {
			return false
		}
	default: // 206 among them
		return false
	}
	return shareable(resp.Header, q)
}

// explicit reports whether a response says how long it is fresh.
func explicit(h http.Header, d cacheControl) bool {
	return d.has("max-age") || d.has("s-maxage") || h.Get("Expires") != ""
}

// shareable reports whether a response with these fields is for a shared cache.
func shareable(h http.Header, q *asked) bool {
	d, vary := directivesOf(h), varyNames(h)
	public := d.has("public") || d.has("s-maxage")
	switch {
	case withdraws(h):
		return false
	case directivesOf(q.header).has("no-store"): // section 5.2.1.5
		return false
	case q.has("Authorization") && !public && !d.has("must-revalidate"): // section 3.5
		return false
	case h.Get("Set-Cookie") != "" && !public && !excludes(d, "Set-Cookie"): // stricter than section 7.3
		return false
	case q.has("Cookie") && !public && !explicit(h, d) && !slices.Contains(vary, "cookie"): // stricter
		return false
	}
	return true
}

// withdraws reports whether the origin says of a response that it is for no shared
// cache. What of the request speaks against storing does not count: whoever asks
// could have copies forgotten.
func withdraws(h http.Header) bool {
	d := directivesOf(h)
	switch {
	case d.has("no-store") && !d.has("must-understand"): // all statuses stored are understood, section 5.2.2.3
		return true
	case d.unqualified("private"): // section 5.2.2.7
		return true
	case d.unqualified("no-cache"): // could never be used without validation, section 5.2.2.4
		return true
	}
	return slices.Contains(varyNames(h), "*") // matches no request, section 4.1
}

// excludes reports whether no-cache or private name a field.
func excludes(d cacheControl, field string) bool {
	return slices.ContainsFunc(d.fields(), func(name string) bool { return strings.EqualFold(name, field) })
}

// has reports whether the client sent a field, or the proxy in its place.
func (q *asked) has(name string) bool {
	return len(q.header.Values(name)) > 0 || len(q.sent.Values(name)) > 0
}

// unstored are the fields that end with the connection, RFC 9111 section 3.1, and
// those that are of one response alone.
var unstored = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
	"Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization",
	"Content-Length", "Age", "Warning", "Proxy-Status", "Set-Cookie", "Set-Cookie2", "Clear-Site-Data",
}

// storedFields gives the fields of a response that are stored.
func storedFields(h http.Header) http.Header {
	stored := h.Clone()
	if stored == nil {
		stored = http.Header{}
	}
	for _, line := range h.Values("Connection") {
		for name := range strings.SplitSeq(line, ",") {
			stored.Del(strings.Trim(name, " \t"))
		}
	}
	for _, name := range slices.Concat(unstored, directivesOf(h).fields()) {
		stored.Del(name)
	}
	return stored
}

// lifetime is how long a copy is fresh, RFC 9111 section 4.2.1; by heuristic, a
// tenth of the time since it was modified, a day at most.
func (c *copied) lifetime() time.Duration {
	d := directivesOf(c.header)
	for _, name := range []string{"s-maxage", "max-age"} {
		if t, ok := d.seconds(name); ok {
			return t
		}
	}
	date, _ := http.ParseTime(c.header.Get("Date")) // newCopy has seen to it that there is one
	if expires := c.header.Values("Expires"); len(expires) > 0 {
		at, err := http.ParseTime(expires[0])
		if err != nil || len(expires) > 1 {
			return 0
		}
		return min(max(0, at.Sub(date)), longest)
	}
	modified, err := http.ParseTime(c.header.Get("Last-Modified"))
	if err != nil {
		return 0
	}
	return min(max(0, date.Sub(modified)/10), 24*time.Hour)
}

// ageAt is the age of a copy, RFC 9111 section 4.2.3.
func (c *copied) ageAt(now time.Time) time.Duration {
	return c.age + min(max(0, now.Sub(c.at)), longest)
}

// mayBeStale reports whether no directive forbids to serve the copy when it is
// stale, RFC 9111 section 4.2.4.
func (c *copied) mayBeStale() bool {
	d := directivesOf(c.header)
	return !d.has("must-revalidate") && !d.has("proxy-revalidate") && !d.has("s-maxage")
}

// dead reports whether there will be no moment at which the copy may be served.
func (c *copied) dead() bool { return !c.mayBeStale() && c.ageAt(c.at) >= c.lifetime() }

// servable reports whether the copy may be served now, to a request with these
// directives, where the origin was asked and failed.
func (c *copied) servable(now time.Time, request cacheControl, maxStale time.Duration) bool {
	stale := c.ageAt(now) - c.lifetime()
	switch {
	case request.has("no-cache"):
		return false
	case stale < 0:
		return true
	case !c.mayBeStale():
		return false
	}
	limit, ok := directivesOf(c.header).seconds("stale-if-error")
	if !ok {
		limit = maxStale
	}
	if t, ok := request.seconds("stale-if-error"); ok {
		limit = min(limit, t)
	}
	if t, ok := request.seconds("max-stale"); ok && !request.unqualified("max-stale") {
		limit = min(limit, t)
	}
	return stale <= limit
}
