"""Tables of the audit room, and what each part's role may do with them.

Nobody inserts into the log by hand: `audit_append` does, as the owner, after it has checked that the
caller's role may speak as this writer of this event, and that the publisher lives. Nobody at all
updates or deletes an entry; erasing a private part is itself an entry.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

PARTS = "gongshu_portal, gongshu_gateway, gongshu_worker"
# Who speaks with which database role. The portal also passes on what hub and doors report.
WRITERS = (
    ("gongshu_portal", "portal"),
    ("gongshu_portal", "hub"),
    ("gongshu_portal", "doors"),
    ("gongshu_gateway", "gateway"),
    ("gongshu_worker", "worker"),
)
# Which events a writer may write: it needs a pattern that allows, and none that refuses.
GRANTS = (
    ("portal", "%", True),
    ("portal", "statement.%", False),
    ("portal", "audit.key.%", False),
    ("portal", "policy.bundle.archived", False),
    ("hub", "sandbox.%", True),
    ("hub", "identity.login.%", True),
    ("doors", "sandbox.door.%", True),
    ("doors", "door.%", True),
    ("gateway", "statement.%", True),
    ("gateway", "gateway.%", True),
    ("gateway", "release.item.added", True),
    ("gateway", "platform.%", True),
    ("worker", "audit.%", True),
    ("worker", "policy.%", True),
    ("worker", "platform.%", True),
    ("worker", "settlement.%", True),
    ("worker", "revenue.%", True),
    ("setup", "identity.%", True),
    ("setup", "platform.%", True),
)
PUBLISHER_LOCK = 7_315_884  # gongshu.audit.watch.LOCK
BEAT_SECONDS, BEHIND_SECONDS = 5, 120


def upgrade() -> None:
    _create_log_tables()
    _create_publisher_tables()
    _grant_writers()
    op.execute(REQUIRE_PUBLISHER)
    op.execute(REQUIRE_GRANTED)
    op.execute(MENTION)
    op.execute(APPEND)
    op.execute(NEVER)
    for table in ("audit_entry", "audit_checkpoint", "audit_blob"):
        when = f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        op.execute(f"CREATE TRIGGER {table}_never {when} EXECUTE FUNCTION audit_never()")
    op.execute(f"REVOKE INSERT, UPDATE, DELETE ON audit_entry, audit_payload, audit_mention, audit_head FROM {PARTS}")
    op.execute("REVOKE SELECT ON audit_payload FROM gongshu_gateway, gongshu_worker")  # they write parts, and read none
    op.execute(f"REVOKE INSERT, UPDATE, DELETE ON audit_writer, audit_grant FROM {PARTS}")
    op.execute(f"REVOKE UPDATE, DELETE ON audit_blob FROM {PARTS}")
    op.execute(f"REVOKE INSERT, UPDATE, DELETE ON audit_publisher, audit_checkpoint FROM {PARTS}")
    op.execute("GRANT UPDATE ON audit_publisher TO gongshu_worker")
    op.execute("GRANT INSERT ON audit_checkpoint TO gongshu_worker")
    op.execute("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION audit_append TO {PARTS}")


def _create_log_tables() -> None:
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_single")),
    )
    op.execute("INSERT INTO audit_head VALUES (1, 0)")
    op.create_table(
        "audit_entry",
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.String(26), nullable=False),
        sa.Column("event", sa.String(80), nullable=False),
        sa.Column("actor", sa.String(60), nullable=False),
        sa.Column("organisation", sa.String(60), nullable=False),
        sa.Column("scenario", sa.String(80), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("writer", sa.String(30), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("index", name="pk_audit_entry"),
        sa.UniqueConstraint("entry_id", name="uq_audit_entry_entry_id"),
        sa.CheckConstraint("octet_length(data) <= 65535", name=op.f("ck_audit_entry_length")),
        sa.CheckConstraint(r"leaf_hash = sha256('\x00'::bytea || data)", name=op.f("ck_audit_entry_leaf")),
    )
    for column in ("event", "actor", "organisation", "scenario", "time"):
        op.create_index(f"ix_audit_entry_{column}", "audit_entry", [column])
    op.create_index("ix_audit_entry_denied", "audit_entry", ["index"], postgresql_where=sa.text("NOT allowed"))
    op.create_table(
        "audit_mention",
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("value", sa.String(120), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "value", "index", name="pk_audit_mention"),
        sa.ForeignKeyConstraint(["index"], ["audit_entry.index"], name="fk_audit_mention_index"),
    )
    op.create_table(
        "audit_payload",
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("audience", postgresql.ARRAY(sa.String(60)), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("index", "name", name="pk_audit_payload"),
        sa.ForeignKeyConstraint(["index"], ["audit_entry.index"], name="fk_audit_payload_index"),
    )
    op.create_table(
        "audit_blob",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("label", sa.String(120), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_audit_blob"),
        sa.CheckConstraint("sha256 = encode(sha256(data), 'hex')", name=op.f("ck_audit_blob_digest")),
    )


def _create_publisher_tables() -> None:
    op.create_table(
        "audit_publisher",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("words", sa.String(400), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("behind_since", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit_publisher"),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_publisher_single")),
    )
    op.execute("INSERT INTO audit_publisher VALUES (1, 'never', '', NULL, NULL)")
    op.create_table(
        "audit_checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_audit_checkpoint"),
    )


def _grant_writers() -> None:
    op.create_table(
        "audit_writer",
        sa.Column("role", sa.String(60), nullable=False),
        sa.Column("writer", sa.String(30), nullable=False),
        sa.PrimaryKeyConstraint("role", "writer", name="pk_audit_writer"),
    )
    op.create_table(
        "audit_grant",
        sa.Column("writer", sa.String(30), nullable=False),
        sa.Column("pattern", sa.String(80), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("writer", "pattern", name="pk_audit_grant"),
    )
    for role, writer in WRITERS:
        op.execute(f"INSERT INTO audit_writer VALUES ('{role}', '{writer}')")
    for writer, pattern, allowed in GRANTS:
        op.get_bind().execute(
            sa.text("INSERT INTO audit_grant VALUES (:writer, :pattern, :allowed)"),
            {"writer": writer, "pattern": pattern, "allowed": allowed},
        )


# Once a publisher has ever run, the log takes nothing without one: seen by its lock (gone the moment its
# process dies) and its beat (gone when it hangs), and by how long publication has been failing.
REQUIRE_PUBLISHER = f"""
CREATE FUNCTION audit_require_publisher() RETURNS void LANGUAGE plpgsql AS $$
DECLARE found audit_publisher;
BEGIN
  SELECT * INTO STRICT found FROM audit_publisher WHERE id = 1;
  IF found.state = 'never' THEN RETURN; END IF;
  IF found.state <> 'running' THEN
    RAISE EXCEPTION 'publisher %: %', found.state, found.words USING ERRCODE = 'GS001';
  END IF;
  IF found.beat_at < clock_timestamp() - interval '{BEAT_SECONDS} seconds' OR NOT EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = {PUBLISHER_LOCK} AND objsubid = 1
      AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  ) THEN
    RAISE EXCEPTION 'publisher gone' USING ERRCODE = 'GS001';
  END IF;
  IF found.behind_since < clock_timestamp() - interval '{BEHIND_SECONDS} seconds' THEN
    RAISE EXCEPTION 'publisher behind' USING ERRCODE = 'GS001';
  END IF;
END $$
"""

# A role that is no part's (the owner at set-up, a superuser) is held only to the writer's own grants.
REQUIRE_GRANTED = """
CREATE FUNCTION audit_require_granted(speaker text, event text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM audit_writer WHERE role = session_user)
    AND NOT EXISTS (SELECT FROM audit_writer w WHERE w.role = session_user AND w.writer = speaker)
  THEN
    RAISE EXCEPTION '% may not write as %', session_user, speaker USING ERRCODE = 'GS002';
  END IF;
  IF NOT EXISTS (SELECT FROM audit_grant g WHERE g.writer = speaker AND g.allowed AND event LIKE g.pattern)
    OR EXISTS (SELECT FROM audit_grant g WHERE g.writer = speaker AND NOT g.allowed AND event LIKE g.pattern)
  THEN
    RAISE EXCEPTION '% may not write %', speaker, event USING ERRCODE = 'GS002';
  END IF;
END $$
"""

# What an entry speaks of, so that it is found again: datasets, and the things that several entries share.
MENTION = """
CREATE FUNCTION audit_mention_all(place bigint, said json) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF json_typeof(said->'datasets') = 'array' THEN
    INSERT INTO audit_mention
      SELECT DISTINCT 'dataset', left(coalesce(d->>'dataset', d#>>'{}'), 120), place
      FROM json_array_elements(said->'datasets') d
    ON CONFLICT DO NOTHING;
  END IF;
  INSERT INTO audit_mention
    SELECT k, left(said->>k, 120), place
    FROM unnest(ARRAY['dataset', 'statement', 'release', 'agreement', 'invoice', 'decision', 'period']) k
    WHERE json_typeof(said->k) = 'string'
  ON CONFLICT DO NOTHING;
END $$
"""

# Everything that is searched is read out of the hashed bytes themselves: rows cannot say something else.
APPEND = """
CREATE FUNCTION audit_append(
  entries bytea[], part_entry int[], part_name text[], part_audience text[], part_salt bytea[],
  part_ciphertext bytea[], part_key bytea[]
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE first bigint; item json; place int; promised bigint := 0;
BEGIN
  SELECT size INTO first FROM audit_head WHERE id = 1 FOR UPDATE;
  IF NOT FOUND THEN RAISE EXCEPTION 'the log has no head' USING ERRCODE = 'GS001'; END IF;
  PERFORM audit_require_publisher();
  FOR place IN 1 .. cardinality(entries) LOOP
    item := convert_from(entries[place], 'UTF8')::json;
    PERFORM audit_require_granted(item->>'writer', item->>'event');
    INSERT INTO audit_entry VALUES (
      first + place - 1, item->>'id', item->>'event', item->>'actor', item->>'organisation', item->>'scenario',
      (item->>'time')::timestamptz, item->>'writer',
      CASE item->'public'->>'allowed' WHEN 'true' THEN true WHEN 'false' THEN false END,
      entries[place], sha256('\\x00'::bytea || entries[place])
    );
    PERFORM audit_mention_all(first + place - 1, item->'public');
    promised := promised + (SELECT count(*) FROM json_object_keys(item->'private'));
    IF item->>'event' = 'audit.payload.erased' THEN
      UPDATE audit_payload SET wrapped_key = NULL, ciphertext = ''
        WHERE index = (item->'public'->>'entry')::bigint
          AND name IN (SELECT json_array_elements_text(item->'public'->'parts'));
    END IF;
  END LOOP;
  IF promised <> cardinality(part_entry) THEN
    RAISE EXCEPTION 'private parts and commitments differ' USING ERRCODE = 'GS002';
  END IF;
  INSERT INTO audit_payload
    SELECT first + e, n, ARRAY(SELECT json_array_elements_text(a::json)), s, c, k
    FROM unnest(part_entry, part_name, part_audience, part_salt, part_ciphertext, part_key) AS p(e, n, a, s, c, k);
  UPDATE audit_head SET size = first + cardinality(entries) WHERE id = 1;
  RETURN first;
END $$
"""

NEVER = """
CREATE FUNCTION audit_never() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the log is never changed' USING ERRCODE = 'GS002'; END $$
"""
