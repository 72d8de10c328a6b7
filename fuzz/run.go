package fuzz

import (
	"errors"
	"slices"
	"sync"

	"why520/wire"
)

// T is what Run needs of a test: *testing.T has it, and so do its stand-ins in
// other fuzzing engines.
type T interface {
	Helper()
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

	// Known, if set, says that what was found is known, and no failure. It is
	// asked about every error.
	Known func(err error) bool
}

// Run fuzzes s with every oracle, from Seeds on: the one line of a fuzz test.
//
//	func FuzzMyParser(f *testing.F) { fuzz.Run[*testing.T](f, fuzz.Subject{Read: read}) }
func Run[Test T](f F, s Subject) {
	AddSeeds(f)
	f.Fuzz(func(t Test, data []byte) {
		t.Helper()
		for _, err := range s.Check(data) {
			t.Errorf("%v", err)
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
		if len(v.Bytes) <= 4096 {
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

// Check asks every oracle about data, taken as a response and as choices for
// Generate, and gives what is wrong.
func (s *Subject) Check(data []byte) []error {
	var all []error
	found := func(err error) {
		if err != nil && (s.Known == nil || !s.Known(err)) {
			all = append(all, err)
		}
	}
	const largest = 4096 // some oracles take time by the square of the length
	if len(data) > largest {
		data = data[:largest]
	}
	generated := Generate(data)
	raw := Case{Bytes: data, End: wire.FIN, Cuts: generated.Cuts}
	if s.Parser != nil {
		for _, input := range [][]byte{data, generated.Bytes} {
			s.heads(input, found)
		}
	}
	if s.Read == nil {
		return all
	}
	for _, k := range []Case{raw, generated} {
		if k.Limits != (wire.Limits{}) {
			continue // its budgets are not the subject's
		}
		found(Splits(s.Read, k))
		if !s.Lenient {
			found(Strictly(s.Read, k))
			found(Differential(s.Read, k))
			if k.Want != (wire.Set{}) {
				found(Expected(s.Read, k))
			}
		}
	}
	return all
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
		found(Earliest(s.Parser, input))
		found(Same(s.Parser, func() Parser { return Wire(wire.Limits{}) }, input))
	}
}

func isIncomplete(err error) bool { return errors.Is(err, wire.ErrIncomplete) }
