package observe

import (
	"fmt"
	"log/slog"
	"net/http"
)

// ChaosHeader is the header that must be in a request to the chaos page: a page in a browser that is open beside cannot send it unasked.
const ChaosHeader = "Vitrine-Chaos"

// AddChaos gives a server's answer to POST /chaos/panic?server=NAME&seam=SEAM: trip makes it panic at a seam, now or at the next
// chance, and returns why it cannot. The page is there with Config.Chaos alone. trip runs on any goroutine and does not block.
func (st *Stack) AddChaos(server string, trip func(seam string) error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.trips[server] = trip
}

func (st *Stack) chaosPage(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	server, seam := query.Get("server"), query.Get("seam")
	st.mu.Lock()
	trip := st.trips[server]
	st.mu.Unlock()
	switch {
	case r.Header.Get(ChaosHeader) == "":
		problem(w, http.StatusForbidden, "the request has no header "+ChaosHeader)
		return
	case trip == nil:
		problem(w, http.StatusNotFound, fmt.Sprintf("server %.40q: it has no chaos", server))
		return
	}
	st.log.LogAttrs(r.Context(), slog.LevelWarn, "chaos ordered", slog.String("server", server), slog.String("seam", seam),
		slog.String("remote", r.RemoteAddr), slog.String("type", typeCrash))
	if err := trip(seam); err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	writeJSON(w, http.StatusAccepted, map[string]string{"server": server, "seam": seam})
}
