package why520

import (
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"why520/contrib/boltstore"
	"why520/validator/edge"
)

// A disk is the store in a folder. It is opened when it is first used, so that
// `caddy validate` neither needs a folder that a running Caddy has open, nor makes
// files that belong to who validates. Until it can be opened, copies are in memory.
type disk struct {
	folder string
	budget int64
	log    *slog.Logger
	opened atomic.Pointer[boltstore.Store]

	mu      sync.Mutex
	begun   bool // opening was tried, or is not to be
	memory  edge.MemoryStore
	changed map[string]bool // keys of which memory knows more than the folder
	ending  chan struct{}
	waiting sync.WaitGroup // for the folder
}

const (
	openAgain   = 2 * time.Second // after it failed
	mostChanged = 1 << 16
)

func newDisk(folder string, budget int64, log *slog.Logger) (*disk, error) {
	if budget == 0 {
		budget = edge.DefaultBudget
	}
	if budget < 0 {
		return nil, fmt.Errorf("always_online: a budget of %d bytes keeps nothing", budget)
	}
	if is, err := os.Stat(folder); err == nil && !is.IsDir() {
		return nil, fmt.Errorf("always_online: disk %s is no folder", folder)
	}
	return &disk{
		folder: folder, budget: budget, log: log.With(slog.String("folder", folder)),
		memory: edge.MemoryStore{Budget: min(budget, edge.DefaultBudget)}, changed: map[string]bool{}, ending: make(chan struct{}),
	}, nil
}

// Load implements edge.Store.
func (d *disk) Load(key string) ([]byte, bool) {
	s, done := d.store()
	defer done()
	return s.Load(key)
}

// Save implements edge.Store.
func (d *disk) Save(key string, value []byte) error {
	s, done := d.store(key)
	defer done()
	return s.Save(key, value)
}

// Delete implements edge.Store.
func (d *disk) Delete(key string) {
	s, done := d.store(key)
	defer done()
	s.Delete(key)
}

// store gives what has the copies now, for a change to these keys. done is to be
// called after its use.
func (d *disk) store(changes ...string) (s edge.Store, done func()) {
	if s := d.opened.Load(); s != nil {
		return s, func() {}
	}
	d.mu.Lock()
	if !d.begun {
		d.begun = true
		if s, err := boltstore.Open(d.folder, d.budget, d.log); err == nil {
			d.opened.Store(s)
		} else {
			d.log.Error("copies are kept in memory until the folder can be opened", slog.Any("error", err))
			d.waiting.Go(d.await)
		}
	}
	if s := d.opened.Load(); s != nil {
		d.mu.Unlock()
		return s, func() {}
	}
	for _, key := range changes {
		if len(d.changed) <= mostChanged {
			d.changed[key] = true
		}
	}
	return &d.memory, d.mu.Unlock
}

// await opens the folder when that can be done, and moves there what is in memory.
func (d *disk) await() {
	for {
		select {
		case <-d.ending:
			return
		case <-time.After(openAgain):
		}
		if s, err := boltstore.Open(d.folder, d.budget, d.log); err == nil {
			d.move(s)
			return
		}
	}
}

func (d *disk) move(to *boltstore.Store) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.changed) > mostChanged { // what of the folder is out of date is not known
		d.log.Warn("copies stay in memory until the next start: the folder's are too old")
		if err := to.Close(); err != nil {
			d.log.Warn("closing the folder", slog.Any("error", err))
		}
		return
	}
	for key := range d.changed {
		value, there := d.memory.Load(key)
		if !there {
			to.Delete(key)
		} else if err := to.Save(key, value); err != nil {
			to.Delete(key)
		}
		d.memory.Delete(key)
	}
	d.changed = nil
	d.opened.Store(to)
	d.log.Info("copies are kept on disk now")
}

// Destruct implements caddy.Destructor.
func (d *disk) Destruct() error {
	d.mu.Lock()
	d.begun = true
	d.mu.Unlock()
	close(d.ending)
	d.waiting.Wait()
	if s := d.opened.Load(); s != nil {
		return s.Close()
	}
	return nil
}
