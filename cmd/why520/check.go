package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"why520/validator"
	"why520/validator/report"
)

// checkFlags are the flags of check.
type checkFlags struct {
	policyFlags
	connectTo, host, sni, method, data, userAgent, upgrade  string
	dns, address, source, proxyProtocol, ca, cert, key, har string
	fields                                                  []string
	upload                                                  size
	insecure, decode, verbose, why                          bool
	deadlines                                               validator.Deadlines
	requests                                                int
	idle                                                    time.Duration
	evidence, exitCode                                      string
	capture, pcap                                           string
}

func (a *app) check() *cobra.Command {
	f := &checkFlags{}
	c := &cobra.Command{
		Use:   "check URL...",
		Short: "Ask each origin and say what it did",
		Example: `  why520 check https://origin.example/
  why520 check https://www.example.com/ --connect-to 192.0.2.10
  why520 check http://192.0.2.10/ --host www.example.com --edge nginx -v`,
	}
	f.add(c)
	c.RunE = func(c *cobra.Command, urls []string) error {
		if len(urls) == 0 && f.har == "" {
			return usage("check what? give a URL, such as http://192.0.2.10/")
		}
		return a.runCheck(c, f, urls)
	}
	return c
}

func (f *checkFlags) add(c *cobra.Command) {
	f.policyFlags.add(c)
	s := c.Flags()
	s.Var(&f.maxBody, "max-body", "bytes of content that are read (default 1GiB); none is kept")
	s.StringVar(&f.connectTo, "connect-to", "", "dial HOST[:PORT], the origin's address; Host and SNI stay the URL's")
	s.StringVar(&f.host, "host", "", "Host field")
	s.StringVar(&f.sni, "sni", "", "server name for TLS")
	s.StringArrayVarP(&f.fields, "header", "H", nil, "'Name: value', a field of the request; repeatable")
	s.StringVarP(&f.method, "request-method", "X", "", "method")
	s.StringVar(&f.data, "data", "", "content to send; @FILE reads it from a file")
	s.Var(&f.upload, "upload", "bytes of generated content to send")
	s.StringVar(&f.userAgent, "user-agent", "", "User-Agent field")
	s.StringVar(&f.upgrade, "upgrade", "", "ask to switch to this protocol: websocket")
	s.StringVar(&f.dns, "dns", "", "ADDRESS[:PORT] of the name server to ask")
	s.StringVar(&f.address, "address", "first", "which of the name's addresses: all, 4, 6, first")
	s.StringVar(&f.source, "source", "", "IP address to dial from")
	s.StringVar(&f.proxyProtocol, "proxy-protocol", "", "send this header of the PROXY protocol first: v1 or v2")
	s.StringVar(&f.ca, "ca", "", "PEM file of the authorities to trust")
	s.StringVar(&f.cert, "cert", "", "PEM file of the client certificate")
	s.StringVar(&f.key, "key", "", "PEM file of its key")
	s.BoolVar(&f.insecure, "insecure", false, "what is wrong with the certificate is a note")
	s.BoolVar(&f.decode, "decode", false, "check that gzip and deflate content decodes")
	s.DurationVar(&f.deadlines.Connect, "connect-timeout", 0, "(default 5s)")
	s.DurationVar(&f.deadlines.TLS, "tls-timeout", 0, "(default 5s)")
	s.DurationVar(&f.deadlines.Write, "write-timeout", 0, "without progress in sending (default 10s)")
	s.DurationVar(&f.deadlines.FirstByte, "first-byte-timeout", 0, "from the end of the request (default 15s)")
	s.DurationVar(&f.deadlines.Head, "head-timeout", 0, "from the end of the request to the end of the final head (default 20s)")
	s.DurationVar(&f.deadlines.Idle, "idle-timeout", 0, "between bytes (default 10s)")
	s.DurationVar(&f.deadlines.Total, "timeout", 0, "of all (default 60s)")
	s.IntVar(&f.requests, "requests", 1, "so many on one connection, a verdict each")
	s.DurationVar(&f.idle, "idle", 0, "to wait between them")
	s.BoolVarP(&f.verbose, "verbose", "v", false, "print the exchange with offsets on standard error")
	s.StringVar(&f.evidence, "evidence", "", "store the evidence in this file, for judge; an object a line")
	s.StringVar(&f.capture, "capture", "", "capture on this interface (any: on all), and say who reset")
	s.StringVar(&f.pcap, "pcap", "", "with --capture: write the connections' packets to this file, as pcapng")
	s.BoolVar(&f.why, "why", false, "find the smallest request that still fails, one change at a time")
	s.StringVar(&f.har, "request", "", "take the request from a browser's HAR: FILE.har#N, N counts from 0")
	s.StringVar(&f.exitCode, "exit-code", "", "curl: exit as curl would, for a single target")
}

func (a *app) runCheck(c *cobra.Command, f *checkFlags, urls []string) error {
	p, err := a.prober(f)
	if err != nil {
		return err
	}
	targets, err := f.targets(urls)
	if err != nil {
		return err
	}
	if f.exitCode != "" && (f.exitCode != "curl" || len(targets) != 1) {
		return usage("--exit-code takes curl, with one URL")
	}
	var store io.WriteCloser // files are made first: a capture gives privileges up
	if f.evidence != "" {
		if store, err = os.Create(f.evidence); err != nil {
			return cannot(err)
		}
	}
	ask, done, err := a.asker(f, p)
	if err != nil {
		return err
	}
	err = a.askAll(c.Context(), f, ask, targets, store)
	if failed := done(); failed != nil {
		return failed
	}
	return err
}

// askAll asks the targets and prints what they did.
func (a *app) askAll(ctx context.Context, f *checkFlags, ask asker, targets []validator.Target, store io.WriteCloser) error {
	curl := 0
	for _, t := range targets {
		if f.why {
			if err := a.runWhy(ctx, ask, t); err != nil {
				return err
			}
			continue
		}
		last, err := a.checkOne(ctx, ask, t, store)
		if err != nil {
			return err
		}
		curl = last
	}
	if store != nil {
		if err := store.Close(); err != nil {
			return cannot(err)
		}
	}
	if f.exitCode == "curl" && !a.unasked {
		return &exitError{code: curl}
	}
	return nil
}

// checkOne prints the verdicts on one target; it gives curl's exit status for
// the last.
func (a *app) checkOne(ctx context.Context, ask asker, t validator.Target, store io.Writer) (curl int, err error) {
	for e, err := range ask(ctx, t) {
		var target *validator.TargetError
		switch {
		case errors.As(err, &target):
			return 0, usage("%v", err)
		case err != nil:
			a.complain(t.URL, err)
			return 0, nil
		}
		if store != nil {
			if err := json.NewEncoder(store).Encode(e); err != nil {
				return 0, cannot(err)
			}
		}
		v := validator.Judge(e, nil)
		curl = validator.NamesOf(v.Reason).CurlExit
		if err := a.verdict(e, &v); err != nil {
			return 0, err
		}
	}
	return curl, nil
}

// prober gives who asks, as the flags say.
func (a *app) prober(f *checkFlags) (*validator.Prober, error) {
	policy, edge, err := f.read()
	if err != nil {
		return nil, err
	}
	policy.Insecure = f.insecure
	if policy.Limits.Body == 0 {
		policy.Limits.Body = defaultMaxBody
	}
	p := &validator.Prober{Policy: policy, Deadlines: f.deadlines, Decode: f.decode}
	if edge != nil {
		p.Deadlines = edge.Deadlined(p.Deadlines)
	}
	var ok bool
	if p.Addresses, ok = map[string]validator.Addresses{"first": validator.FirstAddress, "all": validator.AllAddresses, "4": validator.IPv4, "6": validator.IPv6}[f.address]; !ok {
		return nil, usage("--address %q: want all, 4, 6 or first", f.address)
	}
	if p.Preface, ok = map[string]validator.Preface{"": validator.NoPreface, "v1": validator.ProxyV1, "v2": validator.ProxyV2}[f.proxyProtocol]; !ok {
		return nil, usage("--proxy-protocol %q: want v1 or v2", f.proxyProtocol)
	}
	if f.source != "" {
		if p.Source, err = netip.ParseAddr(f.source); err != nil {
			return nil, usage("--source %q: want an IP address", f.source)
		}
	}
	for name, d := range map[string]time.Duration{
		"connect-timeout": f.deadlines.Connect, "tls-timeout": f.deadlines.TLS, "write-timeout": f.deadlines.Write, "idle": f.idle,
		"first-byte-timeout": f.deadlines.FirstByte, "head-timeout": f.deadlines.Head, "idle-timeout": f.deadlines.Idle, "timeout": f.deadlines.Total,
	} {
		if d < 0 {
			return nil, usage("--%s %v: want a duration above 0, such as 5s", name, d)
		}
	}
	if f.dns != "" {
		server := f.dns
		if _, _, err := net.SplitHostPort(server); err != nil {
			server = net.JoinHostPort(strings.Trim(server, "[]"), "53")
		}
		p.Resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, server)
		}}
	}
	if p.TLS, err = f.tls(); err != nil {
		return nil, err
	}
	if f.verbose {
		p.Trace = a.trace
	}
	return p, nil
}

func (f *checkFlags) tls() (*tls.Config, error) {
	config := &tls.Config{}
	if f.ca != "" {
		pem, err := os.ReadFile(f.ca)
		if err != nil {
			return nil, cannot(err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, cannot(fmt.Errorf("--ca %s holds no certificate in PEM", f.ca))
		}
	}
	if (f.cert == "") != (f.key == "") {
		return nil, usage("--cert and --key go together")
	}
	if f.cert != "" {
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return nil, cannot(fmt.Errorf("--cert %s, --key %s: %w", f.cert, f.key, err))
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// targets gives what is asked, as the flags say.
func (f *checkFlags) targets(urls []string) ([]validator.Target, error) {
	base := validator.Target{Requests: f.requests, Idle: f.idle}
	if f.requests < 1 {
		return nil, usage("--requests %d: want 1 or more", f.requests)
	}
	if f.har != "" {
		if err := fromHAR(f.har, &base); err != nil {
			return nil, err
		}
		if len(urls) == 0 {
			urls = []string{base.URL}
		}
	}
	for _, s := range []struct{ flag, to *string }{
		{&f.connectTo, &base.ConnectTo}, {&f.host, &base.Host}, {&f.sni, &base.SNI}, {&f.method, &base.Method},
		{&f.userAgent, &base.UserAgent}, {&f.upgrade, &base.Upgrade},
	} {
		if *s.flag != "" {
			*s.to = *s.flag
		}
	}
	for _, line := range f.fields {
		name, value, found := strings.Cut(line, ":")
		if !found {
			return nil, usage("-H %q: want 'Name: value'", line)
		}
		base.Fields = append(base.Fields, validator.Field{Name: name, Value: strings.Trim(value, " \t")})
	}
	switch {
	case f.data != "" && f.upload > 0:
		return nil, usage("--data and --upload exclude each other")
	case strings.HasPrefix(f.data, "@"):
		content, err := os.ReadFile(f.data[1:])
		if err != nil {
			return nil, cannot(err)
		}
		base.Body = content
	case f.data != "":
		base.Body = []byte(f.data)
	}
	base.Upload = int64(f.upload)
	var all []validator.Target
	for _, u := range urls {
		t := base
		t.URL = u
		all = append(all, t)
	}
	return all, nil
}

// trace prints a step as curl -v does.
func (a *app) trace(s validator.Step) {
	if len(s.Bytes) == 0 {
		fmt.Fprintf(a.log, "%c %s\n", s.Kind, s.Text)
		return
	}
	for _, line := range report.Lines(s.Bytes, s.Offset) {
		fmt.Fprintf(a.log, "%c %s\n", s.Kind, line)
	}
}
