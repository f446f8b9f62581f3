-- What the functions work out of ticks: candles, alerts, and the deliveries of
-- alerts to webhooks. Their writers may repeat themselves (a redelivery, a
-- replay, two workers at once), so every row has a key, and writing it again
-- changes nothing or brings it forward; table positions has no part in it.

-- A candle is written again as it grows. What stands here is the fullest version
-- that was seen: more trades win, and what is closed stays closed, see
-- UpsertCandles. To have candles computed anew under another formula, delete the
-- old ones first.
--
-- The key stands first for people's eyes. It is the only b-tree: one symbol and
-- interval from one time to another lie side by side in it, in both directions.
CREATE TABLE candles (
    symbol         text COLLATE "C" NOT NULL,
    interval       text COLLATE "C" NOT NULL,
    start          timestamptz      NOT NULL,
    open           double precision NOT NULL,
    high           double precision NOT NULL,
    low            double precision NOT NULL,
    close          double precision NOT NULL,
    volume         bigint           NOT NULL,
    trades         bigint           NOT NULL,
    vwap           double precision NOT NULL,
    amended        bigint           NOT NULL DEFAULT 0,
    last_offset    bigint           NOT NULL,
    updated_at     timestamptz      NOT NULL DEFAULT now(),
    last_partition integer          NOT NULL,
    closed         boolean          NOT NULL,
    PRIMARY KEY (symbol, interval, start)
) WITH (fillfactor = 80); -- open candles are written anew: room for that in their page

-- A few kilobytes that find the rows of a day, whatever the symbol: old candles go by it.
CREATE INDEX candles_start ON candles USING brin (start timestamptz_minmax_multi_ops)
    WITH (pages_per_range = 64, autosummarize = on);

COMMENT ON TABLE candles IS 'OHLCV of the ticks of a symbol in [start, start + interval) of event time, the fullest version seen; written by function archive-candles';
COMMENT ON COLUMN candles.interval IS 'length of the candle: 1s, 1m, 5m, 15m, 1h or 1d';
COMMENT ON COLUMN candles.start IS 'first instant of the candle, UTC midnight for 1d; its end is not part of it';
COMMENT ON COLUMN candles.open IS 'price of the first tick by event time, in the currency of the symbol';
COMMENT ON COLUMN candles.high IS 'highest price';
COMMENT ON COLUMN candles.low IS 'lowest price';
COMMENT ON COLUMN candles.close IS 'price of the last tick by event time; of the newest so far while the candle is open';
COMMENT ON COLUMN candles.volume IS 'sum of the volumes of the ticks, in units (shares)';
COMMENT ON COLUMN candles.trades IS 'number of ticks';
COMMENT ON COLUMN candles.vwap IS 'sum of price * volume / volume, a price; the mean price where volume is 0';
COMMENT ON COLUMN candles.amended IS 'number of late ticks that changed the candle after it was closed';
COMMENT ON COLUMN candles.closed IS 'its time is over: only a late tick changes it; false: as it stood at updated_at, a few seconds behind';
COMMENT ON COLUMN candles.last_partition IS 'Kafka partition of the tick that arrived last';
COMMENT ON COLUMN candles.last_offset IS 'Kafka offset of the tick that arrived last';
COMMENT ON COLUMN candles.updated_at IS 'when this version was stored';

-- An alert is written once; only its acknowledgement is added later.
CREATE TABLE alerts (
    id              text COLLATE "C" PRIMARY KEY,
    time            timestamptz      NOT NULL,
    severity        text COLLATE "C" NOT NULL,
    symbol          text COLLATE "C" NOT NULL,
    rule            text COLLATE "C" NOT NULL,
    name            text             NOT NULL DEFAULT '',
    when_text       text             NOT NULL,
    text            text             NOT NULL,
    price           double precision NOT NULL,
    values          jsonb            NOT NULL DEFAULT '{}',
    kafka_topic     text COLLATE "C", -- NULL, and so the next two: no tick has caused it
    kafka_partition integer,
    kafka_offset    bigint,
    stored_at       timestamptz      NOT NULL DEFAULT now(),
    acknowledged_at timestamptz,
    acknowledged_by text
);

-- Lists are newest first, of all alerts, of a symbol, of a rule; what nobody has
-- acknowledged yet is looked at most and is little.
CREATE INDEX alerts_time ON alerts (time, id);
CREATE INDEX alerts_symbol_time ON alerts (symbol, time, id);
CREATE INDEX alerts_rule_time ON alerts (rule, time, id);
CREATE INDEX alerts_open ON alerts (time, id) WHERE acknowledged_at IS NULL;

COMMENT ON TABLE alerts IS 'what the rules of function alerts have raised, each once; written by function archive-alerts';
COMMENT ON COLUMN alerts.id IS 'rule, symbol and position: the same however often the alert is derived';
COMMENT ON COLUMN alerts.time IS 'event time of the tick that fired the rule, or when the silence was noticed';
COMMENT ON COLUMN alerts.severity IS 'info, warning or critical';
COMMENT ON COLUMN alerts.rule IS 'id of the rule';
COMMENT ON COLUMN alerts.name IS 'name of the rule, for people';
COMMENT ON COLUMN alerts.when_text IS 'condition of the rule as it stood when it fired';
COMMENT ON COLUMN alerts.text IS 'one sentence for people';
COMMENT ON COLUMN alerts.price IS 'price of the last tick, in the currency of the symbol; 0 if there was none';
COMMENT ON COLUMN alerts.values IS 'the numbers that were compared, by name';
COMMENT ON COLUMN alerts.kafka_topic IS 'Kafka topic of the tick that fired the rule';
COMMENT ON COLUMN alerts.kafka_partition IS 'Kafka partition of that tick';
COMMENT ON COLUMN alerts.kafka_offset IS 'Kafka offset of that tick';
COMMENT ON COLUMN alerts.stored_at IS 'when the row was stored';
COMMENT ON COLUMN alerts.acknowledged_at IS 'when somebody acknowledged the alert; NULL: nobody has';
COMMENT ON COLUMN alerts.acknowledged_by IS 'who acknowledged it';

-- Every attempt to deliver an alert to a webhook. No foreign key: an alert may be
-- delivered before it is stored.
CREATE TABLE deliveries (
    id          bigint           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    time        timestamptz      NOT NULL,
    webhook     text COLLATE "C" NOT NULL,
    alert_id    text COLLATE "C" NOT NULL,
    attempt     integer          NOT NULL,
    status      integer          NOT NULL,
    duration_ms double precision NOT NULL,
    error       text
);

CREATE INDEX deliveries_alert ON deliveries (alert_id, id);
CREATE INDEX deliveries_webhook ON deliveries (webhook, id);
CREATE INDEX deliveries_time ON deliveries USING brin (time) WITH (autosummarize = on);

COMMENT ON TABLE deliveries IS 'attempts to deliver alerts to webhooks; written by function notify';
COMMENT ON COLUMN deliveries.time IS 'when the attempt began';
COMMENT ON COLUMN deliveries.webhook IS 'name of the webhook';
COMMENT ON COLUMN deliveries.attempt IS 'number of the attempt, from 1';
COMMENT ON COLUMN deliveries.status IS 'HTTP status of the answer; 0: there was none';
COMMENT ON COLUMN deliveries.duration_ms IS 'milliseconds until the answer or the error';
COMMENT ON COLUMN deliveries.error IS 'why it failed; NULL: it was delivered';
