package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (a *app) proxy() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "proxy",
		Short: "A reverse proxy that answers as an edge does, and says why",
		Long: `A reverse proxy before one origin or several. Where an origin fails, clients get
a page with the edge's status and Proxy-Status, or the last good copy; nothing
that failed is passed on as if it were well. HTTP/1.1 to origins; to clients
HTTP/1.1, and HTTP/2 with TLS.

Standard output has a line of JSON for each exchange, standard error the rest.
SIGTERM and SIGINT end it when what is in flight is answered, a second one at
once. SIGHUP, or a change of one of its files, loads the files again; where that
fails, all stays as it was.

The file of --config has the flags' names as keys, and a list of origins:

  listen: :443
  tls-cert: chain.pem
  tls-key: key.pem
  origins:
    - url: http://192.0.2.10:8080
      hosts: [www.example.com, "*.example.net"]
    - url: https://api.internal
      hosts: [www.example.com]
      path: /api          # also: connect-to, host, sni, ca, insecure, max-conns`,
		Example: `  why520 proxy --origin http://127.0.0.1:8081 --listen 127.0.0.1:8080
  why520 proxy --config proxy.yaml --admin 127.0.0.1:9520`,
		Args: cobra.NoArgs,
	}
	c.Flags().StringVar(&file, "config", "", "YAML file; a flag goes before its key there")
	defaultProxyConfig().flags(c.Flags(), new(originConfig))
	c.Flags().SortFlags = false
	c.SetUsageTemplate(strings.ReplaceAll(c.UsageTemplate(), ".FlagUsages", ".FlagUsagesWrapped 80"))
	c.RunE = func(c *cobra.Command, _ []string) error { return a.runProxy(c.Context(), file, c.Flags()) }
	return c
}

func (a *app) runProxy(ctx context.Context, file string, flags *pflag.FlagSet) error {
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, syscall.SIGHUP)
	defer signal.Stop(changed)
	load := func() (*proxyConfig, error) { return loadProxyConfig(file, flags) }
	c, err := load()
	if err != nil {
		return err
	}
	s, err := newProxyServer(c, a.out, a.log)
	if err != nil {
		return err
	}
	s.load = load
	fmt.Fprintf(a.log, "why520: %s\n", s.says(c))
	return s.serve(ctx, c, changed)
}

// says tells in a few lines what the proxy does and where.
func (s *proxyServer) says(c *proxyConfig) string {
	scheme, versions := "http", "HTTP/1.1"
	if c.TLSCert != "" {
		scheme, versions = "https", "HTTP/1.1 and HTTP/2"
	}
	var origins []string
	for _, o := range c.Origins {
		origins = append(origins, o.URL)
	}
	policy := c.Policy
	if c.Edge != "" {
		policy += ", budgets of " + c.Edge
	}
	copies := "in memory"
	if c.Store != "" {
		copies = "in " + c.Store
	}
	admin := "no --admin"
	if s.operators != nil {
		admin = fmt.Sprintf("metrics and verdicts at http://%s/", s.operators.Addr())
	}
	return fmt.Sprintf("%s://%s (%s) stands before %s\n  policy %s; %d bytes of content held; failures answered with %d; copies %s; %s",
		scheme, s.clients.Addr(), versions, strings.Join(origins, ", "), policy, c.HoldContent, c.Status, copies, admin)
}
