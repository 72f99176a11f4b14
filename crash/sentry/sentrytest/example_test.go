package sentrytest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"vitrine/crash/sentry/sentrytest"
)

// A client that sends one event by hand.
func Example() {
	sink := sentrytest.New()
	defer sink.Close()
	dsn, _ := url.Parse(sink.DSN())
	id := strings.Repeat("ab", 16)
	event := `{"event_id":"` + id + `","timestamp":"2026-11-22T17:44:43Z","platform":"go","level":"fatal","exception":[{"type":"panic"}]}`
	body := fmt.Sprintf("{\"event_id\":%q}\n{\"type\":\"event\",\"length\":%d}\n%s\n", id, len(event), event)

	r, _ := http.NewRequest("POST", sink.URL()+"/api"+dsn.Path+"/envelope/", bytes.NewReader([]byte(body)))
	r.Header.Set("Content-Type", "application/x-sentry-envelope")
	r.Header.Set("X-Sentry-Auth", "Sentry sentry_version=7, sentry_client=hand/1, sentry_key="+dsn.User.Username())
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		panic(err)
	}
	answer.Body.Close()
	fmt.Println(answer.StatusCode, len(sink.Events()), sink.Problems())
	// Output: 200 1 []
}
