package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// A statusLine is the last line of a terminal, which is written again and again.
// A nil statusLine is none.
type statusLine struct {
	out  io.Writer
	text func() string
	wide int

	mu    sync.Mutex
	shown bool
	ended bool
	stop  chan struct{}
	done  chan struct{}
}

// status begins a status line on standard error, where that is a terminal.
func (a *app) status(text func() string) *statusLine {
	f, ok := a.log.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	wide := 80
	if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
		wide = columns
	}
	return startStatus(f, wide, 200*time.Millisecond, text)
}

func startStatus(out io.Writer, wide int, every time.Duration, text func() string) *statusLine {
	s := &statusLine{out: out, text: text, wide: wide, stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-s.stop:
				return
			case <-tick.C:
				s.show()
			}
		}
	}()
	return s
}

func (s *statusLine) show() {
	text := s.text()
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "\r%.*s\x1b[K", s.wide-1, text)
	s.shown = true
}

// clear takes the line away. The lock is held.
func (s *statusLine) clear() {
	if s.shown {
		fmt.Fprint(s.out, "\r\x1b[K")
		s.shown = false
	}
}

// apart does what writes to the terminal while the line is away.
func (s *statusLine) apart(do func() error) error {
	if s == nil {
		return do()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	return do()
}

// end takes the line away for good.
func (s *statusLine) end() {
	if s == nil || s.ended {
		return
	}
	s.ended = true
	close(s.stop)
	<-s.done
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
}
