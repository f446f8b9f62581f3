-- Flink SQL (2.x, flink-sql-connector-kafka) over the topics of StreamFlow.
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '10s';

CREATE TABLE ticks (
    `symbol` STRING,
    `price` DOUBLE,
    `volume` BIGINT,
    `timestamp` TIMESTAMP_LTZ(3),
    `id` STRING,
    `exchange` STRING,
    `bid` DOUBLE,
    `ask` DOUBLE,
    `kafka_partition` INT METADATA FROM 'partition' VIRTUAL,
    `kafka_offset` BIGINT METADATA FROM 'offset' VIRTUAL,
    WATERMARK FOR `timestamp` AS `timestamp` - INTERVAL '10' SECOND
) WITH (
    'connector' = 'kafka',
    'topic' = 'stock_ticks',
    'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}',
    'properties.group.id' = 'flink-streamflow',
    'properties.isolation.level' = 'read_committed',
    'scan.startup.mode' = 'earliest-offset',
    'format' = 'json',
    'json.timestamp-format.standard' = 'ISO-8601',
    'json.ignore-parse-errors' = 'true'
);

CREATE TABLE candles (
    `symbol` STRING,
    `interval` STRING,
    `start` TIMESTAMP_LTZ(3),
    `open` DOUBLE,
    `high` DOUBLE,
    `low` DOUBLE,
    `close` DOUBLE,
    `volume` BIGINT,
    `trades` BIGINT,
    `vwap` DOUBLE,
    `closed` BOOLEAN
) WITH (
    'connector' = 'kafka',
    'topic' = 'stock_candles',
    'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}',
    'properties.group.id' = 'flink-streamflow',
    'properties.isolation.level' = 'read_committed',
    'scan.startup.mode' = 'earliest-offset',
    'format' = 'json',
    'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TABLE indicators (
    `symbol` STRING,
    `interval` STRING,
    `time` TIMESTAMP_LTZ(3),
    `price` DOUBLE,
    `values` MAP<STRING, DOUBLE>,
    `trend` STRING
) WITH (
    'connector' = 'kafka',
    'topic' = 'stock_indicators',
    'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}',
    'properties.group.id' = 'flink-streamflow',
    'properties.isolation.level' = 'read_committed',
    'scan.startup.mode' = 'latest-offset',
    'format' = 'json',
    'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TABLE alerts (
    `id` STRING,
    `rule` STRING,
    `symbol` STRING,
    `when` STRING,
    `severity` STRING,
    `time` TIMESTAMP_LTZ(3),
    `price` DOUBLE,
    `values` MAP<STRING, DOUBLE>,
    `text` STRING
) WITH (
    'connector' = 'kafka',
    'topic' = 'stock_alerts',
    'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}',
    'properties.group.id' = 'flink-streamflow',
    'properties.isolation.level' = 'read_committed',
    'scan.startup.mode' = 'earliest-offset',
    'format' = 'json',
    'json.timestamp-format.standard' = 'ISO-8601'
);

-- Turnover of each symbol by the minute of event time.
SELECT `symbol`, window_start, SUM(`price` * `volume`) AS turnover, COUNT(*) AS trades
FROM TABLE(TUMBLE(TABLE ticks, DESCRIPTOR(`timestamp`), INTERVAL '1' MINUTE))
GROUP BY `symbol`, window_start, window_end;
