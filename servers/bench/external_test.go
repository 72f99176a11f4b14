package main

import "testing"

func TestExternalLoadLine(t *testing.T) {
	r, err := parseExternal("conns=1000 depth=16 size=32 secs=1.77 msgs=814928 mps=461313 p50=28311.6 p99=306184.2 " +
		"srv_cpu_us=1.153 srv_util=0.53 msg_per_recv=16.00 rss0_kb=100 rss_idle_kb=200 idle_b_conn=504\n")
	if err != nil {
		t.Fatal(err)
	}
	want := loadResult{Conns: 1000, Depth: 16, Size: 32, Seconds: 1.77, Messages: 814928, MessagesPerSecond: 461313,
		P50: 28311.6, P99: 306184.2, ServerCPU: 1.153, ServerBusy: 0.53, StartBytes: 100 << 10, IdleBytes: 200 << 10, IdlePerConn: 504}
	if r != want {
		t.Errorf("got  %+v\nwant %+v", r, want)
	}
	for _, line := range []string{"", "load: connect (refused)", "msgs=0", "msgs=many"} {
		if _, err := parseExternal(line); err == nil {
			t.Errorf("%q is taken for a result", line)
		}
	}
}
