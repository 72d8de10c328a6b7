package validator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/wire"
)

// What routers and links do, in network namespaces of Linux: a client, a router
// and an origin, each with its own stack. It needs root and iproute2.

// A network is three namespaces in a row. The client has routes to the origin's
// net and to 203.0.113.0/24, both by the router, and no other.
type network struct{ client, router, origin string }

const (
	listening  = "198.51.100.2:80"  // at the origin
	closedPort = "198.51.100.2:81"  // at the origin
	blackhole  = "198.51.100.66:80" // the router knows its link address; nobody has it
	absent     = "198.51.100.77:80" // in the origin's net; nobody answers for it
	beyond     = "203.0.113.1:80"   // the router answers that it is unreachable
	unknown    = "10.0.0.1:80"      // the client has no route to it
)

// newNetwork makes a network that is gone when the test ends.
func newNetwork(t *testing.T) *network {
	t.Helper()
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		missing(t, "network namespaces need Linux and root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		missing(t, "iproute2 is not installed")
	}
	prefix := fmt.Sprintf("why520-%d-", os.Getpid())
	n := &network{prefix + "client", prefix + "router", prefix + "origin"}
	for _, name := range []string{n.client, n.router, n.origin} {
		if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
			missing(t, fmt.Sprintf("network namespaces cannot be made here (%s)", strings.TrimSpace(string(out))))
		}
		t.Cleanup(func() { run(t, "ip netns delete "+name) })
	}
	names := strings.NewReplacer("CLIENT", n.client, "ROUTER", n.router, "ORIGIN", n.origin)
	for _, line := range []string{
		"ip link add name c0 netns CLIENT type veth peer name r0 netns ROUTER",
		"ip link add name o0 netns ORIGIN type veth peer name r1 netns ROUTER",
		"ip -n ORIGIN link set o0 address 02:00:00:00:00:02",
		"ip -n CLIENT address add 192.0.2.2/24 dev c0",
		"ip -n ROUTER address add 192.0.2.1/24 dev r0",
		"ip -n ROUTER address add 198.51.100.1/24 dev r1",
		"ip -n ORIGIN address add 198.51.100.2/24 dev o0",
		"ip -n CLIENT link set c0 up",
		"ip -n ROUTER link set r0 up",
		"ip -n ROUTER link set r1 up",
		"ip -n ORIGIN link set o0 up",
		"ip -n CLIENT route add 198.51.100.0/24 via 192.0.2.1",
		"ip -n CLIENT route add 203.0.113.0/24 via 192.0.2.1",
		"ip -n ORIGIN route add default via 198.51.100.1",
		"ip -n ROUTER route add unreachable 203.0.113.0/24",
		"ip -n ROUTER neighbour add 198.51.100.2 lladdr 02:00:00:00:00:02 dev r1 nud permanent", // it may be too busy to answer in time
		"ip -n ROUTER neighbour add 198.51.100.66 lladdr 02:00:00:00:00:66 dev r1 nud permanent",
	} {
		run(t, names.Replace(line))
	}
	n.tune(t, "ip_forward", 1)
	n.tune(t, "neigh/r1/mcast_solicit", 1) // who has this address? asked once ...
	n.tune(t, "neigh/r1/retrans_time_ms", 50)
	return n
}

// tune sets one of the router's parameters.
func (n *network) tune(t *testing.T, parameter string, value int) {
	t.Helper()
	command := fmt.Sprintf("echo %d >/proc/sys/net/ipv4/%s", value, parameter)
	out, err := exec.Command("ip", "netns", "exec", n.router, "sh", "-c", command).CombinedOutput()
	require.NoError(t, err, "%s: %s", command, out)
}

// run runs a command, whose arguments hold no space.
func run(t *testing.T, line string) {
	t.Helper()
	arguments := strings.Fields(line)
	out, err := exec.Command(arguments[0], arguments[1:]...).CombinedOutput()
	require.NoError(t, err, "%s: %s", line, out)
}

// inside makes the command that runs the function do of this test binary in a
// namespace.
func inside(t *testing.T, namespace, do string, question any) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	asked, err := json.Marshal(question)
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), "ip", "netns", "exec", namespace, self, "-test.run=^"+do+"$")
	c.Env = append(os.Environ(), helperQuestion+"="+string(asked))
	return c
}

// helperQuestion is the variable of the environment that makes the two helpers
// below do their work, which is in another namespace.
const helperQuestion = "WHY520_TEST_QUESTION"

// A question is what TestHelperProbe is to ask, and the command that it runs
// between connect and request.
type question struct {
	Target    validator.Target
	Deadlines validator.Deadlines
	Connected string
}

// An answer is what became of a question.
type answer struct {
	Reason wire.Reason
	Phase  validator.Phase
	Error  string
	Local  bool // it could not be asked: Reason and Phase are not valid
}

// TestHelperProbe asks a question in the namespace that it is run in.
func TestHelperProbe(t *testing.T) {
	var q question
	if !helps(t, &q) {
		return
	}
	p := validator.Prober{Deadlines: q.Deadlines}
	if q.Connected != "" {
		p.Connected = func(context.Context, net.Conn) error {
			run(t, q.Connected)
			return nil
		}
	}
	var a answer
	e, err := p.Probe(t.Context(), q.Target)
	if err != nil {
		var local *validator.LocalError
		a.Error, a.Local = err.Error(), errors.As(err, &local)
	} else {
		v := validator.Judge(e, nil)
		a.Reason, a.Phase, a.Error = v.Reason, v.Phase, e.Error
	}
	require.NoError(t, json.NewEncoder(os.Stdout).Encode(a))
	os.Exit(0) // before package testing prints, too
}

// TestHelperOrigin answers every connection at an address until it is killed.
func TestHelperOrigin(t *testing.T) {
	var address string
	if !helps(t, &address) {
		return
	}
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	fmt.Println("listening")
	for {
		c, err := l.Accept()
		require.NoError(t, err)
		readHead(c)
		_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
		c.Close()
	}
}

// helps reports whether this process was started to help, and what is asked.
func helps(t *testing.T, question any) bool {
	t.Helper()
	asked, helper := os.LookupEnv(helperQuestion)
	if helper {
		require.NoError(t, json.Unmarshal([]byte(asked), question))
	}
	return helper
}

// serveOrigin starts an origin at listening.
func (n *network) serveOrigin(t *testing.T) {
	t.Helper()
	c := inside(t, n.origin, "TestHelperOrigin", listening)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Kill() // ip has become the helper, by exec
		_ = c.Wait()
	})
	_, err = out.Read(make([]byte, 1)) // it says when it listens
	require.NoError(t, err)
}

// probe asks address from the client's namespace. What is silent is waited for
// shortly, and what comes for as long as a busy machine may need.
func (n *network) probe(t *testing.T, address, connected string) answer {
	t.Helper()
	d := validator.Deadlines{Connect: time.Minute, FirstByte: time.Minute}
	if address == blackhole {
		d.Connect = time.Second
	}
	if connected != "" {
		d.FirstByte = time.Second
	}
	out, err := inside(t, n.client, "TestHelperProbe", question{
		Target:    validator.Target{URL: "http://" + address + "/"},
		Deadlines: d,
		Connected: connected,
	}).Output()
	require.NoError(t, err, "%s", out)
	var a answer
	require.NoError(t, json.Unmarshal(out, &a), "%s", out)
	return a
}

func TestWhatTheNetworkDoesHasItsReason(t *testing.T) {
	for _, c := range []struct {
		name      string
		address   string
		connected func(n *network) string // to run between connect and request
		reason    wire.Reason
		phase     validator.Phase
	}{
		{"an origin that answers", listening, nil, wire.OK, validator.PhaseIdle},
		{"a closed port", closedPort, nil, validator.ConnectionRefused, validator.PhaseConnect},
		{"an address that swallows all", blackhole, nil, validator.ConnectionTimeout, validator.PhaseConnect},
		{"a net that a router calls unreachable", beyond, nil, validator.Unroutable, validator.PhaseConnect},
		{"an address that nobody has", absent, nil, validator.Unroutable, validator.PhaseConnect},
		{"a path that goes silent after connect", listening, func(n *network) string {
			return "ip -n " + n.router + " route add blackhole 198.51.100.2/32"
		}, validator.RequestUnacknowledged, validator.PhaseWait},
		{"a link that goes down after connect", listening, func(n *network) string {
			return "ip -n " + n.router + " link set r1 down"
		}, validator.RequestUnacknowledged, validator.PhaseWait},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newNetwork(t)
			n.serveOrigin(t)
			connected := ""
			if c.connected != nil {
				connected = c.connected(n)
			}
			a := n.probe(t, c.address, connected)
			require.False(t, a.Local, a.Error)
			assert.Equal(t, c.reason, a.Reason, a.Error)
			assert.Equal(t, c.phase, a.Phase, a.Error)
		})
	}
}

func TestNoRouteFromHereIsNoVerdictOnTheOrigin(t *testing.T) {
	a := newNetwork(t).probe(t, unknown, "")
	assert.True(t, a.Local, "reason %v, %s", a.Reason, a.Error)
}
