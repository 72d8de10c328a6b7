package capture_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A network is three network namespaces in a row, client, router and origin, each
// with a stack of its own and its kernel's offloads on. It needs root and
// iproute2.
type network struct{ client, router, origin string }

const (
	listening  = "198.51.100.2:80" // at the origin
	closedPort = "198.51.100.2:81" // at the origin
	listening6 = "[2001:db8:2::2]:80"
	blackhole  = "198.51.100.66:80" // the router knows its link address; nobody has it
)

// newNetwork makes a network that is gone when the test ends.
func newNetwork(t testing.TB) *network {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "network namespaces need root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		missing(t, "iproute2 is not installed")
	}
	prefix := fmt.Sprintf("why520-capture-%d-", os.Getpid())
	n := &network{prefix + "client", prefix + "router", prefix + "origin"}
	for _, name := range []string{n.client, n.router, n.origin} {
		if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
			missing(t, fmt.Sprintf("network namespaces cannot be made here (%s)", strings.TrimSpace(string(out))))
		}
		t.Cleanup(func() { run(t, "ip netns delete "+name) })
	}
	names := strings.NewReplacer("CLIENT", n.client, "ROUTER", n.router, "ORIGIN", n.origin)
	for line := range strings.Lines(`ip link add name c0 netns CLIENT type veth peer name r0 netns ROUTER
		ip link add name o0 netns ORIGIN type veth peer name r1 netns ROUTER
		ip -n CLIENT address add 192.0.2.2/24 dev c0
		ip -n ROUTER address add 192.0.2.1/24 dev r0
		ip -n ROUTER address add 198.51.100.1/24 dev r1
		ip -n ORIGIN address add 198.51.100.2/24 dev o0
		ip -n CLIENT address add 2001:db8:1::2/64 dev c0 nodad
		ip -n ROUTER address add 2001:db8:1::1/64 dev r0 nodad
		ip -n ROUTER address add 2001:db8:2::1/64 dev r1 nodad
		ip -n ORIGIN address add 2001:db8:2::2/64 dev o0 nodad
		ip -n CLIENT link set lo up
		ip -n CLIENT link set c0 up
		ip -n ROUTER link set r0 up
		ip -n ROUTER link set r1 up
		ip -n ORIGIN link set o0 up
		ip -n CLIENT route add default via 192.0.2.1
		ip -n ORIGIN route add default via 198.51.100.1
		ip -n CLIENT route add default via 2001:db8:1::1
		ip -n ORIGIN route add default via 2001:db8:2::1
		ip -n ROUTER neighbour add 198.51.100.66 lladdr 02:00:00:00:00:66 dev r1 nud permanent`) {
		if hasIPv6() || !strings.Contains(line, "2001:db8:") {
			run(t, names.Replace(strings.TrimSpace(line)))
		}
	}
	for _, parameter := range []string{"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"} {
		if !hasIPv6() && strings.HasPrefix(parameter, "net/ipv6") {
			continue
		}
		n.within(n.router, func() {
			require.NoError(t, os.WriteFile("/proc/sys/"+parameter, []byte("1"), 0))
		})
	}
	n.reach(t, closedPort)
	return n
}

// hasIPv6 reports whether this system's kernel has IPv6.
func hasIPv6() bool {
	_, err := os.Stat("/proc/net/if_inet6")
	return err == nil
}

// within runs do on a thread that is in a namespace: what sockets it makes are
// there, and may be used anywhere.
func (n *network) within(namespace string, do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread goes with the goroutine
		f, err := os.Open("/run/netns/" + namespace)
		if err == nil {
			err = unix.Setns(int(f.Fd()), unix.CLONE_NEWNET)
			f.Close()
		}
		if err != nil {
			panic(err)
		}
		do()
	}()
	<-done
}

// rules sets the router's packet filter, which is gone when the test ends.
func (n *network) rules(t *testing.T, rule string) {
	t.Helper()
	if _, err := exec.LookPath("nft"); err != nil {
		missing(t, "nftables is not installed")
	}
	c := exec.Command("ip", "netns", "exec", n.router, "nft", "-f", "-")
	c.Stdin = strings.NewReader("table ip why520 { chain forward { type filter hook forward priority 0; " + rule + "\n}\n}\n")
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Cleanup(func() { run(t, "ip netns exec "+n.router+" nft delete table ip why520") })
}

// serve runs handle on every connection to an address within a namespace, which
// the end of the test closes.
func (n *network) serve(t *testing.T, namespace, address string, handle func(*net.TCPConn)) {
	t.Helper()
	var l net.Listener
	var err error
	n.within(namespace, func() { l, err = net.Listen("tcp", address) })
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(t.Context(), func() { c.Close() })
			handle(c.(*net.TCPConn))
			stop()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
}

// reach waits until an address answers: links take up to a second to come up.
func (n *network) reach(t testing.TB, address string) {
	t.Helper()
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		var c net.Conn
		n.within(n.client, func() { c, err = net.DialTimeout("tcp", address, time.Second) })
		switch {
		case err == nil:
			c.Close()
			return
		case errors.Is(err, unix.ECONNREFUSED):
			return
		}
	}
	require.NoError(t, err)
}

// run runs a command, whose arguments hold no space.
func run(t testing.TB, line string) {
	t.Helper()
	arguments := strings.Fields(line)
	out, err := exec.Command(arguments[0], arguments[1:]...).CombinedOutput()
	require.NoError(t, err, "%s: %s", line, out)
}
