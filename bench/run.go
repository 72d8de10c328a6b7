package bench

import (
	"fmt"
	"math"
	"testing"
)

// Run benchmarks p on every case that it takes part in, each in a sub-benchmark
// such as case=cdn/parser=wire, where ns/op is the time for one input. b fails
// where p is wrong, and that case is not timed.
func Run(b *testing.B, p Parser) {
	for _, c := range Cases() {
		parse := p.on(&c)
		if parse == nil {
			continue
		}
		b.Run(fmt.Sprintf("case=%s/parser=%s", c.Name, p.Name), func(b *testing.B) {
			if err := Check(&c, p); err != nil {
				b.Error(err)
				return
			}
			results := make([]Result, len(c.Inputs))
			b.SetBytes(int64(math.Round(c.Size())))
			b.ReportAllocs()
			b.ResetTimer()
			for n := b.N; n > 0; n -= len(c.Inputs) {
				parse(c.Inputs[:min(n, len(c.Inputs))], results)
			}
		})
	}
}

// Compare measures parsers with Measure, each case in a sub-benchmark such as
// case=cdn that has one for each parser, such as parser=wire. There ns/op is the
// time for one input, and a metric in the unit x-NAME its ratio to the time of
// the first parser, which is called NAME. Where a parser is wrong, the metric
// wrong is the number of inputs on which it is, and there is no other.
func Compare(b *testing.B, parsers ...Parser) {
	for _, c := range Cases() {
		b.Run("case="+c.Name, func(b *testing.B) {
			for _, f := range Measure(Options{Cases: []Case{c}}, parsers...) {
				b.Run("parser="+f.Parser, func(b *testing.B) { f.report(b, "x-"+parsers[0].Name) })
			}
		})
	}
}

// report makes f the result of b, which repeats nothing.
func (f *Figure) report(b *testing.B, unit string) {
	if f.Wrong != nil {
		if b.N == 1 { // the first of several calls
			b.Log(f.Wrong)
		}
		b.ReportMetric(0, "ns/op") // there is none
		b.ReportMetric(float64(f.Wrong.Inputs), "wrong")
		return
	}
	b.ReportMetric(f.Time, "ns/op")
	b.ReportMetric(f.Bytes/f.Time*1e3, "MB/s")
	if !math.IsNaN(f.Ratio) {
		b.ReportMetric(f.Ratio, unit)
	}
}
