package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/fuzz"
	"why520/wire"
)

// An outcome is all that a Stream says of a response.
type outcome struct {
	Reason  wire.Reason
	Offset  int64
	Notes   []wire.Found
	Content string
}

// read feeds b to s in pieces, each ending at an offset that cut gives for the
// offset where it begins, and closes it with end.
func read(s *wire.Stream, q wire.Request, b []byte, end wire.End, cut func(from int) int) (o outcome) {
	s.Expect(q)
	var (
		content []byte
		notes   []wire.Found
		head    int64
		given   = 0 // bytes of b that s was shown
		done    = 0 // bytes of b that it is done with
		surplus bool
	)
	note := func(r wire.Reason, at int64) { notes = append(notes, wire.Found{Reason: r, Offset: at}) }
	for {
		ev, n, err := s.Next(b[done:given])
		piece := b[done : done+n]
		done += n
		switch ev {
		case wire.InterimHead, wire.FinalHead:
			for f := range s.Head().Notes(piece) {
				note(f.Reason, head+f.Offset)
			}
			head += int64(n)
		case wire.Content:
			if len(content) == 0 && s.Head().Status == 205 {
				note(wire.ContentOnResetContent, head)
			}
			content = append(content, piece[n-s.Segment:]...)
		case wire.Surplus:
			if !surplus && s.Framing.Delimiter == wire.NoContent {
				note(wire.BodyNotAllowed, int64(done-n))
			} else if !surplus {
				note(wire.BytesAfterResponse, int64(done-n))
			}
			surplus = true
		}
		if err == wire.ErrIncomplete && given < len(b) {
			given = min(max(cut(given), given+1), len(b))
			continue
		}
		if err == wire.ErrIncomplete {
			err = s.Close(end)
		}
		if err != nil || given == len(b) && ev == wire.NoEvent {
			break
		}
	}
	o.Reason, o.Offset = s.Fault()
	if o.Reason == wire.OK {
		o.Offset = -1
	}
	o.Notes, o.Content = append(append([]wire.Found{}, s.Found...), notes...), string(content)
	return o
}

func whole(int) int     { return 1 << 30 }
func one(from int) int  { return from + 1 }
func two(from int) int  { return from + 2 }
func five(from int) int { return from + 5 }

func stream(v fuzz.Vector) *wire.Stream {
	return &wire.Stream{Limits: v.Limits, Survey: v.Limits.Measure > 0}
}

func TestVectors(t *testing.T) {
	for _, v := range fuzz.Vectors() {
		t.Run(v.Name, func(t *testing.T) {
			o := read(stream(v), v.Request, v.Bytes, v.End, whole)
			assert.Equal(t, v.Reason.String(), o.Reason.String(), v.Why)
			assert.Equal(t, v.Offset, o.Offset, v.Why)
			if v.Limits.Measure == 0 { // else the survey finds more
				assert.ElementsMatch(t, v.Notes, o.Notes, v.Why)
			}
			if v.Known {
				assert.Equal(t, string(v.Content), o.Content)
			}
		})
	}
}

// The result depends on the bytes alone: on no split, and on nothing that the
// Stream read before.
func TestVectorsUnderEverySplit(t *testing.T) {
	used := &wire.Stream{}
	for _, v := range fuzz.Vectors() {
		for _, survey := range []bool{false, true} {
			fresh := &wire.Stream{Limits: v.Limits, Survey: survey}
			want := read(fresh, v.Request, v.Bytes, v.End, whole)
			used.Limits, used.Survey = v.Limits, survey
			for name, cut := range map[string]func(int) int{"1": one, "2": two, "5": five} {
				got := read(used, v.Request, v.Bytes, v.End, cut)
				assert.Equal(t, want, got, "%s, survey %v, split %s", v.Name, survey, name)
			}
			if len(v.Bytes) > 400 {
				continue
			}
			for at := range v.Bytes {
				got := read(used, v.Request, v.Bytes, v.End, func(from int) int {
					if from < at {
						return at
					}
					return len(v.Bytes)
				})
				assert.Equal(t, want, got, "%s, survey %v, split at %d", v.Name, survey, at)
			}
		}
	}
}

// What a survey finds first that is refused is what a strict Stream stops at.
func TestSurveyFindsFirstWhatIsRefused(t *testing.T) {
	for _, v := range fuzz.Vectors() {
		strict := read(&wire.Stream{Limits: v.Limits}, v.Request, v.Bytes, v.End, whole)
		s := &wire.Stream{Limits: v.Limits, Survey: true}
		survey := read(s, v.Request, v.Bytes, v.End, whole)
		first := wire.Found{Reason: survey.Reason, Offset: survey.Offset}
		for _, f := range s.Found {
			if !v.Limits.Tolerate.Has(f.Reason) {
				first = f
				break
			}
		}
		if first.Reason == wire.HeadEndless {
			continue // what is known of the head once it is measured
		}
		assert.Equal(t, wire.Found{Reason: strict.Reason, Offset: strict.Offset}, first, v.Name)
	}
}

func TestReadingDoesNotAllocate(t *testing.T) {
	s := &wire.Stream{}
	for _, v := range fuzz.Vectors() {
		for _, survey := range []bool{false, true} {
			s.Limits, s.Survey = v.Limits, survey
			ask := func() {
				s.Expect(v.Request)
				for b := v.Bytes; ; {
					ev, n, err := s.Next(b)
					b = b[n:]
					if err != nil || ev == wire.NoEvent {
						break
					}
				}
				_ = s.Close(v.End)
			}
			ask() // lets storage grow
			assert.Zero(t, testing.AllocsPerRun(3, ask), "%s, survey %v", v.Name, survey)
		}
	}
}

// withoutVector has the reasons of wire that bytes alone do not show.
var withoutVector = map[wire.Reason]string{
	wire.HeadDeadline:          "a clock: TestEndsThatNeedAClock",
	wire.BodyDeadline:          "a clock: TestEndsThatNeedAClock",
	wire.TLSTruncated:          "TLS: TestEndsThatNeedAClock",
	wire.BytesOnIdleConnection: "two requests: package origintest",
	wire.NearBudget:            "a judgement: package validator",
}

func TestEveryReasonHasAVector(t *testing.T) {
	var shown wire.Set
	for _, v := range fuzz.Vectors() {
		shown = shown.With(v.Reason)
		for _, n := range v.Notes {
			shown = shown.With(n.Reason)
		}
	}
	for _, r := range wire.Reasons() {
		_, excused := withoutVector[r]
		assert.NotEqual(t, excused, shown.Has(r), "%s: has a vector, or a reason why not", r.String())
	}
}

func TestEndsThatNeedAClock(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nServer: x\r\n"
	for _, c := range []struct {
		bytes string
		end   wire.End
		want  wire.Reason
	}{
		{head, wire.Deadline, wire.HeadDeadline},
		{head + "\r\nhello", wire.Deadline, wire.BodyDeadline},
		{head + "\r\nhello", wire.Truncated, wire.TLSTruncated},
		{head + "Content-Length: 9\r\n\r\nhello", wire.Truncated, wire.BodyShort},
		{head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello", wire.Truncated, wire.ChunkedCut},
		{head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello", wire.Deadline, wire.BodyDeadline},
		{head, wire.Truncated, wire.HeadCut},
		{"", wire.Truncated, wire.ClosedWithoutAByte},
		{"", wire.Deadline, wire.FirstByteTimeout},
		{"HTTP/1.1 100 C\r\n\r\n", wire.Deadline, wire.HeadDeadline},
		{head + "Content-Length: 5\r\n\r\nhello", wire.Deadline, wire.OK},
	} {
		o := read(&wire.Stream{}, wire.Request{}, []byte(c.bytes), c.end, whole)
		assert.Equal(t, c.want.String(), o.Reason.String(), "%q and %s", c.bytes, c.end)
	}
}

// heads gives what a Parser reads of each vector: for the properties below.
func heads(t *testing.T) []fuzz.Vector {
	t.Helper()
	var all []fuzz.Vector
	for _, v := range fuzz.Vectors() {
		if v.Limits == (wire.Limits{}) && len(v.Bytes) > 0 && len(v.Bytes) < 2000 {
			all = append(all, v)
		}
	}
	require.NotEmpty(t, all)
	return all
}

func parser() fuzz.Parser { return &wire.Parser{} }

func TestProperties(t *testing.T) {
	for _, oracle := range []struct {
		name  string
		check func(func() fuzz.Parser, []byte) error
	}{
		{"Split", fuzz.Split}, {"Earliest", fuzz.Earliest}, {"Suffix", fuzz.Suffix}, {"ReadOnly", fuzz.ReadOnly},
	} {
		t.Run(oracle.name, func(t *testing.T) {
			for _, v := range heads(t) {
				assert.NoError(t, oracle.check(parser, v.Bytes), v.Name)
			}
		})
	}
	t.Run("Budget", func(t *testing.T) {
		for _, v := range heads(t) {
			assert.NoError(t, fuzz.Budget(func(head int) fuzz.Parser {
				return &wire.Parser{Limits: wire.Limits{Head: head}}
			}, v.Bytes), v.Name)
		}
	})
}

// Parsers that are wrong in one way each: every oracle finds its own.
type broken struct {
	wire.Parser
	parse func(p *wire.Parser, b []byte) (int, error)
}

func (p *broken) Parse(b []byte) (int, error) { return p.parse(&p.Parser, b) }

func TestOraclesFindWhatIsWrong(t *testing.T) {
	good := []byte("HTTP/1.1 200 OK\r\nServer: x\r\n\r\nhello")
	bad := []byte("HTTP/1.1 200 OK\r\nSer ver: x\r\n\r\nhello")
	with := func(parse func(*wire.Parser, []byte) (int, error)) func() fuzz.Parser {
		return func() fuzz.Parser { return &broken{parse: parse} }
	}
	calls := 0
	assert.Error(t, fuzz.Split(with(func(p *wire.Parser, b []byte) (int, error) {
		if calls++; calls%7 == 0 {
			return 0, errors.New("now and then")
		}
		return p.Parse(b)
	}), good))
	assert.Error(t, fuzz.Earliest(with(func(p *wire.Parser, b []byte) (int, error) {
		n, err := p.Parse(b)
		return max(n-1, 0), err
	}), bad))
	assert.Error(t, fuzz.Earliest(with(func(p *wire.Parser, b []byte) (int, error) {
		n, err := p.Parse(b)
		return min(n+1, len(b)), err
	}), bad))
	assert.Error(t, fuzz.Suffix(with(func(p *wire.Parser, b []byte) (int, error) {
		if bytes.HasSuffix(b, []byte("hello")) {
			return p.Parse(b)
		}
		return 0, errors.New("cannot say")
	}), good))
	assert.Error(t, fuzz.ReadOnly(with(func(p *wire.Parser, b []byte) (int, error) {
		b[0] = 'h'
		return 0, fmt.Errorf("spoilt")
	}), good))
	assert.Error(t, fuzz.Budget(func(head int) fuzz.Parser {
		return &wire.Parser{Limits: wire.Limits{Head: head + 1}}
	}, good))
}
