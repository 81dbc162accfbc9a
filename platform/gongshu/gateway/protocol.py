"""Every message, field, enum and procedure of Spark Connect 4.3 that a client could send, classified.

This is the one list. `allow` = checked and passed on, `answer` = the gateway answers it by itself and
only as the root of a request, `zero` = passed on when false, `deny` = refused when present. What is named
nowhere is refused too, and a test walks the installed descriptors and fails when something reachable is unclassified.
Messages reachable only through denied fields need no row: their parent's row refuses them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Fields:
    """Field names of one message, separated by blanks. zero: may be written out, but only as false or 0."""

    allow: str = ""
    answer: str = ""
    zero: str = ""
    deny: str = ""


def _typed(extra: str = "") -> Fields:
    return Fields(allow=f"type_variation_reference {extra}")


def _session(extra: str) -> Fields:
    """The frame of every request; user_context is read by nobody and overwritten, its extensions refused."""
    return Fields(allow=f"session_id client_observed_server_side_session_id user_context client_type {extra}")


PROCEDURES: Mapping[str, str] = {
    "ExecutePlan": "allow",
    "AnalyzePlan": "allow",
    "Config": "answer",
    "AddArtifacts": "answer",
    "ArtifactStatus": "answer",
    "Interrupt": "answer",
    "ReattachExecute": "answer",
    "ReleaseExecute": "answer",
    "ReleaseSession": "answer",
    "FetchErrorDetails": "answer",
    "CloneSession": "deny",
    "GetStatus": "answer",
}

REQUESTS: Mapping[str, Fields] = {
    "ExecutePlanRequest": _session("operation_id plan request_options tags"),
    "ExecutePlanRequest.RequestOption": Fields(allow="reattach_options result_chunking_options", deny="extension"),
    "ReattachOptions": Fields(allow="reattachable"),
    "ResultChunkingOptions": Fields(allow="allow_arrow_batch_chunking preferred_arrow_chunk_size"),
    "UserContext": Fields(allow="user_id user_name", deny="extensions"),
    # Config answers that compression is off, so an honest client never compresses a plan.
    "Plan": Fields(allow="root command", deny="compressed_operation"),
    "AnalyzePlanRequest": Fields(
        allow="session_id client_observed_server_side_session_id user_context client_type "
        "schema tree_string is_local semantic_hash same_semantics",
        answer="explain is_streaming spark_version ddl_parse json_to_ddl persist unpersist get_storage_level",
        deny="input_files",
    ),
    "AnalyzePlanRequest.Schema": Fields(allow="plan"),
    "AnalyzePlanRequest.Explain": Fields(allow="plan explain_mode"),
    "AnalyzePlanRequest.TreeString": Fields(allow="plan level"),
    "AnalyzePlanRequest.IsLocal": Fields(allow="plan"),
    "AnalyzePlanRequest.IsStreaming": Fields(allow="plan"),
    "AnalyzePlanRequest.SparkVersion": Fields(),
    "AnalyzePlanRequest.DDLParse": Fields(allow="ddl_string"),
    "AnalyzePlanRequest.SameSemantics": Fields(allow="target_plan other_plan"),
    "AnalyzePlanRequest.SemanticHash": Fields(allow="plan"),
    "AnalyzePlanRequest.Persist": Fields(allow="relation storage_level"),
    "AnalyzePlanRequest.Unpersist": Fields(allow="relation blocking"),
    "AnalyzePlanRequest.GetStorageLevel": Fields(allow="relation"),
    "AnalyzePlanRequest.JsonToDDL": Fields(allow="json_string"),
    "StorageLevel": Fields(allow="use_disk use_memory use_off_heap deserialized replication"),
    "ConfigRequest": _session("operation"),
    "ConfigRequest.Operation": Fields(allow="set get get_with_default get_option is_modifiable unset", deny="get_all"),
    "ConfigRequest.Set": Fields(allow="pairs silent"),
    "ConfigRequest.Get": Fields(allow="keys"),
    "ConfigRequest.GetWithDefault": Fields(allow="pairs"),
    "ConfigRequest.GetOption": Fields(allow="keys"),
    "ConfigRequest.Unset": Fields(allow="keys"),
    "ConfigRequest.IsModifiable": Fields(allow="keys"),
    "KeyValue": Fields(allow="key value"),
    "AddArtifactsRequest": _session("batch begin_chunk chunk"),
    "AddArtifactsRequest.ArtifactChunk": Fields(allow="data crc"),
    "AddArtifactsRequest.SingleChunkArtifact": Fields(allow="name data"),
    "AddArtifactsRequest.Batch": Fields(allow="artifacts"),
    "AddArtifactsRequest.BeginChunkedArtifact": Fields(allow="name total_bytes num_chunks initial_chunk"),
    "ArtifactStatusesRequest": _session("names"),
    "InterruptRequest": _session("interrupt_type operation_tag operation_id"),
    "ReattachExecuteRequest": _session("operation_id last_response_id"),
    "ReleaseExecuteRequest": _session("operation_id release_all release_until"),
    "ReleaseExecuteRequest.ReleaseAll": Fields(),
    "ReleaseExecuteRequest.ReleaseUntil": Fields(allow="response_id"),
    "ReleaseSessionRequest": Fields(allow="session_id user_context client_type allow_reconnect"),
    "FetchErrorDetailsRequest": _session("error_id"),
    "GetStatusRequest": Fields(
        allow="session_id user_context client_type client_observed_server_side_session_id operation_status",
        deny="extensions",
    ),
    "GetStatusRequest.OperationStatusRequest": Fields(allow="operation_ids", deny="extensions"),
}

RELATIONS: Mapping[str, Fields] = {
    "Relation": Fields(
        allow="common read project filter join set_op sort "
        "limit aggregate sql local_relation sample offset deduplicate "
        "range subquery_alias repartition to_df with_columns_renamed show_string drop tail with_columns hint unpivot "
        "to_schema repartition_by_expression collect_metrics "
        "html_string cached_local_relation with_relations transpose "
        "unresolved_table_valued_function lateral_join chunked_cached_local_relation fill_na drop_na replace summary "
        "crosstab describe cov corr approx_quantile freq_items sample_by",
        answer="catalog",
        deny="map_partitions parse group_map co_group_map with_watermark apply_in_pandas_with_state "
        "cached_remote_relation common_inline_user_defined_table_function as_of_join "
        "common_inline_user_defined_data_source relation_changes nearest_by_join zip ml_relation extension unknown",
    ),
    "RelationCommon": Fields(allow="source_info plan_id origin"),
    "Origin": Fields(allow="python_origin", deny="jvm_origin"),
    "PythonOrigin": Fields(allow="fragment call_site"),
    # `args` and `pos_args` are the deprecated twins of the two that follow; current clients never send them.
    "SQL": Fields(allow="query named_arguments pos_arguments", deny="args pos_args"),
    "WithRelations": Fields(allow="root references"),
    "Read": Fields(allow="named_table", zero="is_streaming", deny="data_source"),
    "Read.NamedTable": Fields(allow="unparsed_identifier", deny="options"),
    "Project": Fields(allow="input expressions"),
    "Filter": Fields(allow="input condition"),
    "Join": Fields(allow="left right join_condition join_type using_columns join_data_type"),
    "Join.JoinDataType": Fields(allow="is_left_struct is_right_struct"),
    "SetOperation": Fields(allow="left_input right_input set_op_type is_all by_name allow_missing_columns"),
    "Limit": Fields(allow="input limit"),
    "Offset": Fields(allow="input offset"),
    "Tail": Fields(allow="input limit"),
    "Aggregate": Fields(allow="input group_type grouping_expressions aggregate_expressions pivot grouping_sets"),
    "Aggregate.Pivot": Fields(allow="col values"),
    "Aggregate.GroupingSets": Fields(allow="grouping_set"),
    "Sort": Fields(allow="input order is_global"),
    "Drop": Fields(allow="input columns column_names"),
    "Deduplicate": Fields(allow="input column_names all_columns_as_keys", zero="within_watermark"),
    "LocalRelation": Fields(allow="data schema"),
    "CachedLocalRelation": Fields(allow="hash"),
    "ChunkedCachedLocalRelation": Fields(allow="dataHashes schemaHash"),
    "Sample": Fields(allow="input lower_bound upper_bound with_replacement seed deterministic_order"),
    "Range": Fields(allow="start end step num_partitions"),
    "SubqueryAlias": Fields(allow="input alias qualifier"),
    "Repartition": Fields(allow="input num_partitions shuffle"),
    "ShowString": Fields(allow="input num_rows truncate vertical"),
    "HtmlString": Fields(allow="input num_rows truncate"),
    "StatSummary": Fields(allow="input statistics"),
    "StatDescribe": Fields(allow="input cols"),
    "StatCrosstab": Fields(allow="input col1 col2"),
    "StatCov": Fields(allow="input col1 col2"),
    "StatCorr": Fields(allow="input col1 col2 method"),
    "StatApproxQuantile": Fields(allow="input cols probabilities relative_error"),
    "StatFreqItems": Fields(allow="input cols support"),
    "StatSampleBy": Fields(allow="input col fractions seed"),
    "StatSampleBy.Fraction": Fields(allow="stratum fraction"),
    "NAFill": Fields(allow="input cols values"),
    "NADrop": Fields(allow="input cols min_non_nulls"),
    "NAReplace": Fields(allow="input cols replacements"),
    "NAReplace.Replacement": Fields(allow="old_value new_value"),
    "ToDF": Fields(allow="input column_names"),
    "WithColumnsRenamed": Fields(allow="input rename_columns_map renames"),
    "WithColumnsRenamed.Rename": Fields(allow="col_name new_col_name"),
    "WithColumns": Fields(allow="input aliases"),
    "Hint": Fields(allow="input name parameters"),
    "Unpivot": Fields(allow="input ids values variable_column_name value_column_name"),
    "Unpivot.Values": Fields(allow="values"),
    "Transpose": Fields(allow="input index_columns"),
    "UnresolvedTableValuedFunction": Fields(allow="function_name arguments"),
    "ToSchema": Fields(allow="input schema"),
    "RepartitionByExpression": Fields(allow="input partition_exprs num_partitions"),
    "CollectMetrics": Fields(allow="input name metrics"),
    "LateralJoin": Fields(allow="left right join_condition join_type"),
}

CATALOG: Mapping[str, Fields] = {
    "Catalog": Fields(
        allow="current_database set_current_database list_databases list_tables list_columns get_database "
        "get_table database_exists table_exists drop_temp_view is_cached cache_table "
        "uncache_table clear_cache refresh_table current_catalog set_current_catalog list_catalogs list_views",
        deny="list_functions get_function function_exists create_external_table "
        "create_table drop_global_temp_view recover_partitions refresh_by_path drop_table "
        "drop_view create_database drop_database list_partitions get_table_properties get_create_table_string "
        "truncate_table analyze_table",
    ),
    "CurrentDatabase": Fields(),
    "SetCurrentDatabase": Fields(allow="db_name"),
    "ListDatabases": Fields(allow="pattern"),
    "ListTables": Fields(allow="db_name pattern"),
    "ListColumns": Fields(allow="table_name db_name"),
    "GetDatabase": Fields(allow="db_name"),
    "GetTable": Fields(allow="table_name db_name"),
    "DatabaseExists": Fields(allow="db_name"),
    "TableExists": Fields(allow="table_name db_name"),
    "DropTempView": Fields(allow="view_name"),
    "IsCached": Fields(allow="table_name"),
    "CacheTable": Fields(allow="table_name storage_level"),
    "UncacheTable": Fields(allow="table_name"),
    "ClearCache": Fields(),
    "RefreshTable": Fields(allow="table_name"),
    "CurrentCatalog": Fields(),
    "SetCurrentCatalog": Fields(allow="catalog_name"),
    "ListCatalogs": Fields(allow="pattern"),
    "ListViews": Fields(allow="db_name pattern"),
}

EXPRESSIONS: Mapping[str, Fields] = {
    "Expression": Fields(
        allow="common literal unresolved_attribute unresolved_function expression_string unresolved_star alias cast "
        "unresolved_regex sort_order lambda_function window unresolved_extract_value update_fields "
        "unresolved_named_lambda_variable call_function named_argument_expression subquery_expression",
        deny="common_inline_user_defined_function merge_action typed_aggregate_expression direct_shuffle_partition_id "
        "extension",
    ),
    "ExpressionCommon": Fields(allow="origin"),
    "Expression.Window": Fields(allow="window_function partition_spec order_spec frame_spec"),
    "Expression.Window.WindowFrame": Fields(allow="frame_type lower upper"),
    "Expression.Window.WindowFrame.FrameBoundary": Fields(allow="current_row unbounded value"),
    "Expression.SortOrder": Fields(allow="child direction null_ordering"),
    "Expression.Cast": Fields(allow="expr type type_str eval_mode"),
    "Expression.Literal": Fields(
        allow="null binary boolean byte short integer long float double decimal string date timestamp timestamp_ntz "
        "calendar_interval year_month_interval day_time_interval array map struct specialized_array time "
        "timestamp_ntz_nanos timestamp_ltz_nanos data_type"
    ),
    "Expression.Literal.Decimal": Fields(allow="value precision scale"),
    "Expression.Literal.CalendarInterval": Fields(allow="months days microseconds"),
    "Expression.Literal.Array": Fields(allow="element_type elements"),
    "Expression.Literal.Map": Fields(allow="key_type value_type keys values"),
    "Expression.Literal.Struct": Fields(allow="struct_type elements"),
    "Expression.Literal.SpecializedArray": Fields(allow="bools ints longs floats doubles strings"),
    "Expression.Literal.Time": Fields(allow="nano precision"),
    "Expression.Literal.TimestampNTZNanos": Fields(allow="epoch_micros nanos_within_micro precision"),
    "Expression.Literal.TimestampLTZNanos": Fields(allow="epoch_micros nanos_within_micro precision"),
    "Bools": Fields(allow="values"),
    "Ints": Fields(allow="values"),
    "Longs": Fields(allow="values"),
    "Floats": Fields(allow="values"),
    "Doubles": Fields(allow="values"),
    "Strings": Fields(allow="values"),
    "Expression.UnresolvedAttribute": Fields(allow="unparsed_identifier plan_id", zero="is_metadata_column"),
    "Expression.UnresolvedFunction": Fields(
        allow="function_name arguments is_distinct is_internal", zero="is_user_defined_function"
    ),
    "Expression.ExpressionString": Fields(allow="expression"),
    "Expression.UnresolvedStar": Fields(allow="unparsed_target plan_id"),
    "Expression.UnresolvedRegex": Fields(allow="col_name plan_id"),
    "Expression.UnresolvedExtractValue": Fields(allow="child extraction"),
    "Expression.UpdateFields": Fields(allow="struct_expression field_name value_expression"),
    "Expression.Alias": Fields(allow="expr name metadata"),
    "Expression.LambdaFunction": Fields(allow="function arguments"),
    "Expression.UnresolvedNamedLambdaVariable": Fields(allow="name_parts"),
    "CallFunction": Fields(allow="function_name arguments"),
    "NamedArgumentExpression": Fields(allow="key value"),
    "SubqueryExpression": Fields(allow="plan_id subquery_type in_subquery_values", deny="table_arg_options"),
}

COMMANDS: Mapping[str, Fields] = {
    "Command": Fields(
        answer="create_dataframe_view sql_command",
        deny="register_function write_operation "
        "write_operation_v2 write_stream_operation_start streaming_query_command "
        "get_resources_command streaming_query_manager_command register_table_function "
        "streaming_query_listener_bus_command register_data_source create_resource_profile_command checkpoint_command "
        "remove_cached_remote_relation_command merge_into_table_command ml_command execute_external_command "
        "pipeline_command extension",
    ),
    "CreateDataFrameViewCommand": Fields(allow="input name replace", zero="is_global"),
    # Everything but `input` is the deprecated form of the same thing.
    "SqlCommand": Fields(allow="input", deny="sql args pos_args named_arguments pos_arguments"),
}

TYPES: Mapping[str, Fields] = {
    "DataType": Fields(
        allow="null binary boolean byte short integer long float double decimal string char var_char date timestamp "
        "timestamp_ntz calendar_interval year_month_interval day_time_interval array struct map variant unparsed time "
        "timestamp_ntz_nanos timestamp_ltz_nanos",
        deny="udt geometry geography",
    ),
    **{
        f"DataType.{name}": _typed()
        for name in [
            "Boolean",
            "Byte",
            "Short",
            "Integer",
            "Long",
            "Float",
            "Double",
            "Binary",
            "NULL",
            "Timestamp",
            "Date",
            "TimestampNTZ",
            "CalendarInterval",
            "Variant",
        ]
    },
    "DataType.String": _typed("collation"),
    "DataType.Time": _typed("precision"),
    "DataType.TimestampNTZNanos": _typed("precision"),
    "DataType.TimestampLTZNanos": _typed("precision"),
    "DataType.YearMonthInterval": _typed("start_field end_field"),
    "DataType.DayTimeInterval": _typed("start_field end_field"),
    "DataType.Char": _typed("length"),
    "DataType.VarChar": _typed("length"),
    "DataType.Decimal": _typed("scale precision"),
    "DataType.StructField": Fields(allow="name data_type nullable metadata"),
    "DataType.Struct": _typed("fields"),
    "DataType.Array": _typed("element_type contains_null"),
    "DataType.Map": _typed("key_type value_type value_contains_null"),
    "DataType.Unparsed": Fields(allow="data_type_string"),
}

MESSAGES: Mapping[str, Fields] = {**REQUESTS, **RELATIONS, **CATALOG, **EXPRESSIONS, **COMMANDS, **TYPES}

# Enum values allowed; "*" = every value the installed protocol knows (a number it does not know is refused).
ENUMS: Mapping[str, str] = {
    "AnalyzePlanRequest.Explain.ExplainMode": "*",
    "InterruptRequest.InterruptType": "*",
    "Join.JoinType": "*",
    "SetOperation.SetOpType": "*",
    "Aggregate.GroupType": "*",
    "Expression.Window.WindowFrame.FrameType": "*",
    "Expression.SortOrder.SortDirection": "*",
    "Expression.SortOrder.NullOrdering": "*",
    "Expression.Cast.EvalMode": "*",
    # TABLE_ARG hands a table to a user-defined table function.
    "SubqueryExpression.SubqueryType": "SUBQUERY_TYPE_UNKNOWN "
    "SUBQUERY_TYPE_SCALAR SUBQUERY_TYPE_EXISTS SUBQUERY_TYPE_IN",
}

# Functions that only pyspark itself calls (`is_internal`), by name; pandas API on Spark lives on them.
INTERNAL_FUNCTIONS = frozenset(
    [
        "null_index",
        "array_binary_search",
        "collect_top_k",
        "ewm",
        "pandas_product",
        "pandas_stddev",
        "pandas_var",
        "pandas_skew",
        "pandas_kurt",
        "pandas_covar",
        "pandas_mode",
        "timestamp_ntz_to_long",
        "vector_get",
        "unwrap_udt",
    ]
) - {"unwrap_udt", "vector_get"}

# Names refused before Spark sees them, with every spelling normalised; Spark's own classes are checked again after
# analysis by an allow-list (engine), so this list only makes the refusal early and its words clear.
DENIED_FUNCTIONS = frozenset(
    [
        "java_method",
        "reflect",
        "try_reflect",
        "input_file_name",
        "input_file_block_start",
        "input_file_block_length",
        "spark_partition_id",
        "monotonically_increasing_id",
        "current_user",
        "user",
        "session_user",
        "current_catalog",
        "current_database",
        "current_schema",
        "python_worker_logs",
        "distributed_sequence_id",
        "read_files",
        "sql_keywords",
        "collations",
    ]
)
