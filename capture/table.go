package capture

import (
	"math/bits"
	"math/rand/v2"
)

// A key names a flow by its two ends: first that which sent the first segment
// that was seen.
type key struct {
	first, second         Address
	firstPort, secondPort uint16
}

// keyOf gives the key of the flow that begins with s.
func keyOf(s *Segment) key {
	return key{s.Source, s.Destination, s.SourcePort, s.DestinationPort}
}

// sentBy says whether s is of k's flow, and whether the first end sent it. It
// does not branch on that, for nobody could predict which end sends next.
func (k *key) sentBy(s *Segment) (first, is bool) {
	forth := k.first.high ^ s.Source.high | k.first.low ^ s.Source.low | uint64(k.firstPort^s.SourcePort) |
		k.second.high ^ s.Destination.high | k.second.low ^ s.Destination.low | uint64(k.secondPort^s.DestinationPort)
	back := k.first.high ^ s.Destination.high | k.first.low ^ s.Destination.low | uint64(k.firstPort^s.DestinationPort) |
		k.second.high ^ s.Source.high | k.second.low ^ s.Source.low | uint64(k.secondPort^s.SourcePort)
	return forth == 0, min(forth, back) == 0
}

// A table holds records of flows in chunks that never move, and finds them by
// open addressing with linear probing. Neither holds pointers.
type table struct {
	seed   [4]uint64 // random, so that nobody can choose addresses that collide
	slots  []uint64  // upper half: the hash's; lower half: number of a record, 0: free
	used   int
	chunks []*[chunkSize]record
	free   uint32 // list of free records, by next; 0: none
	top    uint32 // records that were used since all flows were given: numbers go from 1 to top
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

// hash is the same whichever end sent s.
func (t *table) hash(s *Segment) uint32 {
	h := fold(s.Source.high^t.seed[0], s.Source.low^t.seed[1]) + fold(s.Destination.high^t.seed[0], s.Destination.low^t.seed[1])
	ports := uint64(max(s.SourcePort, s.DestinationPort))<<16 | uint64(min(s.SourcePort, s.DestinationPort))
	return uint32(fold(h^t.seed[2], ports^t.seed[3]))
}

// fold mixes two words by a multiplication.
func fold(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}

// find gives the number of the flow of s, 0 where there is none, and whether its
// first end sent s.
func (t *table) find(s *Segment, hash uint32) (n uint32, first bool) {
	mask := uint32(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		slot := t.slots[i]
		if slot == 0 {
			return 0, true
		}
		if uint32(slot>>32) != hash {
			continue
		}
		n = uint32(slot)
		if first, is := t.at(n).key.sentBy(s); is {
			return n, first
		}
	}
}

// add makes a record for the flow that begins with s, which has none. It is zero
// but for its key and generation.
func (t *table) add(s *Segment, hash uint32) uint32 {
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
		*t.at(n) = record{} // it may have been used before all flows were given
	}
	f := t.at(n)
	f.key, f.hash, f.marks = keyOf(s), hash, inUse
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
