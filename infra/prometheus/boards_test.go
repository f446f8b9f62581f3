package prometheus_test

// What the dashboards show. Every expression is evaluated against a running
// system by `go tool task test:ops`.
var boards = []board{
	{"Overview", []panel{
		{stat, "Ticks a second", "What the bridge brings into the streams, of all topics.", "cps", one(`sum(streamflow:ingested:rate1m)`)},
		{stat, "To the API, p99", "Time from Kafka until the API shows a tick. Some milliseconds beside the disk's fsync are normal.", "s", one(`streamflow:latency_seconds:p99{hop="api"}`)},
		{stat, "Newest tick", "Its age, by event time. About the interval of the ticks is normal.", "s", one(`min(streamflow_feed_newest_tick_age_seconds)`)},
		{stat, "Waiting", "Messages before all hops together. Near 0 is normal.", "short", one(`sum(streamflow:lag:messages)`)},
		{stat, "Refused a second", "Records that went to the dead letters.", "cps", one(`sum(streamflow:refused:rate5m)`)},
		{stat, "Servers", "How many of Kafka, NATS and PostgreSQL the API reaches: 3.", "short", one(`sum(max by (server) (streamflow_server_up))`)},
		{graph, "Ingested", "By topic.", "cps", []query{{"{{topic}}", `streamflow:ingested:rate1m`}}},
		{graph, "Latency to each hop, p99", "Since the message was produced; hop api is the whole way.", "s", []query{{"{{hop}}", `streamflow:latency_seconds:p99`}}},
		{graph, "Waiting before each hop", "What grows here is too slow, or stands.", "short", []query{{"{{hop}}", `streamflow:lag:messages`}}},
		{graph, "Websockets", "Sessions and their subscriptions.", "short", []query{{"sessions", `sum(streamflow_ws_sessions)`}, {"subscriptions", `sum(streamflow_ws_subscriptions)`}}},
		{graph, "CPU of the machines", "Of all processors together.", "percentunit", []query{{"{{instance}}", `streamflow:host_cpu:ratio1m`}}},
		{graph, "Free", "Of the memory and of the disk.", "percentunit", []query{{"memory {{instance}}", `streamflow:host_memory_free:ratio`}, {"disk {{instance}}", `streamflow:disk_free:ratio`}}},
		{graph, "CPU of the processes", "Processors in use.", "short", []query{{"{{job}} {{instance}}", `rate(process_cpu_seconds_total[1m])`}}},
		{graph, "Memory of the processes", "Resident.", "bytes", []query{{"{{job}} {{instance}}", `process_resident_memory_bytes`}}},
	}},
	{"Pipeline", []panel{
		{graph, "Bridge: records a second", "By partition: they should be alike.", "cps", []query{{"{{topic}}/{{partition}}", `sum by (topic, partition) (rate(streamflow_bridge_messages_total[1m]))`}}},
		{graph, "Bridge: bytes a second", "Of the records' values.", "Bps", []query{{"{{topic}}", `sum by (topic) (rate(streamflow_bridge_bytes_total[1m]))`}}},
		{graph, "Bridge: lag", "Records between the cursor and the end of the partition.", "short", []query{{"{{topic}}/{{partition}}", `sum by (topic, partition) (streamflow_bridge_lag_messages)`}}},
		{graph, "Bridge: time of a commit", "From a batch's first byte until JetStream has it.", "s", []query{
			{"p50 {{topic}}", `histogram_quantile(0.5, sum by (topic, le) (rate(streamflow_bridge_commit_seconds_bucket[5m])))`},
			{"p99 {{topic}}", `histogram_quantile(0.99, sum by (topic, le) (rate(streamflow_bridge_commit_seconds_bucket[5m])))`}}},
		{graph, "Bridge: messages in a batch", "Small when it is idle, 999 when it catches up.", "short", []query{{"{{topic}}", `sum by (topic) (rate(streamflow_bridge_batch_messages_sum[5m])) / sum by (topic) (rate(streamflow_bridge_batch_messages_count[5m]))`}}},
		{graph, "Refused", "By topic and reason.", "cps", []query{{"{{topic}} {{reason}}", `streamflow:refused:rate5m`}}},
		{graph, "Fenced, failed, missed", "Fences come with a takeover and go. Missed is data that Kafka no longer had: never normal.", "cps", []query{
			{"fenced", `sum(rate(streamflow_bridge_fenced_total[5m]))`}, {"failed", `sum(rate(streamflow_bridge_failures_total[5m]))`},
			{"missed", `sum(rate(streamflow_bridge_missed_total[5m]))`}, {"begun anew", `sum(rate(streamflow_bridge_restarts_total[5m]))`}}},
		{graph, "Partitions held", "They wait for the schema registry, in order and without loss; 0 otherwise.", "short", []query{{"{{topic}}", `sum by (topic) (max by (topic, partition) (streamflow_bridge_held)) or vector(0)`}}},
		{graph, "Brought back to Kafka", "Results and dead letters, by topic.", "cps", []query{{"{{topic}}", `sum by (topic) (rate(streamflow_bridge_returned_total[1m]))`}}},
		{graph, "Topics: records a second", "What producers send.", "cps", []query{{"{{topic}}", `sum by (topic) (rate(streamflow_topic_end_offset[1m]))`}}},
		{graph, "Topics: lag of groups", "By what they have committed to Kafka; the bridge goes by its cursors, not by that.", "short", []query{{"{{group}} {{topic}}", `max by (group, topic) (streamflow_topic_lag_messages)`}}},
		{graph, "Streams: messages", "Until their limit takes the oldest.", "short", []query{{"{{stream}}", `max by (stream) (streamflow_stream_messages)`}}},
		{graph, "Streams: bytes", "On disk.", "bytes", []query{{"{{stream}}", `max by (stream) (streamflow_stream_bytes)`}}},
		{graph, "Bridge's Kafka client: bytes a second", "Read from each broker.", "Bps", []query{{"node {{node_id}}", `sum by (node_id) (rate(streamflow_kafka_bridge_read_bytes_total[1m]))`}}},
		{graph, "Traces: spans a second", "Taken by the collector; dropped because the queue was full, or because it did not take them. Without data where tracing is off.", "cps", []query{
			{"taken {{job}}", `sum by (job) (rate(streamflow_trace_spans_sent_total[1m]))`}, {"dropped {{job}} {{reason}}", `sum by (job, reason) (rate(streamflow_trace_spans_dropped_total[1m]))`}}},
		{graph, "Goroutines", "A number that only grows is a leak.", "short", []query{{"{{job}} {{instance}}", `go_goroutines`}}},
	}},
	{"Functions", []panel{
		{graph, "Messages a second", "Whose results are committed.", "cps", []query{{"{{function}}", `streamflow:function:rate1m`}}},
		{graph, "Waiting", "Not delivered, or not acknowledged: known also when no worker is there.", "short", []query{{"{{durable}}", `max by (durable) (streamflow_durable_pending_messages)`}}},
		{graph, "Time of a commit, p99", "Results and checkpoint, in one write.", "s", []query{{"{{function}}", `histogram_quantile(0.99, sum by (function, le) (rate(streamflow_function_commit_seconds_bucket[5m])))`}}},
		{graph, "Time of a step", "One of 16 is measured.", "s", []query{
			{"p50 {{function}}", `histogram_quantile(0.5, sum by (function, le) (rate(streamflow_function_step_seconds_bucket[5m])))`},
			{"p99 {{function}}", `histogram_quantile(0.99, sum by (function, le) (rate(streamflow_function_step_seconds_bucket[5m])))`}}},
		{graph, "Results", "Facts, each once, and views, which only show how things stand.", "cps", []query{
			{"facts {{function}}", `sum by (function) (rate(streamflow_function_facts_total[1m]))`}, {"views {{function}}", `sum by (function) (rate(streamflow_function_views_total[1m]))`}}},
		{graph, "Age of the checkpoints", "Of shards that have work it stays below half a minute.", "s", []query{{"{{function}}/{{shard}}", `max by (function, shard) (streamflow_function_checkpoint_age_seconds)`}}},
		{graph, "Failures and dead letters", "Steps that were tried again, and messages set aside.", "cps", []query{
			{"failed {{function}}", `sum by (function) (rate(streamflow_function_failures_total[5m]))`}, {"set aside {{function}}", `sum by (function) (rate(streamflow_function_dead_letters_total[5m]))`}}},
		{graph, "Fences, rewinds, gaps", "With a takeover or a lost store, and then no more. A gap that stays is lost data.", "cps", []query{
			{"fenced", `sum(rate(streamflow_function_fenced_total[5m]))`}, {"rewound", `sum(rate(streamflow_function_rewinds_total[5m]))`}, {"gaps", `sum(rate(streamflow_function_gaps_total[5m]))`}}},
		{graph, "Snapshots: time", "Of all states of a shard, p99.", "s", []query{{"{{function}}", `histogram_quantile(0.99, sum by (function, le) (rate(streamflow_function_snapshot_seconds_bucket[15m])))`}}},
		{graph, "Snapshots: bytes a second", "What states cost the streams.", "Bps", []query{{"{{function}}", `sum by (function) (rate(streamflow_function_snapshot_bytes_total[5m]))`}}},
		{graph, "Delivered again, stepped in silence", "After a takeover; 0 otherwise.", "cps", []query{
			{"again {{function}}", `sum by (function) (rate(streamflow_function_skipped_total[5m]))`}, {"silent {{function}}", `sum by (function) (rate(streamflow_function_replayed_total[5m]))`}}},
		{graph, "Webhooks given up", "Alerts that no attempt has delivered.", "short", one(`sum(increase(streamflow_notify_dead_letters_total[15m])) or vector(0)`)},
	}},
	{"Market", []panel{
		{stat, "Symbols", "Of which there is a tick.", "short", one(`max(streamflow_feed_symbol_age_seconds_count)`)},
		{stat, "Freshness, p50", "Age of the newest tick of the symbol in the middle.", "s", one(`streamflow:freshness_seconds:p50`)},
		{stat, "Freshness, p99", "Age of the newest tick of the stalest symbol in a hundred.", "s", one(`streamflow:freshness_seconds:p99`)},
		{graph, "Freshness", "Of all symbols.", "s", []query{{"p50", `streamflow:freshness_seconds:p50`}, {"p99", `streamflow:freshness_seconds:p99`}}},
		{bars, "Stalest symbols", "The ten that have waited longest.", "s", []query{{"{{symbol}}", `topk(10, max by (symbol) (streamflow_feed_stalest_symbol_age_seconds))`}}},
		{graph, "Websocket: messages a second", "By subject's first token.", "cps", []query{{"{{root}}", `sum by (root) (rate(streamflow_ws_messages_sent_total[1m]))`}}},
		{graph, "Websocket: left out", "Dropped because a client is too slow; conflated because it asked for that.", "cps", []query{
			{"dropped", `sum(rate(streamflow_ws_messages_dropped_total[1m]))`}, {"conflated", `sum(rate(streamflow_ws_messages_conflated_total[1m]))`}}},
		{graph, "HTTP: requests a second", "By operation.", "reqps", []query{{"{{operation}}", `sum by (operation) (rate(streamflow_http_requests_total[1m]))`}}},
		{graph, "HTTP: time, p99", "By operation.", "s", []query{{"{{operation}}", `histogram_quantile(0.99, sum by (operation, le) (rate(streamflow_http_request_seconds_bucket[5m])))`}}},
		{graph, "HTTP: failed", "Share of answers with a status from 500.", "percentunit", one(`streamflow:http_errors:ratio5m`)},
	}},
	{"Database", []panel{
		{stat, "Size", "On disk.", "bytes", one(`max(streamflow_database_bytes)`)},
		{stat, "Connections", "From everywhere.", "short", one(`max(streamflow_database_connections)`)},
		{stat, "Not archived yet", "Ticks in the stream that are no rows.", "short", one(`max(streamflow_durable_pending_messages{durable="archive-0"})`)},
		{graph, "Rows a second", "Inserted or updated, in all tables.", "cps", one(`max(rate(streamflow_database_rows_total[1m]))`)},
		{graph, "Transactions a second", "Commits.", "cps", one(`max(rate(streamflow_database_commits_total[1m]))`)},
		{graph, "Ticks archived a second", "By the archive's positions.", "cps", one(`max(rate(streamflow_database_archived_total[1m]))`)},
		{graph, "Results stored", "By table, and what became of them.", "cps", []query{{"{{table}} {{outcome}}", `sum by (table, outcome) (rate(streamflow_archive_rows_total[1m]))`}}},
		{graph, "Time of an archive's transaction", "COPY, positions and commit.", "s", []query{
			{"p50 {{function}}", `histogram_quantile(0.5, sum by (function, le) (rate(streamflow_function_commit_seconds_bucket{function=~"archive.*"}[5m])))`},
			{"p99 {{function}}", `histogram_quantile(0.99, sum by (function, le) (rate(streamflow_function_commit_seconds_bucket{function=~"archive.*"}[5m])))`}}},
		{graph, "Rows in a transaction", "Few when idle, up to 5,000 when it catches up.", "short", []query{{"{{function}}", `sum by (function) (rate(streamflow_function_batch_messages_sum{function=~"archive.*"}[5m])) / sum by (function) (rate(streamflow_function_batch_messages_count{function=~"archive.*"}[5m]))`}}},
		{graph, "Growth", "Bytes a second, over an hour or what there is of it.", "Bps", one(`max(deriv(streamflow_database_bytes[1h]))`)},
		{graph, "Disk", "Free bytes.", "bytes", []query{{"{{instance}}", `streamflow_host_disk_free_bytes`}}},
	}},
}
