//go:build !purego

package scan

var names = []string{"portable", "neon"} // there is no arm64 without it

// Lines is described in scan.go.
func Lines(b []byte, s *State, marks *[]uint32) (stop int) {
	if chosen == 1 {
		return linesNEON(b, s, marks)
	}
	return inGo(b, s, marks)
}

//go:noescape
func linesNEON(b []byte, s *State, marks *[]uint32) (stop int)
