// Package lanserver serves trusted peers, server to server: short frames, no cipher; with its client.
//
// A server of this package has workers and pools of its own, so that server-to-server traffic neither disturbs users nor is
// disturbed by them. It refuses to listen on every address of the machine unless the configuration names the peers
// (AllowFrom) or the network card (Device) it is for.
package lanserver
