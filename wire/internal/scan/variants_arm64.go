//go:build !purego

package scan

import "slices"

// names of the variants, by number.
var names = []string{"portable", "neon"}

const (
	inGo = iota
	withNEON
)

var chosen = withNEON // there is no arm64 without it

// Variants names the ways in which Lines can read here, the best last.
func Variants() []string { return names }

// Use makes Lines read in the way of that name; it is for tests, and reports
// whether the way exists here.
func Use(name string) bool {
	i := slices.Index(names, name)
	if i >= 0 {
		chosen = i
	}
	return i >= 0
}

func lines(b []byte, s *State, marks []uint32, open int) (n, stop int) {
	switch chosen {
	case withNEON:
		return linesNEON(b, s, marks, open)
	}
	return portable(b, s, marks, open)
}

//go:noescape
func linesNEON(b []byte, s *State, marks []uint32, open int) (n, stop int)
