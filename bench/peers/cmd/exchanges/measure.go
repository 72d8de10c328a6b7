package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// options say how to measure.
type options struct {
	rounds   int
	turn     time.Duration
	settings []string // nil: all
}

// A setting is where clients work in turn.
type setting struct {
	proxy   bool // within a ReverseProxy that browsers ask
	conns   int
	clients []client
}

// chosen gives what is measured.
func (o *options) chosen() []setting {
	return slices.DeleteFunc(settings(), func(s setting) bool { return o.settings != nil && !slices.Contains(o.settings, s.String()) })
}

// settings gives what can be measured.
func settings() (all []setting) {
	for _, conns := range []int{1, 32, most} {
		all = append(all, setting{conns: conns, clients: clients})
	}
	for _, conns := range []int{1, 32, most} {
		all = append(all, setting{proxy: true, conns: conns, clients: proxies})
	}
	return all
}

func (s *setting) String() string {
	name := "client"
	if s.proxy {
		name = "proxy"
	}
	return fmt.Sprintf("%s, %d", name, s.conns)
}

// A figure is what was measured of one client in one setting: medians of the
// rounds.
type figure struct {
	setting, client string
	perCPU          float64 // requests for a second of CPU time, the collector's too
	ratio           float64 // of that to the first client's in the same round
	perSecond       float64 // requests
	allocs, bytes   float64 // allocated for a request
}

// An entrant is a client in a setting.
type entrant struct {
	name  string
	count *atomic.Int64              // of requests that it was done with
	begin func(time.Duration) finish // makes it work for about so long
	end   func()
	all   []sample
}

// A finish waits until work is over.
type finish func() error

// A sample is a turn.
type sample struct {
	requests      int64
	wall, cpu     time.Duration
	allocs, bytes uint64
}

// measure lets the clients of each setting work in turn, in rounds, each of
// which begins with the next client; the first is not measured.
func (o *options) measure(w *world) (all []figure, err error) {
	for _, s := range o.chosen() {
		entrants, err := s.enter(w)
		if err != nil {
			return nil, err
		}
		for round := range o.rounds + 1 {
			for i := range entrants {
				e := &entrants[(round+i)%len(entrants)]
				one, err := e.fairTurn(o.turn, int64(s.conns))
				if err != nil {
					return nil, fmt.Errorf("%s: %s: %w", &s, e.name, err)
				}
				if round > 0 {
					e.all = append(e.all, one)
				}
			}
		}
		for i := range entrants {
			entrants[i].end()
			all = append(all, entrants[i].figure(&s, &entrants[0]))
		}
	}
	return all, nil
}

// enter makes the entrants of s.
func (s *setting) enter(w *world) (all []entrant, err error) {
	for i := range s.clients {
		c, count := &s.clients[i], new(atomic.Int64)
		e := entrant{name: c.name, count: count}
		if s.proxy {
			address, end, err := c.proxy(w.origin, count)
			if err != nil {
				return nil, err
			}
			e.end = end
			e.begin = func(d time.Duration) finish {
				failed := make(chan error, 1)
				go func() { failed <- w.browse(browsing{address, s.conns, d}) }()
				return func() error { return <-failed }
			}
		} else {
			var workers []worker
			hire, end := c.open(w.origin)
			for range s.conns {
				workers = append(workers, hire())
			}
			e.end = end
			e.begin = func(d time.Duration) finish { return together(workers, count, d) }
		}
		all = append(all, e)
	}
	return all, nil
}

// together has workers work at the same time.
func together(workers []worker, count *atomic.Int64, d time.Duration) finish {
	var (
		all    sync.WaitGroup
		over   atomic.Bool
		failed = make([]error, len(workers))
	)
	time.AfterFunc(d, func() { over.Store(true) })
	for i, ask := range workers {
		all.Go(func() {
			for !over.Load() && failed[i] == nil {
				failed[i] = ask()
				count.Add(1)
			}
		})
	}
	return func() error {
		all.Wait()
		return errors.Join(failed...)
	}
}

// fairTurn measures a turn in which the machine let e do as many requests as it
// has connections, at least.
func (e *entrant) fairTurn(d time.Duration, conns int64) (s sample, err error) {
	for range 50 {
		if s, err = e.turn(d); err != nil || s.requests >= conns {
			return s, err
		}
	}
	return s, errStarved
}

var errStarved = errors.New("not a request for each connection within a turn")

// turn lets e work, behind a garbage collection, for one and a half turns, and
// measures one in the middle, when all of its connections are at work.
func (e *entrant) turn(d time.Duration) (s sample, err error) {
	runtime.GC()
	finish := e.begin(d + d/2)
	time.Sleep(d / 4)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start, used, had := time.Now(), cpuTime(), e.count.Load()
	time.Sleep(d)
	s.requests, s.wall, s.cpu = e.count.Load()-had, time.Since(start), cpuTime()-used
	runtime.ReadMemStats(&after)
	s.allocs, s.bytes = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
	return s, finish()
}

// cpuTime is what this process has used of the CPUs, in user mode and for it in
// the kernel.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it cannot fail for this process
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// figure gives what was measured of e, beside the first of its setting.
func (e *entrant) figure(s *setting, first *entrant) figure {
	of := func(value func(a, base *sample) float64) float64 {
		values := make([]float64, len(e.all))
		for i := range e.all {
			values[i] = value(&e.all[i], &first.all[i])
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return figure{
		setting: s.String(), client: e.name,
		perCPU:    of(func(a, _ *sample) float64 { return a.perCPU() }),
		ratio:     of(func(a, base *sample) float64 { return a.perCPU() / base.perCPU() }),
		perSecond: of(func(a, _ *sample) float64 { return float64(a.requests) / a.wall.Seconds() }),
		allocs:    of(func(a, _ *sample) float64 { return float64(a.allocs) / float64(a.requests) }),
		bytes:     of(func(a, _ *sample) float64 { return float64(a.bytes) / float64(a.requests) }),
	}
}

func (s *sample) perCPU() float64 { return float64(s.requests) / s.cpu.Seconds() }

// profile has the client of that name work in each setting, and writes its CPU
// profile.
func (o *options) profile(w *world, name string) error {
	f, err := os.Create("exchanges.pprof")
	if err != nil {
		return err
	}
	defer f.Close()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	for _, s := range o.chosen() {
		entrants, err := s.enter(w)
		if err != nil {
			return err
		}
		for i := range entrants {
			if e := &entrants[i]; e.name == name {
				if err := e.begin(time.Duration(o.rounds) * o.turn)(); err != nil {
					return err
				}
			}
			entrants[i].end()
		}
	}
	return nil
}
