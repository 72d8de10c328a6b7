package validator

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"why520/wire"
)

// An answer is a Response and the content behind it, in one piece of memory.
type answer struct {
	http.Response
	content inflow
	values  [12]string // of the header, where it has no more
}

// response gives the response, whose final head is read; or the error that its
// content is at fault with, where that is held.
func (x *trip) response() (*http.Response, error) {
	h, f := x.stream.Head(), x.stream.Framing
	b := x.buf[x.start:x.head]
	a := &answer{}
	r := &a.Response
	r.Status, r.StatusCode = statusOf(h, b), h.Status
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	if h.Minor == 0 {
		r.Proto, r.ProtoMinor = "HTTP/1.0", 0
	}
	r.Request, r.TLS = x.req, x.c.state
	r.Header = x.header(b, r, a.values[:])
	connection := r.Header["Connection"]
	r.Close = f.Delimiter == wire.ByClose ||
		len(connection) > 0 && httpguts.HeaderValuesContainsToken(connection, "close") ||
		h.Minor == 0 && !httpguts.HeaderValuesContainsToken(connection, "keep-alive")
	x.closes = r.Close || x.ask.closes
	// Content that was to wait for 100 (Continue) is due on a connection that goes
	// on, whatever the answer.
	x.withhold(!x.closes)
	if alive := r.Header["Keep-Alive"]; len(alive) > 0 && !x.closes {
		x.learn(alive)
	}
	switch f.Delimiter {
	case wire.ByLength:
		r.ContentLength = f.Length
	case wire.ByChunks, wire.ByClose:
		r.ContentLength = -1
	case wire.Tunnel:
		if h.Status != http.StatusSwitchingProtocols {
			r.ContentLength = -1
		}
		r.Body = x.tunnel()
		return r, nil
	case wire.NoContent:
		r.ContentLength = 0
		if x.ask.wire.Method == http.MethodHead {
			r.ContentLength = -1
			if n, err := strconv.ParseInt(r.Header.Get("Content-Length"), 10, 64); err == nil {
				r.ContentLength = n
			}
		}
	}
	if f.Delimiter == wire.NoContent || f.Delimiter == wire.ByLength && f.Length == 0 {
		x.next() // Done
		x.succeed()
		r.Body = http.NoBody
		return r, nil
	}
	c := &a.content
	c.x, c.response = x, r
	r.Body = c
	if x.holds(r) {
		if err := c.hold(x.t.HoldContent); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// holds reports whether the content of r is to be read before it is given.
func (x *trip) holds(r *http.Response) bool {
	n := x.t.HoldContent
	return n > 0 && r.ContentLength <= n && !isEvents(r.Header.Get("Content-Type"))
}

// isEvents reports whether a Content-Type is of a stream of events (RFC 9110
// section 8.3.1).
func isEvents(contentType string) bool {
	const events = "text/event-stream"
	return len(contentType) >= len(events) && strings.EqualFold(contentType[:len(events)], events)
}

// learn obeys the Keep-Alive fields: the shortest timeout in them, where 0 is less
// than a second.
func (x *trip) learn(fields []string) {
	said := time.Duration(0)
	for _, field := range fields {
		for option := range strings.SplitSeq(field, ",") {
			name, number, _ := strings.Cut(strings.TrimSpace(option), "=")
			if !strings.EqualFold(name, "timeout") {
				continue
			}
			n, err := strconv.ParseUint(strings.Trim(number, `"`), 10, 31)
			if d := max(time.Duration(n)*time.Second, justNow); err == nil && (said == 0 || d < said) {
				said = d
			}
		}
	}
	if said > 0 {
		p := &x.t.pool
		p.mu.Lock()
		x.c.o.habit.said = said
		p.mu.Unlock()
	}
}

// statusLines are what Response.Status is for the registered codes.
var statusLines = func() (lines [600]string) {
	for code := range lines {
		if text := http.StatusText(code); text != "" {
			lines[code] = fmt.Sprintf("%03d %s", code, text)
		}
	}
	return lines
}()

// statusOf gives the Status of a Response: code and reason phrase, control bytes
// of which are spaces.
func statusOf(h *wire.Head, b []byte) string {
	phrase := h.ReasonPhrase(b)
	if h.Status < len(statusLines) {
		if line := statusLines[h.Status]; len(line) > 4 && line[4:] == string(phrase) {
			return line
		}
	}
	return strings.TrimRight(fmt.Sprintf("%03d %s", h.Status, clean(string(phrase))), " ")
}

// clean gives v with its control bytes but HTAB as spaces (RFC 9110 section 5.5).
func clean(v string) string {
	if validValue(v) {
		return v
	}
	b := []byte(v)
	for i, c := range b {
		if c < ' ' && c != '\t' || c == 0x7F {
			b[i] = ' '
		}
	}
	return string(b)
}

// header gives the fields of the head b. All names and values share one string,
// and all values one slice, which is room if that is long enough. For a final
// head, r is the response, which takes what its trailer will be.
func (x *trip) header(b []byte, r *http.Response, room []string) http.Header {
	h := x.stream.Head()
	header := x.fieldsOf(h, b, len(x.stream.Found) > 0, room)
	if r == nil {
		return header
	}
	if h.Status == http.StatusNoContent {
		delete(header, "Content-Length")
	}
	if len(x.stream.Found) == 0 && x.stream.Framing.Delimiter == wire.ByLength {
		return header // which has no Transfer-Encoding, and one Content-Length
	}
	coded := header["Transfer-Encoding"] != nil
	delete(header, "Transfer-Encoding")
	if lengths := header["Content-Length"]; len(lengths) > 0 && len(x.stream.Found) > 0 { // all of them are the same
		first, _, _ := strings.Cut(lengths[0], ",")
		header["Content-Length"] = []string{strings.TrimSpace(first)}
	}
	// HEAD and 304 say what content would be (RFC 9112 section 6.1).
	d := x.stream.Framing.Delimiter
	if d == wire.ByChunks || d == wire.NoContent && coded && h.Minor > 0 && h.Status != http.StatusNoContent {
		r.TransferEncoding = []string{"chunked"}
		if names := header["Trailer"]; len(names) > 0 {
			delete(header, "Trailer")
			r.Trailer = announced(names)
		}
	}
	return header
}

// fieldsOf gives the fields of h, a head or a trailer section b. Their values are
// in values, if that is long enough.
func (x *trip) fieldsOf(h *wire.Head, b []byte, repair bool, values []string) http.Header {
	n := h.Len()
	header := make(http.Header, n)
	if n <= 0 {
		return header
	}
	if n > len(values) {
		values = make([]string, n)
	}
	text := x.canonical(h, b)
	for i := range n {
		name, value := h.Field(b, i)
		v := text[value.Off : value.Off+value.Len]
		if repair {
			if h.Folded(b, i) {
				v = string(h.AppendValue(nil, b, i))
			}
			v = clean(v)
		}
		values[i] = v
		header[text[name.Off:name.Off+name.Len]] = values[i : i+1 : i+1]
	}
	if len(header) < n { // some names came more than once, which is found out for nothing
		join(header, h, b, text, values)
	}
	return header
}

// join makes header anew, in which the values of a name are together.
func join(header http.Header, h *wire.Head, b []byte, text string, values []string) {
	clear(header)
	for i := range h.Len() {
		name, _ := h.Field(b, i)
		key := text[name.Off : name.Off+name.Len]
		if before, ok := header[key]; ok {
			header[key] = append(before, values[i])
		} else {
			header[key] = values[i : i+1 : i+1]
		}
	}
}

// mayTrail reports whether a field of that name is taken from a trailer section:
// neither what frames or routes (RFC 9110 section 6.5.1) nor what is of the
// connection is.
func mayTrail(name string) bool { return name != "Host" && !slices.Contains(ofTheConnection, name) }

// announced gives a trailer with the names that a Trailer field lists.
func announced(lists []string) http.Header {
	trailer := http.Header{}
	for _, list := range lists {
		for name := range strings.SplitSeq(list, ",") {
			if name = http.CanonicalHeaderKey(strings.TrimSpace(name)); isToken(name) && mayTrail(name) {
				trailer[name] = nil
			}
		}
	}
	return trailer
}
