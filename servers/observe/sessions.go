package observe

import (
	"fmt"
	"net/http"
	"strconv"
)

// Bounds of the parameter limit of /sessions.
const (
	defaultSessions = 100
	maxSessions     = 100_000
)

// Sessions returns the ids of sessions that are there, by server, at most limit of each. Any goroutine.
func (st *Stack) Sessions(limit int) map[string][]string {
	all := map[string][]string{}
	for _, s := range st.added() {
		ids := []string{}
		for _, id := range s.engine.Sessions(limit) {
			ids = append(ids, id.String())
		}
		all[s.name] = ids
	}
	return all
}

func (st *Stack) sessionsPage(w http.ResponseWriter, r *http.Request) {
	limit := defaultSessions
	if text := r.URL.Query().Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxSessions {
			problem(w, http.StatusBadRequest, fmt.Sprintf("limit %.40q: want 1 to %d", text, maxSessions))
			return
		}
		limit = n
	}
	writeJSON(w, http.StatusOK, st.Sessions(limit))
}
