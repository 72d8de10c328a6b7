//go:build !purego

package scan

var names = []string{"portable", "neon"} // there is no arm64 without it

// Lines is described in scan.go.
func Lines(b []byte, s *State, marks *[]uint32) (stop int) {
	switch chosen {
	case 1:
		return linesNEON(b, s, marks)
	case 0:
		return portable(b, s, marks)
	}
	*marks = (*marks)[:s.N]
	return s.Pos
}

//go:noescape
func linesNEON(b []byte, s *State, marks *[]uint32) (stop int)
