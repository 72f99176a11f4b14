// Package core is the map of the engine; it holds no code, only this page and the tests that keep its rules.
//
// A server is a set of workers. A worker is one goroutine with one poller, and it owns everything it touches on the way
// of a packet: its sessions, its pools, its counters, its ring of records. Data flows one way through a turn:
//
//	       wait                 one worker, one turn                                              flush
//	        |                                                                                       |
//	socket -+-read-> hot buffer --Size--> frame --Open--> reader --> OnRecv --> packet --Seal--> output -+-one write-> socket
//	        poller   (engine)    (frame)         (frame)  (packet)     |       (packet)  (frame) (pool)  poller
//	                    |                                              |
//	                    +-- unfinished frame -> ringbuf                +-- one 64-byte record per packet -> flight
//	                        (kept by the session until the next turn)      (views over it: stats, spans, logs, crash)
//
// Nothing on that way takes a lock, looks up a map, or calls through an interface once per packet, the Handler
// excepted. What another goroutine wants of a session goes through its id: the session word (package session) is
// acquired, the request is queued for the owner (package lockfree), and the owner is woken if it sleeps.
//
// # Where to read
//
//	lockfree  tagged index stack, bounded MPMC queue, batched SPSC and MPSC queues
//	ringbuf   the byte ring that holds what a session could not finish this turn
//	stats     single-writer counters and histograms that one worker updates and anyone reads
//	config    typed server configuration from file, environment and flags
//	poller    epoll, eventfd and the socket calls behind one small interface
//	pool      free lists of fixed-size slots: a cache per worker over a lock-free central list
//	flight    the 64-byte packet record and its rings
//	simnet    the seeded in-memory twin of poller, with virtual time
//	packet    the packet buffer: typed writer and reader, reference count, pooled
//	dbconn    MySQL jobs off the workers
//	frame     cuts the stream into frames, seals and opens them
//	session   the session array: slots, ids that detect reuse, the count that decides release
//	engine    workers: accept, receive, dispatch, send, flush, hooks
//
// # Import order
//
// A row may import the rows it names, and nothing else of this module; "..x" is every row from the top to x. Packages
// of one row do not import each other, unless the row names itself. A name that ends in /... is every package below.
// The table stands as data in imports_test.go too, which compares the two and checks every file of the module.
//
//	row     | packages                                                           | may import
//	leaf    | core core/lockfree core/ringbuf core/stats core/config core/poller |
//	profile | profilex profilex/...                                              | core/stats profile
//	store   | core/pool core/flight core/simnet                                  | ..profile
//	packet  | core/packet core/dbconn                                            | ..store
//	frame   | core/frame core/session                                            | ..packet
//	engine  | core/engine                                                        | ..frame
//	log     | logx logx/...                                                      | core/lockfree core/stats core/pool core/flight log
//	trace   | trace trace/...                                                    | core/lockfree core/stats core/pool core/flight trace
//	crash   | crash crash/...                                                    | core/lockfree core/stats core/pool core/flight crash
//	panels  | dashboards dashboards/...                                          |
//	server  | servers/lanserver servers/netserver servers/mmoserver              | ..engine
//	observe | servers/observe                                                    | ..server
//	bot     | servers/bot                                                        | ..engine server
//	demo    | servers/demo servers/demo/...                                      | ..engine server observe bot demo
//	program | servers/cli servers/cli/...                                        | ..program
//	tests   | servers/e2e servers/e2e/...                                        | ..tests
//	main    | .                                                                  | servers/cli
//
// Tests may import, besides, what lies in their own row or above it. Programs outside this module see packages alone:
// there is no internal folder.
package core
