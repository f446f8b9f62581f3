package live

// Description is the protocol in short, for the document of the API.
// docs/websocket.md has all of it.
const Description = `A websocket (RFC 6455). A client sends text messages:

    {"subscribe":["ticks.AAPL","candles.1m.*"]}
    {"subscribe":["ticks.*"],"mode":"latest","maxRate":5,"batch":true}
    {"subscribe":["ticks.AAPL"],"since":{"TICKS":123}}
    {"unsubscribe":["ticks.*"]}
    {"ping":1}

Subjects are those of NATS, with its wildcards: ` + "`ticks.<SYMBOL>`, `candles.<INTERVAL>.<SYMBOL>`, `indicators.<SYMBOL>`, " +
	"`alerts.<SYMBOL>`, `results.<FUNCTION>.<KEY>`, `events.<TOPIC>.<TYPE>`, `dlq.>`, and `pipeline`" + `, made once a second. In a
subject every byte of a symbol beside letters, digits, "-" and "_" is written %XX: BRK.B is ticks.BRK%2EB.

The server answers {"subscribed":[...]}, then sends the newest message of every subject with "snapshot":true, then
{"snapshot":"done"}, and then every message as it is committed. None comes twice, however many subscriptions match:

    {"subject":"ticks.AAPL","stream":"TICKS","seq":123,"prev":120,"position":"stock_ticks/0/77",
     "data":{"symbol":"AAPL","price":187.23,"volume":100,"timestamp":"..."},
     "hops":{"kafka":1763690000123.400,"bridge":1763690000124.100,"stream":1763690000125.000,"api":1763690000125.300}}

"prev" is the sequence of the message before on the same subject: where it is not the one that came last, there is a gap.
"view":true marks a result that still grows. "hops" are the unix milliseconds at which the message passed each part. A
frame is one JSON object, or for a client that said "batch":true also an array of several.

Mode "latest" is the newest of each subject, as fast as the client takes it, with "maxRate" at most so often a second.
"since" brings all behind a sequence and then {"resumed":{...}}, or {"gone":{...}} where the stream has it no more.
{"heartbeat":<unix ms>,"dropped":n,"conflated":n,"seq":{"TICKS":n}} comes every 5 s. A client that is too slow for mode
"all" is told {"dropped":n,"since":{...}}, and closed with 1013 if it stays behind or takes nothing for 30 s. What cannot
be done is answered with {"error":{"code":"...","message":"..."}} and the socket stays open; more than 100 errors within
10 s close it with 1008. A message may have 64 KiB, a session 1,000 subscriptions. 1001 says that the server stops.`
