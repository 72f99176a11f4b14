//go:build !(crashcgo && cgo && linux)

package provoke

// withC tells that this program can fault in C.
const withC = false

func (*victim) cgoFault() {}

func (*victim) cgoThread() {}

func (*victim) cgoAbort() {}
