// Package lanserver serves trusted peers, server to server: short frames, no cipher; with its client.
//
//	New ---> Server: listens on one address, card or list of peers        Dial ---> Client: one connection, kept up
//
//	Client.Send --accepted--> worker's queue --> kernel      connection lost: Lost counts what the kernel never took and,
//	                                                         after a reset or an error, what it took and may have dropped
//	Client.Call --id,packet-> OnRecv, IsCall --> Reply --id,packet--> Call returns it
//
// A server of this package has workers and pools of its own, so that server-to-server traffic neither disturbs users nor is
// disturbed by them. It refuses to listen on every address of the machine unless the configuration names the peers
// (AllowFrom) or the network card (Device) it is for.
//
// Between two servers of ours, which have the codec that [PeerCodec] makes on both sides, a packet may carry an id: that is
// what [Client.Call] and [Reply] are made of. Classic peers know no ids; everything else works with them too.
//
// Limits are fields of [ClientConfig] and of the engine's Config; what happens at each is said there. There is no heartbeat
// and no idle timeout unless one is set: a peer that vanishes without a word is noticed when something is sent to it.
package lanserver
