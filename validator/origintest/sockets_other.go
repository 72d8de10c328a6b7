//go:build !linux

package origintest

import (
	"errors"
	"net"
)

// rawSockets: bindOnly, listenFull and deafen work on Linux alone.
const rawSockets = false

func bindOnly(string) (string, func(), error)   { return "", nil, errors.ErrUnsupported }
func listenFull(string) (string, func(), error) { return "", nil, errors.ErrUnsupported }
func deafen(*net.TCPConn)                       {}
