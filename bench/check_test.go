package bench_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/bench"
)

func TestWireIsRightOnEveryCase(t *testing.T) {
	for _, c := range bench.Cases() {
		assert.NoError(t, bench.Check(&c, bench.Wire()), c.Name)
	}
}

func TestWireDoesNotAllocate(t *testing.T) { bench.CheckZeroAlloc(t, bench.Wire()) }

// caseOf gives the case of that name.
func caseOf(t *testing.T, name string) *bench.Case {
	t.Helper()
	i := slices.IndexFunc(bench.Cases(), func(c bench.Case) bool { return c.Name == name })
	require.GreaterOrEqual(t, i, 0, "no case is called %s", name)
	return &bench.Cases()[i]
}

// spoilt gives wire with each of its results changed.
func spoilt(change func(r *bench.Result)) bench.Parser {
	p := bench.Wire()
	right := p.Heads
	p.Heads = func(inputs [][]byte, results []bench.Result) {
		right(inputs, results)
		for i := range results {
			change(&results[i])
		}
	}
	return p
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	other := func(change func(p *bench.Parser)) bench.Parser {
		p := bench.Wire()
		change(&p)
		return p
	}
	for _, k := range []struct {
		on, why string
		p       bench.Parser
	}{
		{"tiny", "refused; it is well-formed", spoilt(func(r *bench.Result) { r.OK = false })},
		{"tiny", "Head:112", spoilt(func(r *bench.Result) { r.Head++ })},
		{"tiny", "Status:201", spoilt(func(r *bench.Result) { r.Status = 201 })},
		{"tiny", "Fields:2", spoilt(func(r *bench.Result) { r.Fields = 2 })},
		{"malformed-late", "accepted; it is malformed", spoilt(func(r *bench.Result) { r.OK = true })},
		{"tiny", "refused", other(func(p *bench.Parser) { p.Heads = func([][]byte, []bench.Result) {} })},
		{"malformed-late", "accepted", other(func(p *bench.Parser) { p.Heads = func([][]byte, []bench.Result) {} })},
		{"tiny", `is "mine", want "`, other(func(p *bench.Parser) { p.Value = func([]byte, string) string { return "mine" } })},
		{"interim", "its content is another", other(func(p *bench.Parser) { p.Content = func([]byte) []byte { return nil } })},
	} {
		c := caseOf(t, k.on)
		var wrong *bench.Wrong
		require.ErrorAs(t, bench.Check(c, k.p), &wrong, k.why)
		assert.Contains(t, wrong.Why, k.why)
		assert.Equal(t, len(c.Inputs), wrong.Inputs)
		assert.Equal(t, len(c.Inputs), wrong.Of)
		assert.Zero(t, wrong.First)
	}
}

func TestCheckFindsAParserThatWritesIntoItsInput(t *testing.T) {
	c := *caseOf(t, "tiny")
	c.Inputs = [][]byte{bytes.Clone(c.Inputs[0])}
	c.Want = c.Want[:1]
	p := bench.Wire()
	right := p.Heads
	p.Heads = func(inputs [][]byte, results []bench.Result) {
		right(inputs, results)
		inputs[0][20] ^= 0x20
	}
	p.Value = nil
	assert.ErrorContains(t, bench.Check(&c, p), "an input was changed")
}

func TestCheckLeavesOutWhatAParserTakesNoPartIn(t *testing.T) {
	p := bench.Wire()
	p.Heads = nil
	assert.NoError(t, bench.Check(caseOf(t, "tiny"), p))
	assert.NoError(t, bench.Check(caseOf(t, "tiny"), spoilt(func(r *bench.Result) { r.Fields = -1 })), "the number of field lines, not told")
}

// A witness is a testing.TB that only notes what it is told.
type witness struct {
	testing.TB
	said []string
}

func (w *witness) Helper() {}

func (w *witness) Errorf(format string, args ...any) {
	w.said = append(w.said, fmt.Sprintf(format, args...))
}

func TestCheckZeroAllocFindsAllocations(t *testing.T) {
	var kept [][]byte
	p := bench.Parser{Name: "keeper", Heads: func(inputs [][]byte, _ []bench.Result) {
		kept = append(kept[:0:0], inputs...)
	}}
	w := &witness{TB: t}
	bench.CheckZeroAlloc(w, p)
	heads := 0
	for _, c := range bench.Cases() {
		if c.Contents == nil {
			heads++
		}
	}
	require.Len(t, w.said, heads)
	assert.Contains(t, w.said[0], "case=tiny/parser=keeper: 1 allocations on 1000 inputs")
}
