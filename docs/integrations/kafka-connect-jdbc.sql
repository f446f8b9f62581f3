-- What kafka-connect-jdbc.json writes into, in the database `warehouse`. Values
-- are plain JSON, for which the sink has no schema: so each record is stored whole
-- under its position, and this view gives it columns. What is delivered twice
-- replaces itself.
CREATE TABLE candle_records (
    kafka_topic     text    NOT NULL,
    kafka_partition integer NOT NULL,
    kafka_offset    bigint  NOT NULL,
    payload         jsonb   NOT NULL,
    PRIMARY KEY (kafka_topic, kafka_partition, kafka_offset)
);

-- A candle has several versions; the newest one in its partition is the fullest.
CREATE VIEW warehouse_candles AS
SELECT DISTINCT ON (payload->>'symbol', payload->>'interval', payload->>'start')
       payload->>'symbol'                     AS symbol,
       payload->>'interval'                   AS interval,
       (payload->>'start')::timestamptz       AS start,
       (payload->>'open')::double precision   AS open,
       (payload->>'high')::double precision   AS high,
       (payload->>'low')::double precision    AS low,
       (payload->>'close')::double precision  AS close,
       (payload->>'volume')::bigint           AS volume,
       (payload->>'trades')::bigint           AS trades,
       (payload->>'vwap')::double precision   AS vwap,
       (payload->>'closed')::boolean          AS closed
FROM candle_records
ORDER BY payload->>'symbol', payload->>'interval', payload->>'start', kafka_offset DESC;
