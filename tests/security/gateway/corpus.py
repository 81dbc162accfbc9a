"""Attacks on the gateway, one row each: id, class of document 3, the statement, whether it must be refused.

`refused` False: it may run, but only harmlessly. In no case may a planted marker come back in any byte.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Attack:
    id: str
    kind: str
    sql: str
    refused: bool = True


_ROWS: tuple[tuple[str, str, bool], ...] = (
    # settings
    ("settings", "SET spark.sql.runSQLOnFiles=true", True),
    ("settings", "SET -v", True),
    ("settings", "RESET", True),
    ("settings", "SET TIME ZONE 'UTC'", True),
    ("settings", "SET CATALOG other", True),
    ("settings", "SELECT * FROM tourism.stays WITH (path='/etc')", True),
    ("settings", "SELECT '${env:PATH}' AS x", False),
    ("settings", "SELECT '${spark.master}' AS x", False),
    # path reads
    ("paths", "SELECT * FROM csv.`/etc/passwd`", True),
    ("paths", "SELECT * FROM text.`file:///etc/passwd`", True),
    ("paths", "SELECT * FROM parquet.`s3a://gongshu-data/`", True),
    ("paths", "SELECT * FROM `org.apache.spark.sql.execution.datasources.text.TextFileFormat`.`/etc/passwd`", True),
    ("paths", "CREATE TEMPORARY VIEW v USING csv OPTIONS (path '/etc/passwd')", True),
    ("paths", "CREATE TABLE t USING parquet LOCATION 's3a://gongshu-data/'", True),
    ("paths", "SELECT * FROM read_files('/etc/passwd')", True),
    ("paths", "LOAD DATA INPATH '/etc/passwd' INTO TABLE t", True),
    # names hidden from a reader
    ("names", "SELECT * FROM IDENTIFIER('tourism.' || 'secrets')", True),
    ("names", "EXECUTE IMMEDIATE 'SELECT * FROM tourism.secrets'", True),
    ("names", "BEGIN SELECT * FROM tourism.secrets; END", True),
    ("names", "DECLARE VARIABLE t = 'tourism.secrets'", True),
    ("names", "WITH stays AS (SELECT * FROM tourism.secrets) SELECT * FROM stays", True),
    ("names", "WITH a AS (WITH b AS (SELECT * FROM tourism.secrets) SELECT * FROM b) SELECT 1 FROM a", True),
    ("names", "SELECT (SELECT max(word) FROM tourism.secrets)", True),
    ("names", "SELECT 1 WHERE EXISTS (SELECT 1 FROM tourism.secrets)", True),
    ("names", "FROM tourism.secrets", True),
    ("names", "TABLE tourism.secrets", True),
    ("names", "FROM tourism.stays |> JOIN tourism.secrets ON true", True),
    ("names", "FROM tourism.stays INSERT INTO t SELECT * INSERT INTO u SELECT *", True),
    ("names", "SELECT * FROM spark_catalog.tourism.secrets", True),
    ("names", "SELECT * FROM `tourism.secrets`", True),
    ("names", "SELECT * FROM global_temp.stays", True),
    ("names", "SELECT * FROM tourism.stays, LATERAL (SELECT * FROM tourism.secrets)", True),
    ("names", "SELECT transform(array(1), x -> (SELECT max(word) FROM tourism.secrets))", True),
    ("names", "SELECT * FROM tourism.stays TIMESTAMP AS OF '2020-01-01'", True),
    # code
    ("code", "SELECT reflect('java.lang.System', 'getenv', 'PATH')", True),
    ("code", "SELECT java_method('java.lang.System', 'getProperty', 'user.home')", True),
    ("code", "SELECT try_reflect('java.lang.System', 'getenv', 'PATH')", True),
    ("code", "SELECT `reflect`('java.lang.System', 'getenv', 'PATH')", True),
    ("code", "SELECT system.builtin.reflect('java.lang.System', 'getenv', 'PATH')", True),
    ("code", "SELECT TRANSFORM(stay_id) USING 'cat' AS (x) FROM tourism.stays", True),
    ("code", "ADD JAR '/tmp/x.jar'", True),
    ("code", "CREATE FUNCTION f AS 'java.lang.System'", True),
    ("code", "CREATE TEMPORARY FUNCTION f() RETURNS INT RETURN 1", True),
    ("code", 'SELECT from_json(\'{}\', \'{"type":"udt","class":"java.lang.ProcessBuilder"}\')', True),
    # writes
    ("writes", "INSERT INTO tourism.stays VALUES (1)", True),
    ("writes", "INSERT OVERWRITE DIRECTORY '/tmp/x' USING csv SELECT * FROM tourism.stays", True),
    ("writes", "CREATE TABLE t AS SELECT * FROM tourism.stays", True),
    ("writes", "DELETE FROM tourism.stays", True),
    ("writes", "DROP TABLE tourism.stays", True),
    ("writes", "MERGE INTO tourism.stays USING transit.trips ON true WHEN MATCHED THEN DELETE", True),
    ("writes", "CACHE TABLE x AS SELECT * FROM tourism.secrets", True),
    ("writes", "CREATE GLOBAL TEMPORARY VIEW g AS SELECT 1", True),
    # identity
    ("identity", "SELECT current_user()", True),
    ("identity", "SELECT session_user()", True),
    ("identity", "SELECT user()", True),
    # columns that are needed but not returned
    ("columns", "SELECT note FROM tourism.stays", True),
    ("columns", "SELECT count(*) FROM tourism.stays WHERE note LIKE 'H%'", True),
    ("columns", "SELECT 1 FROM tourism.stays ORDER BY note", True),
    ("columns", "SELECT count(note) FROM tourism.stays", True),
    ("columns", "SELECT 1 FROM tourism.stays s JOIN transit.trips t ON s.note = t.card_id", True),
    ("columns", "SELECT count(*) FROM tourism.secrets", True),
    ("columns", "SELECT district FROM tourism.stays GROUP BY district HAVING max(note) > ''", True),
    ("columns", "SELECT `_metadata`.file_path FROM tourism.stays", True),
    ("columns", "SELECT input_file_name() FROM tourism.stays", True),
    ("columns", "SELECT spark_partition_id() FROM tourism.stays", True),
    ("columns", "SELECT monotonically_increasing_id() FROM tourism.stays", True),
    # hidden rows and values
    ("hidden", "SELECT CAST(stay_id AS INT) FROM tourism.stays", True),
    ("hidden", "SELECT * FROM tourism.stays WHERE CAST(district AS INT) > 0 AND CAST(stay_id AS INT) > 0", True),
    ("hidden", "SELECT 1 / nights FROM tourism.stays", False),
    ("hidden", "SELECT CAST(district AS INT) FROM tourism.stays", False),
    ("hidden", "SELECT raise_error(stay_id) FROM tourism.stays", True),
    ("hidden", "SELECT assert_true(nights > 0, stay_id) FROM tourism.stays", False),
    ("hidden", "EXPLAIN EXTENDED SELECT * FROM tourism.stays", False),
    ("hidden", "SELECT DISTINCT district FROM tourism.stays", False),
    ("hidden", "SELECT count(*) FROM tourism.stays WHERE district NOT IN ('440103', '440104')", False),
    ("hidden", "SELECT max(stay_id), min(guest_id_no) FROM tourism.stays", False),
    ("hidden", "DESCRIBE EXTENDED tourism.stays", False),
    ("hidden", "ANALYZE TABLE tourism.stays COMPUTE STATISTICS", True),
    ("hidden", "SHOW PARTITIONS tourism.stays", True),
    ("hidden", "SHOW CREATE TABLE tourism.stays", True),
    ("hidden", "SELECT stays.* FROM tourism.stays stays WHERE stay_id > 'H'", False),
    # resources
    ("resources", "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r", True),
    ("resources", "SELECT " + " + ".join(["1"] * 120_000), True),
    ("resources", "SELECT " + "(" * 3_000 + "1" + ")" * 3_000, False),
    ("resources", "SELECT explode(sequence(1, 3000000))", True),
)

CORPUS = tuple(
    Attack(f"{kind}-{number:02}", kind, sql, refused) for number, (kind, sql, refused) in enumerate(_ROWS, start=1)
)
