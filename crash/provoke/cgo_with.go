//go:build crashcgo && cgo && linux

package provoke

// #cgo LDFLAGS: -lpthread
// #include <pthread.h>
// #include <stdlib.h>
// #include <sys/wait.h>
// #include <time.h>
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
//
// static long provoke_fork(void) {
//   struct timespec before, after;
//   clock_gettime(CLOCK_MONOTONIC, &before);
//   pid_t child = fork();
//   if (child == 0) _exit(0);
//   clock_gettime(CLOCK_MONOTONIC, &after);
//   if (child < 0) return -1;
//   waitpid(child, NULL, 0);
//   return (after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec;
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

// forkSelf returns how many nanoseconds fork(2) takes, -1 when it cannot be told.
func forkSelf() int64 { return int64(C.provoke_fork()) }
