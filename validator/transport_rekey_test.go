package validator_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"why520/validator"
)

// An operator is OpenSSL's server, which says on one connection what it is told
// to, and tells what it hears.
type operator struct {
	address string
	say     io.Writer
	heard   *bufio.Reader
	end     func()
}

func operate(t *testing.T) (*operator, *tls.Config) {
	t.Helper()
	command, err := exec.LookPath("openssl")
	if err != nil {
		missing(t, "openssl is not installed")
	}
	r := &running{dir: t.TempDir()}
	certify(t, r)
	c := exec.Command(command, "s_server", "-accept", "127.0.0.1:0", "-crlf", "-tls1_3",
		"-cert", filepath.Join(r.dir, "cert.pem"), "-key", filepath.Join(r.dir, "key.pem"))
	say, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	c.Stderr = c.Stdout
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
	})
	o := &operator{say: say, heard: bufio.NewReader(out), end: func() { c.Process.Kill() }}
	accept, err := o.hear("ACCEPT ")
	require.NoError(t, err)
	o.address = strings.TrimSpace(strings.TrimPrefix(accept, "ACCEPT "))
	return o, r.prober.TLS
}

// hear gives the next line that begins so.
func (o *operator) hear(begin string) (line string, err error) {
	for err == nil {
		if line, err = o.heard.ReadString('\n'); strings.HasPrefix(line, begin) {
			return line, nil
		}
	}
	return "", err
}

// answers gives how a request of tr ends, which it answers.
func (o *operator) answers(tr *validator.Transport) error {
	done := make(chan error, 1)
	go func() {
		_, _, err := do(tr, "GET", "https://127.0.0.1/", nil)
		if err != nil {
			o.end()
		}
		done <- err
	}()
	if _, err := o.hear("Host: "); err == nil {
		io.WriteString(o.say, "HTTP/1.1 200 OK\nContent-Length: 0\n\n")
	}
	return <-done
}

// What TLS says for itself on an idle connection, new keys here, is nothing that
// nobody asked for: the connection is used again, though a deadline of the exchange
// before is over.
func TestNewKeysOnAnIdleConnectionAreNoSurplus(t *testing.T) {
	busy := os.ErrDeadlineExceeded
	for limit := 250 * time.Millisecond; errors.Is(busy, os.ErrDeadlineExceeded); limit *= 2 {
		require.Less(t, limit, 10*time.Second, "no answer came in time")
		busy = rekeyed(t, limit)
	}
	require.NoError(t, busy)
}

// rekeyed has two requests answered on one connection, each within the limit, and
// new keys between.
func rekeyed(t *testing.T, limit time.Duration) error {
	o, config := operate(t)
	dialled := false
	tr := &validator.Transport{
		TLSClientConfig: config, Deadlines: validator.Deadlines{Head: limit},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			if dialled {
				return nil, errors.New("another connection is wanted")
			}
			dialled = true
			return new(net.Dialer).DialContext(ctx, network, o.address)
		},
	}
	defer tr.CloseIdleConnections()
	if err := o.answers(tr); err != nil {
		return err
	}
	began := time.Now()
	if _, err := io.WriteString(o.say, "K\n"); err != nil {
		return err
	}
	time.Sleep(limit) // which the keys come within, though nothing here can tell
	err := o.answers(tr)
	if err != nil && time.Since(began) >= time.Second {
		return os.ErrDeadlineExceeded // the connection may have been looked at just then, which is done each second
	}
	return err
}
