# 授权之外的表:被拒绝,并写明条款。 A table outside the grant: refused, with the clause.
# ruff: noqa: F821
spark.table("aviation.planes").count()
