//go:build !(crashcgo && cgo && linux)

package provoke

// withC tells that this program can fault in C.
const withC = false

func (*victim) cgoFault() {}

func (*victim) cgoThread() {}

func (*victim) cgoAbort() {}

// forkSelf returns how many nanoseconds fork(2) takes, -1 when it cannot be told.
func forkSelf() int64 { return -1 }
