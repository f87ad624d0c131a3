"""The tick log beside the database: days as Parquet files, chained as they were."""
