# 周浩然在沙箱里:两张表,一张按单元格计费,一张公共治理零收费。 What Zhou runs in the sandbox.
# ruff: noqa: F821
import gongshu

spark.sql("""
    SELECT kind, count(*) AS tickets, round(avg(satisfaction), 2) AS satisfaction
    FROM hotline.tickets GROUP BY kind ORDER BY tickets DESC
""").show()

companies = spark.table("business.companies")
companies.select("uscc", "phone", "electricity_kwh").orderBy("uscc").limit(3).show(truncate=False)

draft = gongshu.release_table(
    companies,
    by=["district", "industry"],
    measures={"companies": "count(*)", "insured_staff": "sum(insured_staff)"},
    title="示范市在营主体:按行政区与行业",
)
print("release", draft.release)
gongshu.submit(draft.release)
