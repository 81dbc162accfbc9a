"""The driver's configuration: what is pinned in every session, and what the process itself needs.

No secret is ever put here: SparkConf can be printed. What is pinned is set at the start and again before each plan.
"""

from __future__ import annotations

from gongshu.gateway.engine.shapes import EngineSettings

MODULE_OPTIONS = (
    "-XX:+IgnoreUnrecognizedVMOptions",
    "--add-modules=jdk.incubator.vector",
    *(
        f"--add-opens=java.base/{package}=ALL-UNNAMED"
        for package in (
            "java.lang",
            "java.lang.invoke",
            "java.lang.reflect",
            "java.io",
            "java.net",
            "java.nio",
            "java.util",
            "java.util.concurrent",
            "java.util.concurrent.atomic",
            "jdk.internal.ref",
            "sun.nio.ch",
            "sun.nio.cs",
            "sun.security.action",
            "sun.util.calendar",
        )
    ),
    "-Djdk.reflect.useDirectMethodHandle=false",
    "-Dio.netty.tryReflectionSetAccessible=true",
)


def pinned_conf(settings: EngineSettings) -> dict[str, str]:
    """Session settings no analyst can change (document 3); the front answers Config.get from these."""
    return {
        "spark.sql.analyzer.singlePassResolver.enabled": "false",
        "spark.sql.variable.substitute": "false",
        "spark.sql.runSQLOnFiles": "false",
        "spark.sql.scripting.enabled": "false",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.ansi.doubleQuotedIdentifiers": "false",
        "spark.sql.legacy.ctePrecedencePolicy": "CORRECTED",
        "spark.sql.caseSensitive": "false",
        "spark.sql.session.timeZone": settings.time_zone,
        "spark.sql.pyspark.jvmStacktrace.enabled": "false",
        "spark.sql.connect.serverStacktrace.enabled": "false",
        "spark.sql.files.ignoreMissingFiles": "false",
        "spark.sql.files.ignoreCorruptFiles": "false",
        "spark.sql.shuffle.partitions": str(max(4, 2 * settings.cores)),
        "spark.sql.adaptive.enabled": "true",
        "spark.sql.maxPlanStringLength": "10000",
        "spark.sql.optimizer.excludedRules": "",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "10000",
        "spark.sql.crossJoin.enabled": "true",
        "spark.sql.timestampType": "TIMESTAMP_LTZ",
        "spark.connect.session.planCache.enabled": "false",
    }


def driver_conf(settings: EngineSettings) -> dict[str, str]:
    work = settings.run_dir / "spark"
    conf = {
        "spark.app.name": "gongshu",
        "spark.master": f"local[{settings.cores}]",
        "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(settings.connect_port),
        "spark.connect.grpc.maxInboundMessageSize": str(134217728),
        "spark.connect.grpc.interceptor.classes": "cn.gongshu.spark.GatewayOnly",
        "spark.connect.extensions.relation.classes": "cn.gongshu.spark.HandlePlugin",
        "spark.connect.session.planCache.maxSize": "0",
        # the gateway ends sessions itself, with their sandbox
        "spark.connect.session.manager.defaultSessionTimeout": "24h",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": str(work / "warehouse"),
        "spark.local.dir": str(work / "local"),
        "spark.scheduler.mode": "FAIR",
        "spark.sql.artifact.isolation.enabled": "true",
        "spark.sql.ui.retainedExecutions": "20",
        "spark.sql.sources.parallelPartitionDiscovery.threshold": "100000",
        "spark.cleaner.periodicGC.interval": "10min",
    }
    if settings.store_endpoint:
        conf |= _store_conf(settings)
    return conf


def _store_conf(settings: EngineSettings) -> dict[str, str]:
    """s3a that gives up in seconds: an absent store is a refusal within 5 s, not a hang (13 §18)."""
    s3a = {
        "endpoint": settings.store_endpoint or "",
        "endpoint.region": "us-east-1",
        "path.style.access": "true",
        "connection.ssl.enabled": str(settings.store_secure).lower(),
        "aws.credentials.provider": "software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider",
        "attempts.maximum": "2",
        "retry.limit": "1",
        "retry.interval": "100ms",
        "retry.throttle.limit": "2",
        "connection.establish.timeout": "1500ms",
        "connection.acquisition.timeout": "3s",
        "connection.timeout": "4s",
        "connection.request.timeout": "30s",
        "connection.maximum": "64",
        "threads.max": "32",
        "experimental.input.fadvise": "random",
        "change.detection.source": "versionid",
        "change.detection.mode": "server",
        "impl.disable.cache": "false",
    }
    return {f"spark.hadoop.fs.s3a.{key}": value for key, value in s3a.items()}
