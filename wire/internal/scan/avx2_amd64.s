//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func lines2(b []byte, s *State, marks []uint32, open int) (n, stop int)
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
// within a block:
#define LF      AX
#define T       DX
#define bad     DI
#define Stop    R14 // S, and then the stop
#define E       R15 // and then the marks
#define tmp     BX
// and in vectors, with their constants:
#define lowClass  Y15 // classes by the low half of a byte
#define highClass Y14 // classes by its high half
#define half      bytes<>+0(SB)
#define none      bytes<>+32(SB)
#define colons    bytes<>+64(SB)
#define CRs       bytes<>+96(SB)
#define LFs       bytes<>+128(SB)
#define control   bytes<>+160(SB) // the last one
#define DEL       bytes<>+192(SB)

// A byte's classes are lowClass[low half] & highClass[high half]: bits 0 to 4 say
// token character, 5 to 7 bad, and of bytes from 0x80 on VPSHUFB makes 0. Bit 0
// is for row 2 (0x20 to 0x2F), 1 for row 3, 2 for row 4, 3 for row 5, 4 for row
// 7, and row 6, of token characters alone, has both 2 and 3. Bit 5 is for row 0,
// 6 for row 1, 7 for DEL.
DATA lowClasses<>+0(SB)/8, $0x7F7F7F7F7F7E7F7A
DATA lowClasses<>+8(SB)/8, $0xEC7D4574655D5E7E
DATA lowClasses<>+16(SB)/8, $0x7F7F7F7F7F7E7F7A
DATA lowClasses<>+24(SB)/8, $0xEC7D4574655D5E7E
GLOBL lowClasses<>(SB), RODATA|NOPTR, $32
DATA highClasses<>+0(SB)/8, $0x900C080402014020
DATA highClasses<>+8(SB)/8, $0
DATA highClasses<>+16(SB)/8, $0x900C080402014020
DATA highClasses<>+24(SB)/8, $0
GLOBL highClasses<>(SB), RODATA|NOPTR, $32

// Vectors of one byte, in the order of their names above.
DATA bytes<>+0(SB)/8, $0x0F0F0F0F0F0F0F0F
DATA bytes<>+8(SB)/8, $0x0F0F0F0F0F0F0F0F
DATA bytes<>+16(SB)/8, $0x0F0F0F0F0F0F0F0F
DATA bytes<>+24(SB)/8, $0x0F0F0F0F0F0F0F0F
DATA bytes<>+32(SB)/8, $0x6060606060606060
DATA bytes<>+40(SB)/8, $0x6060606060606060
DATA bytes<>+48(SB)/8, $0x6060606060606060
DATA bytes<>+56(SB)/8, $0x6060606060606060
DATA bytes<>+64(SB)/8, $0x3A3A3A3A3A3A3A3A
DATA bytes<>+72(SB)/8, $0x3A3A3A3A3A3A3A3A
DATA bytes<>+80(SB)/8, $0x3A3A3A3A3A3A3A3A
DATA bytes<>+88(SB)/8, $0x3A3A3A3A3A3A3A3A
DATA bytes<>+96(SB)/8, $0x0D0D0D0D0D0D0D0D
DATA bytes<>+104(SB)/8, $0x0D0D0D0D0D0D0D0D
DATA bytes<>+112(SB)/8, $0x0D0D0D0D0D0D0D0D
DATA bytes<>+120(SB)/8, $0x0D0D0D0D0D0D0D0D
DATA bytes<>+128(SB)/8, $0x0A0A0A0A0A0A0A0A
DATA bytes<>+136(SB)/8, $0x0A0A0A0A0A0A0A0A
DATA bytes<>+144(SB)/8, $0x0A0A0A0A0A0A0A0A
DATA bytes<>+152(SB)/8, $0x0A0A0A0A0A0A0A0A
DATA bytes<>+160(SB)/8, $0x1F1F1F1F1F1F1F1F
DATA bytes<>+168(SB)/8, $0x1F1F1F1F1F1F1F1F
DATA bytes<>+176(SB)/8, $0x1F1F1F1F1F1F1F1F
DATA bytes<>+184(SB)/8, $0x1F1F1F1F1F1F1F1F
DATA bytes<>+192(SB)/8, $0x7F7F7F7F7F7F7F7F
DATA bytes<>+200(SB)/8, $0x7F7F7F7F7F7F7F7F
DATA bytes<>+208(SB)/8, $0x7F7F7F7F7F7F7F7F
DATA bytes<>+216(SB)/8, $0x7F7F7F7F7F7F7F7F
GLOBL bytes<>(SB), RODATA|NOPTR, $224

// WHERE makes a mask of the top bits of two vectors.
#define WHERE(low, high, mask, other) \
	VPMOVMSKB low, mask   \
	VPMOVMSKB high, other \
	SHLQ      $32, other  \
	ORQ       other, mask

// CLASSES makes of a vector of bytes one that is none + the byte's classes: from
// 0x80 on where it is bad, and from 0x61 to 0x7F where it is a token character.
#define CLASSES(from, classes, other) \
	VPSHUFB  from, lowClass, classes   \
	VPSRLW   $4, from, other           \
	VPAND    half, other, other        \
	VPSHUFB  other, highClass, other   \
	VPAND    other, classes, classes   \
	VPADDUSB none, classes, classes

// MASKS takes the block in Y0 and Y1 and leaves the stop in Stop, E in E, and
// the carries in Start, CRin and Name. T holds CRs at first, then bad bytes; Stop
// holds S until E is known. Flags are those of Stop.
#define MASKS \
	VPCMPEQB LFs, Y0, Y2        \
	VPCMPEQB LFs, Y1, Y3        \
	VPCMPEQB CRs, Y0, Y4        \
	VPCMPEQB CRs, Y1, Y5        \
	WHERE(Y2, Y3, LF, tmp)      \
	WHERE(Y4, Y5, T, tmp)       \
	LEAQ     (Start)(LF*2), Stop \
	LEAQ     (CRin)(T*2), bad   \
	XORQ     LF, bad            \
	SHRXQ    top, T, CRin       \
	SHRXQ    top, LF, Start     \
	CLASSES(Y0, Y2, Y3)         \
	CLASSES(Y1, Y4, Y5)         \
	WHERE(Y2, Y4, T, tmp)       \
	ORQ      T, bad             \
	VPCMPGTB none, Y2, Y2       \
	VPCMPGTB none, Y4, Y4       \
	WHERE(Y2, Y4, T, tmp)       \
	VPCMPEQB colons, Y0, Y2     \
	VPCMPEQB colons, Y1, Y3     \
	NEGQ     Name               \
	MOVQ     T, E               \
	ADCQ     Stop, E            \
	SBBQ     Name, Name         \
	ANDNQ    E, T, E            \
	WHERE(Y2, Y3, tmp, T)       \
	ANDNQ    tmp, Stop, tmp     \
	ANDNQ    E, tmp, Stop       \
	ORQ      bad, Stop

// MARK writes the first of the marks in E to a place, and takes it away; without
// any left, what it writes is written over.
#define MARK(place) \
	TZCNTQ E, AX     \
	ADDL   pos, AX   \
	MOVL   AX, place \
	BLSRQ  E, E

// MARKS writes the marks in E: four, and four more as long as there are any.
#define MARKS(more, done) \
	POPCNTQ E, DX              \
	MARK(0(mark))              \
	MARK(4(mark))              \
	MARK(8(mark))              \
	MARK(12(mark))             \
	LEAQ    (mark)(DX*4), DX   \
	ADDQ    $16, mark          \
more:                          \
	CMPQ    mark, DX           \
	JAE     done               \
	MARK(0(mark))              \
	MARK(4(mark))              \
	MARK(8(mark))              \
	MARK(12(mark))             \
	ADDQ    $16, mark          \
	JMP     more               \
done:                          \
	MOVQ    DX, mark

// ROOM goes to noRoom unless the marks of a block have room.
#define ROOM \
	CMPQ mark, full-8(SP) \
	JGT  noRoom

// SAVE makes s where to go on: at pos, where there were so many marks.
#define SAVE(why, where) \
	MOVQ s+24(FP), DX               \
	MOVQ pos, State_Pos(DX)         \
	SUBQ marks_base+32(FP), where   \
	SHRQ $2, where                  \
	MOVQ where, State_N(DX)         \
	MOVQ $why, AX                   \
	MOVQ AX, stop+72(FP)

TEXT ·lines2(SB), NOSPLIT, $72-80
	MOVQ s+24(FP), DX
	MOVQ marks_base+32(FP), BX
	MOVQ marks_len+40(FP), AX
	MOVQ b_base+0(FP), base
	MOVQ b_len+8(FP), size
	LEAQ (BX)(AX*4), AX
	SUBQ $(4*const_Room), AX
	MOVQ AX, full-8(SP)
	MOVQ State_N(DX), AX
	LEAQ (BX)(AX*4), mark
	MOVQ State_Pos(DX), pos
	MOVQ open+56(FP), Name
	XORL Start, Start
	XORL CRin, CRin
	MOVL $63, top
	VMOVDQU lowClasses<>(SB), lowClass
	VMOVDQU highClasses<>(SB), highClass
	TESTQ Name, Name
	JNZ  inside

block:
	ROOM
	LEAQ 64(pos), DX
	CMPQ DX, size
	JA   short
	VMOVDQU (base)(pos*1), Y0
	VMOVDQU 32(base)(pos*1), Y1
	MASKS
	JNZ  stopped
	ORQ  LF, E
	JZ   quiet
	MARKS(marksOfBlock, blockDone)
	ADDQ $64, pos
	JMP  block

quiet: // no mark: if neither a name nor a CR is open, the block is within a value
	ADDQ $64, pos
	MOVQ CRin, AX
	ORQ  Name, AX
	JNZ  block

value: // 128 bytes of it at a time, as long as the least is above the controls and the greatest, signed, is not DEL
	LEAQ     128(pos), DX
	CMPQ     DX, size
	JA       block
	VMOVDQU  (base)(pos*1), Y0
	VMOVDQU  32(base)(pos*1), Y1
	VMOVDQU  64(base)(pos*1), Y2
	VMOVDQU  96(base)(pos*1), Y3
	VPMINUB  Y0, Y1, Y4
	VPMINUB  Y2, Y3, Y5
	VPMAXSB  Y0, Y1, Y0
	VPMAXSB  Y2, Y3, Y2
	VPMINUB  Y4, Y5, Y4
	VPMAXSB  Y0, Y2, Y0
	VPMINUB  control, Y4, Y5
	VPCMPEQB Y4, Y5, Y4
	VPCMPEQB DEL, Y0, Y0
	VPOR     Y0, Y4, Y4
	VPTEST   Y4, Y4
	JNZ      block // an HTAB is good, but the block says so
	MOVQ     DX, pos
	JMP      value

short: // less than a block is left: it is looked at, but not done with
	LEAQ (base)(pos*1), DX
	MOVQ size, BX
	SUBQ pos, BX // bytes left
	JZ   nothing

	// Bytes behind the input are loaded with it where they are on a page of its
	// own: the place of its last byte on its page, and what is beyond.
	LEAQ -1(base)(size*1), AX
	ANDL $4095, AX
	ADDL $64, AX
	SUBL BX, AX
	CMPL AX, $4095
	JA   atPageEnd

shortBlock:
	VMOVDQU (DX), Y0
	VMOVDQU 32(DX), Y1
	MASKS
	MOVQ  size, DX
	SUBQ  pos, DX
	MOVQ  $-1, BX
	BZHIQ DX, BX, BX // the bytes left
	ORQ   LF, E
	ANDQ  BX, Stop
	JNZ   below
	ANDQ  BX, E
	MOVQ  mark, Name
	MARKS(marksOfShortBlock, shortBlockDone)
	SAVE(const_Exhausted, Name)

return:
	SUBQ marks_base+32(FP), mark
	SHRQ $2, mark
	MOVQ mark, n+64(FP)
	VZEROUPPER
	RET

stopped:
	ORQ    LF, E
below: // marks below the stop's first bit count
	TZCNTQ Stop, Stop
	BZHIQ  Stop, E, E
	ADDQ   pos, Stop
	MOVQ   Stop, stop+72(FP)
	MARKS(marksBelow, belowDone)
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
	JMP  block

atPageEnd: // the bytes left are copied to where more may be read
	LEAQ buf-72(SP), E
copy:
	MOVBLZX -1(DX)(BX*1), AX
	MOVB    AX, -1(E)(BX*1)
	DECQ    BX
	JNZ     copy
	MOVQ    E, DX
	JMP     shortBlock
