//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func linesNEON(b []byte, s *State, marks *[]uint32) (stop int)
//
// The masks are those of the package comment. What registers hold, all the way
// through:
#define base    R0  // &b[0]
#define size    R1  // len(b)
#define pos     R2  // offset of the block
#define mark    R3  // where the next mark goes
#define full    R4  // the last place where a block's marks have room
#define Start   R5  // 0 or 1
#define CRin    R6  // 0 or 1
#define Name    R7  // 0 or 1; CMP $1 makes it the carry flag
// within a block:
#define at      R8  // where its bytes are; free once they are loaded
#define LF      R9
#define T       R10
#define bad     R11
#define Stop    R12 // S, and then the stop
#define E       R13 // and then the marks
#define tmp     R14
#define other   R15
#define end     R16 // of the marks, and of what a loop takes
// and in vectors, the block being in V0 to V3:
#define lowClass  V16 // classes by the low half of a byte
#define highClass V17 // classes by its high half
#define weights   V18 // of a byte in its mask: 1, 2, 4 and so on to 128, twice
#define half      V19
#define token     V20 // the classes of token characters
#define noText    V21 // the classes of bad bytes
#define colons    V22
#define CRs       V23
#define LFs       V24
#define control   V25 // the last one
#define DEL       V26

// A byte's classes are lowClass[low half] & highClass[high half]: bits 0 to 4 say
// token character, 5 to 7 bad, and of bytes from 0x80 on there are none. Bit 0 is
// for row 2 (0x20 to 0x2F), 1 for row 3, 2 for row 4, 3 for row 5, 4 for row 7,
// and row 6, of token characters alone, has both 2 and 3. Bit 5 is for row 0, 6
// for row 1, 7 for DEL.
DATA tables<>+0(SB)/8, $0x7F7F7F7F7F7E7F7A // lowClass
DATA tables<>+8(SB)/8, $0xEC7D4574655D5E7E
DATA tables<>+16(SB)/8, $0x900C080402014020 // highClass
DATA tables<>+24(SB)/8, $0
DATA tables<>+32(SB)/8, $0x8040201008040201 // weights
DATA tables<>+40(SB)/8, $0x8040201008040201
GLOBL tables<>(SB), RODATA|NOPTR, $48

// EQUAL compares the block with bytes.
#define EQUAL(bytes, a, b, c, d) \
	VCMEQ bytes.B16, V0.B16, a.B16 \
	VCMEQ bytes.B16, V1.B16, b.B16 \
	VCMEQ bytes.B16, V2.B16, c.B16 \
	VCMEQ bytes.B16, V3.B16, d.B16

// AMONG looks which of the classes in V8 to V11 are among those wanted.
#define AMONG(wanted, a, b, c, d) \
	VCMTST wanted.B16, V8.B16, a.B16  \
	VCMTST wanted.B16, V9.B16, b.B16  \
	VCMTST wanted.B16, V10.B16, c.B16 \
	VCMTST wanted.B16, V11.B16, d.B16

// FOLD adds four vectors of all ones or none, weighed, twice to their neighbours:
// one more VADDP makes a mask of 64 bits of what it leaves in a.
#define FOLD(a, b, c, d) \
	VAND  weights.B16, a.B16, a.B16 \
	VAND  weights.B16, b.B16, b.B16 \
	VAND  weights.B16, c.B16, c.B16 \
	VAND  weights.B16, d.B16, d.B16 \
	VADDP b.B16, a.B16, a.B16       \
	VADDP d.B16, c.B16, c.B16       \
	VADDP c.B16, a.B16, a.B16

// CLASSES makes of a vector of bytes one of their classes.
#define CLASSES(from, classes, scratch) \
	VAND  half.B16, from.B16, classes.B16           \
	VUSHR $4, from.B16, scratch.B16                 \
	VTBL  classes.B16, [lowClass.B16], classes.B16  \
	VTBL  scratch.B16, [highClass.B16], scratch.B16 \
	VAND  scratch.B16, classes.B16, classes.B16

// MASKS takes the block and leaves the stop in Stop, E in E, and the carries in
// Start, CRin and Name. Until they are that, other holds CRs, then colons, tmp
// bad bytes, and Stop S.
#define MASKS \
	EQUAL(LFs, V4, V5, V6, V7)         \
	EQUAL(CRs, V8, V9, V10, V11)       \
	FOLD(V4, V5, V6, V7)               \
	FOLD(V8, V9, V10, V11)             \
	VADDP V8.B16, V4.B16, V4.B16       \
	CLASSES(V0, V8, V5)                \
	CLASSES(V1, V9, V6)                \
	CLASSES(V2, V10, V7)               \
	CLASSES(V3, V11, V12)              \
	VMOV  V4.D[0], LF                  \
	VMOV  V4.D[1], other               \
	AMONG(token, V12, V13, V14, V15)   \
	AMONG(noText, V8, V9, V10, V11)    \
	FOLD(V12, V13, V14, V15)           \
	FOLD(V8, V9, V10, V11)             \
	VADDP V8.B16, V12.B16, V12.B16     \
	EQUAL(colons, V4, V5, V6, V7)      \
	FOLD(V4, V5, V6, V7)               \
	VADDP V4.B16, V4.B16, V4.B16       \
	ADD   LF<<1, Start, Stop           \
	ADD   other<<1, CRin, bad          \
	EOR   LF, bad, bad                 \
	LSR   $63, other, CRin             \
	LSR   $63, LF, Start               \
	VMOV  V12.D[0], T                  \
	VMOV  V12.D[1], tmp                \
	VMOV  V4.D[0], other               \
	ORR   tmp, bad, bad                \
	CMP   $1, Name                     \
	ADCS  Stop, T, E                   \
	ADC   ZR, ZR, Name                 \
	BIC   T, E, E                      \
	BIC   Stop, other, other           \
	BIC   other, E, Stop               \
	ORR   bad, Stop, Stop

// MARK makes the offset of the first of the marks in E, and takes it away;
// without any left, what it makes is written over.
#define MARK(offset) \
	RBIT E, offset           \
	CLZ  offset, offset      \
	ADDW pos, offset, offset \
	SUB  $1, E, at           \
	AND  at, E, E

// MARKS writes the marks in E: four, and four more as long as there are any. F4
// and V4 are one register.
#define MARKS(more) \
	FMOVD   E, F4                    \
	VCNT    V4.B8, V4.B8             \
	VUADDLV V4.B8, V4                \
	FMOVD   F4, end                  \
	ADD     end<<2, mark, end        \
more:                                \
	MARK(tmp)                        \
	MARK(other)                      \
	STPW.P  (tmp, other), 8(mark)    \
	MARK(tmp)                        \
	MARK(other)                      \
	STPW.P  (tmp, other), 8(mark)    \
	CMP     end, mark                \
	BLO     more                     \
	MOVD    end, mark

// SMAX is the instruction SMAX Vd.16B, Vn.16B, Vm.16B, which the assembler lacks.
#define SMAX(m, n, d) WORD $(0x4E206400 + m<<16 + n<<5 + d)

// SAVE makes s where to go on: at pos, where there were so many marks.
#define SAVE(why, where) \
	MOVD s+24(FP), at             \
	MOVD pos, State_Pos(at)       \
	MOVD marks+32(FP), tmp        \
	MOVD (tmp), tmp               \
	SUB  tmp, where, where        \
	LSR  $2, where, where         \
	MOVD where, State_N(at)       \
	MOVD $why, tmp                \
	MOVD tmp, stop+40(FP)

TEXT ·linesNEON(SB), NOSPLIT, $64-48
	MOVD  b_base+0(FP), base
	MOVD  b_len+8(FP), size
	MOVD  s+24(FP), at
	MOVD  marks+32(FP), other
	MOVD  (other), mark
	MOVD  16(other), tmp // its capacity
	MOVD  State_Open(at), other
	ADD   tmp<<2, mark, full
	SUB   $(4*const_Room), full, full
	MOVD  State_N(at), tmp
	ADD   tmp<<2, mark, mark
	MOVD  State_Pos(at), pos
	UBFX  $0, other, $1, Start
	UBFX  $1, other, $1, CRin
	UBFX  $2, other, $1, Name
	MOVD  $tables<>(SB), tmp
	VLD1  (tmp), [lowClass.B16, highClass.B16, weights.B16]
	VMOVI $0x0F, half.B16
	VMOVI $0x1F, token.B16
	VMOVI $0xE0, noText.B16
	VMOVI $0x3A, colons.B16
	VMOVI $0x0D, CRs.B16
	VMOVI $0x0A, LFs.B16
	VMOVI $0x1F, control.B16
	VMOVI $0x7F, DEL.B16

block:
	CMP  full, mark
	BGT  noRoom // signed: without marks, full is below 0
	ADD  $64, pos, end
	ADD  pos, base, at
	CMP  size, end
	BHI  short
	VLD1 (at), [V0.B16, V1.B16, V2.B16, V3.B16]
	MASKS
	CBNZ Stop, stopped
	ORR  LF, E, E
	CBZ  E, quiet
	MARKS(marksOfBlock)
	ADD  $64, pos
	B    block

quiet: // no mark: if neither a name nor a CR is open, the block is within a value
	ADD  $64, pos
	ORR  CRin, Name, tmp
	CBNZ tmp, block
	ADD  pos, base, at

value: // 128 bytes of it at a time, as long as the least is above the controls and the greatest, signed, is not DEL
	ADD    $128, pos, end
	CMP    size, end
	BHI    block
	VLD1.P 64(at), [V0.B16, V1.B16, V2.B16, V3.B16]
	VLD1.P 64(at), [V4.B16, V5.B16, V6.B16, V7.B16]
	VUMIN  V0.B16, V1.B16, V8.B16
	VUMIN  V2.B16, V3.B16, V9.B16
	VUMIN  V4.B16, V5.B16, V10.B16
	VUMIN  V6.B16, V7.B16, V11.B16
	SMAX(0, 1, 0)
	SMAX(2, 3, 2)
	SMAX(4, 5, 4)
	SMAX(6, 7, 6)
	VUMIN  V8.B16, V9.B16, V8.B16
	VUMIN  V10.B16, V11.B16, V10.B16
	SMAX(0, 2, 0)
	SMAX(4, 6, 4)
	VUMIN  V8.B16, V10.B16, V8.B16
	SMAX(0, 4, 0)
	VUMIN  control.B16, V8.B16, V9.B16
	VCMEQ  V8.B16, V9.B16, V8.B16
	VCMEQ  DEL.B16, V0.B16, V0.B16
	VORR   V0.B16, V8.B16, V0.B16
	VADDP  V0.B16, V0.B16, V0.B16 // of bytes 0 and 255, two make 0 only if both are
	VMOV   V0.D[0], tmp
	CBNZ   tmp, block // an HTAB is good, but the block says so
	MOVD   end, pos
	B      value

short: // less than a block is left: it is looked at, but not done with
	SUB pos, size, tmp // bytes left
	CBZ tmp, nothing

	// Bytes behind the input are loaded with it where they are on a page of its
	// own, which has 4096 bytes or a multiple: the place of its last byte on its
	// page, and what is beyond.
	ADD size, base, other
	SUB $1, other, other
	AND $4095, other, other
	ADD $64, other, other
	SUB tmp, other, other
	CMP $4095, other
	BHI atPageEnd

shortBlock:
	VLD1 (at), [V0.B16, V1.B16, V2.B16, V3.B16]
	MASKS
	SUB  size, pos, tmp // 64 less the bytes left, as a shift counts
	MOVD $-1, other
	LSR  tmp, other, other // the bytes left
	ORR  LF, E, E
	ANDS other, Stop, Stop
	BNE  below
	AND  other, E, E
	MOVD mark, Name
	MARKS(marksOfShortBlock)
	SAVE(const_Exhausted, Name)

return:
	MOVD marks+32(FP), at
	MOVD (at), tmp
	SUB  tmp, mark, mark
	LSR  $2, mark, mark
	MOVD mark, 8(at)
	RET

stopped:
	ORR LF, E, E
below: // marks below the stop's first bit count
	SUB  $1, Stop, tmp
	BIC  Stop, tmp, tmp
	AND  tmp, E, E
	RBIT Stop, Stop
	CLZ  Stop, Stop
	ADD  pos, Stop, Stop
	MOVD Stop, stop+40(FP)
	MARKS(marksBelow)
	B    return

nothing:
	MOVD mark, Name
	SAVE(const_Exhausted, Name)
	B    return

noRoom:
	MOVD mark, Name
	SAVE(const_Full, Name)
	B    return

atPageEnd: // the bytes left are copied to where more may be read
	MOVD $buf-64(SP), E
copy:
	SUB   $1, tmp
	MOVBU (at)(tmp), Stop
	MOVB  Stop, (E)(tmp)
	CBNZ  tmp, copy
	MOVD  E, at
	B     shortBlock
