-- Every tick of Kafka topic stock_ticks, once. A row is written together with
-- the position that covers it (table positions), so there is nothing to
-- de-duplicate and no primary key to pay for.
--
-- Columns of eight bytes stand first: no padding between them. Symbols compare
-- by bytes (COLLATE "C"): faster, and an operating-system upgrade that changes
-- how a language sorts cannot break the index.
CREATE TABLE stock_ticks (
    time            timestamptz      NOT NULL, -- event time, to the microsecond
    price           double precision NOT NULL, -- finite, above 0
    volume          bigint           NOT NULL,
    kafka_offset    bigint           NOT NULL,
    stored_at       timestamptz      NOT NULL DEFAULT now(), -- start of the transaction that stored it
    bid             double precision,          -- NULL: unknown, likewise below
    ask             double precision,
    kafka_partition integer          NOT NULL,
    symbol          text COLLATE "C" NOT NULL,
    id              text,
    exchange        text,
    extra           json                       -- members that StreamFlow does not know; json keeps their text
);

-- This index is most of the cost of a row, so it holds no more than finds it:
-- with partition and offset too it is twice the size and a sixth slower to
-- fill. Ticks of one symbol and microsecond are put in order when they are read.
CREATE INDEX stock_ticks_symbol_time ON stock_ticks (symbol, time);

-- A few kilobytes that find a row by its position, and the rows of a day.
-- minmax_multi, because neighbouring rows come from several partitions whose
-- offsets are far apart, and because a late tick must not widen its whole range.
CREATE INDEX stock_ticks_position
    ON stock_ticks USING brin (
        kafka_partition, kafka_offset int8_minmax_multi_ops, time timestamptz_minmax_multi_ops)
    WITH (pages_per_range = 64, autosummarize = on);
