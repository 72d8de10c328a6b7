package capture_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"why520/capture"
	"why520/capture/captest"
)

// FuzzFile reads any bytes as a capture: no panic, packets within what was read,
// flows that can be written as JSON.
func FuzzFile(f *testing.F) {
	for _, file := range files(f, sample(3)) {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := capture.NewReader(io.LimitReader(bytes.NewReader(file), 1<<20))
		if err != nil {
			require.Nil(t, r)
			return
		}
		var p capture.Packet
		for range 10_000 {
			if err = r.Next(&p); err != nil {
				break
			}
			require.GreaterOrEqual(t, p.Length, len(p.Data))
			require.LessOrEqual(t, len(p.Data), capture.MaxRecord)
		}
		for flow, err := range capture.Flows(bytes.NewReader(file[:min(len(file), 1<<16)]), capture.Options{All: true, Flows: 64, Buffer: 1 << 16}) {
			if err == nil {
				checkFlow(t, flow)
			}
		}
	})
}

// FuzzPackets gives a Tracker packets that follow from the input: frames of
// flows of all classes, with some of their bytes changed.
func FuzzPackets(f *testing.F) {
	classes := captest.Classes()
	for i := range classes {
		f.Add(uint16(i), uint64(i), []byte{})
		f.Add(uint16(i), uint64(i), []byte{3, 47, 255, 5, 54, 1, 9, 50, 128})
	}
	f.Fuzz(func(t *testing.T, class uint16, seed uint64, changes []byte) {
		name := classes[int(class)%len(classes)].Name
		o := capture.Options{All: true, Flows: 4, Buffer: 1 << 16}
		tracker := capture.NewTracker(o, func(flow *capture.Flow) { checkFlow(t, flow) })
		for flow := range captest.Flows(captest.Options{Seed: seed, Flows: 6, Only: name}) {
			frames := slices.Clone(flow.Frames)
			for i := 0; i+2 < len(changes); i += 3 {
				n := int(changes[i]) % len(frames)
				data := append(bytes.Clone(frames[n].Data), 0)
				data[int(changes[i+1])%len(data)] ^= changes[i+2]
				if changes[i+2] == 0 {
					data = data[:int(changes[i+1])%len(data)]
				}
				frames[n].Data = data
			}
			for i := range frames {
				p := frames[i].Packet(capture.Ethernet)
				tracker.Packet(&p)
			}
		}
		tracker.Close()
		s := tracker.Stats()
		require.Equal(t, s.Flows, s.Sound+s.Faulty)
		require.Equal(t, s.Packets, s.Segments+s.Others+s.Broken+s.Parts)
	})
}

// FuzzSegments gives a Tracker segments of one connection whose flags, numbers
// and payload are the input's.
func FuzzSegments(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x00\x12\x00\x00\x01\x10\x01\x01\x00\x18\x01\x01\x30GET / HTTP/1.1\r\n\r\n"))
	frame := captest.Frame{}
	for flow := range captest.Flows(captest.Options{Seed: 1, Flows: 1}) {
		frame = flow.Frames[0]
	}
	template := segmentOf(frame)
	headers := len(frame.Data) - int(template.Header)
	f.Fuzz(func(t *testing.T, input []byte) {
		tracker := capture.NewTracker(capture.Options{All: true, Buffer: 1 << 18}, func(flow *capture.Flow) { checkFlow(t, flow) })
		at := frame.Time
		for len(input) >= 4 {
			flags, seq, ack, n := input[0], input[1], input[2], int(input[3])
			input = input[4:]
			n = min(n, len(input))
			data := bytes.Clone(frame.Data[:headers])
			data[17] = 0 // the length is the frame's
			data[16] = 0
			ports := []uint16{template.SourcePort, template.DestinationPort}
			if flags&0x80 != 0 { // from the origin
				slices.Reverse(ports)
				from, to := bytes.Clone(data[26:30]), bytes.Clone(data[30:34])
				copy(data[26:], to)
				copy(data[30:], from)
			}
			data = binary.BigEndian.AppendUint16(data, ports[0])
			data = binary.BigEndian.AppendUint16(data, ports[1])
			data = binary.BigEndian.AppendUint32(data, uint32(int8(seq))*32-100)
			data = binary.BigEndian.AppendUint32(data, uint32(int8(ack))*32-100)
			data = append(data, 0x50, flags&0x3F, 1, 0, 0, 0, 0, 0)
			data = append(data, input[:n]...)
			input = input[n:]
			at += int64(seq) * 1e8
			tracker.Packet(&capture.Packet{Time: at, Link: capture.Ethernet, Length: len(data), Data: data})
		}
		tracker.Close()
	})
}

// checkFlow holds what is true of every flow.
func checkFlow(t *testing.T, f *capture.Flow) {
	t.Helper()
	require.NotEmpty(t, f.Stage)
	require.NotEmpty(t, f.Handshake)
	require.GreaterOrEqual(t, f.Payload.Client, int64(0))
	require.GreaterOrEqual(t, f.Payload.Origin, int64(0))
	require.LessOrEqual(t, f.Evidence.Acked, f.Evidence.Sent)
	if f.Handshake == capture.HandshakeUnseen {
		require.Empty(t, f.ResetBy)
	}
	_, err := json.Marshal(f)
	require.NoError(t, err)
	_, err = json.Marshal(f.Evidence)
	require.NoError(t, err)
}
