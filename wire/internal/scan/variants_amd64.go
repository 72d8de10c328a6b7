//go:build !purego

package scan

import "golang.org/x/sys/cpu"

var names = func() []string {
	names, x := []string{"portable"}, &cpu.X86
	if x.HasAVX2 && x.HasBMI1 && x.HasBMI2 && x.HasPOPCNT {
		names = append(names, "avx2")
		if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX512VBMI && x.HasAVX512VBMI2 {
			names = append(names, "avx512")
		}
	}
	return names
}()

// Lines is described in scan.go.
//
//go:noescape
func Lines(b []byte, s *State, marks *[]uint32) (stop int)

// Lines goes on as one of these, or as inGo.
var _, _, _ = lines2, lines512, inGo

//go:noescape
func lines2(b []byte, s *State, marks *[]uint32) (stop int)

//go:noescape
func lines512(b []byte, s *State, marks *[]uint32) (stop int)
