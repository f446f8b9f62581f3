// Package simulate makes realistic stock ticks and sends them, as history
// first and live then, to a [Sink].
//
// [Market] is the price process: arithmetic alone, without clock or I/O. [Plan]
// and the live schedule say which symbol trades when. [Run] joins the two to a
// sink, which is Kafka in the program. History takes the same way as live
// ticks, so that whatever works on the one works on the other.
//
// [Feed] sends what a [Source] makes in the same way: [Shop] e-commerce events,
// [Users] logins.
package simulate
