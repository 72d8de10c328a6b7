//go:build (!amd64 && !arm64) || purego

package scan

var idle bool

// Variants names the ways in which Lines can read here, the best last.
func Variants() []string { return []string{"portable"} }

// Use makes Lines read in the way of that name, or with Nothing not at all. It is
// for tests, and reports whether the way exists here.
func Use(name string) bool {
	idle = name == Nothing
	return idle || name == "portable"
}

// Lines is described in scan.go.
func Lines(b []byte, s *State, marks []uint32, open int) (n, stop int) {
	if idle {
		return s.N, s.Pos
	}
	return portable(b, s, marks, open)
}
