package capture

import (
	"encoding/binary"
	"strconv"

	"golang.org/x/net/bpf"
)

// The kernel's filter is a coarse sieve: it takes TCP of some addresses. Later
// fragments and what stands behind extension headers have no ports in a fixed
// place: there the addresses alone decide.

// A program is instructions whose jumps are to labels.
type program struct {
	code   []bpf.Instruction
	labels map[string]int
	jumps  map[int]string // label by the index of the jump to it
	unique int
}

func (p *program) add(code ...bpf.Instruction) { p.code = append(p.code, code...) }

func (p *program) jump(label string) {
	p.jumps[len(p.code)] = label
	p.add(bpf.Jump{})
}

// unless goes to label unless what the accumulator holds is v.
func (p *program) unless(v uint32, label string) {
	p.add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: v, SkipTrue: 1})
	p.jump(label)
}

// when goes to label if what the accumulator holds is v.
func (p *program) when(v uint32, label string) {
	p.add(bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: v, SkipTrue: 1})
	p.jump(label)
}

func (p *program) mark(label string) { p.labels[label] = len(p.code) }

// label gives a new one.
func (p *program) label() string {
	p.unique++
	return strconv.Itoa(p.unique)
}

// assemble gives the program as the kernel takes it.
func (p *program) assemble() ([]bpf.RawInstruction, error) {
	for at, label := range p.jumps {
		p.code[at] = bpf.Jump{Skip: uint32(p.labels[label] - at - 1)}
	}
	return bpf.Assemble(p.code)
}

// mostInstructions is how many the kernel takes (BPF_MAXINSNS).
const mostInstructions = 4096

// Words of the filter's memory.
const (
	networkAt   = iota // offset of the IP header
	transportAt        // offset of the TCP header; of IPv4
	noPorts            // not 0: they are not in their place
)

// filter compiles the filter for TCP of the origins, both ways; where there are
// none, or too many, for all TCP. Frames are Ethernet's or begin with IP; of
// each, so many bytes are taken. loopback, if it is not 0, is the index of an
// interface among others whose packets are seen as they leave and as they
// arrive: they are taken as they arrive.
func filter(origins []Origin, link LinkType, loopback, snap int) ([]bpf.RawInstruction, error) {
	p := &program{labels: map[string]int{}, jumps: map[int]string{}}
	const outgoing = 4 // PACKET_OUTGOING
	if loopback != 0 {
		p.add(bpf.LoadExtension{Num: bpf.ExtInterfaceIndex})
		p.unless(uint32(loopback), "begin")
		p.add(bpf.LoadExtension{Num: bpf.ExtType})
		p.when(outgoing, "refuse")
	}
	p.mark("begin")
	if link == Ethernet {
		p.ethernet()
	} else {
		p.add(bpf.LoadExtension{Num: bpf.ExtType})
		p.when(outgoing, "untagged")
		p.tagged()
		p.mark("untagged")
		p.add(bpf.LoadConstant{Dst: bpf.RegX, Val: 0}, bpf.LoadAbsolute{Off: 0, Size: 1}, bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4})
		p.when(4, "IPv4")
		p.when(6, "IPv6")
		p.jump("refuse")
	}
	p.mark("IPv4")
	p.ipv4(origins)
	p.mark("IPv6")
	p.ipv6(origins)
	p.mark("accept")
	p.add(bpf.RetConstant{Val: uint32(snap)})
	p.mark("refuse")
	p.add(bpf.RetConstant{Val: 0})
	if len(p.code) > mostInstructions {
		return filter(nil, link, loopback, snap)
	}
	return p.assemble()
}

// ethernet puts the offset of the IP header into X, behind up to two VLAN tags.
// The kernel takes the first of a frame that arrives away; of one that leaves, it
// may be there.
func (p *program) ethernet() {
	for tags := range uint32(3) {
		header := 14 + 4*tags
		p.add(bpf.LoadConstant{Dst: bpf.RegX, Val: header}, bpf.LoadAbsolute{Off: header - 2, Size: 2})
		p.when(typeIPv4, "IPv4")
		p.when(typeIPv6, "IPv6")
		if tags == 2 {
			break
		}
		next := p.label()
		for _, tag := range vlans {
			p.when(tag, next)
		}
		p.jump("refuse")
		p.mark(next)
	}
	p.jump("refuse")
}

// tagged puts the offset of the IP header into X where a frame that arrives is
// within two VLANs: the kernel takes the first tag away, and what the socket gets
// begins with the second. Of a frame that leaves, it begins with IP.
func (p *program) tagged() {
	p.add(bpf.LoadExtension{Num: bpf.ExtProto})
	for _, tag := range vlans {
		p.when(tag, "tagged")
	}
	p.jump("untagged")
	p.mark("tagged")
	p.add(bpf.LoadConstant{Dst: bpf.RegX, Val: tagSize}, bpf.LoadAbsolute{Off: tagSize - 2, Size: 2})
	p.when(typeIPv4, "IPv4")
	p.when(typeIPv6, "IPv6")
	p.jump("refuse")
}

// vlans are the types of frames within a VLAN.
var vlans = []uint32{typeVLAN, typeQinQ, typeOldQinQ}

// ipv4 takes a packet that begins at X.
func (p *program) ipv4(origins []Origin) {
	p.add(bpf.LoadIndirect{Off: 9, Size: 1})
	p.unless(protocolTCP, "refuse")
	if len(origins) == 0 {
		p.jump("accept")
		return
	}
	p.add(
		bpf.StoreScratch{Src: bpf.RegX, N: networkAt},
		bpf.LoadIndirect{Off: 6, Size: 2}, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0x1FFF},
		bpf.StoreScratch{Src: bpf.RegA, N: noPorts},
		bpf.LoadIndirect{Off: 0, Size: 1}, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0x0F},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 2}, bpf.ALUOpX{Op: bpf.ALUOpAdd},
		bpf.StoreScratch{Src: bpf.RegA, N: transportAt},
	)
	for _, o := range origins {
		a := o.Address.Unmap()
		if !a.Is4() {
			continue
		}
		four := a.As4()
		for side := range uint32(2) {
			next := p.label()
			p.add(bpf.LoadIndirect{Off: 12 + 4*side, Size: 4})
			p.unless(binary.BigEndian.Uint32(four[:]), next)
			p.port(o.Port, func() {
				p.add(bpf.LoadScratch{Dst: bpf.RegX, N: transportAt}, bpf.LoadIndirect{Off: 2 * side, Size: 2},
					bpf.LoadScratch{Dst: bpf.RegX, N: networkAt})
			}, next)
			p.mark(next)
		}
	}
	p.jump("refuse")
}

// ipv6 takes a packet that begins at X.
func (p *program) ipv6(origins []Origin) {
	const udp, icmp = 17, 58
	p.add(bpf.LoadIndirect{Off: 6, Size: 1})
	p.when(udp, "refuse")
	p.when(icmp, "refuse")
	p.unless(hopByHop, "no options") // what groups are joined with
	p.add(bpf.LoadIndirect{Off: 40, Size: 1})
	p.when(udp, "refuse")
	p.when(icmp, "refuse")
	p.add(bpf.LoadConstant{Dst: bpf.RegA, Val: hopByHop})
	p.mark("no options")
	if len(origins) == 0 {
		p.jump("accept")
		return
	}
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpXor, Val: protocolTCP}, bpf.StoreScratch{Src: bpf.RegA, N: noPorts})
	for _, o := range origins {
		a := o.Address.Unmap()
		if !a.Is6() {
			continue
		}
		sixteen := a.As16()
		for side := range uint32(2) {
			next := p.label()
			for word := range uint32(4) {
				p.add(bpf.LoadIndirect{Off: 8 + 16*side + 4*word, Size: 4})
				p.unless(binary.BigEndian.Uint32(sixteen[4*word:]), next)
			}
			p.port(o.Port, func() { p.add(bpf.LoadIndirect{Off: 40 + 2*side, Size: 2}) }, next)
			p.mark(next)
		}
	}
	p.jump("refuse")
}

// port accepts a packet whose port, which load loads, is this one, and goes to
// next with others.
func (p *program) port(port uint16, load func(), next string) {
	if port == 0 {
		p.jump("accept")
		return
	}
	p.add(bpf.LoadScratch{Dst: bpf.RegA, N: noPorts}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1})
	p.jump("accept")
	load()
	p.when(uint32(port), "accept")
	p.jump(next)
}
