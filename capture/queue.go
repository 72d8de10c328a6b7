package capture

// An ending is a flow that ended, by its record's number, and by when it began:
// the record may have become another's since.
type ending struct {
	time   int64
	number uint32
	first  uint32 // lower half of the record's
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
	chunks []*[poolChunk]T
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
		p.chunks = append(p.chunks, new([poolChunk]T))
	}
	p.top++
	return p.top
}

// put takes a thing back.
func (p *pool[T]) put(n uint32) { p.free = append(p.free, n) }

// used is how many things are in use.
func (p *pool[T]) used() int { return int(p.top) - len(p.free) }
