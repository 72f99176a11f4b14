package observe_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"vitrine/core/engine"
	"vitrine/core/packet"
	"vitrine/servers/observe"
)

type echo struct{}

func (echo) OnClientJoin(*engine.Session)                     {}
func (echo) OnRecv(s *engine.Session, in *packet.Reader)      { s.Send(s.NewPacket().Bytes(in.Rest())) }
func (echo) OnClientLeave(_ *engine.Session, _ engine.Reason) {}

// A program is a function that starts its servers, adds them and waits.
func ExampleRun() {
	cfg := observe.Config{OpsAddr: "127.0.0.1:0", Log: slog.DiscardHandler}
	err := observe.Run(context.Background(), cfg, func(_ context.Context, st *observe.Stack) error {
		srv, err := engine.New(engine.Config{Name: "echo", Addr: "127.0.0.1:0", Observer: st.Observer("echo")}, echo{})
		if err != nil {
			return err
		}
		if err := srv.Start(); err != nil {
			return err
		}
		st.Add(srv)
		answer, err := http.Get("http://" + st.OpsAddr() + "/readyz")
		if err != nil {
			return err
		}
		defer http.DefaultClient.CloseIdleConnections()
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		fmt.Println(answer.Status)
		fmt.Print(string(text))
		return err // a server would wait for the context here
	})
	fmt.Println(err)
	// Output:
	// 200 OK
	// ready
	// <nil>
}
