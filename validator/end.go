package validator

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"reflect"
	"strings"
	"syscall"

	"why520/wire"
)

// This file alone turns errors of the network into facts.

// A LocalError is a fault of the asking machine: it says nothing of the origin.
type LocalError struct {
	Doing string // "dialling 192.0.2.1:80"
	Err   error
}

func (e *LocalError) Error() string { return "could not ask: " + e.Doing + ": " + e.Err.Error() }

// Unwrap gives the cause.
func (e *LocalError) Unwrap() error { return e.Err }

// ended says how a connection ended by the error of a read or a write on it.
func ended(err error) wire.End {
	if err == nil { // before op, which costs an allocation
		return wire.Open
	}
	var op *net.OpError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return wire.Truncated
	case errors.Is(err, io.EOF), errors.Is(err, syscall.EPIPE):
		return wire.FIN
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return wire.Timeout
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return wire.Timeout // routers said so meanwhile; TCP itself would have gone on trying
	case errors.As(err, &op) && op.Op == "remote error":
		return Alert
	}
	return wire.RST // ECONNRESET, EPIPE, ECONNABORTED
}

// timedOut reports whether err is of a deadline that is over.
func timedOut(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// unresolved reports whether dialling failed with err for want of an address.
func unresolved(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns)
}

// alert gives the number of the TLS alert that err tells of, or 0. Its type is
// not exported: an integer is all that is known of it.
func alert(err error) int {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return 0
	}
	if v := reflect.ValueOf(op.Err); v.Kind() == reflect.Uint8 {
		return int(v.Uint())
	}
	return 0
}

// notConnectedBy says how dialling ended, or gives a *LocalError.
func notConnectedBy(err error, address string) (wire.End, error) {
	switch {
	case errors.Is(err, context.Canceled), localFault(err):
		return wire.Open, &LocalError{"dialling " + address, err}
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused, nil
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		if local := routeTo(address); local != nil {
			return wire.Open, &LocalError{"dialling " + address, local}
		}
		return NoRoute, nil
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return wire.Timeout, nil
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return wire.Timeout, nil
	}
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.ECONNABORTED) || errors.Is(err, syscall.EPIPE) {
		return wire.RST, nil
	}
	return wire.Open, &LocalError{"dialling " + address, err}
}

// localFault reports whether err is of this machine's resources or rights.
func localFault(err error) bool {
	for _, e := range []syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.EADDRINUSE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.EACCES, syscall.EPERM, syscall.EAFNOSUPPORT, syscall.EINVAL,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// routeTo gives the error of this machine's having no route to address: a UDP
// connect sends nothing, so that no router can have answered it.
func routeTo(address string) error {
	c, err := net.Dial("udp", address)
	if err == nil {
		c.Close()
	}
	return err
}

// unnamed says how looking up a name ended, with the name server's word for it.
func unnamed(err error, name string) (wire.End, string, error) {
	var dns *net.DNSError
	switch {
	case errors.Is(err, context.Canceled):
		return wire.Open, "", &LocalError{"looking up " + name, err}
	case localFault(err):
		return wire.Open, "", &LocalError{"looking up " + name, err}
	case !errors.As(err, &dns):
		return NoName, err.Error(), nil
	case dns.IsTimeout:
		return NameTimeout, "no answer", nil
	case dns.IsNotFound:
		return NoName, "no such name, or no address for it", nil
	}
	return NoName, dns.Err, nil
}

// unencrypted says how a TLS handshake ended.
func unencrypted(err error, t *TLSFacts) wire.End {
	var (
		record     tls.RecordHeaderError
		broken     *certificateError
		unverified *tls.CertificateVerificationError
	)
	switch text := err.Error(); {
	case errors.As(err, &broken):
		return Certificate
	case errors.As(err, &unverified): // by who knows no TLSFacts
		t.refused(unverified)
		return Certificate
	case errors.As(err, &record):
		t.FirstBytes = record.RecordHeader[:]
		return NotTLS
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return wire.FIN
	case strings.Contains(text, "unadvertised ALPN"), strings.Contains(text, "application protocol") && alert(err) == 0:
		return ALPN
	case strings.Contains(text, "unsupported protocol version"), strings.Contains(text, "unconfigured cipher suite"),
		strings.Contains(text, "selected unsupported"), strings.Contains(text, "no supported versions"):
		return Version
	}
	if end := ended(err); end != wire.RST || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		t.Alert = alert(err)
		return end
	}
	return wire.FIN // we broke off over a malformed handshake; the error says over what
}

// ofTLS reports whether err tells of what an origin did in a TLS handshake, whoever
// made it.
func ofTLS(err error) bool {
	var record tls.RecordHeaderError
	var unverified *tls.CertificateVerificationError
	return errors.As(err, &record) || errors.As(err, &unverified) || alert(err) != 0
}

// refused takes why crypto/tls refused a certificate.
func (t *TLSFacts) refused(err *tls.CertificateVerificationError) {
	if len(err.UnverifiedCertificates) > 0 {
		t.shown(err.UnverifiedCertificates[0])
	}
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	reason := TLSCertificateUntrusted
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		reason = TLSCertificateExpired
	case errors.As(err, &name):
		reason = TLSCertificateNameMismatch
	}
	t.Certificate = []wire.Reason{reason}
}

// refusedHere gives the *LocalError of a function of the caller's that ended a TLS
// handshake with err, or nil.
func refusedHere(err error) error {
	var local *LocalError
	if errors.As(err, &local) {
		return local
	}
	return nil
}

// leftBy gives the error for a caller whose context ended with err for cause; it
// is both.
func leftBy(err, cause error) error {
	if errors.Is(cause, err) {
		return cause
	}
	return errors.Join(cause, err)
}

// cancelled reports whether the caller's context ended the probe.
func cancelled(ctx context.Context, doing string) error {
	if err := ctx.Err(); err != nil {
		return &LocalError{doing, context.Cause(ctx)}
	}
	return nil
}
