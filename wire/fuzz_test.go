package wire_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"why520/fuzz"
	"why520/wire"
)

// FuzzHead holds the parser of heads to every oracle.
func FuzzHead(f *testing.F) {
	fuzz.Run[*testing.T](f, fuzz.Subject{
		Parser:   func() fuzz.Parser { return fuzz.Wire(wire.Limits{}) },
		Budgeted: func(head int) fuzz.Parser { return fuzz.Wire(wire.Limits{Head: head}) },
	})
}

// FuzzReader holds whole responses to every oracle, and what a Stream says of
// them to its properties: it depends on no split, and a survey finds first what
// a strict Stream stops at.
func FuzzReader(f *testing.F) {
	fuzz.AddSeeds(f)
	subject := fuzz.Subject{Read: fuzz.Strict}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, err := range subject.Check(data) {
			t.Error(err)
		}
		k := fuzz.Generate(data)
		assert.NoError(t, fuzz.Expected(fuzz.StrictUnder(k.Limits), k))
		for _, c := range []fuzz.Case{k, {Bytes: data, End: wire.RST, Cuts: k.Cuts}} {
			streamProperties(t, c)
		}
	})
}

func streamProperties(t *testing.T, k fuzz.Case) {
	t.Helper()
	used := &wire.Stream{}
	for _, tolerate := range []wire.Set{{}, wire.Tolerable} {
		l := k.Limits
		l.Tolerate = tolerate
		var strict, survey outcome
		for _, surveys := range []bool{false, true} {
			used.Limits, used.Survey = l, surveys
			want := read(used, k.Request, k.Bytes, k.End, whole)
			for _, cut := range []func(int) int{one, five, func(from int) int {
				for _, at := range k.Cuts {
					if at > from {
						return at
					}
				}
				return len(k.Bytes)
			}} {
				if got := read(used, k.Request, k.Bytes, k.End, cut); !assert.Equal(t, want, got, "survey %v, tolerated %v", surveys, tolerate) {
					return
				}
			}
			if surveys {
				survey = want
			} else {
				strict = want
			}
		}
		first := wire.Found{Reason: survey.Reason, Offset: survey.Offset}
		for _, n := range survey.Notes {
			if !n.Reason.Info().Note && !tolerate.Has(n.Reason) {
				first = n
				break
			}
		}
		if first.Reason != wire.HeadEndless {
			assert.Equal(t, wire.Found{Reason: strict.Reason, Offset: strict.Offset}, first, "what a survey finds first; tolerated %v", tolerate)
		}
	}
}

// FuzzFraming holds Head.Framing to RFC 9112 section 6.3, written once more in
// the plainest way.
func FuzzFraming(f *testing.F) {
	for _, fields := range []string{
		"", "Content-Length: 5\r\n", "Content-Length: 5, 5\r\n", "Content-Length: 5\r\ncontent-length: 6\r\n", "Transfer-Encoding: chunked\r\n",
		"Transfer-Encoding: gzip, chunked\r\nContent-Length: 1\r\n", "Transfer-Encoding: chunked ,\r\n", "Content-Length: 9223372036854775808\r\n",
		"TRANSFER-ENCODING:\tchunked;a=b\r\n", "Content-Length: 5\r\n 6\r\n", "A: b\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
	} {
		for status := range uint16(6) {
			f.Add(fields, status*101, byte(status))
		}
	}
	f.Fuzz(func(t *testing.T, fields string, status uint16, choice byte) {
		q := wire.Request{Method: []string{"", "HEAD", "CONNECT", "POST"}[choice%4], Upgrade: choice&4 != 0}
		head := fmt.Sprintf("HTTP/1.%d %03d X\r\n%s\r\n", choice>>3&1, 100+status%900, fields)
		p := wire.Parser{Limits: wire.Limits{Tolerate: wire.Tolerable, Head: 1 << 20}}
		n, err := p.Parse([]byte(head))
		if err != nil || n != len(head) {
			return
		}
		for _, tolerate := range []wire.Set{{}, wire.Tolerable} {
			got, off, err := p.Head.Framing([]byte(head), q, tolerate)
			want := plainFraming(&p.Head, []byte(head), q, tolerate)
			if err != nil {
				assert.Equal(t, want.reason, err, "%q, %+v", head, q)
				assert.True(t, 0 < off && off < len(head), "offset %d", off)
				continue
			}
			assert.Equal(t, wire.OK, want.reason, "%q, %+v", head, q)
			assert.Equal(t, want.delimiter, got.Delimiter, "%q, %+v", head, q)
			if got.Delimiter == wire.ByLength {
				assert.Equal(t, want.length, got.Length, "%q", head)
			}
		}
	})
}

type framed struct {
	reason    wire.Reason
	delimiter wire.Delimiter
	length    int64
}

var (
	digits = regexp.MustCompile(`^[0-9]+$`)
	token  = regexp.MustCompile("^[-!#$%&'*+.^_`|~0-9A-Za-z]+$")
)

func plainFraming(h *wire.Head, b []byte, q wire.Request, tolerate wire.Set) framed {
	if h.Status == 101 {
		if q.Upgrade {
			return framed{delimiter: wire.Tunnel}
		}
		return framed{reason: wire.Unasked101}
	}
	if h.Status < 200 {
		return framed{delimiter: wire.NoContent}
	}
	f := framed{delimiter: wire.ByClose}
	if h.Status == 204 {
		f.delimiter = wire.NoContent
	} else if f = plainDelimiter(h, b, tolerate); f.reason != wire.OK {
		return f
	}
	switch {
	case h.Len() == 0 && !tolerate.Has(wire.NoHeaderFields):
		return framed{reason: wire.NoHeaderFields}
	case q.Method == "HEAD", h.Status == 304:
		return framed{delimiter: wire.NoContent}
	case q.Method == "CONNECT" && h.Status < 300:
		return framed{delimiter: wire.Tunnel}
	}
	return f
}

func plainDelimiter(h *wire.Head, b []byte, tolerate wire.Set) framed {
	list := func(name string) (members []string, given bool) {
		for i := range h.Len() {
			if strings.EqualFold(string(h.Name(b, i)), name) {
				given = true
				for m := range strings.SplitSeq(string(h.Value(b, i)), ",") {
					members = append(members, strings.Trim(m, " \t\r\n"))
				}
			}
		}
		return members, given
	}
	lengths, hasLength := list("Content-Length")
	codings, hasCoding := list("Transfer-Encoding")
	switch {
	case hasLength && hasCoding:
		return framed{reason: wire.LengthAndTransferEncoding}
	case hasLength:
		return plainLength(lengths, tolerate)
	case hasCoding:
		return plainCoding(codings, h.Minor, tolerate)
	}
	return framed{delimiter: wire.ByClose}
}

func plainLength(lengths []string, tolerate wire.Set) framed {
	for _, l := range lengths {
		if !digits.MatchString(l) {
			return framed{reason: wire.ContentLengthInvalid}
		}
	}
	for _, l := range lengths {
		if _, err := strconv.ParseInt(l, 10, 64); err != nil {
			return framed{reason: wire.ContentLengthOverflow}
		}
	}
	for _, l := range lengths {
		if l != lengths[0] {
			return framed{reason: wire.ContentLengthConflict}
		}
	}
	if len(lengths) > 1 && !tolerate.Has(wire.ContentLengthRepeated) {
		return framed{reason: wire.ContentLengthRepeated}
	}
	n, _ := strconv.ParseInt(lengths[0], 10, 64)
	return framed{delimiter: wire.ByLength, length: n}
}

func plainCoding(codings []string, minor int, tolerate wire.Set) framed {
	for i, c := range codings {
		if !token.MatchString(c) || strings.EqualFold(c, "chunked") && i < len(codings)-1 {
			return framed{reason: wire.TransferCodingMalformed}
		}
	}
	switch {
	case len(codings) > 1 || !strings.EqualFold(codings[0], "chunked"):
		return framed{reason: wire.TransferCodingUnsupported}
	case minor > 0:
		return framed{delimiter: wire.ByChunks}
	case tolerate.Has(wire.TransferCodingInHTTP10):
		return framed{delimiter: wire.ByClose}
	}
	return framed{reason: wire.TransferCodingInHTTP10}
}

// FuzzBody holds chunked content to its grammar, as a regular expression, and
// to net/http.
func FuzzBody(f *testing.F) {
	for _, v := range fuzz.Vectors() {
		if _, body, found := bytes.Cut(v.Bytes, []byte("chunked\r\n\r\n")); found && len(body) < 1000 {
			f.Add(body)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		b := append([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), body...)
		k := fuzz.Case{Bytes: b, End: wire.FIN}
		o := read(&wire.Stream{}, wire.Request{}, b, wire.FIN, whole)
		assert.Equal(t, o, read(&wire.Stream{}, wire.Request{}, b, wire.FIN, one))
		content, ok := plainChunks(body)
		if len(body) < 4000 { // budgets aside
			assert.Equal(t, ok, o.Reason == wire.OK, "%s, %q", o.Reason, body)
		}
		if o.Reason == wire.OK {
			assert.Equal(t, content, o.Content)
			assert.NoError(t, fuzz.Differential(fuzz.Strict, k))
		}
	})
}

const (
	tokenRE  = "[-!#$%&'*+.^_`|~0-9A-Za-z]+"
	quotedRE = `"(?:[\t !\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"`
)

var (
	sizeLine    = regexp.MustCompile(`^([0-9A-Fa-f]+)(?:[ \t]*;[ \t]*` + tokenRE + `(?:[ \t]*=[ \t]*(?:` + tokenRE + `|` + quotedRE + `))?)*\r\n`)
	trailerLine = regexp.MustCompile(`^` + tokenRE + `:[\t\x20-\x7e\x80-\xff]*\r\n`)
)

// plainChunks reads a chunked body by regular expressions.
func plainChunks(body []byte) (content string, ok bool) {
	runes := make([]rune, len(body))
	for i, c := range body {
		runes[i] = rune(c)
	}
	left := string(runes) // each byte a rune, so that \x80-\xff are bytes
	var out []byte
	for {
		line := sizeLine.FindStringSubmatch(left)
		if line == nil {
			return "", false
		}
		n, err := strconv.ParseInt(line[1], 16, 64)
		if err != nil {
			return "", false
		}
		left = left[len(line[0]):]
		if n == 0 {
			break
		}
		chunk := []rune(left)
		if int64(len(chunk))-2 < n || string(chunk[n:n+2]) != "\r\n" {
			return "", false
		}
		for _, r := range chunk[:n] {
			out = append(out, byte(r))
		}
		left = string(chunk[n+2:])
	}
	for !strings.HasPrefix(left, "\r\n") {
		line := trailerLine.FindString(left)
		if line == "" {
			return "", false
		}
		left = left[len(line):]
	}
	return string(out), true
}
