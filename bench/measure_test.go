package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A fakery is a clock that goes on only where a parser says so.
type fakery struct {
	now  time.Duration
	said []string // who parsed the whole case
}

// parser gives wire as a parser that takes so long for an input.
func (f *fakery) parser(name string, each time.Duration) Parser {
	p := Wire()
	p.Name = name
	right := p.Heads
	p.Heads = func(inputs [][]byte, results []Result) {
		right(inputs, results)
		f.now += time.Duration(len(inputs)) * each
		f.said = append(f.said, name)
	}
	return p
}

// measure measures on ten inputs, in turns of 1 us where o does not say.
func (f *fakery) measure(o Options, parsers ...Parser) []Figure {
	c := Cases()[0]
	c.Inputs, c.Want, c.asked = c.Inputs[:10], c.Want[:10], c.asked[:10]
	o.Cases = []Case{c}
	o.Turn = max(o.Turn, time.Microsecond)
	return o.measure(func() time.Duration { return f.now }, parsers)
}

func TestMeasureGivesTimesAndRatios(t *testing.T) {
	var f fakery
	figures := f.measure(Options{}, f.parser("once", 50), f.parser("twice", 100))
	require.Len(t, figures, 2)
	for i, want := range []Figure{{Parser: "once", Time: 50, Ratio: 1}, {Parser: "twice", Time: 100, Ratio: 2}} {
		want.Case, want.Bytes = "tiny", figures[i].Bytes
		assert.Equal(t, want, figures[i])
	}
}

func TestATurnLastsAsLongAsIsAsked(t *testing.T) {
	var f fakery
	f.measure(Options{Rounds: 1, Turn: 4 * time.Microsecond}, f.parser("p", 100))
	const checked, calibrated, warm, timed = 1, 2 * (1 + 2 + 4), 1, 4 // passes of 1 us
	assert.Len(t, f.said, checked+calibrated+warm+timed)
}

func TestRoundsBeginWithTheNextParser(t *testing.T) {
	var f fakery
	f.measure(Options{Rounds: 3}, f.parser("a", 100), f.parser("b", 100))
	const checks, calibrations = 2, 4
	assert.Equal(t, []string{"a", "a", "b", "b", "b", "b", "a", "a", "a", "a", "b", "b"}, f.said[checks+calibrations:])
}

func TestAParserThatIsWrongIsNotTimed(t *testing.T) {
	var f fakery
	wrong := f.parser("wrong", 100)
	wrong.Value = func([]byte, string) string { return "" }
	figures := f.measure(Options{}, wrong, f.parser("right", 100))
	require.Len(t, figures, 2)
	require.NotNil(t, figures[0].Wrong)
	assert.Equal(t, 10, figures[0].Wrong.Inputs)
	assert.True(t, isNaN(figures[0].Time))
	assert.Nil(t, figures[1].Wrong)
	assert.EqualValues(t, 100, figures[1].Time)
	assert.True(t, isNaN(figures[1].Ratio), "there is nothing to compare with")
	assert.Equal(t, "wrong", f.said[0])
	assert.NotContains(t, f.said[1:], "wrong")
}

func TestAParserThatTakesNoPartHasNoFigure(t *testing.T) {
	var f fakery
	absent := f.parser("absent", 100)
	absent.Heads = nil
	figures := f.measure(Options{}, f.parser("present", 100), absent)
	require.Len(t, figures, 1)
	assert.Equal(t, "present", figures[0].Parser)
}

func TestMediansPassOverASlowRound(t *testing.T) {
	assert.EqualValues(t, 2, median([]float64{2, 2, 900, 1, 2}))
	assert.EqualValues(t, 3, median([]float64{1, 3}))
	assert.True(t, isNaN(median(nil)))
	assert.Equal(t, []float64{2, 0.5}, ratios([]float64{4, 4}, []float64{2, 8}))
}

func isNaN(f float64) bool { return f != f }

func TestAFigureBecomesMetrics(t *testing.T) {
	f := Figure{Bytes: 100, Time: 50, Ratio: 2}
	r := testing.Benchmark(func(b *testing.B) { f.report(b, "x-wire") })
	assert.Equal(t, map[string]float64{"ns/op": 50, "MB/s": 2000, "x-wire": 2}, r.Extra)

	f = Figure{Wrong: &Wrong{Inputs: 3, Of: 5}}
	r = testing.Benchmark(func(b *testing.B) { f.report(b, "x-wire") })
	assert.Equal(t, map[string]float64{"ns/op": 0, "wrong": 3}, r.Extra)
}

func TestRunFailsWhereAParserIsWrong(t *testing.T) {
	failed := false
	testing.Benchmark(func(b *testing.B) {
		Run(b, Parser{Name: "optimist", Heads: Each(func(b []byte) Result { return Result{OK: true, Head: len(b)} })})
		failed = b.Failed()
	})
	assert.True(t, failed)
}
