// Package crash proves that each way to die leaves its bundle, and times how
// long the dying and the living wait for it.
//
//	crashmatrix  each class of crash/provoke, again and again:
//	             victim --dies--> bundle --zstd--> core --dlv--> the panicker, its value
//	crashtimes   text on disk, whole bundle, standstill of a server that lives,
//	             beside dlv and gcore on the same server
//
// Victims are this very program, run again: its main calls provoke.Serve first.
// What a debugger says is judged by its output alone, since its exit status
// tells nothing.
//
// Units: milliseconds and microseconds by the clock of the monitor, in
// meta.json; standstills beside peers by the clock of the server. Limits: Linux
// on amd64; [debugLimit] for each call of a tool.
package crash
