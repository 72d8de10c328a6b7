package capture

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

// sweep, once in many new flows, looks at some more, which lie side by side, and
// gives those up that were silent for long.
func (t *Tracker) sweep() {
	const many, some = 64, 16
	if t.stats.Flows%many != 0 || t.table.top == 0 {
		return
	}
	for range some {
		n := t.turn()
		if f := t.table.at(n); f.has(inUse) && t.now-f.last > t.silent {
			t.finish(n)
		}
	}
}
