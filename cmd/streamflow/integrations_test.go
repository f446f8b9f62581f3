package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.yaml.in/yaml/v3"

	"streamflow"
)

func integration(t *testing.T, name string) string {
	t.Helper()
	return readRepository(t, "docs", "integrations", name)
}

// wire is what stands on a topic: the fields of its JSON and what they are.
func wire(t *testing.T, topic string) map[string]string {
	t.Helper()
	at := time.Date(2026, 1, 2, 15, 4, 5, 6000000, time.UTC)
	last := streamflow.Position{Topic: streamflow.TopicTicks, Partition: 1, Offset: 2}
	var value any
	switch topic {
	case streamflow.TopicTicks:
		value = streamflow.Tick{Symbol: "AAPL", Price: 1.5, Volume: 2, Time: at, ID: "i", Exchange: "X", Bid: 1.4, Ask: 1.6}
	case streamflow.TopicCandles:
		value = streamflow.Candle{Symbol: "AAPL", Interval: streamflow.Minute1, Start: at.Truncate(time.Minute), Open: 1.5, High: 1.75, Low: 1.25, Close: 1.5, Volume: 2, Trades: 1, VWAP: 1.5, Closed: true, Amended: 1, Last: last}
	case streamflow.TopicIndicators:
		value = streamflow.Indicators{Symbol: "AAPL", Interval: streamflow.Minute1, Time: at, Price: 1.5, Values: []streamflow.Value{{Name: "sma_20", Value: 1.5}}, Trend: streamflow.TrendUp, Amended: true, Last: last}
	case streamflow.TopicAlerts:
		value = streamflow.Alert{ID: "i", Rule: "r", Name: "n", Symbol: "AAPL", When: "price > 1", Severity: streamflow.SeverityInfo, Time: at, Price: 1.5, Values: map[string]float64{"price": 1.5}, Text: "t", Position: last.String()}
	default:
		t.Fatalf("topic %q is none that programs read", topic)
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	members := make(map[string]any)
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	if err := in.Decode(&members); err != nil {
		t.Fatal(err)
	}
	fields := make(map[string]string)
	for name, v := range members {
		switch v := v.(type) {
		case string:
			fields[name] = "text"
			if _, err := time.Parse(time.RFC3339Nano, v); err == nil {
				fields[name] = "time"
			}
		case json.Number:
			fields[name] = "number"
			if _, err := v.Int64(); err == nil {
				fields[name] = "integer"
			}
		case bool:
			fields[name] = "bool"
		case map[string]any:
			fields[name] = "numbers"
		}
	}
	return fields
}

// holds fails the test unless every field is on the topic and is what it is
// taken for.
func holds(t *testing.T, where, topic string, fields map[string]string, kinds map[string]string) {
	t.Helper()
	have := wire(t, topic)
	if len(fields) < 3 {
		t.Errorf("%s: only %v were found of topic %s", where, fields, topic)
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		switch kind, ok := kinds[fields[name]]; {
		case !ok:
			t.Errorf("%s: %s %s: what type is that?", where, name, fields[name])
		case have[name] == "":
			t.Errorf("%s: topic %s has no field %s, but %v", where, topic, name, slices.Sorted(maps.Keys(have)))
		case have[name] != kind:
			t.Errorf("%s: %s of topic %s is a %s, not %s", where, name, topic, have[name], fields[name])
		}
	}
}

func pairs(re, text string) map[string]string {
	found := make(map[string]string)
	for _, m := range regexp.MustCompile(re).FindAllStringSubmatch(text, -1) {
		found[m[1]] = m[2]
	}
	return found
}

func TestFlinkTables(t *testing.T) {
	tables := regexp.MustCompile(`(?s)CREATE TABLE (\w+) \((.*?)\) WITH \((.*?)\);`).FindAllStringSubmatch(integration(t, "flink.sql"), -1)
	if len(tables) != 4 {
		t.Fatalf("%d tables, want those of four topics", len(tables))
	}
	kinds := map[string]string{"STRING": "text", "DOUBLE": "number", "BIGINT": "integer", "TIMESTAMP_LTZ(3)": "time", "BOOLEAN": "bool", "MAP<STRING, DOUBLE>": "numbers"}
	for _, table := range tables {
		options := pairs(`'([a-z.-]+)' = '([^']*)'`, table[3])
		if options["properties.isolation.level"] != "read_committed" || options["format"] != "json" {
			t.Errorf("flink.sql, %s: %v", table[1], options)
		}
		var columns []string
		for line := range strings.Lines(table[2]) {
			if !strings.Contains(line, " METADATA ") {
				columns = append(columns, strings.TrimRight(line, ",\n"))
			}
		}
		holds(t, "flink.sql, "+table[1], options["topic"], pairs("(?m)^    `(\\w+)` (.+)$", strings.Join(columns, "\n")), kinds)
	}
}

func TestSparkSchema(t *testing.T) {
	text := integration(t, "spark_candles.py")
	topic := pairs(`(?m)^(TOPIC) = "(\w+)"$`, text)["TOPIC"]
	fields := pairs(`StructField\("(\w+)", (\w+)\(\)`, text)
	holds(t, "spark_candles.py", topic, fields, map[string]string{"StringType": "text", "DoubleType": "number", "LongType": "integer", "TimestampType": "time"})
	if len(fields) != len(wire(t, topic)) {
		t.Errorf("spark_candles.py has %v, a tick %v", fields, wire(t, topic))
	}
	required := pairs(`StructField\("(\w+)", \w+\(\), (False)\)`, text)
	tick, err := json.Marshal(streamflow.Tick{Symbol: "AAPL", Price: 1.5, Time: time.Unix(0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	for name := range fields {
		if always := bytes.Contains(tick, []byte(`"`+name+`":`)); always != (required[name] != "") {
			t.Errorf("spark_candles.py: %s is there in every tick: %v, the schema says otherwise", name, always)
		}
	}
}

func TestLogstashPipeline(t *testing.T) {
	text := integration(t, "logstash.conf")
	if strings.Count(text, "{") != strings.Count(text, "}") || strings.Count(text, "[") != strings.Count(text, "]") {
		t.Error("logstash.conf: brackets are left open")
	}
	ticks, others, ok := strings.Cut(text, "} else {")
	if !ok || !strings.Contains(ticks, `topics            => ["`+streamflow.TopicTicks+`", "`+streamflow.TopicAlerts+`"]`) || !strings.Contains(ticks, `[topic] == "`+streamflow.TopicTicks+`"`) {
		t.Fatal("logstash.conf: it reads other topics than ticks and alerts")
	}
	for topic, part := range map[string]string{streamflow.TopicTicks: ticks, streamflow.TopicAlerts: others} {
		fields := pairs(`"\[stock\]\[(\w+)\]"(?:,| =>) "(\w+)"`, part)
		fields["symbol"] = "text" // as it comes
		holds(t, "logstash.conf", topic, fields, map[string]string{"ISO8601": "time", "float": "number", "integer": "integer", "text": "text"})
	}
}

// The sink's table and view take a candle as it stands on the topic, and the
// dashboard asks for columns that are there.
func TestDatabaseIntegrations(t *testing.T) {
	var connector struct {
		Config map[string]string `json:"config"`
	}
	if err := json.Unmarshal([]byte(integration(t, "kafka-connect-jdbc.json")), &connector); err != nil {
		t.Fatal(err)
	}
	c := connector.Config
	if c["topics"] != streamflow.TopicCandles || c["consumer.override.isolation.level"] != "read_committed" || c["tasks.max"] != fmt.Sprint(streamflow.TickPartitions) {
		t.Errorf("kafka-connect-jdbc.json: %v", c)
	}
	w := newWard(t)
	conn, err := pgx.Connect(t.Context(), w.s.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), integration(t, "kafka-connect-jdbc.sql")); err != nil {
		t.Fatal(err)
	}
	candle := streamflow.Candle{Symbol: "BRK.B", Interval: streamflow.Minute1, Start: time.Date(2026, 1, 2, 15, 4, 0, 0, time.UTC), Open: 1.5, High: 1.75, Low: 1.25, Close: 1.5, Volume: 2, Trades: 1, VWAP: 1.5}
	insert := fmt.Sprintf(`INSERT INTO %s (%s, %s) VALUES ($1, 0, $2, $3::text::jsonb) ON CONFLICT (%[2]s) DO UPDATE SET %[3]s = excluded.%[3]s`,
		c["table.name.format"], c["pk.fields"], c["transforms.payload.field"])
	for offset := range 2 {
		candle.Trades, candle.Closed = int64(offset+1), offset == 1
		text, err := json.Marshal(candle)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // delivered twice
			if _, err := conn.Exec(t.Context(), insert, c["topics"], offset, string(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	var got streamflow.Candle
	err = conn.QueryRow(t.Context(), `SELECT symbol, interval, start, open, high, low, close, volume, trades, vwap, closed FROM warehouse_candles`).
		Scan(&got.Symbol, &got.Interval, &got.Start, &got.Open, &got.High, &got.Low, &got.Close, &got.Volume, &got.Trades, &got.VWAP, &got.Closed)
	if got.Start = got.Start.UTC(); err != nil || got != candle {
		t.Errorf("the view shows %+v, want %+v: %v", got, candle, err)
	}
	rows := 0
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM warehouse_candles`).Scan(&rows); err != nil || rows != 1 {
		t.Errorf("%d candles in the view, want 1: %v", rows, err)
	}
	dashboardSQL(t, conn)
}

// dashboardSQL plans every query of the dashboard on the real tables.
func dashboardSQL(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	var source struct {
		Datasources []struct{ UID, Type string }
	}
	if err := yaml.Unmarshal([]byte(integration(t, "grafana-datasource.yaml")), &source); err != nil || len(source.Datasources) != 1 {
		t.Fatalf("grafana-datasource.yaml: %+v, %v", source, err)
	}
	var board struct {
		Templating struct {
			List []struct{ Query string }
		}
		Panels []struct {
			Title      string
			Datasource struct{ UID, Type string }
			Targets    []struct{ RawSQL string }
		}
	}
	if err := json.Unmarshal([]byte(integration(t, "grafana-dashboard.json")), &board); err != nil {
		t.Fatal(err)
	}
	queries := map[string]string{"the variable": board.Templating.List[0].Query}
	for _, p := range board.Panels {
		if p.Datasource.UID != source.Datasources[0].UID || p.Datasource.Type != source.Datasources[0].Type {
			t.Errorf("panel %s asks data source %+v, which is not provisioned", p.Title, p.Datasource)
		}
		queries[p.Title] = p.Targets[0].RawSQL
	}
	if len(queries) != 5 {
		t.Errorf("%d queries, want 5", len(queries))
	}
	macro := regexp.MustCompile(`\$__timeFilter\((\w+)\)`)
	for title, q := range queries {
		q = strings.ReplaceAll(macro.ReplaceAllString(q, "$1 BETWEEN now() - interval '1 hour' AND now()"), "$symbol", "AAPL")
		if _, err := conn.Exec(t.Context(), "EXPLAIN "+q); err != nil {
			t.Errorf("grafana-dashboard.json, %s: %v in %s", title, err, q)
		}
	}
}

// What stands in front passes on to where the API listens by default, and an
// upgrade too.
func TestProxies(t *testing.T) {
	c := parse(t, "api")
	_, port, err := net.SplitHostPort(c.API.HTTPAddr)
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string][]string{
		"Caddyfile":  {"reverse_proxy 127.0.0.1:" + port + " {", "/metrics /health /ready"},
		"nginx.conf": {"server 127.0.0.1:" + port + ";", "location = /ws {", "proxy_set_header Upgrade           $http_upgrade;", "^/(metrics|health|ready)$"},
	} {
		text := integration(t, file)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %q is not in it", file, w)
			}
		}
		if strings.Count(text, "{") != strings.Count(text, "}") {
			t.Errorf("%s: braces are left open", file)
		}
	}
}

// The variables of an external Kafka are those of the program, and with them no
// Kafka is started.
func TestExternalKafka(t *testing.T) {
	env := pairs(`(?m)^([A-Z_]+)=(.*)$`, integration(t, "external-kafka.env"))
	checkCommand(t, "external-kafka.env", []string{"up"}, env)
	c := parse(t, "up")
	if c.Up.Brokers != env["KAFKA_BOOTSTRAP_SERVERS"] || c.Up.Topic != streamflow.TopicTicks || c.Up.Group != streamflow.GroupBridge {
		t.Errorf("Kafka is at %s, topic %s, group %s", c.Up.Brokers, c.Up.Topic, c.Up.Group)
	}
}

// The page names every file, and no other.
func TestIntegrationsPage(t *testing.T) {
	page := readRepository(t, "docs", "integrations.md")
	named := make(map[string]bool)
	for _, m := range regexp.MustCompile(`\]\(integrations/([\w.-]+)\)`).FindAllStringSubmatch(page, -1) {
		named[m[1]] = true
		integration(t, m[1])
	}
	files, err := os.ReadDir(repository("docs", "integrations"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !named[f.Name()] {
			t.Errorf("docs/integrations.md does not name %s", f.Name())
		}
	}
	topics := regexp.MustCompile("`(stock_\\w+)`").FindAllStringSubmatch(page, -1)
	for _, m := range topics {
		if !slices.Contains([]string{streamflow.TopicTicks, streamflow.TopicCandles, streamflow.TopicIndicators, streamflow.TopicAlerts, streamflow.TopicDeadLetters}, m[1]) {
			t.Errorf("docs/integrations.md: there is no topic %s", m[1])
		}
	}
	if len(topics) == 0 {
		t.Error("docs/integrations.md names no topic")
	}
}
