package observe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"vitrine/logx"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
)

// Limits of the export.
const (
	exportQueue      = 2048             // lines on their way; more are dropped
	exportBatch      = 512              // lines in a request
	exportEvery      = time.Second      // a batch that is not full waits so long
	exportTimeout    = 30 * time.Second // a batch may take so long, its repetitions included
	exportFlush      = 2 * time.Second  // what waits at the end has so long
	exportValueBytes = 16 << 10         // of one text; longer ones are cut
	exportPath       = "/v1/logs"       // of OTLP/HTTP
)

// exporter sends lines to a collector of OpenTelemetry. No caller waits for it and what it does not bring there is counted;
// it says once when the collector fails and once when it takes lines again.
//
//	line -> at most exportQueue waiting -> batches, a goroutine of the SDK -> POST, OTLP/HTTP protobuf
//	        accepted = sent + lost + waiting
type exporter struct {
	url      *url.URL     // fixed
	local    *slog.Logger // fixed: takes lines that are not to be exported
	provider *sdklog.LoggerProvider
	next     sdklog.Exporter // fixed: the one that sends
	client   *http.Client    // fixed
	redactor *logx.Redactor  // fixed: what the files do not tell, the collector is not told
	ending   context.Context // fixed: done when requests are to be given up
	giveUp   context.CancelFunc
	ended    chan struct{} // closed when the SDK's goroutine has ended

	waiting atomic.Int64
	sent    atomic.Uint64
	lost    atomic.Uint64 // dropped at the full queue, or not taken by the collector
	failing atomic.Bool   // the last request failed
}

// collectorURL reads Config.LogOTLP.
func collectorURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("not a URL") // the library's error shows it all, a password too
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is not an http or https URL", u.Redacted())
	}
	if u.User != nil || u.RawQuery != "" {
		return nil, fmt.Errorf("%s: a user and a query are not sent: the variable OTEL_EXPORTER_OTLP_HEADERS takes credentials", u.Host)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = exportPath
	}
	return u, nil
}

// newExporter begins to export; close ends it. Nothing is asked of the collector before the first line.
func newExporter(endpoint string, boot uint64, local *slog.Logger, mask []string) (*exporter, error) {
	u, err := collectorURL(endpoint)
	if err != nil {
		return nil, fmt.Errorf("log collector: %w", err)
	}
	e := &exporter{url: u, local: local, client: newClient(), redactor: logx.NewRedactor(mask), ended: make(chan struct{})}
	e.ending, e.giveUp = context.WithCancel(context.Background())
	options := []otlploghttp.Option{otlploghttp.WithEndpointURL(u.String()), otlploghttp.WithHTTPClient(e.client)}
	if e.next, err = otlploghttp.New(e.ending, options...); err != nil {
		e.giveUp()
		return nil, fmt.Errorf("log collector %s: %w", u, err)
	}
	e.provider = sdklog.NewLoggerProvider(
		sdklog.WithResource(resourceOf(boot)), sdklog.WithAttributeValueLengthLimit(exportValueBytes),
		sdklog.WithProcessor(sdklog.NewBatchProcessor((*delivery)(e), // its goroutine ends with close
			sdklog.WithMaxQueueSize(exportQueue), sdklog.WithExportMaxBatchSize(exportBatch),
			sdklog.WithExportInterval(exportEvery), sdklog.WithExportTimeout(exportTimeout))))
	return e, nil
}

// newClient returns a client with connections of its own, so that they end with it.
func newClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	return &http.Client{Transport: transport, Timeout: exportTimeout}
}

// resourceOf says who sends: what the environment names, and what tells this run of the process from others.
func resourceOf(boot uint64) *resource.Resource {
	own := resource.NewSchemaless(
		attribute.String("service.name", "vitrine"), attribute.String("service.version", cmp.Or(readBuild().Version, "unknown")),
		attribute.String("service.instance.id", bootText(boot)), attribute.Int("process.pid", os.Getpid()))
	merged, err := resource.Merge(own, resource.Environment())
	if err != nil { // of two schemas, which own has not
		return own
	}
	return merged
}

// handler returns what lines are given to.
func (e *exporter) handler() slog.Handler {
	return &exportHandler{exporter: e, next: otelslog.NewHandler("vitrine", otelslog.WithLoggerProvider(e.provider))}
}

// admit counts a line in, or drops it.
func (e *exporter) admit() bool {
	if e.waiting.Add(1) > exportQueue {
		e.waiting.Add(-1)
		e.lost.Add(1)
		return false
	}
	return true
}

// close gives what waits a bounded time to be sent, and ends every goroutine.
func (e *exporter) close() {
	ctx, cancel := context.WithTimeout(context.Background(), exportFlush)
	defer cancel()
	context.AfterFunc(ctx, e.giveUp)
	e.provider.Shutdown(ctx) // what it could not send is counted
	e.giveUp()
	<-e.ended
	e.client.CloseIdleConnections()
	e.lost.Add(uint64(e.waiting.Swap(0)))
	if n := e.lost.Load(); n > 0 {
		system(e.local, slog.LevelInfo, "log lines not exported", slog.Uint64("lines", n), slog.Uint64("sent", e.sent.Load()))
	}
}

// delivery is the exporter as the SDK's goroutine calls it. It never returns an error: the SDK would print it.
type delivery exporter

// Export sends a batch and counts what became of it.
func (d *delivery) Export(ctx context.Context, records []sdklog.Record) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.ending, cancel)()
	err := d.next.Export(ctx, records)
	d.waiting.Add(-int64(len(records)))
	if err != nil {
		d.lost.Add(uint64(len(records)))
	} else {
		d.sent.Add(uint64(len(records)))
	}
	if failing := err != nil; d.failing.Swap(failing) != failing {
		d.tell(err)
	}
	return nil
}

// tell says that the collector's state has changed.
func (d *delivery) tell(err error) {
	collector := slog.String("collector", d.url.String())
	if err != nil {
		system(d.local, slog.LevelWarn, "log collector fails", collector, failure(err))
		return
	}
	system(d.local, slog.LevelInfo, "log collector takes lines", collector)
}

// ForceFlush does nothing: Export has sent what it was given.
func (d *delivery) ForceFlush(context.Context) error { return nil }

// Shutdown is the last call of the SDK's goroutine.
func (d *delivery) Shutdown(ctx context.Context) error {
	defer close(d.ended)
	return d.next.Shutdown(ctx)
}
