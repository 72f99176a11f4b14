// Package e2e holds the tests of the whole program: the built binary and real sockets, from outside.
//
//	go test                                      make
//	builds the program --starts--> vitrine up, serve, check     the same tests with the flags below,
//	bots, attackers, own clients --TCP--> its servers           at full size
//	/status, standard output, exit status <-- what is compared
//
// Every test runs in go test at a size that takes seconds. Flags of the test binary set the size; the targets of the
// Makefile give them the values of a full run:
//
//	-play D          how long bots play                              make bots-chat, flood, isolation
//	-bots N          bots that play chat, users that are busy        make bots-chat, flood, isolation
//	-attackers N     hostile clients at once                         make hostile
//	-connects N      connects and disconnects                        make churn
//	-windows N       windows of each kind that alternate             make flood, isolation
//	-ratio R         largest ratio of medians, 0: reported only      make flood, isolation
//	-listen-within D from the start of serve to its listening        make serve-start
//	-seam-bots N     bots beside the panics at each seam             make crash-seams
//	-dlv PATH        Delve for their cores, "": without cores        make crash-seams
//	-storm D         how long a goroutine panics again and again     make crash-storm
//	-storm-bots N    bots beside it                                  make crash-storm
//	-panics R        least panics a second, 0: reported only         make crash-storm
//	-kills N         servers that are killed under load              make crash-kill
//	-hardships N     crashes in each kind of trouble                 make crash-hardship
//	-crashes N       crashes while Sentry is down                    make crash-sentry
//
// Ratios are not judged in go test: on a busy machine a few short windows say nothing. Servers listen on free ports, and
// files are in folders of the test's own. Nothing waits by sleeping; deadlines are generous, for slow machines.
package e2e
