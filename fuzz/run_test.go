package fuzz_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/fuzz"
	"why520/wire"
)

// engine is a fuzzing engine that tries its seeds alone.
type engine struct {
	t      *testing.T
	seeds  [][]byte
	failed int
}

// recorder is a test of that engine.
type recorder struct{ failed *int }

func (r recorder) Errorf(string, ...any) { *r.failed++ }

func (e *engine) Add(args ...any) { e.seeds = append(e.seeds, args[0].([]byte)) }
func (e *engine) Fuzz(target any) {
	for _, seed := range e.seeds {
		target.(func(recorder, []byte))(recorder{&e.failed}, seed)
	}
}

// Run needs no package testing: any engine's stand-ins do.
func TestRunUnderAnotherEngine(t *testing.T) {
	e := &engine{t: t}
	fuzz.Run[recorder](e, fuzz.Subject{Read: fuzz.Strict, Parser: good})
	assert.Len(t, e.seeds, len(fuzz.Seeds()))
	assert.Zero(t, e.failed)

	e = &engine{t: t}
	fuzz.Run[recorder](e, fuzz.Subject{Read: fuzz.NetHTTP})
	assert.Greater(t, e.failed, 20, "net/http is not strict")

	e = &engine{t: t}
	fuzz.Run[recorder](e, fuzz.Subject{Read: fuzz.NetHTTP, Lenient: true})
	assert.Zero(t, e.failed, "but it depends on no split")

	known := 0
	e = &engine{t: t}
	fuzz.Run[recorder](e, fuzz.Subject{Read: fuzz.NetHTTP, Known: func(*fuzz.Finding) bool { known++; return true }})
	assert.Zero(t, e.failed)
	assert.Greater(t, known, 20)
}

// findings gives all that s is found at fault with, from the seeds on.
func findings(s fuzz.Subject) (all []*fuzz.Finding) {
	for _, seed := range fuzz.Seeds() {
		all = append(all, s.Check(seed)...)
	}
	return all
}

// Run asks about every vector once, with its own request and end, and makes
// panics findings.
func TestPanicsAreFoundAndEveryVectorIsAskedOnce(t *testing.T) {
	scenario := func(b []byte, q wire.Request, end wire.End) string { return fmt.Sprintf("%q %v %s", b, q, end) }
	asked := map[string]int{}
	for _, f := range findings(fuzz.Subject{Read: func(wire.Request, io.Reader) (*fuzz.Response, error) { panic("no such luck") }}) {
		if f.Case.Vector != "" {
			asked[scenario(f.Case.Bytes, f.Case.Request, f.Case.End)]++
		}
		require.Equal(t, "panic", f.Oracle)
		require.Contains(t, f.Detail, "no such luck")
		require.Contains(t, f.Detail, "run_test.go", "where it was")
	}
	for _, v := range fuzz.Vectors() {
		if v.Limits == (wire.Limits{}) {
			assert.Equal(t, 1, asked[scenario(v.Bytes, v.Request, v.End)], v.Name)
		}
	}

	s := fuzz.Subject{Parser: func() fuzz.Parser { panic("nor this") }}
	found := s.Check([]byte(head))
	require.Len(t, found, 2, "the input, and what is generated of it")
	assert.Equal(t, "panic", found[0].Oracle)
	assert.Equal(t, head, string(found[0].Case.Bytes))
}

// What only a method or an end shows is found, and its vector named.
func TestSubjectsAreHeldToTheVectors(t *testing.T) {
	for want, read := range map[string]fuzz.Reader{
		"vector ok-head-length, method HEAD, end fin": func(q wire.Request, r io.Reader) (*fuzz.Response, error) {
			return fuzz.Strict(wire.Request{Upgrade: q.Upgrade}, r) // takes HEAD for GET
		},
		"vector close-delimited-reset, method GET, end rst": func(q wire.Request, r io.Reader) (*fuzz.Response, error) {
			b, _ := io.ReadAll(r) // takes a reset for a close
			return fuzz.Strict(q, bytes.NewReader(b))
		},
		"vector ok-101, method GET, upgrade asked for, end fin": func(q wire.Request, r io.Reader) (*fuzz.Response, error) {
			return fuzz.Strict(wire.Request{Method: q.Method}, r)
		},
	} {
		var all strings.Builder
		for _, v := range fuzz.Vectors() {
			s := fuzz.Subject{Read: read}
			for _, f := range s.Check(v.Bytes) {
				all.WriteString(f.Error())
			}
		}
		assert.Contains(t, all.String(), want)
	}
}

func TestConforms(t *testing.T) {
	refuses := func(wire.Request, io.Reader) (*fuzz.Response, error) { return nil, errors.New("no") }
	accepts := func(wire.Request, io.Reader) (*fuzz.Response, error) {
		return &fuzz.Response{Content: []byte("another")}, nil
	}
	told := 0
	for _, v := range fuzz.Vectors() {
		if v.Limits.Measure == 0 { // StrictUnder does not measure
			assert.NoError(t, fuzz.Conforms(fuzz.StrictUnder(v.Limits), v), v.Name)
		}
		if v.Reason == wire.OK {
			assert.ErrorContains(t, fuzz.Conforms(refuses, v), "vector "+v.Name)
		} else {
			assert.ErrorContains(t, fuzz.Conforms(accepts, v), "vector "+v.Name)
		}
		if v.Reason == wire.OK && v.Known {
			told++
			assert.ErrorContains(t, fuzz.Conforms(accepts, v), "content \"another\"", v.Name)
		}
	}
	assert.Greater(t, told, 20)
}

// One fault of one response is told once.
func TestAFaultIsToldOnce(t *testing.T) {
	for _, seed := range fuzz.Seeds() {
		told := map[string]bool{}
		s := fuzz.Subject{Read: fuzz.NetHTTP}
		for _, f := range s.Check(seed) {
			if f.Oracle == "splits" {
				continue
			}
			response := fmt.Sprintf("%q %v %v", f.Case.Bytes, f.Case.Request, f.Case.End)
			assert.False(t, told[response], "%v", f)
			told[response] = true
		}
	}
}

// A subject's own budgets and tolerance are no faults; what goes beyond them is.
func TestLimitsAreTheSubjectsOwn(t *testing.T) {
	own := wire.Limits{
		Head: 1 << 16, Line: 1 << 16, Fields: 1000, Interim: 100,
		Tolerate: wire.SetOf(wire.NoHeaderFields, wire.FieldObsFold, wire.FieldSpaceBeforeColon, wire.BareLF),
	}
	parser := func() fuzz.Parser { return fuzz.Wire(own) }
	for _, f := range findings(fuzz.Subject{Parser: parser, Read: fuzz.StrictUnder(own), Limits: own}) {
		assert.NoError(t, f)
	}
	var beyond wire.Set
	for _, f := range findings(fuzz.Subject{Read: fuzz.StrictUnder(own)}) {
		beyond = beyond.With(f.Reason)
	}
	for _, r := range []wire.Reason{wire.NoHeaderFields, wire.TooManyFields, wire.TooManyInterim, wire.HeadTooLarge, wire.FieldObsFold} {
		assert.True(t, beyond.Has(r), r.String())
	}
	assert.NotEmpty(t, findings(fuzz.Subject{Read: fuzz.Strict, Limits: own}), "it refuses what it says it takes")
}

// What a subject cannot tell is not compared, in no oracle.
func TestUntoldFieldsAreNotCompared(t *testing.T) {
	invents := func(q wire.Request, r io.Reader) (*fuzz.Response, error) {
		res, err := fuzz.Strict(q, r)
		if err == nil {
			res.Fields = append([]fuzz.Field{{Name: "Content-Type", Value: "text/plain"}}, res.Fields...)
		}
		return res, err
	}
	assert.NotEmpty(t, findings(fuzz.Subject{Read: invents}))
	assert.NotEmpty(t, findings(fuzz.Subject{Read: invents, Untold: []string{"Server"}}))
	assert.Empty(t, findings(fuzz.Subject{Read: invents, Untold: []string{"content-type"}}))

	k := fuzz.Case{Bytes: []byte(head), End: wire.FIN}
	for _, oracle := range []func(fuzz.Reader, fuzz.Case, ...string) error{fuzz.Strictly, fuzz.Differential} {
		assert.Error(t, oracle(invents, k))
		assert.NoError(t, oracle(invents, k, "Content-Type"))
	}
}

// A finding says all that it takes to see it again, and no more than fits.
func TestFindingsSayWhatTheCaseWas(t *testing.T) {
	refuses := func(wire.Request, io.Reader) (*fuzz.Response, error) { return nil, errors.New("no") }
	var known []*fuzz.Finding
	s := fuzz.Subject{Read: refuses, Parser: func() fuzz.Parser {
		return &broken{Teller: fuzz.Wire(wire.Limits{}), parse: func(fuzz.Teller, []byte) (int, error) { return 0, wire.BareCR }}
	}}
	s.Known = func(f *fuzz.Finding) bool { known = append(known, f); return true }
	long := head + strings.Repeat("\x00", 1000)
	require.Empty(t, s.Check([]byte(long)))
	oracles := map[string]bool{}
	for _, f := range known {
		oracles[f.Oracle] = true
		assert.NotEmpty(t, f.Case.Bytes, f.Oracle)
		assert.Contains(t, f.Error(), "\n\tof ")
		if string(f.Case.Bytes) == long {
			assert.Contains(t, f.Error(), `method GET, end fin, cuts`)
			assert.Contains(t, f.Error(), fmt.Sprintf(`the first 300 of %d bytes "HTTP/1.1 200 OK\r\n`, len(long)))
			assert.Less(t, len(f.Error()), 4*len(long))
		}
	}
	assert.Subset(t, oracles, map[string]bool{"strictly": true, "same": true, "earliest": true})
}

// NetHTTP tells what ReadResponse did: it waits for no other response where that
// takes one for final.
func TestNetHTTPTellsWhatReadResponseDid(t *testing.T) {
	const final = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
	for first, want := range map[string]int{
		"HTTP/1.1 000 X\r\nA: b\r\n\r\n":             0,
		"HTTP/1.1 099 X\r\nA: b\r\n\r\n":             99,
		"HTTP/1.1 100 X\r\nA: b\r\n\r\n":             200,
		"HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n":       101,
		"HTTP/1.1 103 X\r\n\r\nHTTP/1.1 199\r\n\r\n": 200,
	} {
		res, err := fuzz.NetHTTP(wire.Request{}, iotest.OneByteReader(strings.NewReader(first+final)))
		if assert.NoError(t, err, "%q", first) {
			assert.Equal(t, want, res.Status, "%q", first)
		}
	}
}

// A Head tells no major version, and neither does what is printed of it.
func TestResponsesPrintNoVersionThatTheyDoNotTell(t *testing.T) {
	res, err := fuzz.NetHTTP(wire.Request{}, strings.NewReader("HTTP/2.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
	require.NoError(t, err)
	assert.Equal(t, `status 200, minor version 1, "Content-Length": "0", content ""`, res.String())
}
