-- How far each function has stored each partition: the last offset that is in.
-- The row is also the fence: it moves only from the value its writer knew.
CREATE TABLE positions (
    function     text        NOT NULL,
    topic        text        NOT NULL,
    partition    integer     NOT NULL,
    kafka_offset bigint      NOT NULL,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (function, topic, partition)
) WITH (fillfactor = 50); -- every batch writes the row anew: leave it room in its page
