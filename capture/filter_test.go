package capture

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/bpf"
)

// runs gives what a filter says of frames.
func runs(t *testing.T, link LinkType, origins ...Origin) func(frame []byte) bool {
	t.Helper()
	code, err := filter(origins, link, 0, 1000)
	require.NoError(t, err)
	whole, known := bpf.Disassemble(code)
	require.True(t, known)
	for i := range whole { // what the kernel knows beside the frame: it arrives, within no VLAN
		if _, is := whole[i].(bpf.LoadExtension); is {
			whole[i] = bpf.LoadConstant{Dst: bpf.RegA}
		}
	}
	vm, err := bpf.NewVM(whole)
	require.NoError(t, err)
	return func(frame []byte) bool {
		n, err := vm.Run(frame)
		require.NoError(t, err)
		return n > 0
	}
}

// A draft is a packet of TCP, or nearly.
type draft struct {
	from, to netip.AddrPort
	tags     []uint16 // types of VLAN tags
	options  int      // bytes of IPv4 options
	protocol byte     // 0: TCP
	part     bool     // a later fragment, or of IPv6 an extension header
}

func (d draft) ip() []byte {
	protocol := d.protocol
	if protocol == 0 {
		protocol = protocolTCP
	}
	tcp := make([]byte, 20)
	binary.BigEndian.PutUint16(tcp, d.from.Port())
	binary.BigEndian.PutUint16(tcp[2:], d.to.Port())
	tcp[12] = 5 << 4
	if d.from.Addr().Is6() {
		b := make([]byte, 40)
		b[0], b[6] = 6<<4, protocol
		copy(b[8:], d.from.Addr().AsSlice())
		copy(b[24:], d.to.Addr().AsSlice())
		if d.part {
			b[6] = destinations
			b = append(b, protocol, 0, 1, 4, 0, 0, 0, 0)
		}
		binary.BigEndian.PutUint16(b[4:], uint16(len(b)-40+len(tcp)))
		return append(b, tcp...)
	}
	b := make([]byte, 20+d.options)
	b[0], b[8], b[9] = 4<<4|byte(len(b)/4), 64, protocol
	if d.part {
		b[7] = 100
	}
	copy(b[12:], d.from.Addr().AsSlice())
	copy(b[16:], d.to.Addr().AsSlice())
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)+len(tcp)))
	return append(b, tcp...)
}

func (d draft) ethernet() []byte {
	b := make([]byte, 12)
	for _, kind := range d.tags {
		b = binary.BigEndian.AppendUint16(b, kind)
		b = append(b, 0, 7)
	}
	kind := uint16(typeIPv4)
	if d.from.Addr().Is6() {
		kind = typeIPv6
	}
	return append(binary.BigEndian.AppendUint16(b, kind), d.ip()...)
}

var (
	someone = netip.MustParseAddrPort("192.0.2.7:51514")
	other   = netip.MustParseAddrPort("203.0.113.9:80")
	one     = netip.MustParseAddrPort("192.0.2.1:80")
	some6   = netip.MustParseAddrPort("[2001:db8::7]:51514")
	other6  = netip.MustParseAddrPort("[2001:db8::1:9]:80")
	one6    = netip.MustParseAddrPort("[2001:db8::1]:80")
)

func TestFilterTakesWholeFlowsOfTheOrigins(t *testing.T) {
	origins := []Origin{{Address: other.Addr().Next()}, {Address: one.Addr()}, {Address: one6.Addr()}}
	for _, d := range []struct {
		what string
		draft
		want bool
	}{
		{"to it", draft{from: someone, to: one}, true},
		{"from it", draft{from: one, to: someone}, true},
		{"of another", draft{from: someone, to: other}, false},
		{"within a VLAN", draft{from: someone, to: one, tags: []uint16{typeVLAN}}, true},
		{"within two", draft{from: one, to: someone, tags: []uint16{typeQinQ, typeVLAN}}, true},
		{"within two, of the older type", draft{from: one, to: someone, tags: []uint16{typeOldQinQ, typeVLAN}}, true},
		{"of another within a VLAN", draft{from: someone, to: other, tags: []uint16{typeVLAN}}, false},
		{"with options", draft{from: someone, to: one, options: 12}, true},
		{"no TCP", draft{from: someone, to: one, protocol: 17}, false},
		{"a later fragment", draft{from: someone, to: one, part: true}, true},
		{"IPv6 to it", draft{from: some6, to: one6}, true},
		{"IPv6 from it", draft{from: one6, to: some6}, true},
		{"IPv6 of another", draft{from: some6, to: other6}, false},
		{"IPv6 behind a header", draft{from: one6, to: some6, part: true}, true},
		{"IPv6 within a VLAN", draft{from: one6, to: some6, tags: []uint16{typeVLAN}}, true},
		{"IPv6, no TCP", draft{from: one6, to: some6, protocol: 58}, false},
	} {
		t.Run(d.what, func(t *testing.T) {
			assert.Equal(t, d.want, runs(t, Ethernet, origins...)(d.ethernet()))
			if len(d.tags) == 0 {
				assert.Equal(t, d.want, runs(t, Raw, origins...)(d.ip()))
			}
		})
	}
}

func TestFilterTakesAPortWhereOneIsAsked(t *testing.T) {
	origins := []Origin{{Address: one.Addr(), Port: 443}, {Address: one.Addr(), Port: 80}, {Address: one6.Addr(), Port: 80}}
	at := func(a netip.AddrPort, port uint16) netip.AddrPort { return netip.AddrPortFrom(a.Addr(), port) }
	for _, d := range []struct {
		what string
		draft
		want bool
	}{
		{"to it", draft{from: someone, to: one}, true},
		{"from it", draft{from: one, to: someone}, true},
		{"from it, behind options and a tag", draft{from: one, to: someone, options: 40, tags: []uint16{typeVLAN}}, true},
		{"to another port", draft{from: someone, to: at(one, 81)}, false},
		{"from another port to that one", draft{from: at(one, 81), to: at(someone, 80)}, false},
		{"a later fragment, which has none", draft{from: at(one, 81), to: someone, part: true}, true},
		{"IPv6 to it", draft{from: some6, to: one6}, true},
		{"IPv6 from it", draft{from: one6, to: some6}, true},
		{"IPv6 to another port", draft{from: some6, to: at(one6, 81)}, false},
		{"IPv6 behind a header", draft{from: some6, to: at(one6, 81), part: true}, true},
	} {
		t.Run(d.what, func(t *testing.T) {
			assert.Equal(t, d.want, runs(t, Ethernet, origins...)(d.ethernet()))
			if len(d.tags) == 0 {
				assert.Equal(t, d.want, runs(t, Raw, origins...)(d.ip()))
			}
		})
	}
}

// A filter may take too much, never too little: what it refuses, of addresses
// asked about, is no TCP for the decoder either.
func TestFilterRefusesNothingThatIsDecoded(t *testing.T) {
	takes := runs(t, Ethernet, Origin{Address: one.Addr(), Port: 80}, Origin{Address: one6.Addr()})
	random := rand.New(rand.NewPCG(1, 2))
	var s Segment
	decoded := 0
	for range 200_000 {
		d := draft{from: someone, to: one, options: 4 * random.IntN(11)}
		if random.IntN(2) == 0 {
			d.from, d.to = some6, one6
		}
		d.part = random.IntN(4) == 0
		for range random.IntN(3) {
			d.tags = append(d.tags, []uint16{typeVLAN, typeQinQ}[random.IntN(2)])
		}
		if random.IntN(2) == 0 {
			d.from, d.to = d.to, d.from
		}
		frame := d.ethernet()
		if random.IntN(2) == 0 {
			ip := 14 + 4*len(d.tags)
			frame[ip+random.IntN(len(frame)-ip)] ^= 1 << random.IntN(8)
		}
		if s.Decode(&Packet{Link: Ethernet, Data: frame, Length: len(frame)}) != IsTCP {
			continue
		}
		asked := func(a netip.AddrPort) bool { return a == one || a.Addr() == one6.Addr() }
		if asked(s.SourceAddress()) || asked(s.DestinationAddress()) {
			decoded++
			require.True(t, takes(frame), "%x", frame)
		}
	}
	assert.Greater(t, decoded, 50_000)
}

func TestFilterOfTooManyOriginsTakesAllTCP(t *testing.T) {
	many := make([]Origin, 1000)
	for i := range many {
		many[i] = Origin{Address: netip.AddrFrom16([16]byte{0: 0x20, 14: byte(i >> 8), 15: byte(i)})}
	}
	takes := runs(t, Ethernet, many...)
	assert.True(t, takes(draft{from: someone, to: other}.ethernet()))
	assert.False(t, takes(draft{from: someone, to: other, protocol: 17}.ethernet()))
}
