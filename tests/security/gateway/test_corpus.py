"""Every attack of the corpus, as a raw protobuf statement and through spark.sql: refused or harmless."""

from __future__ import annotations

import pytest
from pyspark.errors import PySparkException
from pyspark.sql.connect.session import SparkSession

from tests.integration.gateway.city import HIDDEN
from tests.security.gateway.conftest import RawClient
from tests.security.gateway.corpus import CORPUS, Attack

MARKERS = (HIDDEN.encode(), b"root:x:0", b"/usr/bin", b"local[")


def clean(received: bytes) -> bool:
    return not any(marker in received for marker in MARKERS)


@pytest.mark.parametrize("attack", CORPUS, ids=lambda attack: attack.id)
def test_raw_statement(raw: RawClient, attack: Attack) -> None:
    received, status = raw.sql(attack.sql)
    assert clean(received), attack.sql[:200]
    # FAILED_PRECONDITION would be a part that is down: that proves nothing.
    assert status not in (("OK", "FAILED_PRECONDITION") if attack.refused else ("FAILED_PRECONDITION",)), received[:300]


@pytest.mark.parametrize("attack", [a for a in CORPUS if a.kind in ("settings", "names", "writes")], ids=lambda a: a.id)
def test_through_spark_sql(spark: SparkSession, attack: Attack) -> None:
    """spark.sql runs commands at once: its first leg must be as closed as the second."""
    try:
        said = repr(spark.sql(attack.sql).collect())
    except PySparkException as refusal:
        said = str(refusal)
    else:
        assert not attack.refused, attack.sql
    assert clean(said.replace(attack.sql, "").encode())
