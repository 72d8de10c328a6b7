package bench

import (
	"math"
	"runtime"
	"slices"
	"time"
)

// Options say how to measure. The zero Options are the usual ones.
type Options struct {
	Cases  []Case        // nil: all
	Rounds int           // of each case; 0: 21
	Turn   time.Duration // for which a parser works in a round, at least; 0: 500 us
}

// A Figure is what was measured of one parser in one case.
type Figure struct {
	Case   string
	Parser string
	Bytes  float64 // of an input, on average
	Time   float64 // nanoseconds for an input: the median of the rounds
	Ratio  float64 // of Time to that of the first parser in the same round: the median; NaN where that one is wrong or takes no part
	Wrong  *Wrong  // what the parser got wrong, and it was not timed; or nil
}

// Measure lets parsers work on each case in turn, in rounds, and gives a Figure
// for each case and each parser that takes part in it, in their order.
//
// A turn is whole passes over the inputs of the case, so many that it takes
// Options.Turn of monotonic wall time. It begins behind a garbage collection and
// a pass that is not timed, so that nobody pays for another's garbage or cold
// caches; its own garbage a parser pays for as far as it is collected within the
// turn. Each round begins with the next parser.
func Measure(o Options, parsers ...Parser) []Figure {
	start := time.Now()
	return o.measure(func() time.Duration { return time.Since(start) }, parsers)
}

func (o Options) measure(clock func() time.Duration, parsers []Parser) (all []Figure) {
	if o.Cases == nil {
		o.Cases = Cases()
	}
	if o.Rounds == 0 {
		o.Rounds = 21
	}
	if o.Turn == 0 {
		o.Turn = 500 * time.Microsecond
	}
	for i := range o.Cases {
		all = append(all, o.compare(clock, &o.Cases[i], parsers)...)
	}
	return all
}

// An entrant is a parser in a case.
type entrant struct {
	parse  func(inputs [][]byte, results []Result)
	passes int
	times  []float64 // nanoseconds for an input, of each round
	figure Figure
}

func (o Options) compare(clock func() time.Duration, c *Case, parsers []Parser) (figures []Figure) {
	var all, right []*entrant
	base := &entrant{} // no times: no ratios
	for i, p := range parsers {
		parse := p.on(c)
		if parse == nil {
			continue
		}
		e := &entrant{parse: parse, figure: Figure{Case: c.Name, Parser: p.Name, Bytes: c.Size(), Wrong: p.check(c)}}
		all = append(all, e)
		if e.figure.Wrong != nil {
			continue
		}
		right = append(right, e)
		if i == 0 {
			base = e
		}
	}
	results := make([]Result, len(c.Inputs))
	for _, e := range right {
		e.calibrate(clock, c, results, o.Turn)
	}
	for round := range o.Rounds {
		for i := range right {
			e := right[(round+i)%len(right)]
			runtime.GC()
			e.parse(c.Inputs, results)
			taken := e.turn(clock, c, results)
			e.times = append(e.times, float64(taken)/float64(e.passes*len(c.Inputs)))
		}
	}
	for _, e := range all {
		e.figure.Time, e.figure.Ratio = median(e.times), median(ratios(e.times, base.times))
		figures = append(figures, e.figure)
	}
	return figures
}

// calibrate finds how many passes take a turn, where nothing gets in the way:
// the shorter of two.
func (e *entrant) calibrate(clock func() time.Duration, c *Case, results []Result, turn time.Duration) {
	for e.passes = 1; ; e.passes *= 2 {
		if min(e.turn(clock, c, results), e.turn(clock, c, results)) >= turn {
			return
		}
	}
}

func (e *entrant) turn(clock func() time.Duration, c *Case, results []Result) time.Duration {
	start := clock()
	for range e.passes {
		e.parse(c.Inputs, results)
	}
	return clock() - start
}

// ratios gives the ratio of both in each round; nothing where base has no times.
func ratios(times, base []float64) []float64 {
	if len(base) == 0 {
		return nil
	}
	all := make([]float64, len(times))
	for i, t := range times {
		all[i] = t / base[i]
	}
	return all
}

// median gives the middle of values, the higher one of two; NaN of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
