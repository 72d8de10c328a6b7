package validator

import (
	"fmt"
	"net/http"
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
	r.Header = x.header(b, r)
	connection := r.Header["Connection"]
	x.closes = f.Delimiter == wire.ByClose || x.ask.closes ||
		len(connection) > 0 && httpguts.HeaderValuesContainsToken(connection, "close") ||
		h.Minor == 0 && !httpguts.HeaderValuesContainsToken(connection, "keep-alive")
	r.Close = x.closes && !x.ask.closes || x.ask.closes && httpguts.HeaderValuesContainsToken(connection, "close")
	// Content that was to wait for 100 (Continue) is due on a connection that goes
	// on, whatever the answer.
	x.withhold(!x.closes)
	if alive := r.Header["Keep-Alive"]; len(alive) > 0 && !x.closes {
		x.learn(alive[0])
	}
	switch f.Delimiter {
	case wire.ByLength:
		r.ContentLength = f.Length
	case wire.ByChunks:
		r.ContentLength = -1
		r.TransferEncoding = []string{"chunked"}
	case wire.ByClose:
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
	return n > 0 && r.ContentLength <= n && !strings.HasPrefix(r.Header.Get("Content-Type"), "text/event-stream")
}

// learn obeys a Keep-Alive field.
func (x *trip) learn(value string) {
	for option := range strings.SplitSeq(value, ",") {
		name, number, _ := strings.Cut(strings.TrimSpace(option), "=")
		if !strings.EqualFold(name, "timeout") {
			continue
		}
		if n, err := strconv.ParseUint(strings.Trim(number, `"`), 10, 31); err == nil && n > 0 {
			p := &x.t.pool
			p.mu.Lock()
			x.c.o.habit.said = time.Duration(n) * time.Second
			p.mu.Unlock()
		}
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
// and all values one slice. For a final head, r is the response, which takes
// what its trailer will be.
func (x *trip) header(b []byte, r *http.Response) http.Header {
	h := x.stream.Head()
	header := x.fieldsOf(h, b, len(x.stream.Found) > 0)
	if r == nil {
		return header
	}
	if h.Status == http.StatusNoContent {
		delete(header, "Content-Length")
	}
	if header["Transfer-Encoding"] != nil {
		delete(header, "Transfer-Encoding")
	}
	if lengths := header["Content-Length"]; len(lengths) > 0 && len(x.stream.Found) > 0 && x.stream.Framing.Delimiter == wire.ByLength {
		header["Content-Length"] = []string{strconv.FormatInt(x.stream.Framing.Length, 10)}
	}
	if x.stream.Framing.Delimiter == wire.ByChunks {
		if names := header["Trailer"]; len(names) > 0 {
			delete(header, "Trailer")
			r.Trailer = announced(names)
		}
	}
	return header
}

// fieldsOf gives the fields of h, a head or a trailer section b.
func (x *trip) fieldsOf(h *wire.Head, b []byte, repair bool) http.Header {
	n := h.Len()
	header := make(http.Header, n)
	if n <= 0 {
		return header
	}
	text, values := canonical(h, b, &x.scratch), make([]string, n)
	for i := range n {
		name, value := h.Field(b, i)
		key := text[name.Off : name.Off+name.Len]
		values[i] = text[value.Off : value.Off+value.Len]
		if repair {
			if h.Folded(b, i) {
				values[i] = string(h.AppendValue(nil, b, i))
			}
			values[i] = clean(values[i])
		}
		names := len(header)
		if header[key] = values[i : i+1 : i+1]; len(header) == names {
			header[key] = repeated(h, b, text, values[:i+1])
		}
	}
	return header
}

// repeated gives those of the first values of h, whose b is text as well, that
// have the name of the last of them.
func repeated(h *wire.Head, b []byte, text string, values []string) (of []string) {
	last, _ := h.Field(b, len(values)-1)
	key := text[last.Off : last.Off+last.Len]
	for i, v := range values {
		name, _ := h.Field(b, i)
		if text[name.Off:name.Off+name.Len] == key {
			of = append(of, v)
		}
	}
	return of
}

// canonical gives b as a string in which the field names of h are as
// http.CanonicalHeaderKey has them; it works in scratch.
func canonical(h *wire.Head, b []byte, scratch *[]byte) string {
	text := b
	for i := range h.Len() {
		begins := true // a word of the name
		name, _ := h.Field(b, i)
		for j := name.Off; j < name.Off+name.Len; j++ {
			c := text[j]
			if begins && 'a' <= c && c <= 'z' || !begins && 'A' <= c && c <= 'Z' {
				if &text[0] == &b[0] {
					*scratch = append((*scratch)[:0], b...) // evidence may need b as it is
					text = *scratch
				}
				text[j] = c ^ ('a' - 'A')
			}
			begins = c == '-'
		}
	}
	return string(text)
}

// announced gives a trailer with the names that a Trailer field lists.
func announced(lists []string) http.Header {
	trailer := http.Header{}
	for _, list := range lists {
		for name := range strings.SplitSeq(list, ",") {
			if name = http.CanonicalHeaderKey(strings.TrimSpace(name)); isToken(name) && !framing(name) {
				trailer[name] = nil
			}
		}
	}
	return trailer
}
