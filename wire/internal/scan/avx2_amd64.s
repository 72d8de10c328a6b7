//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func lines2(b []byte, s *State, marks *[]uint32) (stop int)
//
// The masks are those of the package comment. What registers hold, all the way
// through:
#define base    SI  // &b[0]
#define last    R8  // offset of the last place where a block is whole
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
// and in vectors, with their constants:
#define lowClass  Y15 // classes by the low half of a byte
#define highClass Y14 // classes by its high half
#define half      bytes<>+0(SB)
#define none      bytes<>+32(SB)
#define colons    bytes<>+64(SB)
#define CRs       bytes<>+96(SB)
#define LFs       bytes<>+128(SB)
#define control   bytes<>+160(SB) // the last one
#define DEL       bytes<>+192(SB) // and what, added, sets the top bit of all but 0
#define badClasses bytes<>+224(SB)

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
DATA bytes<>+224(SB)/8, $0xE0E0E0E0E0E0E0E0
DATA bytes<>+232(SB)/8, $0xE0E0E0E0E0E0E0E0
DATA bytes<>+240(SB)/8, $0xE0E0E0E0E0E0E0E0
DATA bytes<>+248(SB)/8, $0xE0E0E0E0E0E0E0E0
GLOBL bytes<>(SB), RODATA|NOPTR, $256

// WHERE makes a mask of the top bits of two vectors.
#define WHERE(low, high, mask, other) \
	VPMOVMSKB low, mask   \
	VPMOVMSKB high, other \
	SHLQ      $32, other  \
	ORQ       other, mask

// CLASSES makes of a vector of bytes one of their classes.
#define CLASSES(from, classes, other) \
	VPSHUFB from, lowClass, classes  \
	VPSRLW  $4, from, other          \
	VPAND   half, other, other       \
	VPSHUFB other, highClass, other  \
	VPAND   other, classes, classes

// LINES takes the block in Y0 and Y1 and leaves LFs in LF, S in Stop, CRs without
// LF and LFs without CR in bad, their carries in Start and CRin, and the classes
// in Y2 and Y4.
#define LINES \
	VPCMPEQB LFs, Y0, Y2         \
	VPCMPEQB LFs, Y1, Y3         \
	VPCMPEQB CRs, Y0, Y4         \
	VPCMPEQB CRs, Y1, Y5         \
	WHERE(Y2, Y3, LF, tmp)       \
	WHERE(Y4, Y5, T, tmp)        \
	LEAQ     (Start)(LF*2), Stop \
	LEAQ     (CRin)(T*2), bad    \
	XORQ     LF, bad             \
	SHRXQ    top, T, CRin        \
	SHRXQ    top, LF, Start      \
	CLASSES(Y0, Y2, Y3)          \
	CLASSES(Y1, Y4, Y5)

// TOKENS makes T of the classes, if none is bad; otherwise CONTROLS is to do it,
// which adds what is bad to bad. Added to none, without overflow, a class of a token
// character is from 0x61 to 0x7F and a bad one is from 0x80 on.
#define TOKENS(controls) \
	VPOR     Y2, Y4, Y3     \
	VPTEST   badClasses, Y3 \
	JNZ      controls       \
	VPADDUSB DEL, Y2, Y2    \
	VPADDUSB DEL, Y4, Y4    \
	WHERE(Y2, Y4, T, tmp)
#define CONTROLS \
	VPADDUSB none, Y2, Y2  \
	VPADDUSB none, Y4, Y4  \
	WHERE(Y2, Y4, T, tmp)  \
	ORQ      T, bad        \
	VPCMPGTB none, Y2, Y2  \
	VPCMPGTB none, Y4, Y4  \
	WHERE(Y2, Y4, T, tmp)

// NAMES makes E, the stop, of which flags are those, and the carry in Name.
#define NAMES \
	VPCMPEQB colons, Y0, Y2 \
	VPCMPEQB colons, Y1, Y3 \
	NEGQ     Name           \
	MOVQ     T, E           \
	ADCQ     Stop, E        \
	SBBQ     Name, Name     \
	ANDNQ    E, T, E        \
	WHERE(Y2, Y3, tmp, T)   \
	ANDNQ    tmp, Stop, tmp \
	ANDNQ    E, tmp, Stop   \
	ORQ      bad, Stop

// MARK writes the first of the marks in E to a place, and takes it away; without
// any left, what it writes is written over.
#define MARK(place) \
	TZCNTQ E, AX     \
	ADDL   pos, AX   \
	MOVL   AX, place \
	BLSRQ  E, E

// MARKS writes the marks in E: four, then two, then four at a time, as long as
// there are any.
#define MARKS(more, done) \
	POPCNTQ E, DX            \
	MARK(0(mark))            \
	MARK(4(mark))            \
	MARK(8(mark))            \
	MARK(12(mark))           \
	LEAQ    (mark)(DX*4), DX \
	ADDQ    $16, mark        \
	CMPQ    mark, DX         \
	JAE     done             \
	MARK(0(mark))            \
	MARK(4(mark))            \
	ADDQ    $8, mark         \
	CMPQ    mark, DX         \
	JAE     done             \
more:                        \
	MARK(0(mark))            \
	MARK(4(mark))            \
	MARK(8(mark))            \
	MARK(12(mark))           \
	ADDQ    $16, mark        \
	CMPQ    mark, DX         \
	JB      more             \
done:                        \
	MOVQ    DX, mark

// CONTROL marks where, of bytes of which it has the least and, signed, the
// greatest, one is no text but HTAB: a control or DEL.
#define CONTROL(least, greatest, to, other) \
	VPMINUB  control, least, to    \
	VPCMPEQB least, to, to         \
	VPCMPEQB DEL, greatest, other  \
	VPOR     to, other, to

// BLOCK takes the whole block at pos.
#define BLOCK(controls, names, more, done) \
	VMOVDQU (base)(pos*1), Y0   \
	VMOVDQU 32(base)(pos*1), Y1 \
	LINES                       \
	TOKENS(controls)            \
names:                              \
	NAMES                       \
	JNZ     stopped             \
	ORQ     LF, E               \
	MARKS(more, done)           \
	ADDQ    $64, pos

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

TEXT ·lines2(SB), NOSPLIT, $72-48
	MOVQ s+24(FP), DX
	MOVQ marks+32(FP), BX
	MOVQ 16(BX), AX // its capacity
	MOVQ (BX), BX
	MOVQ b_base+0(FP), base
	MOVQ b_len+8(FP), last
	SUBQ $64, last
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
	VMOVDQU lowClasses<>(SB), lowClass
	VMOVDQU highClasses<>(SB), highClass
	TESTQ Name, Name
	JNZ  inside

blocks: // two at a time
	CMPQ mark, full-8(SP)
	JGT  noRoom
	MOVQ mark, before
	LEAQ 64(pos), AX
	CMPQ AX, last
	JGT  block
	BLOCK(controlsInFirst, namesInFirst, marksOfFirst, firstDone)
	VMOVDQU (base)(pos*1), Y0
	VMOVDQU 32(base)(pos*1), Y1
	LINES
	TOKENS(controlsInSecond)

namesInSecond:
	NAMES
	JNZ  stopped
	ORQ  LF, E
	MARKS(marksOfSecond, secondDone)
	ADDQ $64, pos
	CMPQ mark, before
	JNE  blocks

	// No mark in both: if neither a name nor a CR is open, a value goes on.
	MOVQ CRin, AX
	ORQ  Name, AX
	JNZ  blocks

values:
	MOVQ pos, before

value: // 128 bytes of it at a time, as long as all are text
	LEAQ    64(pos), AX
	CMPQ    AX, last
	JGT     blocks
	VMOVDQU (base)(pos*1), Y0
	VMOVDQU 32(base)(pos*1), Y1
	VMOVDQU 64(base)(pos*1), Y2
	VMOVDQU 96(base)(pos*1), Y3
	VPMINUB Y0, Y1, Y4
	VPMAXSB Y0, Y1, Y5
	VPMINUB Y2, Y3, Y6
	VPMAXSB Y2, Y3, Y7
	VPMINUB Y4, Y6, Y6
	VPMAXSB Y5, Y7, Y7
	CONTROL(Y6, Y7, Y8, Y9)
	VPTEST  Y8, Y8
	JNZ     valueEnds
	ADDQ    $128, pos
	JMP     value

valueEnds: // or has an HTAB; if it was long, a block is taken from there on
	CMPQ pos, before
	JEQ  blocks
	CONTROL(Y0, Y0, Y4, Y8)
	CONTROL(Y1, Y1, Y5, Y8)
	CONTROL(Y2, Y2, Y6, Y8)
	CONTROL(Y3, Y3, Y7, Y8)
	WHERE(Y4, Y5, AX, tmp)
	WHERE(Y6, Y7, DX, tmp)
	TZCNTQ  DX, DX
	ADDQ    $64, DX
	TZCNTQ  AX, AX // which sets carry if there is none
	CMOVQCS DX, AX
	ADDQ    AX, pos
	CMPQ    pos, last
	JGT     blocks
	CMPQ    mark, full-8(SP)
	JGT     noRoom
	BLOCK(controlsBetween, namesBetween, marksBetween, betweenDone)
	MOVQ    CRin, AX
	ORQ     Start, AX
	ORQ     Name, AX
	JZ      values // perhaps as long as the one before
	JMP     blocks

block: // the last whole one
	CMPQ pos, last
	JGT  short
	BLOCK(controlsInLast, namesInLast, marksOfLast, lastDone)

short: // less than a block is left: it is looked at, but not done with
	LEAQ 64(pos), AX
	LEAQ (base)(pos*1), DX
	CMPQ AX, b_cap+16(FP)
	JA   pastEnd

shortBlock: // what is at DX
	VMOVDQU (DX), Y0
	VMOVDQU 32(DX), Y1
	LINES
	CONTROLS // there may be some behind the input
	NAMES
	ORQ    LF, E
	LEAQ   64(last), BX
	TZCNTQ Stop, Stop
	SUBQ   pos, BX // bytes left
	CMPQ   Stop, BX
	JB     below
	BZHIQ  BX, E, E
	MOVQ   mark, Name
	MARKS(marksOfShortBlock, shortBlockDone)
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
	TZCNTQ Stop, Stop
below: // the marks below the stop count
	BZHIQ  Stop, E, E
	ADDQ   pos, Stop
	MOVQ   Stop, stop+40(FP)
	MARKS(marksBelow, belowDone)
	JMP    return

controlsInFirst:
	CONTROLS
	JMP namesInFirst

controlsInSecond:
	CONTROLS
	JMP namesInSecond

controlsBetween:
	CONTROLS
	JMP namesBetween

controlsInLast:
	CONTROLS
	JMP namesInLast

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

pastEnd: // beyond the capacity, but on a page that has a byte of the input, more may be read
	LEAQ 64(last), BX
	SUBQ pos, BX // bytes left
	JZ   nothing
	LEAQ -1(DX)(BX*1), AX
	ANDL $4095, AX // the place of the last byte on its page
	ADDL $64, AX
	SUBL BX, AX
	CMPL AX, $4095
	JLS  shortBlock
	LEAQ buf-72(SP), E // elsewhere they are copied

copy:
	MOVBLZX -1(DX)(BX*1), AX
	MOVB    AX, -1(E)(BX*1)
	DECQ    BX
	JNZ     copy
	MOVQ    E, DX
	JMP     shortBlock

nothing:
	MOVQ mark, Name
	SAVE(const_Exhausted, Name)
	JMP  return
