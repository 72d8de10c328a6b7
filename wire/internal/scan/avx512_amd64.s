//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func lines512(b []byte, s *State, marks *[]uint32) (stop int)
//
// The masks are those of the package comment. What registers hold, all the way
// through:
#define base    SI  // &b[0]
#define size    R8  // len(b)
#define pos     CX  // offset of the block
#define mark    R9  // where the next mark goes
#define Start   R11 // 0 or 1
#define CRin    R12 // 0 or 1
#define Name    R13 // 0 or not; NEG makes it the carry flag
#define top     R10 // 63, what a shift takes the highest bit by
#define before  BP  // mark, before the two blocks that are being taken
// within a block:
#define LF      AX
#define T       DX
#define bad     DI
#define Stop    R14 // S, and then the stop
#define E       R15 // and then the marks
#define tmp     BX
// and in vectors: the block in Z0, what is made of it in Z1 to Z4, and
#define classes0  Z15 // classes of 0x00 to 0x3F
#define classes40 Z14 // and of 0x40 to 0x7F
#define lanes     Z13 // each byte's own number
#define LFs       Z12 // one byte in all lanes, from here on
#define CRs       Z11
#define colons    Z10
#define tokens    Z9  // the class, and the bit that no byte below 0x80 has
#define controls  Z8  // the class
#define spaces    Z7  // these two in the loop for values alone
#define DELs      Z6

// The classes of the bytes below 0x80: 0x80 is a token character, 0x40 bad.
DATA classes<>+0(SB)/8, $0x4040404040404040
DATA classes<>+8(SB)/8, $0x4040004040000040
DATA classes<>+16(SB)/8, $0x4040404040404040
DATA classes<>+24(SB)/8, $0x4040404040404040
DATA classes<>+32(SB)/8, $0x8080808080008000
DATA classes<>+40(SB)/8, $0x0080800080800000
DATA classes<>+48(SB)/8, $0x8080808080808080
DATA classes<>+56(SB)/8, $0x0000000000008080
DATA classes<>+64(SB)/8, $0x8080808080808000
DATA classes<>+72(SB)/8, $0x8080808080808080
DATA classes<>+80(SB)/8, $0x8080808080808080
DATA classes<>+88(SB)/8, $0x8080000000808080
DATA classes<>+96(SB)/8, $0x8080808080808080
DATA classes<>+104(SB)/8, $0x8080808080808080
DATA classes<>+112(SB)/8, $0x8080808080808080
DATA classes<>+120(SB)/8, $0x4080008000808080
GLOBL classes<>(SB), RODATA|NOPTR, $128

DATA numbers<>+0(SB)/8, $0x0706050403020100
DATA numbers<>+8(SB)/8, $0x0F0E0D0C0B0A0908
DATA numbers<>+16(SB)/8, $0x1716151413121110
DATA numbers<>+24(SB)/8, $0x1F1E1D1C1B1A1918
DATA numbers<>+32(SB)/8, $0x2726252423222120
DATA numbers<>+40(SB)/8, $0x2F2E2D2C2B2A2928
DATA numbers<>+48(SB)/8, $0x3736353433323130
DATA numbers<>+56(SB)/8, $0x3F3E3D3C3B3A3938
GLOBL numbers<>(SB), RODATA|NOPTR, $64

// Vectors of one byte, in the order of their names above, as they are broadcast.
DATA each<>+0(SB)/4, $0x0A0A0A0A
DATA each<>+4(SB)/4, $0x0D0D0D0D
DATA each<>+8(SB)/4, $0x3A3A3A3A
DATA each<>+12(SB)/4, $0x80808080
DATA each<>+16(SB)/4, $0x40404040
DATA each<>+20(SB)/4, $0x20202020
DATA each<>+24(SB)/4, $0x7F7F7F7F
GLOBL each<>(SB), RODATA|NOPTR, $28

// MASKS takes the block in Z0 and leaves the stop in Stop, E in E, and the
// carries in Start, CRin and Name. VPERMI2B looks at the low 7 bits of a byte: K4
// makes the classes of bytes from 0x80 on none. T holds CRs at first; Stop holds S
// until E is known. Flags are those of Stop.
#define MASKS \
	VPTESTNMB  tokens, Z0, K4                \
	VMOVDQA64  Z0, Z1                        \
	VPCMPEQB   LFs, Z0, K1                   \
	VPCMPEQB   CRs, Z0, K2                   \
	VPCMPEQB   colons, Z0, K3                \
	VPERMI2B.Z classes40, classes0, K4, Z1   \
	KMOVQ      K1, LF                        \
	KMOVQ      K2, T                         \
	LEAQ       (Start)(LF*2), Stop           \
	LEAQ       (CRin)(T*2), bad              \
	XORQ       LF, bad                       \
	SHRXQ      top, T, CRin                  \
	SHRXQ      top, LF, Start                \
	VPTESTMB   tokens, Z1, K5                \
	VPTESTMB   controls, Z1, K6              \
	KMOVQ      K5, T                         \
	KMOVQ      K6, tmp                       \
	ORQ        tmp, bad                      \
	NEGQ       Name                          \
	MOVQ       T, E                          \
	ADCQ       Stop, E                       \
	SBBQ       Name, Name                    \
	ANDNQ      E, T, E                       \
	KMOVQ      K3, tmp                       \
	ANDNQ      tmp, Stop, tmp                \
	ANDNQ      E, tmp, Stop                  \
	ORQ        bad, Stop

// MARKS writes the marks in E, 16 at a time: their lanes, drawn together, plus
// pos. Behind them it writes what the next ones are written over.
#define MARKS(done) \
	KMOVQ         E, K1           \
	VPCOMPRESSB.Z lanes, K1, Z1   \
	VPBROADCASTD  pos, Z2         \
	POPCNTQ       E, DX           \
	VPMOVZXBD     X1, Z3          \
	VPADDD        Z2, Z3, Z3      \
	VMOVDQU32     Z3, (mark)      \
	CMPQ          DX, $16         \
	JBE           done            \
	VEXTRACTI128  $1, Y1, X1      \
	VPMOVZXBD     X1, Z3          \
	VPADDD        Z2, Z3, Z3      \
	VMOVDQU32     Z3, 64(mark)    \
done:                             \
	LEAQ          (mark)(DX*4), mark

// BLOCK takes the whole block at pos.
#define BLOCK(done) \
	VMOVDQU64 (base)(pos*1), Z0 \
	MASKS                       \
	JNZ  stopped                \
	ORQ  LF, E                  \
	MARKS(done)                 \
	ADDQ $64, pos

// CONTROL marks where, of bytes of which it has the least and, signed, the
// greatest, one is no text but HTAB: a control, in the first mask, or DEL.
#define CONTROL(least, greatest, below, is) \
	VPCMPUB  $1, spaces, least, below \
	VPCMPEQB DELs, greatest, is

// SAVE makes s where to go on: at pos, where there were so many marks.
#define SAVE(why, where) \
	MOVQ s+24(FP), DX               \
	MOVQ marks+32(FP), AX           \
	MOVQ pos, State_Pos(DX)         \
	SUBQ (AX), where                \
	SHRQ $2, where                  \
	MOVQ where, State_N(DX)         \
	MOVQ $why, AX                   \
	MOVQ AX, stop+40(FP)

TEXT ·lines512(SB), NOSPLIT, $8-48
	MOVQ s+24(FP), DX
	MOVQ marks+32(FP), BX
	MOVQ 16(BX), AX // its capacity
	MOVQ (BX), BX
	MOVQ b_base+0(FP), base
	MOVQ b_len+8(FP), size
	LEAQ (BX)(AX*4), AX
	SUBQ $(4*const_Room), AX
	MOVQ AX, full-8(SP)
	MOVQ State_N(DX), AX
	LEAQ (BX)(AX*4), mark
	MOVQ State_Pos(DX), pos
	MOVQ State_Open(DX), Name
	XORL Start, Start
	XORL CRin, CRin
	MOVL $63, top
	VMOVDQU64    classes<>+0(SB), classes0
	VMOVDQU64    classes<>+64(SB), classes40
	VMOVDQU64    numbers<>(SB), lanes
	VPBROADCASTD each<>+0(SB), LFs
	VPBROADCASTD each<>+4(SB), CRs
	VPBROADCASTD each<>+8(SB), colons
	VPBROADCASTD each<>+12(SB), tokens
	VPBROADCASTD each<>+16(SB), controls
	TESTQ Name, Name
	JNZ  inside

blocks: // two at a time
	CMPQ mark, full-8(SP)
	JGT  noRoom
	LEAQ 128(pos), DX
	CMPQ DX, size
	JA   block
	MOVQ mark, before
	BLOCK(firstDone)
	BLOCK(secondDone)
	CMPQ mark, before
	JNE  blocks

	// No mark in both: if neither a name nor a CR is open, a value goes on.
	MOVQ CRin, AX
	ORQ  Name, AX
	JNZ  blocks
	VPBROADCASTD each<>+20(SB), spaces
	VPBROADCASTD each<>+24(SB), DELs

values:
	MOVQ pos, before

value: // 256 bytes of it at a time, as long as all are text
	LEAQ      256(pos), DX
	CMPQ      DX, size
	JA        lastOfValue
	VMOVDQU64 (base)(pos*1), Z0
	VMOVDQU64 64(base)(pos*1), Z1
	VMOVDQU64 128(base)(pos*1), Z2
	VMOVDQU64 192(base)(pos*1), Z3
	VPMINUB   Z0, Z1, Z4
	VPMAXSB   Z0, Z1, Z5
	VPMINUB   Z2, Z3, Z16
	VPMAXSB   Z2, Z3, Z17
	VPMINUB   Z4, Z16, Z18
	VPMAXSB   Z5, Z17, Z19
	CONTROL(Z18, Z19, K1, K2)
	KORTESTQ  K1, K2
	JNZ       valueEnds
	MOVQ      DX, pos
	JMP       value

lastOfValue: // or 128
	LEAQ      128(pos), DX
	CMPQ      DX, size
	JA        blocks
	VMOVDQU64 (base)(pos*1), Z0
	VMOVDQU64 64(base)(pos*1), Z1
	VPMINUB   Z0, Z1, Z4
	VPMAXSB   Z0, Z1, Z5
	CONTROL(Z4, Z5, K1, K2)
	KORTESTQ  K1, K2
	JNZ       blocks
	MOVQ      DX, pos
	JMP       blocks

valueEnds: // or has an HTAB; if it was long, a block is taken from there on
	CONTROL(Z4, Z5, K1, K2)
	KORTESTQ K1, K2
	JNZ      inThese
	ADDQ     $128, pos
	VMOVDQA64 Z2, Z0
	VMOVDQA64 Z3, Z1
inThese:
	CMPQ     pos, before
	JEQ      blocks
	CONTROL(Z0, Z0, K1, K2)
	CONTROL(Z1, Z1, K3, K4)
	KORQ     K1, K2, K1
	KORQ     K3, K4, K3
	KMOVQ    K1, AX
	KMOVQ    K3, DX
	TZCNTQ   DX, DX
	ADDQ     $64, DX
	TZCNTQ   AX, AX // which sets carry if there is none
	CMOVQCS  DX, AX
	ADDQ     AX, pos
	LEAQ     64(pos), DX
	CMPQ     DX, size
	JA       blocks
	CMPQ     mark, full-8(SP)
	JGT      noRoom
	BLOCK(betweenDone)
	MOVQ     CRin, AX
	ORQ      Start, AX
	ORQ      Name, AX
	JZ       values // perhaps as long as the one before
	JMP      blocks

block: // the last whole one
	LEAQ 64(pos), DX
	CMPQ DX, size
	JA   short
	BLOCK(lastDone)

short: // less than a block is left: it is looked at, but not done with
	MOVQ  size, DX
	SUBQ  pos, DX
	JZ    nothing
	MOVQ  $-1, BX
	BZHIQ DX, BX, BX // the bytes left; others are not read, and are 0
	KMOVQ BX, K7
	VMOVDQU8.Z (base)(pos*1), K7, Z0
	MASKS
	KMOVQ K7, BX
	ORQ   LF, E
	ANDQ  BX, Stop
	JNZ   below
	ANDQ  BX, E
	MOVQ  mark, Name
	MARKS(shortBlockDone)
	SAVE(const_Exhausted, Name)

return:
	MOVQ marks+32(FP), AX
	SUBQ (AX), mark
	SHRQ $2, mark
	MOVQ mark, 8(AX)
	VZEROUPPER
	RET

stopped:
	ORQ    LF, E
below: // marks below the stop's first bit count
	TZCNTQ Stop, Stop
	BZHIQ  Stop, E, E
	ADDQ   pos, Stop
	MOVQ   Stop, stop+40(FP)
	MARKS(belowDone)
	JMP    return

nothing:
	MOVQ mark, Name
	SAVE(const_Exhausted, Name)
	JMP  return

noRoom:
	MOVQ mark, Name
	SAVE(const_Full, Name)
	JMP  return

inside: // a line, behind a CR, or in a name, as open says
	MOVQ Name, Start
	ANDQ $const_AtLine, Start
	MOVQ Name, CRin
	SHRQ $1, CRin
	ANDQ $1, CRin
	SHRQ $2, Name
	JMP  blocks
