"""What an analyst's kernel has: `spark`, the granted tables in words, release requests, ``%%sql``.

It speaks to the doors only and knows one secret, the sandbox's own token. It decides nothing: whatever it
shows, the gateway and the portal decide again.
"""

from gongshu_sandbox.facts import describe, price, quota, tables, welcome
from gongshu_sandbox.release import release_table, releases, submit
from gongshu_sandbox.session import spark

__all__ = ["describe", "price", "quota", "release_table", "releases", "spark", "submit", "tables", "welcome"]
