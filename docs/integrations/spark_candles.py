"""Spark Structured Streaming over the topic of ticks: candles of a minute.

    spark-submit --packages org.apache.spark:spark-sql-kafka-0-10_2.13:4.0.0 spark_candles.py

Open is the price of the earliest tick by event time, close that of the latest; of
ticks of the same instant the offset decides, as in StreamFlow's own candles.
"""

import os

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, LongType, StringType, StructField, StructType, TimestampType

TOPIC = "stock_ticks"

TICK = StructType([
    StructField("symbol", StringType(), False),
    StructField("price", DoubleType(), False),
    StructField("volume", LongType(), False),
    StructField("timestamp", TimestampType(), False),
    StructField("id", StringType(), True),
    StructField("exchange", StringType(), True),
    StructField("bid", DoubleType(), True),
    StructField("ask", DoubleType(), True),
])


def ticks(spark, brokers):
    """Every tick with its position; what is no tick (the bridge refuses it too) is left out."""
    raw = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", brokers)
        .option("subscribe", TOPIC)
        .option("startingOffsets", "earliest")
        .option("kafka.isolation.level", "read_committed")
        .load()
    )
    return (
        raw.select(F.from_json(F.col("value").cast("string"), TICK).alias("tick"), "partition", "offset")
        .select("tick.*", "partition", "offset")
        .where("symbol IS NOT NULL AND price > 0 AND volume >= 0 AND timestamp IS NOT NULL")
    )


def candles(frame):
    """Candles of a minute. Ticks more than ten seconds late are left out."""
    place = F.struct("timestamp", "offset")
    return (
        frame.withWatermark("timestamp", "10 seconds")
        .groupBy("symbol", F.window("timestamp", "1 minute"))
        .agg(
            F.min_by("price", place).alias("open"),
            F.max("price").alias("high"),
            F.min("price").alias("low"),
            F.max_by("price", place).alias("close"),
            F.sum("volume").alias("volume"),
            F.count("*").alias("trades"),
        )
        .select("symbol", F.col("window.start").alias("start"), "open", "high", "low", "close", "volume", "trades")
    )


def main():
    spark = SparkSession.builder.appName("streamflow-candles").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    query = (
        candles(ticks(spark, os.environ["KAFKA_BOOTSTRAP_SERVERS"]))
        .writeStream.outputMode("append")
        .format("parquet")
        .option("path", os.environ["CANDLES_DIR"])
        .option("checkpointLocation", os.environ["CHECKPOINT_DIR"])
        .start()
    )
    query.awaitTermination()


if __name__ == "__main__":
    main()
