package report

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"why520/validator"
)

// Curl gives a command that asks as e was asked, on several lines: the Host and
// server name of the target, at the address that was dialled.
func Curl(e *validator.Evidence) string {
	args := []string{"curl -v --http1.1 -o /dev/null"}
	q := e.Request
	switch {
	case q.Method == "HEAD":
		args = append(args, "--head")
	case q.Method != "" && q.Method != "GET":
		args = append(args, "-X "+shell(q.Method))
	}
	if e.Policy.Insecure {
		args = append(args, "-k")
	}
	target := e.Target
	if u, err := url.Parse(e.Target); err == nil && u.Host != "" {
		port := u.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
		if e.Address != "" && e.Address != net.JoinHostPort(u.Hostname(), port) {
			args = append(args, "--connect-to "+shell("::"+e.Address))
		}
		if q.Host != "" && q.Host != u.Host {
			args = append(args, "-H "+shell("Host: "+q.Host))
		}
	}
	for _, f := range q.Fields {
		if f == "Accept: */*" || strings.HasPrefix(f, "Content-Length: ") {
			continue // curl's own
		}
		args = append(args, "-H "+shell(f))
	}
	if q.Upload > 0 {
		args = append(args, "--data-binary @<(head -c "+strconv.FormatInt(q.Upload, 10)+" /dev/zero)")
	}
	args = append(args, shell(target))
	return wrap(args, " \\\n    ")
}

// wrap joins args, a new line before one that would pass 76 columns.
func wrap(args []string, newLine string) string {
	const columns = 76
	var s strings.Builder
	used := 0
	for i, a := range args {
		switch {
		case i == 0:
		case used+1+len(a) > columns:
			s.WriteString(newLine)
			used = 4
		default:
			s.WriteByte(' ')
			used++
		}
		s.WriteString(a)
		used += len(a)
	}
	return s.String()
}

// shell quotes s for a POSIX shell where that is needed.
func shell(s string) string {
	plain := s != ""
	for _, c := range s {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@%+,", c) {
			plain = false
		}
	}
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
