package validator_test

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// How each kind of server is run: on free ports, in the foreground, as one
// process, with a configuration of its own.

func runNginx(t *testing.T, r *running, command string) {
	r.freePorts(t)
	r.config(t, `daemon off; master_process off; pid DIR/pid; error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path DIR/body; proxy_temp_path DIR/proxy; fastcgi_temp_path DIR/fastcgi;
	uwsgi_temp_path DIR/uwsgi; scgi_temp_path DIR/scgi;
	gzip on; gzip_types *;
	server {
		listen 127.0.0.1:PLAINPORT;
		listen 127.0.0.1:TLSPORT ssl;
		ssl_certificate DIR/cert.pem; ssl_certificate_key DIR/key.pem;
		root DIR/www;
	}
}
`)
	r.process(t, command, "-p", "DIR", "-e", "stderr", "-c", "DIR/server.conf")
}

func runApache(t *testing.T, r *running, command string) {
	const modules = "/usr/lib/apache2/modules"
	if _, err := os.Stat(modules); err != nil {
		missing(t, "Apache's modules are not in "+modules)
	}
	r.freePorts(t)
	r.config(t, `ServerRoot DIR
ServerName localhost
PidFile DIR/pid
Mutex file:DIR
ErrorLog /dev/stderr
LoadModule mpm_event_module `+modules+`/mod_mpm_event.so
LoadModule authz_core_module `+modules+`/mod_authz_core.so
LoadModule mime_module `+modules+`/mod_mime.so
LoadModule filter_module `+modules+`/mod_filter.so
LoadModule deflate_module `+modules+`/mod_deflate.so
LoadModule ssl_module `+modules+`/mod_ssl.so
TypesConfig /dev/null
Listen 127.0.0.1:PLAINPORT
Listen 127.0.0.1:TLSPORT
DocumentRoot DIR/www
SetOutputFilter DEFLATE
<VirtualHost *:TLSPORT>
	SSLEngine on
	SSLCertificateFile DIR/cert.pem
	SSLCertificateKeyFile DIR/key.pem
</VirtualHost>
`)
	r.process(t, command, "-X", "-d", "DIR", "-f", "DIR/server.conf")
}

// nodeScript answers as the others do; what is not asked for by length goes in
// chunks.
const nodeScript = `
const http = require('http'), https = require('https'), fs = require('fs');
function answer(q, s) {
	q.resume();
	q.on('end', () => {
		if (q.url === '/missing') { s.writeHead(404); s.end(); return; }
		if (q.url === '/chunked') { s.write('why'); s.end('520'); return; }
		s.setHeader('Content-Length', 12);
		s.end('hello, 520!\n');
	});
}
http.createServer(answer).listen(PLAINPORT, '127.0.0.1');
https.createServer({cert: fs.readFileSync('cert.pem'), key: fs.readFileSync('key.pem')}, answer).listen(TLSPORT, '127.0.0.1');
`

func runNode(t *testing.T, r *running, command string) {
	r.freePorts(t)
	r.process(t, command, "-e", nodeScript)
}

func runGo(t *testing.T, r *running, _ string) {
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(filepath.Join(r.dir, "www"))))
	mux.HandleFunc("/upload", func(w http.ResponseWriter, q *http.Request) { _, _ = io.Copy(io.Discard, q.Body) })
	mux.HandleFunc("/chunked", func(w http.ResponseWriter, q *http.Request) {
		_, _ = io.WriteString(w, "why")
		w.(http.Flusher).Flush()
		_, _ = io.WriteString(w, "520")
	})
	for _, encrypted := range []bool{false, true} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		s := &http.Server{Handler: mux, ErrorLog: log.New(io.Discard, "", 0), TLSConfig: &tls.Config{Certificates: []tls.Certificate{r.certificate}}}
		serve := s.Serve
		if encrypted {
			r.tls = l.Addr().String()
			serve = func(l net.Listener) error { return s.ServeTLS(l, "", "") }
		} else {
			r.plain = l.Addr().String()
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = serve(l) // ErrServerClosed
		}()
		t.Cleanup(func() {
			s.Close()
			<-ended
		})
	}
}
