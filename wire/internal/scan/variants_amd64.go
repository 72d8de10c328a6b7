//go:build !purego

package scan

import (
	"slices"

	"golang.org/x/sys/cpu"
)

// names of the variants, by number.
var names = []string{"portable", "avx2", "avx512"}

const (
	inGo = iota
	withAVX2
	withAVX512
)

var (
	best = func() int {
		x := &cpu.X86
		switch {
		case !x.HasAVX2 || !x.HasBMI1 || !x.HasBMI2 || !x.HasPOPCNT:
			return inGo
		case x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX512VBMI && x.HasAVX512VBMI2:
			return withAVX512
		}
		return withAVX2
	}()
	chosen = best
)

// Variants names the ways in which Lines can read here, the best last.
func Variants() []string { return names[:best+1] }

// Use makes Lines read in the way of that name; it is for tests, and reports
// whether the way exists here.
func Use(name string) bool {
	i := slices.Index(Variants(), name)
	if i >= 0 {
		chosen = i
	}
	return i >= 0
}

func lines(b []byte, s *State, marks []uint32, open int) (n, stop int) {
	switch chosen {
	case withAVX512:
		return lines512(b, s, marks, open)
	case withAVX2:
		return lines2(b, s, marks, open)
	}
	return portable(b, s, marks, open)
}

//go:noescape
func lines2(b []byte, s *State, marks []uint32, open int) (n, stop int)

//go:noescape
func lines512(b []byte, s *State, marks []uint32, open int) (n, stop int)
