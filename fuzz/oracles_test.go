package fuzz_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/fuzz"
	"why520/wire"
)

// broken is a Teller that is wrong in one way.
type broken struct {
	fuzz.Teller
	parse func(p fuzz.Teller, b []byte) (int, error)
	head  func(p fuzz.Teller, b []byte) fuzz.Head
}

func (p *broken) Parse(b []byte) (int, error) {
	if p.parse == nil {
		return p.Teller.Parse(b)
	}
	return p.parse(p.Teller, b)
}

func (p *broken) Head(b []byte) fuzz.Head {
	if p.head == nil {
		return p.Teller.Head(b)
	}
	return p.head(p.Teller, b)
}

func good() fuzz.Parser { return fuzz.Wire(wire.Limits{}) }

const head = "HTTP/1.1 200 OK\r\nServer: x\r\nVia: a, b\r\n\r\n"

// Every oracle for heads finds what it is for, and nothing in what is right.
func TestOraclesForHeads(t *testing.T) {
	parses := func(parse func(p fuzz.Teller, b []byte) (int, error)) func() fuzz.Parser {
		return func() fuzz.Parser { return &broken{Teller: fuzz.Wire(wire.Limits{}), parse: parse} }
	}
	tells := func(tell func(p fuzz.Teller, b []byte) fuzz.Head) func() fuzz.Parser {
		return func() fuzz.Parser { return &broken{Teller: fuzz.Wire(wire.Limits{}), head: tell} }
	}
	same := func(p func() fuzz.Parser, input []byte) error { return fuzz.Same(p, good, input) }
	for _, c := range []struct {
		name   string
		oracle func(func() fuzz.Parser, []byte) error
		wrong  func() fuzz.Parser
	}{
		{"Rebuild: loses a field", fuzz.Rebuild, tells(func(p fuzz.Teller, b []byte) fuzz.Head {
			h := p.Head(b)
			if bytes.Contains(b, []byte("Server: x\r\nVia")) && !bytes.Contains(b, []byte("200 \r\n")) {
				h.Fields = h.Fields[1:]
			} else {
				h.Status++
			}
			return h
		})},
		{"Same: refuses", same, parses(func(p fuzz.Teller, b []byte) (int, error) { return len(b), errors.New("no") })},
		{"Same: reads another value", same, tells(func(p fuzz.Teller, b []byte) fuzz.Head {
			h := p.Head(b)
			h.Fields[0].Value = "y"
			return h
		})},
		{"Same: says another reason", same, parses(func(p fuzz.Teller, b []byte) (int, error) { return 0, wire.BareLF })},
		{"NoOverread: looks behind the input", fuzz.NoOverread, parses(func(p fuzz.Teller, b []byte) (int, error) {
			if tail := b[len(b):cap(b)]; len(tail) > 0 && tail[0] == '\n' {
				return 0, wire.BareLF
			}
			return p.Parse(b)
		})},
		{"NoOverread: writes behind the input", fuzz.NoOverread, parses(func(p fuzz.Teller, b []byte) (int, error) {
			_ = append(b, 'x')
			return p.Parse(b)
		})},
		{"Alias: keeps the first bytes", fuzz.Alias, func() fuzz.Parser {
			var kept []byte
			return &broken{Teller: fuzz.Wire(wire.Limits{}), parse: func(p fuzz.Teller, b []byte) (int, error) {
				if kept == nil {
					kept = b
				}
				if kept[0] != b[0] {
					return 0, errors.New("the bytes are gone")
				}
				return p.Parse(b)
			}}
		}},
	} {
		assert.NoError(t, c.oracle(good, []byte(head)), c.name)
		assert.Error(t, c.oracle(c.wrong, []byte(head)), c.name)
	}
}

// Every oracle for responses finds what it is for.
func TestOraclesForResponses(t *testing.T) {
	text := "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
	k := fuzz.Case{Bytes: []byte(text), End: wire.FIN, Want: wire.SetOf(wire.OK), Content: []byte("hello")}
	spoilt := fuzz.Case{Bytes: []byte("HTTP/1.1 200 OK\nA: b\r\n\r\n"), End: wire.FIN, Want: wire.SetOf(wire.BareLF), Damage: "drop a CR"}
	changed := func(change func(*fuzz.Response)) fuzz.Reader {
		return func(q wire.Request, r io.Reader) (*fuzz.Response, error) {
			res, err := fuzz.Strict(q, r)
			if err == nil {
				change(res)
			}
			return res, err
		}
	}
	refuses := func(wire.Request, io.Reader) (*fuzz.Response, error) { return nil, errors.New("no") }
	accepts := func(wire.Request, io.Reader) (*fuzz.Response, error) { return &fuzz.Response{}, nil }
	otherContent := changed(func(r *fuzz.Response) { r.Content = []byte("hallo") })
	once := func(q wire.Request, r io.Reader) (*fuzz.Response, error) { // believes that one read is all
		b := make([]byte, 4096)
		n, _ := r.Read(b)
		return fuzz.Strict(q, bytes.NewReader(b[:n]))
	}
	strictly := func(read fuzz.Reader, k fuzz.Case) error { return fuzz.Strictly(read, k) }
	differential := func(read fuzz.Reader, k fuzz.Case) error { return fuzz.Differential(read, k) }
	for _, c := range []struct {
		name   string
		oracle func(fuzz.Reader, fuzz.Case) error
		wrong  fuzz.Reader
		k      fuzz.Case
	}{
		{"Splits: one read", fuzz.Splits, once, k},
		{"Splits: one read of what is refused", fuzz.Splits, func(q wire.Request, r io.Reader) (*fuzz.Response, error) {
			n, _ := r.Read(make([]byte, 4096))
			return &fuzz.Response{Head: fuzz.Head{Status: n}}, nil
		}, spoilt},
		{"Strictly: refuses", strictly, refuses, k},
		{"Strictly: accepts", strictly, accepts, spoilt},
		{"Strictly: other content", strictly, otherContent, k},
		{"Expected: refuses", fuzz.Expected, refuses, k},
		{"Expected: accepts", fuzz.Expected, accepts, spoilt},
		{"Expected: other content", fuzz.Expected, otherContent, k},
		{"Expected: another reason", fuzz.Expected, func(wire.Request, io.Reader) (*fuzz.Response, error) { return nil, wire.BareCR }, spoilt},
		{"Differential: other content", differential, otherContent, k},
		{"Differential: another field", differential, changed(func(r *fuzz.Response) { r.Fields[0].Value = "6" }), k},
		{"Differential: another status", differential, changed(func(r *fuzz.Response) { r.Status = 404 }), k},
		{"Differential: accepts", differential, accepts, fuzz.Case{Bytes: []byte("SSH-2.0"), End: wire.FIN}},
	} {
		assert.NoError(t, c.oracle(fuzz.Strict, c.k), c.name)
		err := c.oracle(c.wrong, c.k)
		var f *fuzz.Finding
		if assert.ErrorAs(t, err, &f, c.name) {
			assert.Equal(t, strings.ToLower(c.name[:strings.Index(c.name, ":")]), f.Oracle)
			assert.Equal(t, c.k, f.Case, c.name)
			_, refusal := fuzz.Strict(c.k.Request, bytes.NewReader(c.k.Bytes))
			assert.Equal(t, refusal, refusalOf(f), "%s: the reason that a strict recipient has", c.name)
			assert.Contains(t, f.Error(), "method GET, end fin")
		}
	}
}

// refusalOf gives the reason of f as a Reader gives it.
func refusalOf(f *fuzz.Finding) error {
	if f.Reason == wire.OK {
		return nil
	}
	return f.Reason
}

func TestDisagreementsAreExplained(t *testing.T) {
	require.NotEmpty(t, fuzz.Disagreements())
	for name, why := range fuzz.Disagreements() {
		assert.NotEmpty(t, name)
		assert.Greater(t, len(why), 20, name)
	}
}
