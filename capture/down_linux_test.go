package capture_test

import (
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"why520/capture"
	"why520/validator"
)

// What passed before an interface goes down, or away, is given; then that is told.
func TestAnInterfaceThatGoesDownOrAwayIsToldOf(t *testing.T) {
	for name, command := range map[string]string{"down": "set c0 down", "away": "delete c0"} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			var l *capture.Live
			n.within(n.client, func() { l = open(t, capture.LiveOptions{Interface: "c0"}) })
			n.reach(t, closedPort)
			run(t, "ip -n "+n.client+" link "+command)
			var failed *capture.LiveError
			flows := 0
			for f, err := range l.Flows(capture.Options{All: true}) {
				if err == nil {
					assert.Equal(t, capture.HandshakeNone, f.Handshake)
					flows++
					continue
				}
				require.Nil(t, failed, "once")
				require.ErrorAs(t, err, &failed)
			}
			assert.Equal(t, 1, flows)
			require.NotNil(t, failed)
			assert.ErrorIs(t, failed, unix.ENETDOWN)
			assert.Contains(t, failed.Error(), "no capture on c0: reading packets: network is down; the interface is down, or gone")
			assert.ErrorIs(t, l.Next(new(capture.Packet)), unix.ENETDOWN, "again")
			require.NoError(t, l.Close())
			assert.Equal(t, io.EOF, l.Next(new(capture.Packet)))
		})
	}
}

func TestAnInterfaceThatIsDownIsToldOf(t *testing.T) {
	n := newNetwork(t)
	run(t, "ip -n "+n.client+" link set c0 down")
	var l *capture.Live
	n.within(n.client, func() { l = open(t, capture.LiveOptions{Interface: "c0"}) })
	assert.ErrorIs(t, l.Next(new(capture.Packet)), unix.ENETDOWN)
}

func TestAWaitEndsWhenTheInterfaceGoesAway(t *testing.T) {
	n := newNetwork(t)
	var l *capture.Live
	origins := []capture.Origin{{Address: blasted[0].Address.Next()}}
	n.within(n.client, func() { l = open(t, capture.LiveOptions{Interface: "c0", Origins: origins}) })
	waited := make(chan error)
	go func() { waited <- l.Next(new(capture.Packet)) }()
	run(t, "ip -n "+n.client+" link delete c0")
	assert.ErrorIs(t, <-waited, unix.ENETDOWN)
}

func TestTapOfAnInterfaceThatWentAwaySaysSo(t *testing.T) {
	n := newNetwork(t)
	var tap *capture.Tap
	var err error
	n.within(n.client, func() { tap, err = openTap("c0", capture.TapOptions{}) })
	require.NoError(t, err)
	run(t, "ip -n "+n.client+" link delete c0")
	e, err := tap.Probe(t.Context(), &validator.Prober{}, validator.Target{URL: "http://" + loopback(t, linger0) + "/"})
	require.NoError(t, err)
	require.NotNil(t, e.TCP)
	require.Len(t, e.TCP.Evidence, 1)
	assert.Contains(t, e.TCP.Evidence[0], "the interface is down, or gone")
	var failed *capture.LiveError
	assert.True(t, errors.As(tap.Close(), &failed))
}
