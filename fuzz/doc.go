// Package fuzz has what it takes to hold a parser of HTTP/1.x responses, or a
// whole client, to the grammar:
//
//   - [Vectors], each a single scenario with what a strict recipient says of it;
//   - [Generate], which turns a fuzzer's bytes into responses that are well-formed
//     or have one damage with a name;
//   - oracles, properties that hold for every input: for parsers of heads [Split],
//     [Earliest], [Suffix], [Budget], [ReadOnly], [Rebuild], [Same], [NoOverread]
//     and [Alias]; for whole responses [Conforms], [Splits], [Strictly], [Expected]
//     and [Differential];
//   - [Run], the one line of a fuzz test that adopts all of it;
//   - [Listen], an origin that answers with what was generated: split, with
//     pauses, cut, reset or silent.
//
// To harden a parser of one's own, write a function that reads one response with
// it, and fuzz:
//
//	func read(q wire.Request, r io.Reader) (*fuzz.Response, error) {
//		res, err := mine.ReadResponse(r, q.Method)
//		if err != nil {
//			return nil, err
//		}
//		return &fuzz.Response{Head: fuzz.Head{Status: res.Status, Minor: res.Minor, Fields: res.Fields}, Content: res.Content}, nil
//	}
//
//	func FuzzMine(f *testing.F) { fuzz.Run[*testing.T](f, fuzz.Subject{Read: read}) }
//
// Fields must be told as they were sent: line by line, none merged, none added,
// trailers apart. Those that a client cannot tell so go into Subject.Untold; its
// own budgets, and what it tolerates, into Subject.Limits.
//
// The engine stops at the first finding. To go on past those that are known, let
// Subject.Known pass them, as its example does, and give go test
// -fuzzminimizetime 10x, or each new one is minimized for a minute. What Known
// collects must go to a file: the engine's workers are processes of their own.
//
// STRICTNESS.md, beside this file, has the requirements behind the vectors.
//
// It knows nothing of package testing, so that it builds under every fuzzing
// engine: an oracle returns an error that says what is wrong.
package fuzz
