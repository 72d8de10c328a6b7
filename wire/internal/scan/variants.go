package scan

import "slices"

// The files variants_*.go have, for their kind of machine, Lines and names, the
// names of the variants there, of which the first, 0, is in Go.

var chosen = len(names) - 1

// Variants names the ways in which Lines can read here, the best last.
func Variants() []string { return names }

// Nothing is what to Use for Lines to stop at once.
const Nothing = "nothing"

// Use makes Lines read in the way of that name, or with Nothing not at all. It is
// for tests, and reports whether the way exists here.
func Use(name string) bool {
	i := slices.Index(names, name)
	if i >= 0 || name == Nothing {
		chosen = i
	}
	return chosen == i
}

// inGo is Lines without assembly.
func inGo(b []byte, s *State, marks *[]uint32) (stop int) {
	if chosen < 0 {
		*marks = (*marks)[:s.N]
		return s.Pos
	}
	return portable(b, s, marks)
}
