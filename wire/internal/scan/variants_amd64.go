//go:build !purego

package scan

import "golang.org/x/sys/cpu"

var names = func() []string {
	if x := &cpu.X86; x.HasAVX2 && x.HasBMI1 && x.HasBMI2 && x.HasPOPCNT {
		return []string{"portable", "avx2"}
	}
	return []string{"portable"}
}()

// Lines is described in scan.go.
func Lines(b []byte, s *State, marks []uint32, open int) (n, stop int) {
	switch chosen {
	case 1:
		return lines2(b, s, marks, open)
	case 0:
		return portable(b, s, marks, open)
	}
	return s.N, s.Pos
}

//go:noescape
func lines2(b []byte, s *State, marks []uint32, open int) (n, stop int)
