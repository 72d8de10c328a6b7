package why520

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/caddyserver/caddy/v2"

	"why520/validator/edge"
)

// An AlwaysOnline says which copies are kept, where, and when they are served.
type AlwaysOnline struct {
	// Shares copies in memory with all handlers that give the same name, and over
	// reloads. Such handlers must serve the same site, for copies are found by
	// the URI that they see. Default: the handler's own, which a reload forgets.
	Memory string `json:"memory,omitempty"`

	// Keeps copies in this folder, on disk; likewise shared by handlers that give
	// the same folder. One process can have it: where another has, or where it
	// cannot be opened, the log says so, and copies are in memory until it can.
	// Default: in memory.
	Disk string `json:"disk,omitempty"`

	// Bytes of all copies. Default: 64 MiB. Handlers that share take the first's.
	Budget int64 `json:"budget,omitempty"`

	// Bytes of content that one copy has at most. Default: 4 MiB.
	MaxSize int64 `json:"max_size,omitempty"`

	// How long a copy is served after its freshness ended that does not say so
	// itself. Default: 30 days.
	MaxStale caddy.Duration `json:"max_stale,omitempty"`

	// The statuses of failures that a copy is served for. Default: 520.
	Statuses []int `json:"statuses,omitempty"`

	// Puts a line that says so at the top of stored pages.
	Banner bool `json:"banner,omitempty"`

	shared any // the key of the store in stores; nil: it is the handler's own
}

// stores has those that are shared, by their location.
var stores = caddy.NewUsagePool()

// location is where a shared store is.
type location struct{ memory, disk string }

// inMemory is a store in a pool.
type inMemory struct{ *edge.MemoryStore }

// Destruct implements caddy.Destructor.
func (inMemory) Destruct() error { return nil }

// provision gives what a does; name is the proxy's.
func (a *AlwaysOnline) provision(ctx caddy.Context, name string) (*edge.AlwaysOnline, error) {
	o := &edge.AlwaysOnline{
		EdgeStatuses: a.Statuses, MaxSize: a.MaxSize, MaxStale: time.Duration(a.MaxStale),
		Banner: a.Banner, Name: name, Logger: ctx.Slogger(),
	}
	var err error
	o.Store, err = a.store(o.Logger)
	return o, err
}

// store makes the store, or finds it.
func (a *AlwaysOnline) store(log *slog.Logger) (edge.Store, error) {
	at := location{a.Memory, a.Disk}
	switch {
	case at == location{}:
		return &edge.MemoryStore{Budget: a.Budget}, nil
	case a.Memory != "" && a.Disk != "":
		return nil, fmt.Errorf("always_online: copies are kept in memory or on disk, not both")
	case a.Disk != "":
		var err error
		if at.disk, err = filepath.Abs(a.Disk); err != nil {
			return nil, err
		}
	}
	s, _, err := stores.LoadOrNew(at, func() (caddy.Destructor, error) {
		if at.disk == "" {
			return inMemory{&edge.MemoryStore{Budget: a.Budget}}, nil
		}
		return newDisk(at.disk, a.Budget, log)
	})
	if err != nil {
		return nil, err
	}
	a.shared = at
	return s.(edge.Store), nil
}
