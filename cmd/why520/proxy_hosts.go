package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// hostOf gives a name or an address in the one form that requests are compared in: in
// lower case, names in ASCII (RFC 5891) and without the dot of the root, IPv6
// addresses without brackets and as short as RFC 5952 has them.
func hostOf(text string) (string, error) {
	if bare := strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"); strings.Contains(bare, ":") {
		a, err := netip.ParseAddr(bare)
		if err != nil || (len(bare) != len(text) && text != "["+bare+"]") {
			return "", errors.New("it is no name and no IPv6 address")
		}
		return a.String(), nil
	}
	name := strings.TrimSuffix(text, ".")
	if strings.ContainsFunc(name, func(c rune) bool { return c >= 0x80 }) {
		ascii, err := idna.Lookup.ToASCII(name)
		if err != nil {
			return "", errors.New("it is no name of a host in any script")
		}
		name = ascii
	}
	if len(name) > 253 {
		return "", errors.New("a name has at most 253 bytes")
	}
	for label := range strings.SplitSeq(name, ".") {
		switch {
		case label == "":
			return "", errors.New("a part of the name is empty")
		case len(label) > 63:
			return "", errors.New("a part of the name has more than 63 bytes")
		}
		for _, c := range label {
			if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", c) {
				return "", fmt.Errorf("%q stands in no name", c)
			}
		}
	}
	return strings.ToLower(name), nil
}

// hostPort takes HOST[:PORT] apart; port is empty where there is none.
func hostPort(text string) (host, port string, err error) {
	host = text
	if i := strings.LastIndexByte(text, ':'); i >= 0 && (strings.IndexByte(text, ':') == i || i > 0 && text[i-1] == ']') {
		if host, port = text[:i], text[i+1:]; !isPort(port) {
			return "", "", errors.New("a port is a number, 1 to 65535")
		}
	}
	host, err = hostOf(host)
	return host, port, err
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

// joined gives what hostPort took apart, as it stands in a Host field.
func joined(host, port string) string {
	switch {
	case port != "":
		return net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		return "[" + host + "]"
	}
	return host
}

// hostPattern gives one of an origin's hosts: a name, an address, or *. and a name
// for all below it. The error says what to write in its place.
func hostPattern(text string) (string, error) {
	below := strings.HasPrefix(text, "*.")
	name := strings.TrimPrefix(text, "*.")
	switch {
	case text == "" || text == "*":
		return "", errors.New("leave hosts out where the origin is for all of them")
	case strings.Contains(text, "/"):
		if u, err := url.Parse(text); err == nil && u.Hostname() != "" {
			return "", fmt.Errorf("want %q: no scheme and no path, for which there is the key path", u.Hostname())
		}
		return "", errors.New("want a name alone: there is the key path for paths")
	case strings.Contains(name, "*"):
		return "", errors.New(`* stands for all below a name alone: "*.example.com"`)
	case strings.Contains(name, "%"):
		return "", errors.New("want an address without a zone")
	}
	host, port, err := hostPort(name)
	switch {
	case err != nil:
		return "", err
	case port != "":
		return "", fmt.Errorf("want %q: what clients ask for leads there on every port", strings.TrimSuffix(text, ":"+port))
	case below:
		host = "*." + host
	}
	return host, nil
}

// name checks what an origin is called by, and gives it the form that is sent.
func (o *originConfig) name() error {
	for i, h := range o.Hosts {
		host, err := hostPattern(h)
		if err != nil {
			return usage("origin %s: hosts: %q: %v", o.URL, h, err)
		}
		o.Hosts[i] = host
	}
	if o.ConnectTo != "" {
		host, port, err := hostPort(o.ConnectTo)
		if err != nil {
			return usage("origin %s: connect-to %q: want HOST or HOST:PORT, such as 192.0.2.10:8080; %v", o.URL, o.ConnectTo, err)
		}
		if o.ConnectTo = host; port != "" {
			o.ConnectTo = joined(host, port)
		}
	}
	if o.Host != "" {
		host, port, err := hostPort(o.Host)
		if err != nil {
			return usage("origin %s: host %q: want what stands in the field Host, such as www.example.com; %v", o.URL, o.Host, err)
		}
		o.Host = joined(host, port)
	}
	if o.SNI != "" {
		host, port, err := hostPort(o.SNI)
		if err != nil || port != "" {
			return usage("origin %s: sni %q: want a name alone, such as www.example.com", o.URL, o.SNI)
		}
		o.SNI = host
	}
	return nil
}
