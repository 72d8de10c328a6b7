package capture

import (
	"bytes"
	"io"
	"testing"

	"github.com/google/gopacket/pcapgo"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReaderReadsWhatAWriterWrote(t *testing.T) {
	packets := []Packet{
		{Time: 1763800000_123456789, Link: Raw, Length: 40, Data: draft{from: someone, to: one}.ip()},
		{Time: 1763800000_123456790, Link: Raw, Length: 9000, Data: draft{from: some6, to: one6}.ip()},
		{Time: 1763800001_000000000, Link: Raw, Length: 1, Data: []byte{0}},
	}
	var file bytes.Buffer
	w, err := NewWriter(&file, "eth0", Raw)
	require.NoError(t, err)
	for i := range packets {
		require.NoError(t, w.Write(&packets[i]))
	}
	require.NoError(t, w.Drops(7))
	require.NoError(t, w.Flush())
	r, err := NewReader(&file)
	require.NoError(t, err)
	var p Packet
	for i := range packets {
		require.NoError(t, r.Next(&p))
		assert.Equal(t, packets[i], p)
	}
	assert.Equal(t, io.EOF, r.Next(&p))
	assert.EqualValues(t, 7, r.Drops)
}

// gopacket reads the same.
func TestWhatAWriterWroteIsPcapng(t *testing.T) {
	var file bytes.Buffer
	w, err := NewWriter(&file, "eth0", Raw)
	require.NoError(t, err)
	data := draft{from: someone, to: one}.ip()
	for i := range 5 {
		require.NoError(t, w.Write(&Packet{Time: 1763800000_123456789, Link: Raw, Length: 9000, Data: data[:len(data)-i]}))
	}
	require.NoError(t, w.Drops(7))
	require.NoError(t, w.Flush())
	r, err := pcapgo.NewNgReader(&file, pcapgo.DefaultNgReaderOptions)
	require.NoError(t, err)
	assert.Equal(t, "why520", r.SectionInfo().Application)
	for i := range 5 {
		b, info, err := r.ReadPacketData()
		require.NoError(t, err)
		assert.Equal(t, data[:len(data)-i], b)
		assert.Equal(t, 9000, info.Length)
		assert.EqualValues(t, 1763800000_123456789, info.Timestamp.UnixNano())
	}
	_, _, err = r.ReadPacketData()
	assert.Equal(t, io.EOF, err)
	device, err := r.Interface(0)
	require.NoError(t, err)
	assert.Equal(t, "eth0", device.Name)
	assert.EqualValues(t, Raw, device.LinkType)
	assert.EqualValues(t, 7, device.Statistics.PacketsDropped)
}

func TestWriterTellsThatItCannotWrite(t *testing.T) {
	_, err := NewWriter(failing{}, "eth0", Ethernet)
	assert.ErrorIs(t, err, io.ErrShortWrite)
	w, err := NewWriter(io.Discard, "eth0", Ethernet)
	require.NoError(t, err)
	assert.Error(t, w.Write(&Packet{Link: Raw, Data: []byte{1}, Length: 1}))
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
