package capture

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestARecordIsThreeCacheLines(t *testing.T) {
	assert.EqualValues(t, 3*64, reflect.TypeFor[record]().Size())
	assert.Zero(t, chunkSize*reflect.TypeFor[record]().Size()%8192, "a chunk is whole pages")
}

func TestALongCountsBeyondSequenceNumbers(t *testing.T) {
	const most = 1<<48 - 1
	for n, want := range map[uint64]uint64{0: 0, 1: 1, 1<<32 - 1: 1<<32 - 1, 5<<32 + 7: 5<<32 + 7, most: most, most + 1: most, 1 << 63: most} {
		l := longOf(n)
		assert.Equal(t, want, l.count())
	}
}

// Whichever end sends, and be its addresses of IPv4 or of IPv6, a segment finds its
// flow alone; when that is gone, nothing is left.
func TestSegmentsFindTheirFlows(t *testing.T) {
	v4 := func(n uint64) Address { return Address{0, mapped | n} }
	v6 := func(n uint64) Address { return Address{0x20010DB8 << 32, n} }
	addresses := []Address{v4(1), v4(2), v6(1), v6(2), {0, 1}, {1, mapped | 1}}
	table := newTable()
	var segments []Segment
	for _, a := range addresses {
		for _, b := range addresses {
			for _, port := range []uint16{80, 81} {
				segments = append(segments, Segment{Source: a, Destination: b, SourcePort: 1000, DestinationPort: port})
			}
		}
	}
	numbers := map[uint32]bool{}
	for i := range segments {
		s := &segments[i]
		n, _, _ := table.find(s, table.hashOf(s))
		assert.Zero(t, n)
		n = table.add(s, table.hashOf(s))
		assert.False(t, numbers[n])
		numbers[n] = true
	}
	for i := range segments {
		s := segments[i]
		n, f, first := table.find(&s, table.hashOf(&s))
		assert.NotZero(t, n)
		assert.True(t, first)
		one, two := table.addresses(f)
		assert.Equal(t, []Address{s.Source, s.Destination}, []Address{one, two})
		s.Source, s.Destination, s.SourcePort, s.DestinationPort = s.Destination, s.Source, s.DestinationPort, s.SourcePort
		back, _, first := table.find(&s, table.hashOf(&s))
		assert.Equal(t, n, back)
		assert.False(t, first)
	}
	for n := range numbers {
		table.remove(n)
	}
	assert.Zero(t, table.used)
	assert.Zero(t, table.pairs.used())
	for _, slot := range table.slots {
		assert.Zero(t, slot)
	}
}
