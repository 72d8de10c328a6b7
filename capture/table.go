package capture

import (
	"math/bits"
	"math/rand/v2"
)

// A key names a flow by its two ends: first that which sent the first segment
// that was seen. Its addresses are of IPv4 or, iff the flow is wide, first is the
// number of the pair of them.
type key struct {
	first, second         uint32
	firstPort, secondPort uint16
}

// A pair is the addresses of both ends.
type pair struct{ first, second Address }

// addresses gives those of both ends of f.
func (t *table) addresses(f *record) (first, second Address) {
	if f.has(wide) {
		p := t.pairs.at(f.key.first)
		return p.first, p.second
	}
	return Address{0, mapped | uint64(f.key.first)}, Address{0, mapped | uint64(f.key.second)}
}

// sentBy says whether s is of flow f, and whether the first end sent it. It
// does not branch on that, for nobody could predict which end sends next.
func (t *table) sentBy(f *record, s *Segment) (first, is bool) {
	k := &f.key
	if !f.has(wide) {
		from, to := s.Source, s.Destination
		addresses, ports := uint64(k.first)<<32|uint64(k.second), uint32(k.firstPort)<<16|uint32(k.secondPort)
		forth := (addresses ^ (from.low<<32 | to.low&0xFFFFFFFF)) | uint64(ports^(uint32(s.SourcePort)<<16|uint32(s.DestinationPort)))
		back := (addresses ^ (to.low<<32 | from.low&0xFFFFFFFF)) | uint64(ports^(uint32(s.DestinationPort)<<16|uint32(s.SourcePort)))
		other := from.high | to.high | (from.low^mapped)>>32 | (to.low^mapped)>>32 // 0: both are of IPv4
		return forth == 0, min(forth, back)|other == 0
	}
	one, two := t.addresses(f)
	forth := one.apart(s.Source) | two.apart(s.Destination) | uint64(k.firstPort^s.SourcePort) | uint64(k.secondPort^s.DestinationPort)
	back := one.apart(s.Destination) | two.apart(s.Source) | uint64(k.firstPort^s.DestinationPort) | uint64(k.secondPort^s.SourcePort)
	return forth == 0, min(forth, back) == 0
}

// A table holds records of flows in chunks that never move, and finds them by
// open addressing with linear probing. Neither holds pointers.
type table struct {
	seed   [4]uint64 // random, so that nobody can choose addresses that collide
	slots  []uint64  // upper half: the hash's; lower half: number of a record, 0: free
	used   int
	chunks []*[chunkSize]record
	pairs  pool[pair]
	free   uint32 // list of free records, by aside; 0: none
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

// hashOf gives the hash of the flow of s, whichever end sent that.
func (t *table) hashOf(s *Segment) uint32 {
	return t.hash(s.Source, s.Destination, s.SourcePort, s.DestinationPort)
}

func (t *table) hash(a, b Address, port, other uint16) uint32 {
	h := fold(a.high^t.seed[0], a.low^t.seed[1]) + fold(b.high^t.seed[0], b.low^t.seed[1])
	ports := uint64(max(port, other))<<16 | uint64(min(port, other))
	return uint32(fold(h^t.seed[2], ports^t.seed[3]))
}

// fold mixes two words by a multiplication.
func fold(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}

// find gives the number and the record of the flow of s, 0 where there is none, and
// whether its first end sent s.
func (t *table) find(s *Segment, hash uint32) (n uint32, f *record, first bool) {
	mask := uint32(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		slot := t.slots[i]
		if slot == 0 {
			return 0, nil, true
		}
		if uint32(slot>>32) != hash {
			continue
		}
		n = uint32(slot)
		f = t.at(n)
		if first, is := t.sentBy(f, s); is {
			return n, f, first
		}
	}
}

// add makes a record for the flow that begins with s, which has none. It is zero
// but for its key.
func (t *table) add(s *Segment, hash uint32) uint32 {
	if t.used >= len(t.slots)/4*3 {
		t.grow()
	}
	n := t.free
	if n != 0 {
		t.free = t.at(n).aside
	} else {
		if t.top>>chunkBits == uint32(len(t.chunks)) {
			t.chunks = append(t.chunks, new([chunkSize]record))
		}
		t.top++
		n = t.top
	}
	f := t.at(n)
	*f = record{marks: inUse, key: key{uint32(s.Source.low), uint32(s.Destination.low), s.SourcePort, s.DestinationPort}}
	if !s.Source.narrow() || !s.Destination.narrow() {
		f.marks |= wide
		f.key.first = t.pairs.take()
		*t.pairs.at(f.key.first) = pair{s.Source, s.Destination}
	}
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

// close says that nothing is looked for or added any more.
func (t *table) close() { t.slots = nil }

// drop lets go of the records up to n, the last of a chunk, which are free: those
// of the first chunk stand in for them.
func (t *table) drop(n uint32) { t.chunks[(n-1)>>chunkBits] = t.chunks[0] }

// remove frees record n.
func (t *table) remove(n uint32) {
	f := t.at(n)
	if t.slots != nil {
		t.leave(n, f)
	}
	if f.has(wide) {
		t.pairs.put(f.key.first)
	}
	f.marks = 0
	f.aside, t.free = t.free, n
	t.used--
}

// leave closes the gap that the slot of record n leaves.
func (t *table) leave(n uint32, f *record) {
	mask := uint32(len(t.slots) - 1)
	a, b := t.addresses(f)
	i := t.hash(a, b, f.key.firstPort, f.key.secondPort) & mask
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
}
