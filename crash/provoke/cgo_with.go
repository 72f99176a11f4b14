//go:build crashcgo && cgo && linux

package provoke

// #cgo LDFLAGS: -lpthread
// #include <pthread.h>
// #include <stdlib.h>
// #include <unistd.h>
//
// static int *volatile provoke_nowhere = (int *)8;
//
// static __attribute__((noinline)) void provoke_fault(void) { *provoke_nowhere = 1; }
//
// static void *provoke_thread(void *unused) { provoke_fault(); return unused; }
//
// static void provoke_on_thread(void) {
//   pthread_t thread;
//   if (pthread_create(&thread, NULL, provoke_thread, NULL) == 0) pthread_join(thread, NULL);
// }
import "C"

// withC tells that this program can fault in C.
const withC = true

func (*victim) cgoFault() { faultInC() }

//go:noinline
func faultInC() { C.provoke_fault() }

func (*victim) cgoThread() { C.provoke_on_thread() }

func (*victim) cgoAbort() { abortInC() }

//go:noinline
func abortInC() { C.abort() }
