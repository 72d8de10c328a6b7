package fuzz

import (
	"runtime/debug"
	"slices"
	"sync"

	"why520/wire"
)

// T is what Run needs of a test: *testing.T has it, and so do its stand-ins in
// other fuzzing engines.
type T interface {
	Errorf(format string, args ...any)
}

// F is what Run needs of a fuzz test: *testing.F has it.
type F interface {
	Add(args ...any)
	Fuzz(target any)
}

// A Subject is what is fuzzed. At least one of Parser and Read is set.
type Subject struct {
	// Parser makes a parser of heads. Every oracle for heads is asked; those
	// that need to know what was read, if it is a Teller.
	Parser func() Parser

	// Budgeted makes one that refuses heads of more than so many bytes, with a
	// wire.Reason. It may be nil.
	Budgeted func(head int) Parser

	// Read reads whole responses. Every oracle for responses is asked.
	Read Reader

	// Lenient subjects are not held to strictness: only to themselves.
	Lenient bool

	// Limits are the subject's own policy: its budgets, and in Tolerate the
	// violations that it takes. A strict recipient under them is what it is held
	// to; what is made to cross another budget is left out.
	Limits wire.Limits

	// Untold names the fields that Read cannot tell as they were sent: they are
	// not compared. Transfer-Encoding, Trailer and Connection never are.
	Untold []string

	// Known, if set, says that what was found is known, and no failure. It is
	// asked about every finding.
	Known func(f *Finding) bool
}

// Run fuzzes s with every oracle, from Seeds on: the one line of a fuzz test.
//
//	func FuzzMyParser(f *testing.F) { fuzz.Run[*testing.T](f, fuzz.Subject{Read: read}) }
func Run[Test T](f F, s Subject) {
	AddSeeds(f)
	f.Fuzz(func(t Test, data []byte) {
		for _, f := range s.Check(data) {
			t.Errorf("%v", f)
		}
	})
}

// AddSeeds adds Seeds to f, for a fuzz test of one []byte.
func AddSeeds(f F) {
	for _, seed := range Seeds() {
		f.Add(seed)
	}
}

// Seeds gives inputs to begin with: every vector's bytes, and for every damage
// bytes that Generate makes it of. They must not be changed.
func Seeds() [][]byte { return slices.Clone(seeds()) }

// Some engines call a fuzz test anew for each input: seeds are made once.
var seeds = sync.OnceValue(func() (all [][]byte) {
	for _, v := range Vectors() {
		if sameBytes := vectorsByBytes()[string(v.Bytes)]; v.Name == sameBytes[0].Name {
			all = append(all, v.Bytes)
		}
	}
	for i := range damages {
		all = append(all, damaging(i))
	}
	return all
})

// damaging gives bytes of which Generate makes a case of damage number i.
func damaging(i int) []byte {
	c := &choices{make([]byte, 1024)} // zeros are the plainest choices
	all := len(c.left)
	newDraft(c)
	return append(make([]byte, all-len(c.left)), 1, byte(i), 1, 2, 3, 40, 1)
}

// Check asks every oracle about data: taken as a response to GET, as the vectors
// that have these bytes, each with its own request and end, and as choices for
// Generate. It gives what is wrong; of the oracles for strictness, which find the
// same faults in their own ways, the first one's word. A panic of the subject is
// a finding of the oracle "panic".
func (s *Subject) Check(data []byte) []*Finding {
	var all []*Finding
	found := func(err error) {
		if f, ok := err.(*Finding); ok && (s.Known == nil || !s.Known(f)) {
			all = append(all, f)
		}
	}
	vectors := vectorsByBytes()[string(data)]
	const largest = 4096 // some oracles take time by the square of the length
	if len(data) > largest {
		data = data[:largest]
	}
	generated := Generate(data)
	raw := Case{Bytes: data, End: wire.FIN, Cuts: generated.Cuts}
	if s.Parser != nil {
		for _, input := range [][]byte{data, generated.Bytes} {
			guarded(Case{Bytes: input, End: wire.FIN}, found, func() { s.heads(input, found) })
		}
	}
	if s.Read != nil {
		for _, k := range append(casesOf(vectors, raw), generated) {
			s.response(k, found)
		}
	}
	return all
}

// casesOf gives raw, and the vectors that have its bytes: one of them in its
// place, if there is one that differs in nothing.
func casesOf(vectors []Vector, raw Case) []Case {
	all := []Case{raw}
	for _, v := range vectors {
		k := v.asCase()
		if k.Request == raw.Request && k.End == raw.End && k.Limits == raw.Limits {
			k.Cuts = raw.Cuts
			all[0] = k
		} else {
			all = append(all, k)
		}
	}
	return all
}

// guarded asks oracles about k, and makes a panic a finding.
func guarded(k Case, found func(error), ask func()) {
	defer func() {
		if v := recover(); v != nil {
			found(finding("panic", k, "%v\n%s", v, debug.Stack()))
		}
	}()
	ask()
}

// response asks the oracles for responses about k, under the subject's limits.
func (s *Subject) response(k Case, found func(error)) {
	switch k.Limits {
	case s.Limits:
	case wire.Limits{}:
		k.Limits, k.Want = s.Limits, wire.Set{} // what was wanted holds under the default limits
	default:
		return // its budgets are not the subject's
	}
	guarded(k, found, func() {
		found(Splits(s.Read, k))
		if !s.Lenient {
			found(s.strictness(k))
		}
	})
}

// strictness gives the first word of the oracles that hold Read to others.
func (s *Subject) strictness(k Case) error {
	if err := Strictly(s.Read, k, s.Untold...); err != nil {
		return err
	}
	if k.Want != (wire.Set{}) {
		if err := Expected(s.Read, k); err != nil {
			return err
		}
	}
	if k.Limits.Tolerate != (wire.Set{}) {
		return nil // net/http tolerates other things
	}
	return Differential(s.Read, k, s.Untold...)
}

// heads asks the oracles for heads about input.
func (s *Subject) heads(input []byte, found func(error)) {
	found(Split(s.Parser, input))
	found(Suffix(s.Parser, input))
	found(ReadOnly(s.Parser, input))
	found(NoOverread(s.Parser, input))
	found(Alias(s.Parser, input))
	found(Rebuild(s.Parser, input))
	if s.Budgeted != nil && len(input) < 512 {
		found(Budget(s.Budgeted, input))
	}
	if !s.Lenient {
		if s.Limits.Tolerate == (wire.Set{}) { // what is tolerated goes on behind the byte at fault
			found(Earliest(s.Parser, input))
		}
		found(Same(s.Parser, func() Parser { return Wire(s.Limits) }, input))
	}
}
