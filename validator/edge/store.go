package edge

import (
	"bytes"
	"container/list"
	"fmt"
	"sync"
)

// A Store keeps values by key. Two are in this repository: MemoryStore, and
// contrib/boltstore, on disk. It may forget any value at any time, and may be used
// by many goroutines at once. What it gives back is checked (a checksum is in every
// value of AlwaysOnline), so a store need not notice damage itself.
type Store interface {
	// Load gives what was saved under key last; false: nothing is there. The
	// caller does not write to the value.
	Load(key string) (value []byte, ok bool)

	// Save keeps value, which the caller does not touch again. It is called
	// while a client waits for the end of a response, so it does not wait for a
	// disk. An error says why value is not kept; what was there before may be
	// gone then.
	Save(key string, value []byte) error

	// Delete forgets key, at once: no Load begun later finds it.
	Delete(key string)
}

// DefaultBudget is the budget of a MemoryStore that sets none.
const DefaultBudget = 64 << 20

// A MemoryStore is a Store that forgets what was used least recently. The zero
// MemoryStore is ready.
type MemoryStore struct {
	Budget int64 // bytes of all keys and values together; 0: DefaultBudget

	mu    sync.Mutex
	items map[string]*list.Element // of *item
	used  list.List                // of *item, what was used last at the front
	size  int64
}

type item struct {
	key   string
	value []byte
}

func (i *item) size() int64 { return int64(len(i.key)) + int64(len(i.value)) }

// Load implements Store.
func (m *MemoryStore) Load(key string) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.items[key]
	if !ok {
		return nil, false
	}
	m.used.MoveToFront(e)
	return e.Value.(*item).value, true
}

// Save implements Store. A value that is larger than the whole budget is refused.
func (m *MemoryStore) Save(key string, value []byte) error {
	if cap(value)-len(value) > len(value)/8 {
		value = bytes.Clone(value) // the budget counts lengths: no large slack behind them
	}
	budget := m.Budget
	if budget == 0 {
		budget = DefaultBudget
	}
	i := &item{key, value}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(key)
	if i.size() > budget {
		return fmt.Errorf("%d bytes are above the store's budget of %d", i.size(), budget)
	}
	for m.size+i.size() > budget {
		m.remove(m.used.Back().Value.(*item).key)
	}
	if m.items == nil {
		m.items = map[string]*list.Element{}
	}
	m.items[key] = m.used.PushFront(i)
	m.size += i.size()
	return nil
}

// Delete implements Store.
func (m *MemoryStore) Delete(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(key)
}

// Size gives the bytes of all keys and values: never more than Budget.
func (m *MemoryStore) Size() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.size
}

func (m *MemoryStore) remove(key string) {
	e, ok := m.items[key]
	if !ok {
		return
	}
	delete(m.items, key)
	m.size -= m.used.Remove(e).(*item).size()
}
