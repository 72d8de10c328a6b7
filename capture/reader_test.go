package capture_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/capture"
	"why520/capture/captest"
	"why520/validator"
)

// sample gives the frames of some flows.
func sample(flows int) []*captest.Frame {
	return slices.Collect(captest.Merge(captest.Flows(captest.Options{Seed: 9, Flows: flows})))
}

// read gives the packets of a file, and the error that is not io.EOF.
func read(t *testing.T, file io.Reader) (packets []capture.Packet, r *capture.Reader, err error) {
	t.Helper()
	if r, err = capture.NewReader(file); err != nil {
		return nil, r, err
	}
	for {
		var p capture.Packet
		if err = r.Next(&p); err != nil {
			if err == io.EOF {
				err = nil
			}
			return packets, r, err
		}
		p.Data = bytes.Clone(p.Data)
		packets = append(packets, p)
	}
}

// files gives the sample in every format.
func files(t testing.TB, frames []*captest.Frame) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, nano := range []bool{false, true} {
			var pcap, pcapng bytes.Buffer
			require.NoError(t, captest.WritePcap(&pcap, slices.Values(frames), captest.Format{Order: order, Nano: nano}))
			require.NoError(t, captest.WritePcapng(&pcapng, slices.Values(frames), captest.Format{Order: order, Nano: nano}))
			for name, b := range map[string][]byte{"pcap": pcap.Bytes(), "pcapng": pcapng.Bytes()} {
				name = fmt.Sprintf("%s, %s, nano %v", name, order, nano)
				all[name] = b
				var z bytes.Buffer
				w := gzip.NewWriter(&z)
				w.Write(b)
				require.NoError(t, w.Close())
				all[name+", gzip"] = z.Bytes()
			}
		}
	}
	return all
}

func TestEveryFormatGivesTheSamePackets(t *testing.T) {
	frames := sample(40)
	for name, file := range files(t, frames) {
		for how, source := range map[string]io.Reader{
			"whole": bytes.NewReader(file), "byte by byte": iotest.OneByteReader(bytes.NewReader(file)),
			"with its error": iotest.DataErrReader(bytes.NewReader(file)),
		} {
			packets, r, err := read(t, source)
			require.NoError(t, err, name)
			require.Len(t, packets, len(frames), "%s, %s", name, how)
			assert.False(t, r.Truncated)
			for i, p := range packets {
				at := frames[i].Time
				if strings.Contains(name, "false") {
					at -= at % 1000
				}
				require.Equal(t, at, p.Time, name)
				require.Equal(t, frames[i].Data, p.Data, name)
				require.Equal(t, capture.Ethernet, p.Link)
			}
		}
	}
}

func TestFilesThatEndWithinARecord(t *testing.T) {
	frames := sample(5)[:4]
	for name, file := range files(t, frames) {
		if strings.Contains(name, "gzip") {
			continue
		}
		last := 0
		for n := range file {
			packets, r, err := read(t, bytes.NewReader(file[:n]))
			var format *capture.FormatError
			if err != nil {
				require.ErrorAs(t, err, &format, name)
				require.Less(t, n, 28, name)
				continue
			}
			require.GreaterOrEqual(t, len(packets), last, name)
			if len(packets) > last {
				assert.False(t, r.Truncated, "%s: %d bytes end with a record", name, n)
			}
			last = len(packets)
		}
		assert.Equal(t, len(frames)-1, last, name)
	}
}

func TestFlowsThatACutFileLeavesOpenAreNoted(t *testing.T) {
	var b bytes.Buffer
	frames := captest.Merge(captest.Flows(captest.Options{Seed: 1, Flows: 1, Only: "still-open"}))
	require.NoError(t, captest.WritePcap(&b, frames, captest.Format{}))
	for n, want := range map[int]bool{b.Len(): false, b.Len() - 1: true} {
		for f, err := range capture.Flows(bytes.NewReader(b.Bytes()[:n]), capture.Options{All: true}) {
			require.NoError(t, err)
			noted := slices.ContainsFunc(f.Verdict.Notes, func(n validator.Finding) bool { return n.Reason == validator.CaptureIncomplete })
			assert.Equal(t, want, noted)
		}
	}
}

func TestCapturesMayFollowEachOtherInOneFile(t *testing.T) {
	var b bytes.Buffer
	for _, begin := range []int64{1767225600e9, 1767000000e9, 1768000000e9} {
		flows := captest.Flows(captest.Options{Seed: 1, Flows: 1, Only: "first-byte-timeout", Begin: begin})
		require.NoError(t, captest.WritePcapng(&b, captest.Merge(flows), captest.Format{}))
	}
	n := 0
	for f, err := range capture.Flows(&b, capture.Options{All: true}) {
		require.NoError(t, err)
		assert.Equal(t, "first-byte-timeout", f.Verdict.Reason.String())
		n++
	}
	assert.Equal(t, 3, n)
}

func TestRecordsMayBeLongerThanTheSnapshotLength(t *testing.T) {
	frames := sample(3)
	var b bytes.Buffer
	require.NoError(t, captest.WritePcap(&b, slices.Values(frames), captest.Format{}))
	file := b.Bytes()
	binary.LittleEndian.PutUint32(file[16:], 64)
	packets, _, err := read(t, &b)
	require.NoError(t, err)
	assert.Len(t, packets, len(frames))
}

func TestSnapshotsKeepTheLengthOnTheWire(t *testing.T) {
	frames := sample(10)
	for _, write := range []func(io.Writer, captest.Format) error{
		func(w io.Writer, f captest.Format) error { return captest.WritePcap(w, slices.Values(frames), f) },
		func(w io.Writer, f captest.Format) error { return captest.WritePcapng(w, slices.Values(frames), f) },
	} {
		var b bytes.Buffer
		require.NoError(t, write(&b, captest.Format{Snaplen: 80}))
		packets, _, err := read(t, &b)
		require.NoError(t, err)
		for i, p := range packets {
			assert.Equal(t, frames[i].Length, p.Length)
			assert.LessOrEqual(t, len(p.Data), 80)
			var s, whole capture.Segment
			q := frames[i].Packet(capture.Ethernet)
			if s.Decode(&p) == capture.IsTCP {
				whole.Decode(&q)
				assert.Equal(t, whole.Length, s.Length)
				assert.Equal(t, len(s.Payload) < s.Length, s.Cut)
			}
		}
	}
}

func TestSectionsAndInterfacesMayDiffer(t *testing.T) {
	o := binary.BigEndian
	block := func(kind uint32, body []byte) []byte {
		n := uint32(12 + len(body))
		return o.AppendUint32(append(o.AppendUint32(o.AppendUint32(nil, kind), n), body...), n)
	}
	section := block(0x0A0D0D0A, []byte{0x1A, 0x2B, 0x3C, 0x4D, 0, 1, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255})
	raw := block(1, []byte{0, 101, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0x8A, 0, 0, 0, 0, 14, 0, 8, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0}) // units of 2^-10 s, 5 s later
	cooked := block(1, []byte{1, 20, 0, 0, 0, 0, 0, 0})
	packet := func(device byte, stamp uint32) []byte {
		return block(6, append([]byte{0, 0, 0, device, 0, 0, 0, 0}, append(o.AppendUint32(nil, stamp), 0, 0, 0, 3, 0, 0, 0, 9, 'a', 'b', 'c', 0)...))
	}
	simple := block(3, []byte{0, 0, 0, 2, 'x', 'y', 0, 0})
	unknown := block(0x0BAD, []byte{1, 2, 3, 4})
	statistics := block(5, []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7})
	var little bytes.Buffer
	require.NoError(t, captest.WritePcapng(&little, slices.Values(sample(1)), captest.Format{}))
	file := slices.Concat(section, raw, cooked, unknown, packet(0, 1536), packet(1, 2000000), simple, statistics, little.Bytes())
	packets, r, err := read(t, bytes.NewReader(file))
	require.NoError(t, err)
	require.Greater(t, len(packets), 3)
	assert.Equal(t, capture.Packet{Time: 6.5e9, Link: capture.Raw, Length: 9, Data: []byte("abc")}, packets[0])
	assert.Equal(t, capture.Packet{Time: 2e9, Link: capture.SLL2, Length: 9, Data: []byte("abc")}, packets[1])
	assert.Equal(t, capture.Packet{Time: 2e9, Link: capture.Raw, Length: 2, Data: []byte("xy")}, packets[2])
	assert.Equal(t, capture.Ethernet, packets[3].Link)
	assert.EqualValues(t, 7, r.Drops)
}

// Packets may say how many were lost before them, and statistics how many were
// lost of an interface so far: both count the same ones.
func TestPacketsThatWereLostCountOnce(t *testing.T) {
	o := binary.BigEndian
	block := func(kind uint32, body ...byte) []byte {
		n := uint32(12 + len(body))
		return o.AppendUint32(append(o.AppendUint32(o.AppendUint32(nil, kind), n), body...), n)
	}
	section := block(0x0A0D0D0A, 0x1A, 0x2B, 0x3C, 0x4D, 0, 1, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255)
	device := block(1, 0, 101, 0, 0, 0, 0, 0, 0)
	count := func(code byte, n uint64) []byte { return o.AppendUint64([]byte{0, code, 0, 8}, n) }
	packet := func(device byte, lost uint64) []byte {
		return block(6, append([]byte{0, 0, 0, device, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}, count(4, lost)...)...)
	}
	obsolete := func(lost uint16) []byte {
		return block(2, append(o.AppendUint16([]byte{0, 0}, lost), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9)...)
	}
	statistics := func(device byte, lost uint64) []byte {
		return block(5, append([]byte{0, 0, 0, device, 0, 0, 0, 0, 0, 0, 0, 0}, count(5, lost)...)...)
	}
	for what, c := range map[string]struct {
		blocks [][]byte
		want   int64
	}{
		"packets alone":         {[][]byte{packet(0, 3), packet(0, 4)}, 7},
		"statistics alone":      {[][]byte{statistics(0, 3), packet(0, 0), statistics(0, 5)}, 5},
		"both":                  {[][]byte{packet(0, 3), statistics(0, 3), packet(0, 4), statistics(0, 7)}, 7},
		"statistics know more":  {[][]byte{packet(0, 3), statistics(0, 9)}, 9},
		"packets know more":     {[][]byte{statistics(0, 3), packet(0, 9)}, 9},
		"of two interfaces":     {[][]byte{packet(0, 3), statistics(1, 3), packet(1, 1)}, 6},
		"of two sections":       {[][]byte{statistics(0, 3), section, device, statistics(0, 2)}, 5},
		"obsolete":              {[][]byte{obsolete(3), obsolete(0xFFFF), statistics(0, 3)}, 3},
		"not known":             {[][]byte{packet(0, 1<<64-1), statistics(0, 1<<64-1), statistics(0, 1<<63)}, 0},
		"more than there could": {[][]byte{packet(0, 1<<63-1), packet(0, 1<<63-1), statistics(1, 1<<63-1)}, 1<<63 - 1},
	} {
		_, r, err := read(t, bytes.NewReader(slices.Concat(section, device, device, slices.Concat(c.blocks...))))
		require.NoError(t, err, what)
		assert.Equal(t, c.want, r.Drops, what)
	}
}

func TestWhatIsNoCapture(t *testing.T) {
	for _, b := range []string{"", "abc", "PK\x03\x04 and so on, for long enough to be a header", "\x1f\x8b\x08", "\xd4\xc3\xb2\xa1"} {
		_, _, err := read(t, strings.NewReader(b))
		assert.Error(t, err, "%q", b)
	}
	boom := errors.New("boom")
	_, _, err := read(t, iotest.ErrReader(boom))
	assert.ErrorIs(t, err, boom)
}

// tshark counts as many packets and reads the same times.
func TestTsharkReadsTheSame(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		missing(t, "tshark is not installed")
	}
	frames := sample(20)
	for name, file := range files(t, frames) {
		if !strings.Contains(name, "BigEndian, nano true") {
			continue // each run takes a second
		}
		path := filepath.Join(t.TempDir(), "capture")
		require.NoError(t, os.WriteFile(path, file, 0o600))
		out, err := exec.Command("tshark", "-n", "-r", path, "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "tcp.seq_raw", "-e", "tcp.len", "-e", "tcp.flags.reset").Output()
		require.NoError(t, err, name)
		packets, _, err := read(t, bytes.NewReader(file))
		require.NoError(t, err)
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		require.Len(t, lines, len(packets), name)
		for i, p := range packets {
			var s capture.Segment
			if s.Decode(&p) != capture.IsTCP || s.Fragment {
				continue
			}
			want := fmt.Sprintf("%d.%09d\t%d\t%d\t%d", p.Time/1e9, p.Time%1e9, p.Length, s.Seq, s.Length)
			assert.True(t, strings.HasPrefix(lines[i], want), "%s: got %s, tshark has %s", name, want, lines[i])
		}
		if testing.Short() {
			return
		}
	}
}
