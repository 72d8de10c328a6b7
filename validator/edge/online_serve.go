package edge

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"why520/validator"
)

// write answers r with a copy, because of v.
func (a *AlwaysOnline) write(w http.ResponseWriter, r *http.Request, c *copied, now time.Time, v *validator.Verdict) {
	h := w.Header()
	for name, values := range c.header {
		h[name] = slices.Clone(values)
	}
	if c.header.Get("Content-Type") == "" {
		h["Content-Type"] = nil // nobody guesses what the origin did not say
	}
	age, lifetime := int64(c.ageAt(now)/time.Second), int64(c.lifetime()/time.Second)
	h.Set("Age", strconv.FormatInt(age, 10))
	// The request did go to the origin, but nothing came of it: RFC 9211 section
	// 2.1 calls that a hit, and ttl and detail say the rest.
	status := newMember(a.name())
	status.flag("hit")
	status.integer("ttl", lifetime-age)
	status.token("detail", "")
	status.item(v.Reason.String())
	h.Add("Cache-Status", status.String())
	warning := `110 %s "Response is Stale"`
	if age < lifetime {
		warning = `111 %s "Revalidation Failed"`
	}
	h.Set("Warning", fmt.Sprintf(warning, agent(a.name())))
	content, marked := c.content, false
	if a.Banner && !matches(r, c) {
		if content, marked = withBanner(c); marked {
			forNoCache(h)
		}
	}
	if c.status == http.StatusOK && !marked {
		modified, _ := http.ParseTime(c.header.Get("Last-Modified"))
		http.ServeContent(w, r, "", modified, bytes.NewReader(content))
		return
	}
	if c.status != http.StatusNoContent {
		h.Set("Content-Length", strconv.Itoa(len(content)))
	}
	w.WriteHeader(c.status)
	if r.Method != http.MethodHead && c.status != http.StatusNoContent {
		w.Write(content) // what fails here is the client's connection
	}
}

// matches reports whether r's If-None-Match says that the client has the very copy:
// 304 is better then than a page with a banner.
func matches(r *http.Request, c *copied) bool {
	tag := c.header.Get("Etag")
	for _, line := range r.Header.Values("If-None-Match") {
		for candidate := range strings.SplitSeq(line, ",") {
			if candidate = strings.Trim(candidate, " \t"); candidate == "*" || tag != "" && weak(candidate) == weak(tag) {
				return true
			}
		}
	}
	return false
}

// forNoCache takes away what a changed page may not keep: validators and digests
// of the page that it was, and leave to be stored.
func forNoCache(h http.Header) {
	for _, name := range []string{
		"Etag", "Last-Modified", "Accept-Ranges", "Content-Md5", "Digest", "Content-Digest", "Repr-Digest", "Expires",
		"Cdn-Cache-Control", "Surrogate-Control",
	} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
}

// agent is a name as Warning has it: a token, or "-" where it is none.
func agent(name string) string {
	if !isToken(name) {
		return "-"
	}
	return name
}
