package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"why520/contrib/boltstore"
	"why520/validator"
	"why520/validator/edge"
)

// A proxyServer is the command proxy while it runs.
type proxyServer struct {
	load      func() (*proxyConfig, error) // reads the configuration anew
	access    *slog.Logger                 // a line an exchange
	notes     *slog.Logger                 // everything else
	metrics   *proxyMetrics
	recorder  validator.Recorder
	store     edge.Store
	pseudonym string                                    // in Via, so that loops are found
	tune      func(*originConfig, *validator.Transport) // for tests: how an origin is asked; nil: nothing

	certificate atomic.Pointer[tls.Certificate]
	draining    atomic.Bool
	retiring    sync.WaitGroup
	closeStore  func() error

	clients, operators     net.Listener // operators nil: there is no such listener
	serving, administering *http.Server
	hardStop               context.CancelCauseFunc // ends the requests that are in flight

	mu      sync.RWMutex
	current *generation
}

// Sizes and times of the clients' side that nobody needs to set.
const (
	readHeadWithin  = 10 * time.Second // also the time for a TLS handshake
	keepIdle        = 2 * time.Minute
	mostRequestHead = 64 << 10
	lookForChanges  = 2 * time.Second
)

// newProxyServer gives one that listens, and serves nothing yet.
func newProxyServer(c *proxyConfig, access, notes io.Writer) (*proxyServer, error) {
	var random [6]byte
	_, _ = rand.Read(random[:]) // it never fails
	s := &proxyServer{
		access: slog.New(slog.NewJSONHandler(access, nil)), notes: slog.New(slog.NewTextHandler(notes, nil)),
		metrics: newProxyMetrics(), pseudonym: "why520-" + hex.EncodeToString(random[:]), closeStore: func() error { return nil },
	}
	if err := s.open(c); err != nil {
		s.close()
		return nil, err
	}
	s.metrics.reloaded.Set(float64(time.Now().Unix()))
	return s, nil
}

func (s *proxyServer) open(c *proxyConfig) (err error) {
	if err = s.certify(c); err != nil {
		return err
	}
	if s.clients, err = listen("--listen", c.Listen); err != nil {
		return err
	}
	if c.Admin != "" {
		if s.operators, err = listen("--admin", c.Admin); err != nil {
			return err
		}
	}
	return s.openStore(c)
}

// listen listens, or says what a person can do about it.
func listen(flag, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		err = fmt.Errorf("%s %s: another process listens there; `ss -ltnp` shows which, another port avoids it", flag, address)
	case errors.Is(err, syscall.EACCES):
		err = fmt.Errorf("%s %s: no permission; ports below 1024 need the capability CAP_NET_BIND_SERVICE", flag, address)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		err = fmt.Errorf("%s %s: this machine has no such address", flag, address)
	case err != nil:
		err = fmt.Errorf("%s %s: %w", flag, address, err)
	}
	if err != nil {
		return nil, cannot(err)
	}
	return l, nil
}

func (s *proxyServer) openStore(c *proxyConfig) error {
	if c.Store == "" {
		s.store = &edge.MemoryStore{Budget: min(int64(c.StoreSize), edge.DefaultBudget)}
		return nil
	}
	store, err := boltstore.Open(c.Store, int64(c.StoreSize), s.notes)
	if err != nil {
		return cannot(fmt.Errorf("--store %s: %w; it must be a folder that can be written to, and that no other process has open", c.Store, err))
	}
	s.store, s.closeStore = store, store.Close
	return nil
}

// certify loads the certificate for clients.
func (s *proxyServer) certify(c *proxyConfig) error {
	if c.TLSCert == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		hint := "; each wants PEM, the key the one of the first certificate"
		switch {
		case errors.Is(err, fs.ErrPermission):
			hint = "; the user that why520 runs as must be able to read both"
		case errors.Is(err, fs.ErrNotExist):
			hint = ""
		}
		return cannot(fmt.Errorf("--tls-cert %s, --tls-key %s: %w%s", c.TLSCert, c.TLSKey, err, hint))
	}
	if pair.Leaf != nil && time.Now().After(pair.Leaf.NotAfter) {
		s.notes.Warn("the certificate for clients has expired", slog.String("file", c.TLSCert), slog.Time("not_after", pair.Leaf.NotAfter))
	}
	s.certificate.Store(&pair)
	return nil
}

// serve serves until ctx ends and what is in flight then is answered, or until
// the listener fails. changed: the configuration is to be loaded again.
func (s *proxyServer) serve(ctx context.Context, c *proxyConfig, changed <-chan os.Signal) error {
	base, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	s.hardStop = stop
	s.become(s.generation(c))
	s.serving = &http.Server{
		Handler: s, ReadHeaderTimeout: readHeadWithin, IdleTimeout: keepIdle, MaxHeaderBytes: mostRequestHead,
		BaseContext: func(net.Listener) context.Context { return base },
		ErrorLog:    slog.NewLogLogger(s.notes.Handler(), slog.LevelInfo),
	}
	failed := make(chan error, 2)
	go func() {
		if c.TLSCert == "" {
			failed <- s.serving.Serve(s.clients)
			return
		}
		s.serving.TLSConfig = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.certificate.Load(), nil }}
		failed <- s.serving.ServeTLS(s.clients, "", "")
	}()
	if s.operators != nil {
		s.administering = &http.Server{Handler: s.admin(), ReadHeaderTimeout: readHeadWithin, IdleTimeout: keepIdle, ErrorLog: s.serving.ErrorLog}
		go func() { failed <- s.administering.Serve(s.operators) }()
	}
	look := time.NewTicker(lookForChanges)
	defer look.Stop()
	last := stamp(c.files)
	for {
		select {
		case err := <-failed:
			s.close()
			return cannot(err)
		case <-ctx.Done():
			return s.drain()
		case <-changed:
		case <-look.C:
			if now := stamp(s.config().files); now == last {
				continue
			}
		}
		last = stamp(s.config().files)
		if err := s.reload(); err != nil {
			s.notes.Error("the configuration was not loaded; the one before stays", slog.Any("error", err))
			continue
		}
		last = stamp(s.config().files)
		s.notes.Info("the configuration was loaded", slog.Any("files", s.config().files))
	}
}

// config gives the configuration that is in force.
func (s *proxyServer) config() *proxyConfig {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.current.config
}

// stamp is another where one of the files has changed.
func stamp(files []string) (text string) {
	for _, f := range files {
		if at, err := os.Stat(f); err == nil {
			text += fmt.Sprint(f, at.ModTime().UnixNano(), at.Size(), "\n")
		}
	}
	return text
}

// drain stops taking connections, waits for what is in flight, but not for ever,
// and closes.
func (s *proxyServer) drain() error {
	s.draining.Store(true)
	limit := s.config().Drain
	s.notes.Info("ending: no new connections; waiting for what is in flight", slog.Duration("at_most", limit))
	ctx, stop := context.WithTimeout(context.Background(), limit)
	defer stop()
	err := s.serving.Shutdown(ctx)
	done := make(chan struct{})
	go func() { // connections that were switched to another protocol are not the server's any more
		s.current.inFlight.Wait()
		s.retiring.Wait()
		close(done)
	}()
	if err == nil {
		select {
		case <-done:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil {
		s.notes.Warn("what was still in flight is cut off", slog.Duration("after", limit))
		s.hardStop(errEnding)
		last, stop := context.WithTimeout(context.Background(), lingering)
		defer stop()
		_ = s.serving.Shutdown(last) // who was sent nothing yet is told
		s.serving.Close()
		<-done
	}
	return s.close()
}

// errEnding is why what outlasts the drain timeout is cut off.
var errEnding = errors.New("this proxy ended, and waited no longer")

// ending is the reason of it.
const ending = "ending"

// isEnding reports whether a request was ended by the proxy itself.
func isEnding(ctx context.Context) bool { return context.Cause(ctx) == errEnding }

// close closes everything; nothing may be in flight.
func (s *proxyServer) close() error {
	if s.serving != nil {
		s.serving.Close()
	}
	if s.administering != nil {
		s.administering.Close()
	}
	for _, l := range []net.Listener{s.clients, s.operators} {
		if l != nil {
			l.Close()
		}
	}
	if s.current != nil {
		s.current.retire()
	}
	if err := s.closeStore(); err != nil {
		return cannot(fmt.Errorf("closing the store: %w", err))
	}
	return nil
}
