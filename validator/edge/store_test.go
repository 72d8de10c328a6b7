package edge_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator/edge"
)

// A model is what a MemoryStore must equal: a list, what was used last at its end.
type model struct {
	budget int
	items  []modelItem
}

type modelItem struct{ key, value string }

func (m *model) take(key string) (item modelItem, ok bool) {
	i := slices.IndexFunc(m.items, func(i modelItem) bool { return i.key == key })
	if i < 0 {
		return item, false
	}
	item = m.items[i]
	m.items = slices.Delete(m.items, i, i+1)
	return item, true
}

func (m *model) size() (n int) {
	for _, i := range m.items {
		n += len(i.key) + len(i.value)
	}
	return n
}

func (m *model) load(key string) (string, bool) {
	item, ok := m.take(key)
	if ok {
		m.items = append(m.items, item)
	}
	return item.value, ok
}

func (m *model) save(key, value string) bool {
	m.take(key)
	if len(key)+len(value) > m.budget {
		return false
	}
	m.items = append(m.items, modelItem{key, value})
	for m.size() > m.budget {
		m.items = m.items[1:]
	}
	return true
}

func TestEvictionIsExactAndOfWhatWasUsedLeastRecently(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 0))
		want := model{budget: 50 + random.IntN(200)}
		store := edge.MemoryStore{Budget: int64(want.budget)}
		for step := range 500 {
			key := fmt.Sprint(random.IntN(20))
			switch random.IntN(5) {
			case 0:
				want.take(key)
				store.Delete(key)
			case 1, 2:
				v, ok := want.load(key)
				got, there := store.Load(key)
				require.Equal(t, ok, there, "seed %d, step %d", seed, step)
				require.Equal(t, v, string(got), "seed %d, step %d", seed, step)
			default:
				value := make([]byte, random.IntN(60+random.IntN(want.budget)))
				for i := range value {
					value[i] = byte(random.Uint32())
				}
				kept := want.save(key, string(value))
				require.Equal(t, kept, store.Save(key, value) == nil, "seed %d, step %d", seed, step)
			}
			require.EqualValues(t, want.size(), store.Size(), "seed %d, step %d", seed, step)
			require.LessOrEqual(t, store.Size(), store.Budget)
		}
	}
}

func TestTheBudgetIsExact(t *testing.T) {
	for size, kept := range map[int]bool{98: true, 99: true, 100: false} {
		store := edge.MemoryStore{Budget: 100}
		err := store.Save("k", make([]byte, size))
		assert.Equal(t, kept, err == nil, "%d: %v", size, err)
	}
	var store edge.MemoryStore
	for i := range 70 {
		require.NoError(t, store.Save(fmt.Sprint(i), make([]byte, 1<<20)))
		assert.LessOrEqual(t, store.Size(), int64(edge.DefaultBudget))
	}
	assert.Greater(t, store.Size(), int64(edge.DefaultBudget-2<<20))
}

func TestAStoreIsUsedByMany(t *testing.T) {
	store := edge.MemoryStore{Budget: 1000}
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(g), 1))
			for range 2000 {
				key := fmt.Sprint(random.IntN(30))
				switch random.IntN(3) {
				case 0:
					store.Delete(key)
				case 1:
					if value, ok := store.Load(key); ok {
						assert.Equal(t, key, string(value[:len(key)]))
					}
				default:
					assert.NoError(t, store.Save(key, append([]byte(key), make([]byte, random.IntN(90))...)))
				}
				assert.LessOrEqual(t, store.Size(), int64(1000))
			}
		})
	}
	all.Wait()
}
