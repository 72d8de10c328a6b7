// Package bench measures parsers of HTTP/1.x responses beside each other:
//
//   - [Cases], named sets of heads and of whole responses, each with so many
//     variants that no branch predictor learns them by heart;
//   - [Run], a benchmark of one parser, and [Compare], which lets several work in
//     turn and reports the ratios of their times in the same round;
//   - [Measure], the same without package testing's flags and names, for a command;
//   - [Check] and [CheckZeroAlloc], which say whether a parser reads the cases right,
//     and without allocation.
//
// A parser that is wrong on a case is reported as wrong there, not as fast. To
// measure one's own:
//
//	var mine = bench.Parser{Name: "mine", Heads: bench.Each(func(head []byte) bench.Result {
//		n, status, fields, err := parse(head)
//		return bench.Result{OK: err == nil, Head: n, Status: status, Fields: fields}
//	})}
//
//	func BenchmarkMine(b *testing.B) { bench.Compare(b, bench.Wire(), mine) }
//
// The names of sub-benchmarks are keys and values (case=cdn/parser=mine), which
// benchstat takes apart: benchstat -col /parser.
//
// # What is measured
//
// Monotonic wall time of whole passes over a case. Machines are noisy: compare
// ratios of one run, never nanoseconds of two.
package bench
