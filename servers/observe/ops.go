package observe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Limits of the ops HTTP.
const (
	maxHeaderBytes    = 8 << 10
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = 30 * time.Second
	keepAliveTimeout  = 60 * time.Second
	closeTimeout      = time.Second // what requests in flight have at the end
)

// endpoint is a page of the ops HTTP.
type endpoint struct {
	path, about string
	handle      http.HandlerFunc
}

func (st *Stack) endpoints() []endpoint {
	return []endpoint{
		{"/healthz", "200 while the process lives", st.healthz},
		{"/readyz", "200 when the servers take sessions, 503 while starting or draining", st.readyz},
		{"/status", "figures of every server and worker, JSON", st.statusPage},
		{"/metrics", "the same figures for Prometheus, text", st.metricsHandler().ServeHTTP},
		{"/sessions", "?limit=100: ids of sessions that are there, by server, JSON", st.sessionsPage},
		{"/flight", "?session=ID&last=64: a session's last packets, JSON; also after it has left, while they are known", st.flightPage},
	}
}

// listen opens the listener of the ops HTTP when there is an address.
func (st *Stack) listen() error {
	if st.cfg.OpsAddr == "" {
		return nil
	}
	listener, err := net.Listen("tcp", st.cfg.OpsAddr)
	if err != nil {
		return err
	}
	st.ops.listener = listener
	st.ops.server = &http.Server{
		Handler: st.handler(), MaxHeaderBytes: maxHeaderBytes,
		ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: keepAliveTimeout,
		ErrorLog: slog.NewLogLogger(st.log.Handler(), slog.LevelDebug),
	}
	if tcp, ok := listener.Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		st.system(slog.LevelWarn, "ops http is open to the network", slog.String("addr", st.OpsAddr()))
	}
	return nil
}

// serve begins to answer. closeOps ends it.
func (st *Stack) serve() {
	if st.ops.server == nil {
		return
	}
	st.running.Go(func() { // ends with closeOps
		if err := st.ops.server.Serve(st.ops.listener); !errors.Is(err, http.ErrServerClosed) {
			st.system(slog.LevelError, "ops http ended", failure(err))
		}
	})
	st.system(slog.LevelInfo, "ops http listens", slog.String("addr", st.OpsAddr()))
}

// closeOps gives requests in flight a moment and ends the ops HTTP.
func (st *Stack) closeOps() {
	if st.ops.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if st.ops.server.Shutdown(ctx) != nil {
		st.ops.server.Close()
	}
}

// handler routes the endpoints, for GET and HEAD alone; / lists them in plain text.
func (st *Stack) handler() http.Handler {
	mux := http.NewServeMux()
	list := ""
	for _, e := range st.endpoints() {
		mux.HandleFunc("GET "+e.path, e.handle)
		list += fmt.Sprintf("%-10s %s\n", e.path, e.about)
	}
	if st.cfg.Chaos {
		mux.HandleFunc("POST /chaos/panic", st.chaosPage)
		list += fmt.Sprintf("%-10s %s\n", "/chaos", "POST /chaos/panic?server=NAME&seam=SEAM, with the header "+ChaosHeader+": makes a server panic")
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		plain(w, http.StatusOK)
		io.WriteString(w, "vitrine "+st.build.Version+", "+st.State()+"\n\n"+list)
	})
	return mux
}

func (st *Stack) healthz(w http.ResponseWriter, _ *http.Request) {
	plain(w, http.StatusOK)
	io.WriteString(w, "ok\n")
}

func (st *Stack) readyz(w http.ResponseWriter, _ *http.Request) {
	state, code := st.State(), http.StatusOK
	if state != StateReady {
		code = http.StatusServiceUnavailable
	}
	plain(w, code)
	io.WriteString(w, state+"\n")
}

func (st *Stack) statusPage(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, st.Status())
}

// plain begins an answer in plain text that nobody keeps.
func plain(w http.ResponseWriter, code int) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
}

// writeJSON answers with v, indented for people, on one line at the end.
func writeJSON(w http.ResponseWriter, code int, v any) {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	w.Write(append(text, '\n')) // the client may be gone
}
