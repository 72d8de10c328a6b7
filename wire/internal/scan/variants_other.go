//go:build (!amd64 && !arm64) || purego

package scan

// Variants names the ways in which Lines can read here, the best last.
func Variants() []string { return []string{"portable"} }

// Use makes Lines read in the way of that name; it is for tests, and reports
// whether the way exists here.
func Use(name string) bool { return name == "portable" }

func lines(b []byte, s *State, marks []uint32, open int) (n, stop int) {
	return portable(b, s, marks, open)
}
