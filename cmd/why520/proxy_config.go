package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"why520/validator"
)

// A proxyConfig is what the proxy is told, by flags or by a file. The file is
// YAML, which people write by hand and comment; its keys are the flags' names,
// and a flag goes before its key. Paths in the file are relative to its folder.
type proxyConfig struct {
	Listen      string         `yaml:"listen"`
	Admin       string         `yaml:"admin"` // empty: there is no such listener
	TLSCert     string         `yaml:"tls-cert"`
	TLSKey      string         `yaml:"tls-key"`
	Store       string         `yaml:"store"` // empty: copies are kept in memory
	StoreSize   size           `yaml:"store-size"`
	Policy      string         `yaml:"policy"`
	Edge        string         `yaml:"edge"`
	Budget      size           `yaml:"budget"`
	MaxBody     size           `yaml:"max-body"`
	Tolerate    []string       `yaml:"tolerate"`
	HoldContent roomSize       `yaml:"hold-content"`
	Status      int            `yaml:"status"`
	Online      []int          `yaml:"online"` // verdicts' for which a copy is served
	Banner      bool           `yaml:"banner"`
	Contact     string         `yaml:"contact"`
	Connect     time.Duration  `yaml:"connect-timeout"` // zero here and below: the edge's, or a default
	TLS         time.Duration  `yaml:"tls-timeout"`
	Write       time.Duration  `yaml:"write-timeout"`
	FirstByte   time.Duration  `yaml:"first-byte-timeout"`
	Head        time.Duration  `yaml:"head-timeout"`
	Idle        time.Duration  `yaml:"idle-timeout"`
	Total       time.Duration  `yaml:"timeout"`
	Client      time.Duration  `yaml:"client-timeout"` // without progress in reading from a client or writing to it
	Drain       time.Duration  `yaml:"drain-timeout"`
	Origins     []originConfig `yaml:"origins"`

	policy    validator.Policy // what Policy, Edge, Budget, MaxBody and Tolerate come to
	deadlines validator.Deadlines
	files     []string // that were read, or will be
}

// An originConfig is one origin, and which requests are its.
type originConfig struct {
	URL       string   `yaml:"url"`
	Hosts     []string `yaml:"hosts"` // none: all; *.example.com: all below it
	Path      string   `yaml:"path"`  // what the path begins with, in whole segments
	ConnectTo string   `yaml:"connect-to"`
	Host      string   `yaml:"host"` // empty: the client's
	SNI       string   `yaml:"sni"`  // empty: the URL's host
	CA        string   `yaml:"ca"`
	Insecure  bool     `yaml:"insecure"`
	MaxConns  int      `yaml:"max-conns"` // 0: no limit

	url *url.URL
	tls *tls.Config
}

func defaultProxyConfig() *proxyConfig {
	return &proxyConfig{
		Listen: "127.0.0.1:8080", Policy: "report", HoldContent: 64 << 10, Status: 520, StoreSize: 1 << 30,
		Online: []int{520, 521, 522, 523, 524, 525, 526, 530},
		Client: time.Minute, Drain: 30 * time.Second,
	}
}

// flags binds the flags to c and the first of its origins; what c has is their
// default.
func (c *proxyConfig) flags(s *pflag.FlagSet, o *originConfig) {
	s.StringVar(&o.URL, "origin", o.URL, "URL of the origin: http://127.0.0.1:8081")
	s.StringVar(&o.ConnectTo, "connect-to", o.ConnectTo, "dial HOST[:PORT] in the place of the URL's")
	s.StringVar(&o.CA, "ca", o.CA, "PEM file of the authorities that sign for the origin")
	s.BoolVar(&o.Insecure, "insecure", o.Insecure, "what is wrong with the origin's certificate is a note")
	s.StringVar(&c.Listen, "listen", c.Listen, "ADDRESS:PORT for clients")
	s.StringVar(&c.Admin, "admin", c.Admin, "ADDRESS:PORT of /metrics, /healthz and /verdicts (default none)")
	s.StringVar(&c.TLSCert, "tls-cert", c.TLSCert, "PEM file of the certificate for clients, with its chain; HTTP/2 comes with it")
	s.StringVar(&c.TLSKey, "tls-key", c.TLSKey, "PEM file of its key")
	s.StringVar(&c.Policy, "policy", c.Policy, "strict, or report: repair and pass on what can be tolerated, heads up to 128 KiB")
	s.StringVar(&c.Edge, "edge", c.Edge, "take the budgets and the deadlines of this edge: nginx, cloudflare-2025, ...")
	s.Var(&c.Budget, "budget", "bytes that a head may have (default by policy: 8KiB, 128KiB)")
	s.Var(&c.MaxBody, "max-body", "bytes of content that may come (default no limit)")
	s.StringSliceVar(&c.Tolerate, "tolerate", c.Tolerate, "reasons to let pass: bare-lf,field-obs-fold,...")
	s.Var(&c.HoldContent, "hold-content", "bytes of content that are verified before anything is passed on; 0: none")
	s.IntVar(&c.Status, "status", c.Status, "what failures are answered with: 520 (to 526, and 530), or 502 (and 504)")
	s.StringVar(&c.Store, "store", c.Store, "folder that keeps copies of good responses over restarts (default in memory)")
	s.Var(&c.StoreSize, "store-size", "bytes of copies")
	s.IntSliceVar(&c.Online, "online", c.Online, "verdicts for which a stored copy is served")
	s.BoolVar(&c.Banner, "banner", c.Banner, "stored pages say that they are")
	s.StringVar(&c.Contact, "contact", c.Contact, "whom visitors can tell of a failure")
	s.DurationVar(&c.Connect, "connect-timeout", c.Connect, "(default 10s)")
	s.DurationVar(&c.TLS, "tls-timeout", c.TLS, "of the handshake with the origin (default 10s)")
	s.DurationVar(&c.Write, "write-timeout", c.Write, "without progress in sending (default 1m)")
	s.DurationVar(&c.FirstByte, "first-byte-timeout", c.FirstByte, "from the end of the request (default 1m)")
	s.DurationVar(&c.Head, "head-timeout", c.Head, "from the end of the request to the end of the final head (default 2m)")
	s.DurationVar(&c.Idle, "idle-timeout", c.Idle, "between bytes (default 1m)")
	s.DurationVar(&c.Total, "timeout", c.Total, "of an exchange with the origin (default none)")
	s.DurationVar(&c.Client, "client-timeout", c.Client, "without progress on a client's side")
	s.DurationVar(&c.Drain, "drain-timeout", c.Drain, "for what is in flight at the end")
}

// loadProxyConfig gives what given, the flags that the command line has, and a file
// say, checked. file empty: there is none.
func loadProxyConfig(file string, given *pflag.FlagSet) (*proxyConfig, error) {
	c := defaultProxyConfig()
	if file != "" {
		if given.Changed("origin") {
			return nil, usage("--origin and --config exclude each other: name the origin in the file")
		}
		if err := c.read(file); err != nil {
			return nil, err
		}
	}
	var single originConfig
	first := &single
	if len(c.Origins) > 0 {
		first = &c.Origins[0]
	}
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	c.flags(own, first)
	var err error
	given.Visit(func(f *pflag.Flag) {
		to := own.Lookup(f.Name)
		if to == nil || err != nil {
			return
		}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			err = to.Value.(pflag.SliceValue).Replace(list.GetSlice())
		} else {
			err = to.Value.Set(f.Value.String())
		}
	})
	if err != nil {
		return nil, err
	}
	if file == "" {
		if single.URL == "" {
			return nil, usage("proxy for which origin? give --origin http://HOST[:PORT], or --config FILE")
		}
		c.Origins = []originConfig{single}
	}
	return c, c.check()
}

var (
	unknownKey  = regexp.MustCompile(`field (\S+) not found in type main\.(\w+)`)
	notDuration = regexp.MustCompile("cannot unmarshal \\S+ `([^`]*)` into time.Duration")
)

// read reads the file over what c has.
func (c *proxyConfig) read(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return cannot(err)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(c); errors.Is(err, io.EOF) {
		return usage("%s is empty; it wants at least\norigins:\n  - url: http://127.0.0.1:8081", file)
	} else if err != nil {
		said := strings.TrimPrefix(err.Error(), "yaml: ")
		var several *yaml.TypeError
		if errors.As(err, &several) {
			said = strings.Join(several.Errors, "; ")
		}
		said = notDuration.ReplaceAllString(said, "$1: want a duration, such as 5s")
		said = unknownKey.ReplaceAllStringFunc(said, func(s string) string {
			m := unknownKey.FindStringSubmatch(s)
			of := reflect.TypeFor[proxyConfig]()
			if m[2] == "originConfig" {
				of = reflect.TypeFor[originConfig]()
			}
			return fmt.Sprintf("there is no key %q; %s", m[1], suggest(m[1], keysOf(of)))
		})
		return usage("%s: %s", file, said)
	}
	var more any
	if err := d.Decode(&more); err == nil && more != nil {
		return usage("%s: after --- there is a second document: put all into the first", file)
	} else if err != nil && !errors.Is(err, io.EOF) {
		return usage("%s: %s", file, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	c.files = append(c.files, file)
	paths := []*string{&c.TLSCert, &c.TLSKey, &c.Store}
	for i := range c.Origins {
		paths = append(paths, &c.Origins[i].CA)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(filepath.Dir(file), *p)
		}
	}
	return nil
}

// keysOf gives the keys of a struct in the file.
func keysOf(t reflect.Type) (keys []string) {
	for f := range t.Fields() {
		if key := f.Tag.Get("yaml"); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

// check finds what cannot be right, and makes out what c comes to.
func (c *proxyConfig) check() error {
	for flag, address := range map[string]string{"listen": c.Listen, "admin": c.Admin} {
		if _, port, err := net.SplitHostPort(address); (err != nil || port == "") && (flag == "listen" || address != "") {
			return usage("--%s %q: want ADDRESS:PORT, such as 127.0.0.1:8080, or :8080 for all addresses", flag, address)
		}
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return usage("--tls-cert and --tls-key go together")
	}
	if c.TLSCert != "" {
		c.files = append(c.files, c.TLSCert, c.TLSKey)
	}
	if c.Status != 520 && c.Status != 502 {
		return usage("--status %d: want 520 (failures are 520 to 526 and 530) or 502 (502 and 504, for clients that know no 52x)", c.Status)
	}
	for _, s := range c.Online {
		if s < 520 || s > 530 {
			return usage("--online %d: want statuses of verdicts: 520 to 526, 530", s)
		}
	}
	if err := c.rules(); err != nil {
		return err
	}
	if len(c.Origins) == 0 {
		return usage("there is no origin; the file wants at least\norigins:\n  - url: http://127.0.0.1:8081")
	}
	places := map[string]string{}
	for i := range c.Origins {
		o := &c.Origins[i]
		if err := o.check(); err != nil {
			return err
		}
		if o.CA != "" {
			c.files = append(c.files, o.CA)
		}
		for i, h := range o.hosts() {
			if slices.Contains(o.Hosts[:i], h) {
				return usage("origin %s: host %q stands there twice", o.URL, h)
			}
			if before, twice := places[h+o.Path]; twice {
				return usage("origins %s and %s are both for %q, path %q: give them hosts or paths of their own", before, o.URL, h, o.Path)
			}
			places[h+o.Path] = o.URL
		}
	}
	return nil
}

// rules makes out the policy and the deadlines.
func (c *proxyConfig) rules() error {
	f := policyFlags{budget: c.Budget, maxBody: c.MaxBody, edge: c.Edge, policy: c.Policy, tolerate: c.Tolerate}
	policy, edge, err := f.read()
	if err != nil {
		return err
	}
	d := validator.Deadlines{Connect: c.Connect, TLS: c.TLS, Write: c.Write, FirstByte: c.FirstByte, Head: c.Head, Idle: c.Idle, Total: c.Total}
	for name, d := range map[string]time.Duration{
		"connect-timeout": d.Connect, "tls-timeout": d.TLS, "write-timeout": d.Write, "first-byte-timeout": d.FirstByte,
		"head-timeout": d.Head, "idle-timeout": d.Idle, "timeout": d.Total, "client-timeout": c.Client - 1, "drain-timeout": c.Drain - 1,
	} {
		if d < 0 {
			return usage("--%s: want a duration above 0, such as 5s", name)
		}
	}
	if edge != nil {
		d = edge.Deadlined(d)
	}
	for _, f := range []struct {
		own       *time.Duration
		byDefault time.Duration
	}{
		{&d.Connect, 10 * time.Second}, {&d.TLS, 10 * time.Second}, {&d.Write, time.Minute},
		{&d.FirstByte, time.Minute}, {&d.Head, max(2*time.Minute, d.FirstByte)}, {&d.Idle, time.Minute},
	} {
		if *f.own == 0 {
			*f.own = f.byDefault
		}
	}
	c.policy, c.deadlines = policy, d
	return nil
}

func (o *originConfig) check() error {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return usage("origin %q: want http://HOST[:PORT] or https://HOST[:PORT]", o.URL)
	case u.User != nil:
		return usage("origin %s: a URL with a password is not for a proxy; clients send their own Authorization", u.Redacted())
	case u.RawQuery != "" || u.Fragment != "":
		return usage("origin %s: a query or fragment has no meaning here", o.URL)
	case o.Path != "" && o.Path[0] != '/':
		return usage("origin %s: path %q: want one that begins with /", o.URL, o.Path)
	case o.MaxConns < 0:
		return usage("origin %s: max-conns %d: want a number above 0, or none for no limit", o.URL, o.MaxConns)
	}
	if _, err := hostOf(u.Hostname()); err != nil {
		return usage("origin %s: %v", o.URL, err)
	}
	if u.Port() != "" && !isPort(u.Port()) {
		return usage("origin %s: a port is a number, 1 to 65535", o.URL)
	}
	if err := o.name(); err != nil {
		return err
	}
	o.url, o.Path = u, strings.TrimSuffix(o.Path, "/")
	o.tls = &tls.Config{ServerName: o.SNI}
	if o.CA != "" {
		pem, err := os.ReadFile(o.CA)
		if err != nil {
			return cannot(err)
		}
		o.tls.RootCAs = x509.NewCertPool()
		if !o.tls.RootCAs.AppendCertsFromPEM(pem) {
			return cannot(fmt.Errorf("%s holds no certificate in PEM", o.CA))
		}
	}
	return nil
}

// hosts gives o.Hosts; "" is any.
func (o *originConfig) hosts() []string {
	if len(o.Hosts) == 0 {
		return []string{""}
	}
	return o.Hosts
}

// needsRestart says what a reload cannot change; empty: nothing that differs.
func (c *proxyConfig) needsRestart(now *proxyConfig) string {
	for _, f := range []struct{ key, was, is string }{
		{"listen", c.Listen, now.Listen}, {"admin", c.Admin, now.Admin},
		{"store", c.Store, now.Store}, {"store-size", c.StoreSize.String(), now.StoreSize.String()},
	} {
		if f.was != f.is {
			return fmt.Sprintf("%s changes from %q to %q, which needs a restart", f.key, f.was, f.is)
		}
	}
	if (c.TLSCert == "") != (now.TLSCert == "") {
		return "TLS begins or ends, which needs a restart"
	}
	return ""
}

// A roomSize is a size that may be 0.
type roomSize int64

// Set takes the flag's text.
func (s *roomSize) Set(text string) error {
	var n size
	if strings.Trim(text, "0 ") != "" || text == "" {
		if err := n.Set(text); err != nil {
			return errors.New("want a number of bytes, such as 65536, 64KiB or 0")
		}
	}
	*s = roomSize(n)
	return nil
}

func (s *roomSize) String() string { return strconv.FormatInt(int64(*s), 10) }

// Type names the flag's value in the help.
func (s *roomSize) Type() string { return "SIZE" }

// UnmarshalYAML takes what the file has.
func (s *roomSize) UnmarshalYAML(n *yaml.Node) error { return fromYAML(s, n) }

// UnmarshalYAML takes what the file has.
func (s *size) UnmarshalYAML(n *yaml.Node) error { return fromYAML(s, n) }

func fromYAML(v pflag.Value, n *yaml.Node) error {
	if err := v.Set(n.Value); err != nil {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %q: %v", n.Line, n.Value, err)}}
	}
	return nil
}
