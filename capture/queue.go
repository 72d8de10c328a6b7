package capture

// An ending is a flow that ended, by its record's number and generation.
type ending struct {
	time       int64
	number     uint32
	generation uint32
}

// A queue holds endings in the order of time.
type queue struct {
	ring []ending // its length is a power of two
	head int
	size int
}

func (q *queue) first() (ending, bool) {
	if q.size == 0 {
		return ending{}, false
	}
	return q.ring[q.head], true
}

func (q *queue) pop() {
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.size--
}

func (q *queue) push(e ending) {
	if q.size == len(q.ring) {
		ring := make([]ending, max(2*len(q.ring), 64))
		for i := range q.size {
			ring[i] = q.ring[(q.head+i)&(len(q.ring)-1)]
		}
		q.ring, q.head = ring, 0
	}
	q.ring[(q.head+q.size)&(len(q.ring)-1)] = e
	q.size++
}

// A pool holds things by number, from 1 on, and gives freed ones again.
type pool[T any] struct {
	chunks [][]T
	top    uint32
	free   []uint32
}

const poolChunk = 64

// at gives the thing of that number.
func (p *pool[T]) at(n uint32) *T { return &p.chunks[(n-1)/poolChunk][(n-1)%poolChunk] }

// take gives the number of a thing, which is as put left it.
func (p *pool[T]) take() uint32 {
	if last := len(p.free) - 1; last >= 0 {
		n := p.free[last]
		p.free = p.free[:last]
		return n
	}
	if p.top%poolChunk == 0 {
		p.chunks = append(p.chunks, make([]T, poolChunk))
	}
	p.top++
	return p.top
}

// put takes a thing back.
func (p *pool[T]) put(n uint32) { p.free = append(p.free, n) }

// inUse is how many things are out.
func (p *pool[T]) inUse() int { return int(p.top) - len(p.free) }

// evict makes room for a flow: one that ended goes or, where there is none, of
// some the one that is worth least.
func (t *Tracker) evict() {
	for {
		e, ok := t.queue.first()
		if !ok {
			break
		}
		t.queue.pop()
		before := t.table.used
		if t.leave(e); t.table.used < before {
			return
		}
	}
	const sample = 16
	var worst uint32
	for range sample {
		n := t.turn()
		f := t.table.at(n)
		if !f.has(inUse) {
			continue
		}
		if worst == 0 || f.worth() < t.table.at(worst).worth() {
			worst = n
		}
	}
	for worst == 0 {
		if n := t.turn(); t.table.at(n).has(inUse) {
			worst = n
		}
	}
	t.table.at(worst).marks |= evicted
	t.stats.Evicted++
	t.finish(worst)
}

// worth orders flows: those that never were connections go first, as in a flood
// of SYNs, and then those that were silent longest.
func (f *record) worth() int64 {
	if !f.side[origin].is(synchronized) && !f.has(joined) || !f.side[origin].is(acknowledged) {
		return f.last / 2
	}
	return f.last
}

// turn moves the hand on to the next record.
func (t *Tracker) turn() uint32 {
	if t.hand++; t.hand > t.table.top {
		t.hand = 1
	}
	return t.hand
}

// sweep looks at a few flows, and gives up those that were silent for long.
func (t *Tracker) sweep() {
	const several = 2
	for range min(several, int(t.table.top)) {
		n := t.turn()
		if f := t.table.at(n); f.has(inUse) && t.now-f.last > t.silent {
			t.finish(n)
		}
	}
}
