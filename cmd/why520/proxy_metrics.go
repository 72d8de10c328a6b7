package main

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// proxyMetrics is what is counted. No label has a value that clients or origins
// choose, other than a status.
type proxyMetrics struct {
	registry *prometheus.Registry
	verdicts *prometheus.CounterVec // by reason, cause and the status that the verdict has
	notes    *prometheus.CounterVec // by reason
	requests *prometheus.CounterVec // by the status that was sent
	cut      prometheus.Counter
	stale    prometheus.Counter
	seconds  prometheus.Histogram
	in, out  prometheus.Counter
	inFlight prometheus.Gauge
	reloads  *prometheus.CounterVec
	reloaded prometheus.Gauge
}

func newProxyMetrics() *proxyMetrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "why520", Name: name, Help: help})
	}
	vector := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "why520", Name: name, Help: help}, labels)
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "why520", Name: name, Help: help})
	}
	m := &proxyMetrics{
		registry: prometheus.NewRegistry(),
		verdicts: vector("verdicts_total", "Exchanges with origins, by what became of them; reason ok, or client-closed where the client left first, or request-content where what it sent was malformed.", "reason", "cause", "status"),
		notes:    vector("notes_total", "What was noted of exchanges, tolerated violations among it.", "reason"),
		requests: vector("requests_total", "Requests of clients, by the status that was sent.", "status"),
		cut:      counter("responses_cut_total", "Responses that were cut off because their content failed."),
		stale:    counter("stored_copies_served_total", "Failures that were answered with a stored copy."),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "why520", Name: "request_seconds", Help: "From the head of a request to the end of its response.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}}),
		in:       counter("request_content_bytes_total", "Content that clients sent."),
		out:      counter("response_content_bytes_total", "Content that clients were sent."),
		inFlight: gauge("requests_in_flight", "Requests that are being answered."),
		reloads:  vector("config_reloads_total", "Reloads of the configuration and certificate.", "result"),
		reloaded: gauge("config_last_reload_timestamp_seconds", "When a configuration was loaded last."),
	}
	m.registry.MustRegister(m.verdicts, m.notes, m.requests, m.cut, m.stale, m.seconds, m.in, m.out, m.inFlight, m.reloads, m.reloaded,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *proxyMetrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// reload counts a reload.
func (m *proxyMetrics) reload(err error) {
	result := "ok"
	if err != nil {
		result = "error"
	} else {
		m.reloaded.Set(float64(time.Now().Unix()))
	}
	m.reloads.WithLabelValues(result).Inc()
}

// statusLabel is a status as a label: as it is where it is a registered one or an
// edge's, and else its class.
func statusLabel(status int) string {
	switch {
	case http.StatusText(status) != "", status >= 520 && status <= 530, status == 499:
		return strconv.Itoa(status)
	case status == 0:
		return ""
	}
	return strconv.Itoa(status/100) + "xx"
}
