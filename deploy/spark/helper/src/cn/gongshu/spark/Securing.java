package cn.gongshu.spark;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.catalyst.expressions.EvalMode$;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.catalyst.expressions.GreaterThanOrEqual;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.Literal$;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression$;
import org.apache.spark.sql.catalyst.expressions.NumericEvalContext;
import org.apache.spark.sql.catalyst.expressions.NumericEvalContext$;
import org.apache.spark.sql.catalyst.expressions.Pmod;
import org.apache.spark.sql.catalyst.expressions.SparkPartitionID;
import org.apache.spark.sql.catalyst.expressions.Subtract;
import org.apache.spark.sql.catalyst.expressions.TruncDate;
import org.apache.spark.sql.catalyst.expressions.TruncTimestamp;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.Project$;
import org.apache.spark.sql.catalyst.plans.logical.SubqueryAlias$;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.execution.datasources.HadoopFsRelation;
import org.apache.spark.sql.execution.datasources.LogicalRelation;
import org.apache.spark.sql.execution.datasources.LogicalRelation$;
import org.apache.spark.sql.execution.datasources.parquet.ParquetFileFormat;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.DateType;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.MetadataBuilder;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.types.TimestampNTZType;
import org.apache.spark.sql.types.TimestampType;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * What stands in a plan instead of a dataset's name: SubqueryAlias(Project(allowed, masked)([barrier](row filter(scan)))).
 * Scans are kept per dataset version, so that planning stays cheap and the invariants know them by identity.
 */
final class Securing {
  private static final int KEPT_SCANS = 512;
  private final SparkSession root;
  private final String zone;
  private final boolean allowsLocalFiles;
  private final Map<List<Object>, HadoopFsRelation> scans =
      new LinkedHashMap<>(64, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<List<Object>, HadoopFsRelation> eldest) {
          return size() > KEPT_SCANS;
        }
      };

  Securing(SparkSession root, String zone, boolean allowsLocalFiles) {
    this.root = root;
    this.zone = zone;
    this.allowsLocalFiles = allowsLocalFiles;
  }

  /** The pinned scan of a dataset version; the same object for the same version and files. */
  HadoopFsRelation scan(Target target) {
    List<Object> key = List.of(target.dataset, target.version, target.files, target.columns, target.partitionColumns);
    synchronized (scans) {
      return scans.computeIfAbsent(key, k -> newScan(target));
    }
  }

  LogicalPlan secured(Target target, LogicalRelation scan) {
    return SubqueryAlias$.MODULE$.apply(Scala.seq(target.name), governed(target, scan, false));
  }

  LogicalRelation newRelation(HadoopFsRelation scan) {
    return LogicalRelation$.MODULE$.apply(scan, false);
  }

  /** Row filter, then the allowed and masked columns, over one scan. Metadata columns are hidden. */
  Project governed(Target target, LogicalRelation scan, boolean barrier) {
    Map<String, AttributeReference> stored = new LinkedHashMap<>();
    Scala.list(scan.output()).forEach(a -> stored.put(a.name(), a));
    LogicalPlan rows = scan;
    if (target.rowFilter != null) {
      rows = new Filter(new RowFilter(name -> require(stored, name), zone).compile(target.rowFilter), rows);
    }
    if (barrier) rows = new Filter(new GreaterThanOrEqual(new SparkPartitionID(), new Literal(0, DataTypes.IntegerType)), rows);
    List<NamedExpression> shown = new ArrayList<>();
    target.allowed.forEach((name, mask) -> shown.add(column(target, require(stored, name), mask)));
    Project project = new Project(Scala.seq(shown), rows);
    project.setTagValue(Project$.MODULE$.hiddenOutputTag(), Scala.seq(List.of()));
    return project;
  }

  private Alias column(Target target, AttributeReference stored, Target.Mask mask) {
    Expression shown = mask == null ? stored : masked(stored, mask, target.maskKey);
    return new Alias(
        shown, stored.name(), NamedExpression$.MODULE$.newExprId(), Scala.seq(List.of()), scala.Option.apply(stored.metadata()), Scala.seq(List.of()));
  }

  private Expression masked(AttributeReference column, Target.Mask mask, byte[] key) {
    DataType type = column.dataType();
    switch (mask.kind()) {
      case "replace-with-null":
        return Literal$.MODULE$.create(null, type);
      case "sha-256-keyed":
        if (key.length < 32) throw new Refusal("engine.mask.no_key", column.name());
        requireMaskType(type instanceof StringType, column, mask);
        return new MaskedText(column, mask.kind(), key);
      case "show-last-4", "mask-alphanum":
        requireMaskType(type instanceof StringType, column, mask);
        return new MaskedText(column, mask.kind(), new byte[0]);
      case "truncate-to-year":
        return truncated(column, mask, "YEAR");
      case "truncate-to-month":
        return truncated(column, mask, "MONTH");
      case "bucket":
        requireMaskType(type instanceof NumericType && mask.size() > 0, column, mask);
        return bucket(column, mask.size());
      default:
        throw new Refusal("engine.mask.unknown", column.name());
    }
  }

  private Expression truncated(AttributeReference column, Target.Mask mask, String unit) {
    DataType type = column.dataType();
    Literal literal = new Literal(UTF8String.fromString(unit), DataTypes.StringType);
    if (type instanceof DateType) return new TruncDate(column, literal);
    if (type instanceof TimestampType) return new TruncTimestamp(literal, column, scala.Option.apply(zone));
    requireMaskType(type instanceof TimestampNTZType, column, mask);
    Expression zoned = new Cast(column, DataTypes.TimestampType, scala.Option.apply("UTC"), EvalMode$.MODULE$.LEGACY());
    return new Cast(new TruncTimestamp(literal, zoned, scala.Option.apply("UTC")), type, scala.Option.apply("UTC"), EvalMode$.MODULE$.LEGACY());
  }

  /** The largest multiple of size that is not above the value: value - pmod(value, size), wrapping instead of failing. */
  private Expression bucket(AttributeReference column, long size) {
    DataType type = column.dataType();
    Literal step = RowFilter.literal(Long.toString(size), type, zone);
    NumericEvalContext wrapping = NumericEvalContext$.MODULE$.apply(EvalMode$.MODULE$.LEGACY(), true);
    Expression bucket = new Subtract(column, new Pmod(column, step, wrapping), wrapping);
    return type instanceof DecimalType ? new Cast(bucket, type, scala.Option.apply(zone), EvalMode$.MODULE$.LEGACY()) : bucket;
  }

  private static void requireMaskType(boolean fits, AttributeReference column, Target.Mask mask) {
    if (!fits) throw new Refusal("engine.mask.type", Map.of("what", column.name(), "mask", mask.kind()));
  }

  private static AttributeReference require(Map<String, AttributeReference> stored, String name) {
    AttributeReference found = stored.get(name);
    if (found == null) throw new Refusal("engine.column.not_stored", "column");
    return found;
  }

  private HadoopFsRelation newScan(Target target) {
    for (var file : target.files) {
      boolean pinned = file.uri().startsWith("s3a://") && PinnedStore.isPinned(new Path(file.uri()));
      boolean fits = pinned || (allowsLocalFiles && (file.uri().startsWith("file:/") || file.uri().startsWith("s3a://")));
      if (!fits) throw new Refusal("engine.file.address", target.dataset);
    }
    Map<String, StructField> fields = new LinkedHashMap<>();
    for (var column : target.columns) {
      DataType type = DataType.fromDDL(column.type());
      Metadata metadata = new MetadataBuilder().putString("comment", column.comment()).build();
      fields.put(column.name(), new StructField(column.name(), type, true, column.comment().isEmpty() ? Metadata.empty() : metadata));
    }
    StructField[] partitions = target.partitionColumns.stream().map(fields::get).toArray(StructField[]::new);
    if (Arrays.asList(partitions).contains(null)) throw new Refusal("engine.column.not_stored", "partition");
    StructType partitionSchema = new StructType(partitions);
    StructType dataSchema =
        new StructType(fields.values().stream().filter(f -> !target.partitionColumns.contains(f.name())).toArray(StructField[]::new));
    var files = new PinnedFiles(root, target, partitionSchema, target.files.stream().map(f -> partitionRow(f, partitions)).toList());
    return new HadoopFsRelation(files, partitionSchema, dataSchema, Scala.none(), new ParquetFileFormat(), Scala.map(Map.of()), root);
  }

  private InternalRow partitionRow(Target.PinnedFile file, StructField[] partitions) {
    Object[] values =
        Arrays.stream(partitions).map(f -> RowFilter.literal(file.partition().get(f.name()), f.dataType(), zone).value()).toArray();
    return new GenericInternalRow(values);
  }
}
