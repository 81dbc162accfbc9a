"""The name that notebooks use: ``import gongshu``. Everything is in `gongshu_sandbox`."""

from gongshu_sandbox import (
    describe,
    price,
    quota,
    release_table,
    releases,
    spark,
    submit,
    tables,
    welcome,
)

__all__ = ["describe", "price", "quota", "release_table", "releases", "spark", "submit", "tables", "welcome"]
