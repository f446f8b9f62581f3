// Package window is the shared tool for event-time windows: which windows an
// event falls into, when a window is done, and what becomes of an event that
// comes after that.
//
// [Windows] are the windows of one key, of one or several lengths under one
// watermark. They take events in whatever order they come and hand a window out
// when it is done: when the watermark has passed its end, or when nothing has
// come for a while. An event that is late, but not too late, changes its window
// again, and the window is handed out again and says so.
//
//	            too late │          late          │       in time        │ ahead
//	             refused │  amends what was done  │                      │ kept open
//	─────────────────────┼────────────────────────┼──────────────────────┼──────▶ event time
//	            watermark-lateness            watermark           newest event
//
// All of it follows from the events, from when they were produced, and from the
// times that Advance is told: it reads no clock, so it does the same when it is
// done again. docs/windows.md tells the rules and why they are so.
package window
