package capture

import (
	"math/bits"
	"math/rand/v2"
)

// A key names a flow, whichever side sends: the lower address and port first.
type key struct {
	low, high         Address
	lowPort, highPort uint16
}

// keyOf gives the key of a segment's flow, and whether its sender is the low side.
func keyOf(s *Segment, k *key) (fromLow bool) {
	from, to := s.Source.low, s.Destination.low
	if s.Source.high != s.Destination.high {
		from, to = s.Source.high, s.Destination.high
	}
	if from < to || from == to && s.SourcePort <= s.DestinationPort {
		k.low, k.lowPort, k.high, k.highPort = s.Source, s.SourcePort, s.Destination, s.DestinationPort
		return true
	}
	k.low, k.lowPort, k.high, k.highPort = s.Destination, s.DestinationPort, s.Source, s.SourcePort
	return false
}

// is compares word by word, which == on the whole struct does not.
func (k *key) is(other *key) bool {
	return k.low == other.low && k.high == other.high && k.lowPort == other.lowPort && k.highPort == other.highPort
}

// A table holds records of flows in chunks that never move, and finds them by
// open addressing with linear probing. Neither holds pointers.
type table struct {
	seed   [4]uint64 // random, so that nobody can choose addresses that collide
	slots  []uint64  // upper half: the hash's; lower half: number of a record, 0: free
	used   int
	chunks []*[chunkSize]record
	free   uint32 // list of free records, by next; 0: none
	top    uint32 // records that were ever used: numbers go from 1 to top
}

const (
	chunkBits = 10
	chunkSize = 1 << chunkBits
)

func newTable() *table {
	t := &table{slots: make([]uint64, 1<<12)}
	for i := range t.seed {
		t.seed[i] = rand.Uint64()
	}
	return t
}

// at gives the record of that number.
func (t *table) at(n uint32) *record {
	return &t.chunks[(n-1)>>chunkBits][(n-1)%chunkSize]
}

func (t *table) hash(k *key) uint32 {
	h := fold(k.low.high^t.seed[0], k.low.low^t.seed[1])
	h ^= fold(k.high.high^t.seed[2], k.high.low^t.seed[3])
	return uint32(fold(h^t.seed[0], t.seed[1]^(uint64(k.lowPort)<<16|uint64(k.highPort))))
}

// fold mixes two words by a multiplication.
func fold(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}

// find gives the number of the flow of k, 0 where there is none.
func (t *table) find(k *key, hash uint32) uint32 {
	mask := uint32(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		slot := t.slots[i]
		switch n := uint32(slot); {
		case n == 0:
			return 0
		case uint32(slot>>32) == hash && t.at(n).key.is(k):
			return n
		}
	}
}

// add makes a record for k, which has none. It is zero but for its key and
// generation.
func (t *table) add(k *key, hash uint32) uint32 {
	if t.used >= len(t.slots)/4*3 {
		t.grow()
	}
	n := t.free
	if n != 0 {
		t.free = t.at(n).link
		*t.at(n) = record{generation: t.at(n).generation}
	} else {
		if t.top>>chunkBits == uint32(len(t.chunks)) {
			t.chunks = append(t.chunks, new([chunkSize]record))
		}
		t.top++
		n = t.top
	}
	f := t.at(n)
	f.key, f.hash, f.marks = *k, hash, inUse
	t.insert(hash, n)
	t.used++
	return n
}

func (t *table) insert(hash, n uint32) {
	mask := uint32(len(t.slots) - 1)
	i := hash & mask
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = uint64(hash)<<32 | uint64(n)
}

func (t *table) grow() {
	old := t.slots
	t.slots = make([]uint64, 2*len(old))
	for _, slot := range old {
		if slot != 0 {
			t.insert(uint32(slot>>32), uint32(slot))
		}
	}
}

// remove frees record n, and closes the gap that its slot leaves.
func (t *table) remove(n uint32) {
	f := t.at(n)
	mask := uint32(len(t.slots) - 1)
	i := f.hash & mask
	for uint32(t.slots[i]) != n {
		i = (i + 1) & mask
	}
	for j := i; ; {
		j = (j + 1) & mask
		slot := t.slots[j]
		if slot == 0 {
			break
		}
		if home := uint32(slot>>32) & mask; (j-home)&mask >= (j-i)&mask {
			t.slots[i] = slot
			i = j
		}
	}
	t.slots[i] = 0
	f.marks = 0
	f.link, t.free = t.free, n
	t.used--
}
