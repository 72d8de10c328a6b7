package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/contrib/boltstore"
)

// proxyArguments is the variable that makes this test's program the command.
const proxyArguments = "WHY520_TEST_ARGUMENTS"

// A command is one in a process of its own.
type command struct {
	*exec.Cmd
	address string // that the proxy listens on
	log     *bufio.Reader
}

func startCommand(t *testing.T, args ...string) *command {
	t.Helper()
	c := &command{Cmd: exec.Command(os.Args[0])}
	c.Env = append(os.Environ(), proxyArguments+"="+strings.Join(args, "\n"))
	log, err := c.StderrPipe()
	require.NoError(t, err)
	c.log = bufio.NewReader(log)
	require.NoError(t, c.Start())
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	said, err := c.log.ReadString('\n')
	require.NoError(t, err)
	_, rest, found := strings.Cut(said, "http://")
	require.True(t, found, said)
	c.address, _, _ = strings.Cut(rest, " ")
	return c
}

// A process that is killed loses no copy that was written, and serves none that is
// not whole.
func TestAKilledProxyServesWholeCopies(t *testing.T) {
	var down atomic.Bool
	content := strings.Repeat("whole ", 10_000)
	origin := originOf(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case down.Load():
			panic(http.ErrAbortHandler)
		case r.URL.Path == "/cut":
			w.Header().Set("Content-Length", fmt.Sprint(len(content)+1))
		}
		fmt.Fprint(w, content)
	})
	folder := t.TempDir() + "/copies"
	start := func(args ...string) *command {
		return startCommand(t, append([]string{"proxy", "--origin", origin, "--listen", "127.0.0.1:0", "--store", folder}, args...)...)
	}
	first := start("--hold-content", "1")
	_, whole, err := first.get(t, "/a")
	require.NoError(t, err)
	require.Equal(t, content, whole)
	_, _, err = first.get(t, "/cut")
	require.Error(t, err)
	require.Eventually(t, func() bool { return stored(t, folder) > int64(len(content)) }, time.Minute, 50*time.Millisecond)
	require.NoError(t, first.Process.Kill())
	first.Wait()

	down.Store(true)
	second := start()
	status, got, err := second.get(t, "/a")
	require.NoError(t, err)
	assert.Equal(t, 200, status)
	assert.Equal(t, content, got)
	status, _, err = second.get(t, "/cut")
	require.NoError(t, err)
	assert.Equal(t, 520, status)

	// SIGHUP loads again, SIGTERM ends it.
	require.NoError(t, second.Process.Signal(syscall.SIGHUP))
	second.log.ReadString('\n') // the rest of what it says at the start
	said, err := second.log.ReadString('\n')
	require.NoError(t, err)
	assert.Contains(t, said, "the configuration was loaded")
	require.NoError(t, second.Process.Signal(syscall.SIGTERM))
	said, err = second.log.ReadString('\n')
	require.NoError(t, err)
	assert.Contains(t, said, "ending")
	assert.NoError(t, second.Wait())
}

// Who asks a second time does not want to wait for what is in flight.
func TestASecondSignalEndsTheProxyAtOnce(t *testing.T) {
	for _, second := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		arrived := make(chan bool)
		origin := originOf(t, func(_ http.ResponseWriter, r *http.Request) {
			arrived <- true
			<-r.Context().Done()
		})
		c := startCommand(t, "proxy", "--origin", origin, "--listen", "127.0.0.1:0", "--drain-timeout", "20s")
		answered := make(chan error, 1)
		go func() {
			_, _, err := c.get(t, "/")
			answered <- err
		}()
		<-arrived
		require.NoError(t, c.Process.Signal(syscall.SIGTERM))
		for said := ""; !strings.Contains(said, "ending"); {
			var err error
			said, err = c.log.ReadString('\n')
			require.NoError(t, err)
		}
		require.NoError(t, c.Process.Signal(second))
		require.Error(t, c.Wait())
		assert.Equal(t, second, c.ProcessState.Sys().(syscall.WaitStatus).Signal())
		assert.Error(t, <-answered)
	}
}

// get asks for a page of http://site.test, whatever the port is that c has, and gives
// the content, or why it is not whole.
func (c *command) get(t *testing.T, path string) (status int, content string, err error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+c.address+path, nil)
	require.NoError(t, err)
	r.Host = "site.test"
	response, err := client(t, nil).Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	return response.StatusCode, string(b), err
}

// stored gives how many bytes of copies are in the file of a store that a process
// writes: another can look at what it would find there, had that one been killed.
func stored(t *testing.T, folder string) int64 {
	t.Helper()
	file, err := os.ReadFile(folder + "/copies.bolt")
	if err != nil {
		return 0
	}
	there := t.TempDir()
	require.NoError(t, os.WriteFile(there+"/copies.bolt", file, 0o600))
	s, err := boltstore.Open(there, 1<<30, nil)
	require.NoError(t, err)
	defer s.Close()
	return s.Size()
}
