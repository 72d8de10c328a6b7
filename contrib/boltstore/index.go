package boltstore

import "container/list"

// An index has the keys of the file with their sizes, in the order of use.
type index struct {
	items map[string]*list.Element // of item
	used  list.List                // of item, what was used last at the front
	size  int64
}

type item struct {
	key  string
	size int64
}

// sizeOf is what the budget counts.
func sizeOf(key string, value []byte) int64 { return int64(len(key) + numberSize + len(value)) }

// touch reports whether key is there, and has then been used.
func (x *index) touch(key string) bool {
	e, ok := x.items[key]
	if ok {
		x.used.MoveToFront(e)
	}
	return ok
}

func (x *index) add(key string, size int64) {
	x.remove(key)
	if x.items == nil {
		x.items = map[string]*list.Element{}
	}
	x.items[key] = x.used.PushFront(item{key, size})
	x.size += size
}

func (x *index) remove(key string) {
	if e, ok := x.items[key]; ok {
		delete(x.items, key)
		x.size -= x.used.Remove(e).(item).size
	}
}

// shrink removes what was used least recently until budget holds the rest, and
// gives the keys.
func (x *index) shrink(budget int64) (evicted []string) {
	for x.size > budget {
		key := x.used.Back().Value.(item).key
		x.remove(key)
		evicted = append(evicted, key)
	}
	return evicted
}

// apply makes the changes in the order of keys, and gives what had to go for them.
func (x *index) apply(keys []string, changes map[string]change, budget int64) map[string]bool {
	evicted := map[string]bool{}
	for _, key := range keys {
		value := changes[key].value
		if value == nil {
			x.remove(key)
			continue
		}
		delete(evicted, key)
		x.add(key, sizeOf(key, value))
		for _, key := range x.shrink(budget) {
			evicted[key] = true
		}
	}
	return evicted
}
