package capture_test

import (
	"bytes"
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/capture"
	"why520/capture/captest"
)

var mutations = flag.Int("mutations", 200_000, "how many mutated packets the decoder is held against gopacket's")

// An oracle decodes with gopacket's layers.
type oracle struct {
	parser *gopacket.DecodingLayerParser
	ether  layers.Ethernet
	tag    layers.Dot1Q
	ip4    layers.IPv4
	ip6    layers.IPv6
	tcp    layers.TCP
	found  []gopacket.LayerType
}

func newOracle() *oracle {
	o := &oracle{}
	o.parser = gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &o.ether, &o.tag, &o.ip4, &o.ip6, &o.tcp)
	o.parser.IgnoreUnsupported = true
	return o
}

// decode reports whether frame carries a segment, by gopacket, in layers that
// both decoders know alike.
func (o *oracle) decode(frame []byte) bool {
	if err := o.parser.DecodeLayers(frame, &o.found); err != nil {
		return false
	}
	for _, l := range o.found {
		if l == layers.LayerTypeTCP {
			return true
		}
	}
	return false
}

func (o *oracle) version4() bool {
	for _, l := range o.found {
		if l == layers.LayerTypeIPv4 {
			return true
		}
	}
	return false
}

// TestDecodingIsGopackets holds every field against gopacket's, over frames with
// a few bytes changed or cut off.
func TestDecodingIsGopackets(t *testing.T) {
	var frames []captest.Frame
	for f := range captest.Flows(captest.Options{Seed: 1, Flows: 400}) {
		for _, frame := range f.Frames {
			if len(frame.Data) < 4000 {
				frames = append(frames, frame)
			}
		}
	}
	o, r := newOracle(), rand.New(rand.NewPCG(1, 2))
	both, theirs, ours := 0, 0, 0
	for range *mutations {
		data := bytes.Clone(frames[r.IntN(len(frames))].Data)
		for range r.IntN(4) {
			data[r.IntN(min(len(data), 80))] = byte(r.Uint32())
		}
		if r.IntN(4) == 0 {
			data = data[:r.IntN(len(data)+1)]
		}
		p := capture.Packet{Link: capture.Ethernet, Length: len(data), Data: data}
		var s capture.Segment
		mine := s.Decode(&p) == capture.IsTCP
		switch yes := o.decode(data); {
		case yes && mine:
			both++
			if !assert.Empty(t, o.differs(&s), "% X", data) {
				return
			}
		case yes:
			theirs++
			if why := o.lax(data); !assert.NotEmpty(t, why, "gopacket has a segment in % X", data) {
				return
			}
		case mine:
			ours++
			if why := o.strict(data, &s); !assert.NotEmpty(t, why, "gopacket has no segment in % X", data) {
				return
			}
		}
	}
	t.Logf("%d packets decoded by both, %d by gopacket alone, %d by us alone", both, theirs, ours)
	require.Greater(t, both, *mutations/4)
}

// differs names a field in which s is not what gopacket has; empty: none.
func (o *oracle) differs(s *capture.Segment) string {
	flags := uint8(0)
	for i, set := range []bool{o.tcp.FIN, o.tcp.SYN, o.tcp.RST, o.tcp.PSH, o.tcp.ACK, o.tcp.URG, o.tcp.ECE, o.tcp.CWR} {
		if set {
			flags |= 1 << i
		}
	}
	var from, to netip.Addr
	ttl := o.ip6.HopLimit
	if o.version4() {
		from, _ = netip.AddrFromSlice(o.ip4.SrcIP)
		to, _ = netip.AddrFromSlice(o.ip4.DstIP)
		ttl = o.ip4.TTL
		if s.ID != o.ip4.Id {
			return "identification"
		}
	} else {
		from, _ = netip.AddrFromSlice(o.ip6.SrcIP)
		to, _ = netip.AddrFromSlice(o.ip6.DstIP)
	}
	switch {
	case s.SourceAddress() != netip.AddrPortFrom(from.Unmap(), uint16(o.tcp.SrcPort)):
		return "source"
	case s.DestinationAddress() != netip.AddrPortFrom(to.Unmap(), uint16(o.tcp.DstPort)):
		return "destination"
	case s.TTL != ttl:
		return "hop limit"
	case s.Seq != o.tcp.Seq || s.Ack != o.tcp.Ack || s.Window != o.tcp.Window || s.Flags != flags:
		return "TCP header"
	case !bytes.Equal(s.Payload, o.tcp.Payload):
		return "payload"
	}
	for _, option := range o.tcp.Options {
		if option.OptionType == layers.TCPOptionKindTimestamps && len(option.OptionData) == 8 &&
			(!s.Stamped || s.Stamp != binary.BigEndian.Uint32(option.OptionData)) {
			return "timestamp"
		}
	}
	return ""
}

// lax says why a segment that gopacket has is none to us.
func (o *oracle) lax(data []byte) string {
	switch {
	case o.version4() && o.ip4.FragOffset != 0:
		return "a later fragment"
	case o.version4() && o.ip4.Version != 4, !o.version4() && o.ip6.Version != 6:
		return "the version of IP is not what Ethernet says"
	case len(o.tcp.Contents) < 20 || int(o.tcp.DataOffset)*4 > len(o.tcp.Contents):
		return "the TCP header is cut"
	case o.version4() && o.ip4.IHL < 5, o.version4() && int(o.ip4.Length) < int(o.ip4.IHL)*4+int(o.tcp.DataOffset)*4:
		return "the lengths contradict each other"
	case !o.version4() && int(o.ip6.Length) < int(o.tcp.DataOffset)*4:
		return "the lengths contradict each other"
	}
	return ""
}

// strict says why what is a segment to us is none to gopacket.
func (o *oracle) strict(data []byte, s *capture.Segment) string {
	kind := binary.BigEndian.Uint16(data[12:])
	switch {
	case kind != 0x0800 && kind != 0x86DD && kind != 0x8100:
		return "QinQ, PPPoE, MPLS or 802.3"
	case kind == 0x8100 && binary.BigEndian.Uint16(data[16:]) != 0x0800 && binary.BigEndian.Uint16(data[16:]) != 0x86DD:
		return "several tags"
	case s.Version == 6:
		return "an extension header, or a packet that is cut"
	case s.Fragment:
		return "a first fragment"
	case s.Cut:
		return "a packet that is cut"
	}
	return "malformed options of IP or TCP" // which end what can be said of the packet there, and of the options here
}
