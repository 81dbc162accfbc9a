# 陈思远在沙箱里:已授权的表、SQL 与 DataFrame、出域申请。 What Chen runs in the sandbox.
# ruff: noqa: F821
import gongshu

for table in spark.catalog.listTables():
    print("table", table.name)

spark.sql("""
    SELECT f.carrier, a.name, count(*) AS flights, round(avg(f.arr_delay), 1) AS mean_delay
    FROM aviation.flights f JOIN aviation.airlines a ON f.carrier = a.carrier
    GROUP BY f.carrier, a.name ORDER BY flights DESC LIMIT 5
""").show(truncate=False)

stays = spark.table("tourism.stays")
stays.groupBy("district").count().orderBy("district").show()
spark.table("transit.trips").groupBy("hour").count().orderBy("hour").show(24)

draft = gongshu.release_table(
    stays,
    by=["district", "home_province"],
    measures={"stays": "count(*)", "spend_yuan": "sum(spend_yuan)", "mean_nights": "mean(nights)"},
    title="示范市住宿客流:按行政区与客源省份",
    note="供旅游企业安排运力与客房;每格不同住客数见证据。",
)
print("release", draft.release)
gongshu.submit(draft.release)
