package capture

import (
	"encoding/binary"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// synOf gives the packet that begins a flow of a client of its own.
func synOf(client uint32, at int64) *Packet {
	b := []byte{0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0}
	b = binary.BigEndian.AppendUint32(b, 11<<24+client)
	b = append(b, 10, 0, 0, 2, 0x90, 0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, SYN, 1, 0, 0, 0, 0, 0)
	return &Packet{Time: at, Link: Raw, Length: len(b), Data: b}
}

// What time that goes back costs does not depend on how many flows there once
// were: their records are as good as new.
func TestRecordsAreFreshOnceAllFlowsWereGiven(t *testing.T) {
	given := 0
	tr := NewTracker(Options{All: true}, func(*Flow) { given++ })
	const many = 5000
	for i := range uint32(many) {
		tr.Packet(synOf(i, 1e15))
	}
	require.EqualValues(t, many, tr.table.top)
	for i := range 10 {
		for range several { // fewer are not believed
			tr.Packet(synOf(1, 1e12+int64(i%2)*1e15))
		}
		assert.EqualValues(t, 1, tr.table.top, "records to look at")
	}
	tr.Close()
	assert.Equal(t, many+10, given)
}

// What traces hold is bounded by what is counted for them, also once their flows
// are over.
func TestTracesThatWereUsedHoldNothing(t *testing.T) {
	tr := NewTracker(Options{Trace: 64, Buffer: 1 << 20}, func(*Flow) {})
	at := int64(1e15)
	for range 3 { // each round takes the traces of the one before
		for i := range uint32(100) {
			for range 64 {
				at++
				tr.Packet(synOf(i, at))
			}
		}
		tr.Close()
	}
	require.Zero(t, tr.traced)
	for n := uint32(1); n <= tr.traces.top; n++ {
		assert.Zero(t, cap(tr.traces.at(n).kept), "bytes that nobody counts")
	}
}

// Nor do conversations that are over, but for a few.
func TestConversationsThatAreOverHoldLittle(t *testing.T) {
	tr := NewTracker(Options{}, func(*Flow) {})
	flows := make([]record, 4*fewTalks)
	for i := range flows {
		c := tr.meet(&flows[i])
		c.raw = make([]byte, 100, 2000)
	}
	for i := range flows {
		tr.hangUp(&flows[i])
	}
	assert.Zero(t, tr.bytes)
	held := 0
	for n := uint32(1); n <= tr.talks.top; n++ {
		held += tr.talks.at(n).buffers()
	}
	assert.LessOrEqual(t, held, fewTalks*2000)
}

// What another flow asked is no matter of the one that has its storage.
func TestAConversationBeginsWithNothingAsked(t *testing.T) {
	tr := NewTracker(Options{}, func(*Flow) {})
	before, f := &record{}, &record{}
	tr.ask(before, tr.meet(before), []byte("HEAD / HTTP/1.1\r\n\r\n"), 0)
	tr.hangUp(before)
	c := tr.meet(f)
	tr.answer(f, c, []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), 0)
	assert.False(t, c.whole)
}

// What a head costs grows with its length, be its pieces as small as they may.
func BenchmarkHeadInSmallPieces(b *testing.B) {
	for _, size := range []int{2000, 200_000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			piece := []byte("x")
			for b.Loop() {
				c, f := &talk{}, &record{}
				c.response.Limits.Head = 1 << 20
				c.feed(f, []byte("HTTP/1.1 200 OK\r\nX: "))
				for range size {
					c.feed(f, piece)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(size), "ns/piece")
		})
	}
}
