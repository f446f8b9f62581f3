// Package api is the room where StreamFlow speaks to people and programs: the
// Huma operations under /api, the checks, the metrics, and the melody websocket
// under /ws.
//
//	Feed ──▶ live ──▶ websockets
//	              └─▶ intake ──▶ board ◀── Store (the day's figures, once)
//	Store ──▶ GET /api/stocks/{symbol}/ticks
//
// Each stream is followed once, whatever the number of clients, by package
// live, which keeps the newest message of every subject and who wants it. The
// [board] keeps what a stock list shows. Both take a whole batch under one lock.
//
// This package knows neither NATS nor PostgreSQL: it declares what it needs
// ([Feed], [Store], [Check]), and cmd/streamflow joins them.
package api
