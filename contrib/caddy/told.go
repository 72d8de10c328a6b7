package why520

import (
	"context"
	"errors"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"why520/validator"
)

// A teller tells of exchanges: to the log, to the metrics, and to the request that
// they were for.
type teller struct {
	log   *zap.Logger
	count *prometheus.CounterVec // by reason
}

func newTeller(ctx caddy.Context) (*teller, error) {
	t := &teller{log: ctx.Logger(), count: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy", Subsystem: "why520", Name: "exchanges_total",
		Help: "Exchanges with upstreams, by what why520 found.",
	}, []string{"reason"})}
	if r := ctx.GetMetricsRegistry(); r != nil {
		err := r.Register(t.count)
		already := prometheus.AlreadyRegisteredError{}
		switch {
		case errors.As(err, &already): // by another transport of this configuration
			t.count = already.ExistingCollector.(*prometheus.CounterVec)
		case err != nil:
			return nil, err
		}
	}
	return t, nil
}

// verdict is the validator's OnVerdict.
func (t *teller) verdict(r *http.Request, e *validator.Evidence, v *validator.Verdict) {
	reason := v.Reason.String()
	t.count.WithLabelValues(reason).Inc()
	if !v.OK() {
		remember(r.Context(), e, v)
	} else if len(v.Notes) == 0 {
		return
	}
	level, said := zapcore.WarnLevel, "the upstream failed"
	if v.OK() {
		level, said = zapcore.InfoLevel, "the upstream did what is worth a note"
		if len(v.Notes) == 1 && v.Notes[0].Reason == validator.ClientClosed {
			level, said = zapcore.DebugLevel, "the client left"
		}
	}
	c := t.log.Check(level, said)
	if c == nil {
		return
	}
	fields := []zap.Field{zap.String("id", e.ID), zap.String("upstream", e.Address), zap.String("method", e.Request.Method), zap.String("host", e.Request.Host), zap.String("uri", e.Request.Target)}
	if !v.OK() {
		fields = append(fields, zap.String("reason", reason), zap.String("cause", string(v.Cause)), zap.Int("edge_status", v.EdgeStatus),
			zap.String("phase", v.Phase.String()), zap.Int64("offset", v.Offset), zap.String("message", v.Message))
		if e.Error != "" {
			fields = append(fields, zap.String("error", e.Error))
		}
	}
	if len(v.Notes) > 0 {
		var notes []string
		for _, n := range v.Notes {
			notes = append(notes, n.Reason.String())
		}
		fields = append(fields, zap.Strings("notes", notes))
	}
	c.Write(fields...)
}

// local tells of what this machine could not do.
func (t *teller) local(r *http.Request, err *validator.LocalError) {
	t.log.Error("the upstream could not be asked", zap.String("method", r.Method), zap.String("upstream", r.URL.Host), zap.Error(err))
}

// remember leaves a verdict with the request: as placeholders, for templates,
// headers and log_append, and as fields of the access log.
func remember(ctx context.Context, e *validator.Evidence, v *validator.Verdict) {
	if repl, ok := ctx.Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		repl.Set("http.why520.reason", v.Reason.String())
		repl.Set("http.why520.cause", string(v.Cause))
		repl.Set("http.why520.status", v.EdgeStatus)
		repl.Set("http.why520.phase", v.Phase.String())
		repl.Set("http.why520.offset", v.Offset)
		repl.Set("http.why520.id", e.ID)
	}
	if extra, ok := ctx.Value(caddyhttp.ExtraLogFieldsCtxKey).(*caddyhttp.ExtraLogFields); ok {
		extra.Set(zap.String("why520_reason", v.Reason.String()))
		extra.Set(zap.String("why520_id", e.ID))
	}
}
