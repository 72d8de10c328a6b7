//go:build !purego

#include "textflag.h"

// func Lines(b []byte, s *State, marks *[]uint32) (stop int)
//
// It goes on as the variant that is chosen: so near the metal, no argument is
// copied once more.
TEXT ·Lines(SB), NOSPLIT, $0-48
	MOVQ ·chosen(SB), AX
	CMPQ AX, $1
	JEQ  avx2
	JGT  avx512
	JMP  ·inGo(SB)

avx2:
	JMP ·lines2(SB)

avx512:
	JMP ·lines512(SB)
