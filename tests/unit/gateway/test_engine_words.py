"""What leaves the engine as words, and what its lists must never name."""

from __future__ import annotations

from pathlib import Path

import pytest

from gongshu.gateway.engine import EngineRefusal, SecuredRelation, is_storage_failure, safe_error

LISTS = Path(__file__).parents[3] / "deploy" / "spark" / "helper" / "resources" / "cn" / "gongshu" / "spark"


@pytest.mark.parametrize(
    ("condition", "parameters", "message"),
    [
        (
            "FAILED_READ_FILE.NO_HINT",
            {"path": "s3a://bucket/secret.parquet"},
            "while reading file s3a://bucket/secret.parquet",
        ),
        ("INTERNAL_ERROR", {"message": "Filter (note#12 = 7)"}, "Filter (note#12 = 7)"),
        ("UNSUPPORTED_SUBQUERY", {"treeNode": "Filter (note#12 = 7)\n+- Relation [note#12]"}, "Relation [note#12]"),
        ("SOMETHING_NEW", {"value": "hidden"}, "hidden"),
    ],
)
def test_an_error_keeps_no_path_plan_or_unknown_parameter(
    condition: str, parameters: dict[str, str], message: str
) -> None:
    told = safe_error(condition, "XX000", parameters, message)
    text = f"{told.message.zh} {told.message.en} {dict(told.parameters)}"
    assert condition in text
    assert not any(secret in text for secret in ("secret", "note", "hidden", "s3a"))


def test_an_error_of_the_statement_is_told_whole() -> None:
    told = safe_error("DIVIDE_BY_ZERO", "22012", {"config": '"ansi"'}, "[DIVIDE_BY_ZERO] Division by zero.")
    assert told.message.en == "[DIVIDE_BY_ZERO] Division by zero."


def test_a_lost_store_is_known_from_its_words() -> None:
    assert is_storage_failure("org.apache.hadoop.fs.s3a.AWSClientIOException: open s3a://x")
    assert is_storage_failure("", "[FAILED_READ_FILE.NO_HINT] Encountered error")
    assert not is_storage_failure("[CAST_INVALID_INPUT] The value 'x' cannot be cast")


def test_a_refusal_reads_in_both_languages_and_never_breaks_on_an_unknown_code() -> None:
    refusal = EngineRefusal("engine.function.not_allowed", {"what": "reflect"})
    assert "reflect" in refusal.message.zh and "reflect" in refusal.message.en
    assert EngineRefusal("engine.something.new", {}).message.en


def test_a_mask_key_is_never_printed() -> None:
    relation = SecuredRelation(("a", "b"), "a.b", 1, (), (), (), (), None, mask_key=b"top-secret-key")
    assert "top-secret-key" not in repr(relation)


@pytest.mark.parametrize(
    ("name", "never"),
    [
        (
            "functions.txt",
            ("reflect", "java_method", "try_reflect", "input_file_name", "spark_partition_id", "xpath", "from_xml"),
        ),
        (
            "functions.txt",
            ("from_avro", "from_protobuf", "current_user", "session_user", "user", "monotonically_increasing_id"),
        ),
        (
            "expressions.txt",
            ("CallMethodViaReflection", "ScalaUDF", "PythonUDF", "InputFileName", "SparkPartitionID", "Invoke"),
        ),
        (
            "plans.txt",
            ("View", "LogicalRelation", "ScriptTransformation", "RelationTimeTravel", "UnresolvedWith", "LogicalRDD"),
        ),
        (
            "plans.txt",
            ("Command", "InsertIntoStatement", "PlanWithUnresolvedIdentifier", "MapPartitions", "DataSourceV2Relation"),
        ),
    ],
)
def test_the_allow_lists_never_name_what_reaches_out(name: str, never: tuple[str, ...]) -> None:
    named = {line.rsplit(".", 1)[-1] for line in (LISTS / name).read_text().splitlines()}
    assert named.isdisjoint(never)
    assert not any("Python" in n or "Hive" in n or n.endswith("Command") for n in named)
