package capture

import (
	"bytes"
	"io"
	"testing"

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

func TestWriterRefusesWhatItCannotWrite(t *testing.T) {
	_, err := NewWriter(io.Discard, "any", SLL2)
	assert.ErrorContains(t, err, "276")
	w, err := NewWriter(io.Discard, "eth0", Ethernet)
	require.NoError(t, err)
	assert.Error(t, w.Write(&Packet{Link: Raw, Data: []byte{1}, Length: 1}))
}
