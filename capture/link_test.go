package capture_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/capture"
	"why520/capture/captest"
)

// ips gives IP packets with TCP, of both versions, and what they are decoded to.
func ips(t *testing.T) (packets [][]byte, segments []capture.Segment) {
	t.Helper()
	for f := range captest.Flows(captest.Options{Seed: 1, Flows: 60, Only: "closed-by-client"}) {
		frame := f.Frames[3]
		if binary.BigEndian.Uint16(frame.Data[12:]) == 0x8100 {
			continue
		}
		packets, segments = append(packets, frame.Data[14:]), append(segments, segmentOf(frame))
	}
	require.Greater(t, len(packets), 10)
	return packets, segments
}

func TestLinkTypesAreTakenOff(t *testing.T) {
	packets, segments := ips(t)
	for i, ip := range packets {
		kind, family, ppp := []byte{0x08, 0x00}, byte(2), []byte{0, 0x21}
		if segments[i].Version == 6 {
			kind, family, ppp = []byte{0x86, 0xDD}, 30, []byte{0, 0x57}
		}
		macs := make([]byte, 12)
		for name, c := range map[string]struct {
			link  capture.LinkType
			frame []byte
			vlan  uint16
		}{
			"null, little":      {capture.Null, slices.Concat([]byte{family, 0, 0, 0}, ip), 0},
			"null, big":         {capture.Null, slices.Concat([]byte{0, 0, 0, family}, ip), 0},
			"ethernet":          {capture.Ethernet, slices.Concat(macs, kind, ip), 0},
			"ethernet padded":   {capture.Ethernet, slices.Concat(macs, kind, ip, make([]byte, 9)), 0},
			"vlan":              {capture.Ethernet, slices.Concat(macs, []byte{0x81, 0, 0xE0, 7}, kind, ip), 7},
			"qinq":              {capture.Ethernet, slices.Concat(macs, []byte{0x88, 0xA8, 0, 9, 0x81, 0, 0, 7}, kind, ip), 7},
			"old qinq":          {capture.Ethernet, slices.Concat(macs, []byte{0x91, 0, 0, 9, 0x81, 0, 0, 7}, kind, ip), 7},
			"pppoe":             {capture.Ethernet, slices.Concat(macs, []byte{0x88, 0x64, 0x11, 0, 0, 1, 0, 0}, ppp, ip), 0},
			"pppoe, compressed": {capture.Ethernet, slices.Concat(macs, []byte{0x88, 0x64, 0x11, 0, 0, 1, 0, 0}, ppp[1:], ip), 0},
			"snap":              {capture.Ethernet, slices.Concat(macs, []byte{0, 100, 0xAA, 0xAA, 3, 0, 0, 0}, kind, ip), 0},
			"snap in vlan":      {capture.Ethernet, slices.Concat(macs, []byte{0x81, 0, 0, 7, 0, 100, 0xAA, 0xAA, 3, 0, 0, 0}, kind, ip), 7},
			"mpls":              {capture.Ethernet, slices.Concat(macs, []byte{0x88, 0x47, 0, 1, 0x01, 64}, ip), 0},
			"mpls, two labels":  {capture.Ethernet, slices.Concat(macs, []byte{0x88, 0x47, 0, 2, 0, 64, 0, 1, 0x11, 64}, ip), 0},
			"raw 12":            {12, ip, 0},
			"raw 14":            {14, ip, 0},
			"raw 101":           {101, ip, 0},
			"loop":              {108, slices.Concat([]byte{0, 0, 0, family}, ip), 0},
			"sll":               {113, slices.Concat([]byte{0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0}, kind, ip), 0},
			"ip":                {map[uint8]capture.LinkType{4: 228, 6: 229}[segments[i].Version], ip, 0},
			"sll2":              {276, slices.Concat(kind, []byte{0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0}, ip), 0},
		} {
			p := capture.Packet{Link: c.link, Length: len(c.frame), Data: c.frame}
			var s capture.Segment
			require.Equal(t, capture.IsTCP, s.Decode(&p), name)
			want := segments[i]
			want.VLAN = c.vlan
			assert.Equal(t, want, s, name)
		}
	}
}

// What stands between IP and TCP is gone past; what is no segment is none.
func TestExtensionHeaders(t *testing.T) {
	packets, segments := ips(t)
	for i, ip := range packets {
		if segments[i].Version != 6 {
			continue
		}
		tcp := ip[40:]
		with := func(first byte, headers []byte, length int) capture.Packet {
			b := slices.Concat(ip[:40], headers, tcp)
			b[6] = first
			binary.BigEndian.PutUint16(b[4:], uint16(length))
			return capture.Packet{Link: capture.IPv6, Length: len(b), Data: b}
		}
		n := len(tcp)
		jumbo := binary.BigEndian.AppendUint32([]byte{6, 0, 0xC2, 4}, uint32(8+n))
		for name, c := range map[string]struct {
			packet capture.Packet
			want   capture.Layer
		}{
			"hop by hop, routing":       {with(0, []byte{43, 0, 1, 4, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0}, n+16), capture.IsTCP},
			"authentication":            {with(51, []byte{6, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2}, n+12), capture.IsTCP},
			"first fragment":            {with(44, []byte{6, 0, 0, 1, 0, 0, 0, 9}, n+8), capture.IsTCP},
			"later fragment":            {with(44, []byte{6, 0, 0, 9, 0, 0, 0, 9}, n+8), capture.LaterFragment},
			"BIG TCP with its option":   {with(0, jumbo, 0), capture.IsTCP},
			"BIG TCP without":           {with(6, nil, 0), capture.IsTCP},
			"no next header":            {with(59, nil, n), capture.NotTCP},
			"UDP":                       {with(17, nil, n), capture.NotTCP},
			"longer than it is":         {with(0, []byte{6, 200, 1, 4, 0, 0, 0, 0}, n+8), capture.NotDecoded},
			"shorter than TCP's header": {with(6, nil, 12), capture.NotDecoded},
		} {
			var s capture.Segment
			require.Equal(t, c.want, s.Decode(&c.packet), name)
			if c.want == capture.IsTCP {
				assert.Equal(t, segments[i].Payload, s.Payload, name)
				assert.Equal(t, segments[i].Length, s.Length, name)
				assert.Equal(t, name == "first fragment", s.Fragment, name)
			}
		}
	}
}

func TestWhatIsNoSegment(t *testing.T) {
	for name, c := range map[string]struct {
		link  capture.LinkType
		frame string
		want  capture.Layer
	}{
		"nothing":             {capture.Ethernet, "", capture.NotDecoded},
		"ARP":                 {capture.Ethernet, "\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x08\x06\x00\x01", capture.NotIP},
		"802.3":               {capture.Ethernet, "\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x00\x26\x42\x42", capture.NotIP},
		"802.3, SNAP, ARP":    {capture.Ethernet, "\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x00\x26\xaa\xaa\x03\x00\x00\x00\x08\x06\x00\x01", capture.NotIP},
		"PPPoE, LCP":          {capture.Ethernet, "\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x88\x64\x11\x00\x00\x01\x00\x04\xc0\x21\x01\x01", capture.NotIP},
		"MPLS without bottom": {capture.Ethernet, "\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x88\x47\x00\x01\x00\x40", capture.NotIP},
		"another link":        {147, "anything", capture.NotIP},
		"IP version 5":        {capture.Raw, "\x55aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", capture.NotIP},
		"cut within IP":       {capture.Raw, "\x45\x00\x00\x28", capture.NotDecoded},
		"ICMP":                {capture.Raw, "\x45\x00\x00\x1c\x00\x01\x00\x00\x40\x01\x00\x00\x7f\x00\x00\x01\x7f\x00\x00\x01\x08\x00\x00\x00\x00\x00\x00\x00", capture.NotTCP},
		"later fragment":      {capture.Raw, "\x45\x00\x00\x1c\x00\x01\x00\x10\x40\x06\x00\x00\x7f\x00\x00\x01\x7f\x00\x00\x01\x08\x00\x00\x00\x00\x00\x00\x00", capture.LaterFragment},
		"cut within TCP":      {capture.Raw, "\x45\x00\x00\x28\x00\x01\x00\x00\x40\x06\x00\x00\x7f\x00\x00\x01\x7f\x00\x00\x01\x08\x00\x00\x00\x00\x00\x00\x00", capture.NotDecoded},
	} {
		var s capture.Segment
		p := capture.Packet{Link: c.link, Length: len(c.frame), Data: []byte(c.frame)}
		assert.Equal(t, c.want, s.Decode(&p), name)
	}
}
