package capture_test

import (
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"why520/capture"
	"why520/validator"
	"why520/wire"
)

// What takes a process of its own: one that dies, and one that gives up its
// capabilities.

func TestWithoutPrivilegeTheErrorSaysWhatToDo(t *testing.T) {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: so are the capabilities gone
		var none [2]unix.CapUserData
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		if err := unix.Capset(&header, &none[0]); err != nil {
			done <- err
			return
		}
		_, err := capture.OpenLive(capture.LiveOptions{Interface: "lo"})
		done <- err
	}()
	err := <-done
	assert.ErrorIs(t, err, fs.ErrPermission)
	assert.Contains(t, err.Error(), "setcap cap_net_raw+ep")
}

func TestKilledOriginResets(t *testing.T) {
	n := newNetwork(t)
	self, err := os.Executable()
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), "ip", "netns", "exec", n.origin, self, "-test.run=^TestHelperIsKilled$")
	c.Env = append(os.Environ(), helper+"="+listening)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	defer func() {
		_ = c.Process.Kill() // ip has become the helper, by exec
		_ = c.Wait()
	}()
	_, err = out.Read(make([]byte, 1)) // it says when it listens
	require.NoError(t, err)
	e, flow := n.probe(t, listening, &validator.Prober{Deadlines: deadlines}, scene{})
	want := label{capture.ByOrigin, capture.AfterRequest, "certain", wire.ResetAfterRequest}
	assert.Equal(t, want, label{e.TCP.ResetBy, e.TCP.Stage, e.TCP.Confidence, validator.Judge(e, nil).Reason})
	require.NotNil(t, flow)
	assert.Equal(t, want, label{flow.ResetBy, flow.Stage, flow.Evidence.TCP.Confidence, flow.Verdict.Reason})
}

// helper is the variable of the environment that makes the helpers below work,
// each in a process of its own.
const helper = "WHY520_TEST_HELPER"

// TestHelperIsKilled is an origin that dies with a request half read.
func TestHelperIsKilled(t *testing.T) {
	address, asked := os.LookupEnv(helper)
	if !asked {
		return
	}
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	fmt.Println("listening")
	c, err := l.Accept()
	require.NoError(t, err)
	_, _ = c.Read(make([]byte, 1))
	_ = unix.Kill(os.Getpid(), unix.SIGKILL)
}

func TestCapabilitiesAreGivenUpOnceOpen(t *testing.T) {
	open(t, capture.LiveOptions{Interface: "lo"})
	if _, err := exec.LookPath("go"); err != nil {
		missing(t, "the helper is built with go, which is not here")
	}
	binary := filepath.Join(t.TempDir(), "helper")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	c := exec.CommandContext(t.Context(), binary, "-test.run=^TestHelperGivesUp$")
	c.Env = append(os.Environ(), helper+"=lo")
	out, err = c.CombinedOutput()
	assert.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "it is captured on")
}

// TestHelperGivesUp gives its capabilities up, and captures on.
func TestHelperGivesUp(t *testing.T) {
	name, asked := os.LookupEnv(helper)
	if !asked || name != "lo" {
		return
	}
	l := open(t, capture.LiveOptions{Interface: name, Drop: true})
	address := loopback(t, linger0)
	dialAndClose(t, address)
	assert.Equal(t, 1, count(t, l, netip.MustParseAddrPort(address).Port()))
	threads, err := filepath.Glob("/proc/self/task/*/status")
	require.NoError(t, err)
	require.NotEmpty(t, threads)
	for _, thread := range threads {
		status, err := os.ReadFile(thread)
		require.NoError(t, err)
		for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapAmb"} {
			assert.Contains(t, string(status), set+":\t0000000000000000", thread)
		}
		assert.Contains(t, string(status), "NoNewPrivs:\t1")
	}
	_, err = capture.OpenLive(capture.LiveOptions{Interface: name})
	assert.ErrorIs(t, err, fs.ErrPermission)
	if !t.Failed() {
		fmt.Println("it is captured on")
	}
}
