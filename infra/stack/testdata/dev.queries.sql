-- tributary-dev coin_markets conservation: Runs whose records are not clean + rejected, or whose files do not hold the clean ones: always empty
SELECT run_id, records, clean, rejected, in_files
FROM (
  SELECT run_id, outcome, records, clean, rejected,
    reduce(lake_files, CAST(0 AS bigint), (sum, f) -> sum + f."rows", sum -> sum) AS in_files
  FROM "tributary_dev"."pipeline_audit"
  WHERE dataset = 'coin_markets' AND state = 'done'
)
WHERE records <> clean + rejected OR (outcome = 'loaded' AND in_files <> clean)
ORDER BY run_id DESC;

-- tributary-dev coin_markets freshness: How old the newest whole run is
SELECT max(run_id) AS newest_run, max(scheduled_at) AS scheduled_at,
  date_diff('minute', from_iso8601_timestamp(max(scheduled_at)), current_timestamp) AS minutes_old
FROM "tributary_dev"."pipeline_audit"
WHERE dataset = 'coin_markets' AND state = 'done' AND outcome = 'loaded';

-- tributary-dev coin_markets latest-runs: The last runs and what became of them
SELECT run_id, state, outcome, reason, records, clean, rejected, warnings, contract_version, stored_at
FROM "tributary_dev"."pipeline_audit"
WHERE dataset = 'coin_markets' AND dt >= date_format(current_date - interval '30' day, '%Y-%m-%d')
ORDER BY run_id DESC
LIMIT 50;

-- tributary-dev coin_markets rejects-by-rule: Why records were rejected in the last week, with an example of each reason
SELECT v.rule, v.pointer, count(*) AS records, min(r.run_id) AS first_run, max(r.run_id) AS last_run,
  arbitrary(v.message) AS example, arbitrary(r.record) AS record
FROM "tributary_dev"."coin_markets_rejects" r
CROSS JOIN UNNEST(r.violations) AS v (pointer, rule, message, value)
WHERE r.dt >= date_format(current_date - interval '7' day, '%Y-%m-%d')
GROUP BY v.rule, v.pointer
ORDER BY records DESC;

-- view awsdatacatalog.tributary_dev.coin_markets_latest
SELECT r."id", r."symbol", r."name", r."image", r."current_price", r."market_cap", r."market_cap_rank", r."fully_diluted_valuation", r."total_volume", r."high_24h", r."low_24h", r."price_change_24h", r."price_change_percentage_24h", r."market_cap_change_24h", r."market_cap_change_percentage_24h", r."circulating_supply", r."total_supply", r."max_supply", r."ath", r."ath_change_percentage", r."ath_date", r."atl", r."atl_change_percentage", r."atl_date", r."roi", r."last_updated", r."roi_percentage", r."spread_24h", r."run_at", r."fetched_at", r."raw_page", r."raw_index", r."dt"
FROM "tributary_dev"."coin_markets" r
JOIN (
  SELECT a.dt, f."key"
  FROM (SELECT dt, lake_files FROM "tributary_dev"."pipeline_audit" WHERE dataset = 'coin_markets' AND state = 'done' AND outcome = 'loaded' ORDER BY run_id DESC LIMIT 1) a
  CROSS JOIN UNNEST(a.lake_files) AS f ("key", "rows", "bytes")
) n ON r.dt = n.dt AND r."$path" = 's3://tributary-dev-lake-123456789012-eu-central-1/' || n."key";
--   id varchar, Hive's string
--   symbol varchar, Hive's string
--   name varchar, Hive's string
--   image varchar, Hive's string
--   current_price double, Hive's double
--   market_cap double, Hive's double
--   market_cap_rank bigint, Hive's bigint
--   fully_diluted_valuation double, Hive's double
--   total_volume double, Hive's double
--   high_24h double, Hive's double
--   low_24h double, Hive's double
--   price_change_24h double, Hive's double
--   price_change_percentage_24h double, Hive's double
--   market_cap_change_24h double, Hive's double
--   market_cap_change_percentage_24h double, Hive's double
--   circulating_supply double, Hive's double
--   total_supply double, Hive's double
--   max_supply double, Hive's double
--   ath double, Hive's double
--   ath_change_percentage double, Hive's double
--   ath_date timestamp(3), Hive's timestamp
--   atl double, Hive's double
--   atl_change_percentage double, Hive's double
--   atl_date timestamp(3), Hive's timestamp
--   roi row("times" double, "currency" varchar, "percentage" double), Hive's struct<times:double,currency:string,percentage:double>
--   last_updated timestamp(3), Hive's timestamp
--   roi_percentage double, Hive's double
--   spread_24h double, Hive's double
--   run_at timestamp(3), Hive's timestamp
--   fetched_at timestamp(3), Hive's timestamp
--   raw_page bigint, Hive's bigint
--   raw_index bigint, Hive's bigint
--   dt varchar, Hive's string

