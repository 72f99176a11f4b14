// Package bot provides the dummy client of the family: a swarm of bots
// that put load on a server and check every reply.
//
// It is a client of the wire, not of the engine: std net sockets and
// goroutines, and only the codec is shared with the servers, so that an
// engine's mistake cannot hide on both sides.
//
//	             one bot: two goroutines, one connection at a time
//	pace --> player.compose --> Codec.Seal --> one write --> server
//	             |  what is expected                           |
//	             v                                             v
//	          oracle  <-- player.receive <-- Codec.Open <-- one read
//	             |
//	             +--> tally --> Report, once a second and at the end
//
// The echo oracle keeps what a bot has in flight and compares each reply
// byte for byte and in order. The chat oracle keeps, for each message, who
// must hear it, who may and who did (see the comment of ledger for its
// exact rule). Both put what they find into columns that do not overlap:
//
//	wrong               a reply that differs, is out of order, comes
//	                    twice, or reaches somebody it must not reach
//	missing             a reply that did not come within Config.Timeout,
//	                    or until the drain at the end was over
//	server_disconnects  a connection that ended and no bot had asked for
//	lost                requests that such an end, or a bot's own leave,
//	                    left unanswered; not missing
//	late                a reply that came after it was counted missing
//	connect_errors      an attempt to connect that nobody answered; the bot
//	                    tries again
//	unconnected         bots whose last attempt failed, and, once Config.For
//	                    is over, those that never had a session. Who was
//	                    not due yet when the run was ended early is none
//
// Limits: [MaxBots] bots, [MaxDepth] unanswered requests each, payloads as
// the codec allows. A bot holds two goroutines, a read buffer of 4 KiB
// that grows to one frame, and the memory of what is in flight: Depth
// entries for echo, Rate x Timeout messages for chat. Nothing grows with
// the length of the run. Times are nanoseconds of one monotonic clock;
// round trips have the error of [vitrine/core/stats.Histogram], 1/16.
//
// Cost: the chat oracle takes some 0.1 us a delivery and allocates nothing;
// most of the rest is the kernel's, reads above all. Seen with 5,000 sealed
// bots at 2 messages/s each, which is 160,000 deliveries/s: 5 to 6 us of
// processor time a delivery with readers that do not rest, 3 to 4 with
// readers that do (see Config.Gather).
//
// Attackers ([Garbage], [HalfFrame], [Dribble], [NeverRead], [NeverShake],
// [Flood]) hold one hostile connection each and tell how the server ended
// it.
package bot
