//go:build !purego

package scan

import (
	"slices"

	"golang.org/x/sys/cpu"
)

// The variants, by their place among names.
const (
	inGo = iota
	withAVX2
)

var names = []string{inGo: "portable", withAVX2: "avx2"}

var (
	best = func() int {
		if x := &cpu.X86; x.HasAVX2 && x.HasBMI1 && x.HasBMI2 && x.HasPOPCNT {
			return withAVX2
		}
		return inGo
	}()
	chosen = best
)

// Variants names the ways in which Lines can read here, the best last.
func Variants() []string { return names[:best+1] }

// Use makes Lines read in the way of that name, or with Nothing not at all. It is
// for tests, and reports whether the way exists here.
func Use(name string) bool {
	i := slices.Index(Variants(), name)
	if i >= 0 || name == Nothing {
		chosen = i
	}
	return chosen == i
}

// Lines is described in scan.go.
func Lines(b []byte, s *State, marks []uint32, open int) (n, stop int) {
	switch chosen {
	case withAVX2:
		return lines2(b, s, marks, open)
	case inGo:
		return portable(b, s, marks, open)
	}
	return s.N, s.Pos
}

//go:noescape
func lines2(b []byte, s *State, marks []uint32, open int) (n, stop int)
