//go:build (!amd64 && !arm64) || purego

package scan

var names = []string{"portable"}

// Lines is described in scan.go.
func Lines(b []byte, s *State, marks *[]uint32) (stop int) { return inGo(b, s, marks) }
