// Package cli is the command line of the program: it reads flags and configuration and starts servers, bots and checks.
//
//	vitrine up       the whole stack on embedded defaults in one process, with bots that check every reply
//	vitrine serve    one server: echo or chat
//	vitrine bots     load with an oracle: every reply checked
//	vitrine logs     the system log: search it, follow it, verify it
//	vitrine check    wire: the test vectors; config: the effective configuration
//	vitrine crash    what crashes left behind: list, show, diff, open, dump, send, prune
//	vitrine doctor   what this machine lets a crash report hold
//
// Exit status: 0 when all went well, 1 when something failed or a bot found fault, 2 for a command line or configuration
// that makes no sense.
package cli
