"""The real servers that tests use: PostgreSQL, OPA and MinIO, each started once per run on free ports."""
