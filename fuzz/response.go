package fuzz

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"why520/wire"
)

// A Field is a field line: its name as it was sent, its value without the white
// space around it.
type Field struct{ Name, Value string }

// A Head is what a parser read of a response head.
type Head struct {
	Status int
	Minor  int // of HTTP-version 1.Minor
	Fields []Field
}

// A Response is what a client read of a response: its final head and content.
type Response struct {
	Head
	Content  []byte
	Trailers []Field
}

// A Reader reads one response to q from r, up to its end: interim responses
// are passed over. The error is its refusal. A Reader that is under test wraps
// the client or the parser that it is of.
type Reader func(q wire.Request, r io.Reader) (*Response, error)

// Strict is a Reader that refuses whatever package wire refuses: the
// recipient that others are held against. Its errors are of wire.Reason.
func Strict(q wire.Request, r io.Reader) (*Response, error) { return StrictUnder(wire.Limits{})(q, r) }

// StrictUnder gives a Reader as Strict is, under the limits l.
func StrictUnder(l wire.Limits) Reader {
	return func(q wire.Request, source io.Reader) (*Response, error) {
		r := wire.NewReader(source)
		r.End = endOf
		r.Stream.Limits = l
		r.Stream.Expect(q)
		return readAll(r)
	}
}

func readAll(r *wire.Reader) (*Response, error) {
	var res Response
	for {
		ev, b, err := r.Next()
		if err != nil {
			return nil, err
		}
		switch ev {
		case wire.FinalHead:
			res.Head = headOf(r.Stream.Head(), b)
			if r.Stream.Framing.Delimiter == wire.Tunnel {
				return &res, nil
			}
		case wire.Content:
			res.Content = append(res.Content, b...)
		case wire.TrailerSection:
			res.Trailers = headOf(r.Stream.Trailer(), b).Fields
		case wire.Done:
			return &res, nil
		}
	}
}

// headOf copies a head out of b.
func headOf(h *wire.Head, b []byte) Head {
	out := Head{Status: h.Status, Minor: h.Minor}
	for i := range h.Len() {
		out.Fields = append(out.Fields, Field{string(h.Name(b, i)), string(h.AppendValue(nil, b, i))})
	}
	return out
}

// NetHTTP is the Reader of Go's net/http: of http.ReadResponse, whatever that
// makes of the bytes. Names come in its canonical form and without
// Transfer-Encoding and Trailer, which it takes out.
func NetHTTP(q wire.Request, r io.Reader) (*Response, error) {
	method := q.Method
	if method == "" {
		method = http.MethodGet
	}
	buffered := bufio.NewReader(r)
	for {
		res, err := http.ReadResponse(buffered, &http.Request{Method: method})
		if err != nil {
			return nil, err
		}
		if interim := res.StatusCode/100 == 1; interim && res.StatusCode != 101 {
			continue
		}
		out := &Response{Head: Head{Status: res.StatusCode, Minor: res.ProtoMinor, Fields: fieldsOf(res.Header)}}
		if res.StatusCode == 101 || method == http.MethodConnect && res.StatusCode/100 == 2 {
			return out, nil
		}
		out.Content, err = io.ReadAll(res.Body)
		if err != nil {
			return nil, err
		}
		out.Trailers = fieldsOf(res.Trailer)
		return out, nil
	}
}

func fieldsOf(h http.Header) []Field {
	var all []Field
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, v := range h[name] {
			all = append(all, Field{name, v})
		}
	}
	return all
}

// An endError is an end of a response other than a close in order, as the
// error of a read.
type endError struct{ end wire.End }

func (e *endError) Error() string { return "the response ended: " + e.end.String() }

// endOf says what an error of a source means.
func endOf(err error) wire.End {
	var other *endError
	switch {
	case errors.Is(err, io.EOF):
		return wire.FIN
	case errors.As(err, &other):
		return other.end
	}
	return wire.Open
}

// pieces reads b in pieces that end at cuts, and then ends it.
type pieces struct {
	b    []byte
	cuts []int // ascending
	end  wire.End
	at   int
}

// Read gives the next piece; never the error together with bytes.
func (p *pieces) Read(to []byte) (int, error) {
	if p.at == len(p.b) {
		if p.end == wire.FIN {
			return 0, io.EOF
		}
		return 0, &endError{p.end}
	}
	for len(p.cuts) > 0 && p.cuts[0] <= p.at {
		p.cuts = p.cuts[1:]
	}
	until := len(p.b)
	if len(p.cuts) > 0 {
		until = min(until, p.cuts[0])
	}
	n := copy(to, p.b[p.at:until])
	p.at += n
	return n, nil
}

// String gives r for people: what a failing test prints.
func (r *Response) String() string {
	if r == nil {
		return "refused"
	}
	var s strings.Builder
	fmt.Fprintf(&s, "status %d, minor version %d", r.Status, r.Minor)
	for _, f := range r.Fields {
		fmt.Fprintf(&s, ", %q: %q", f.Name, f.Value)
	}
	fmt.Fprintf(&s, ", content %.200q", r.Content)
	for _, f := range r.Trailers {
		fmt.Fprintf(&s, ", trailer %q: %q", f.Name, f.Value)
	}
	return s.String()
}
