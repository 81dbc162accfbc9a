package cn.gongshu.spark;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.execution.datasources.NoopCache$;
import org.apache.spark.sql.execution.datasources.PartitionPath;
import org.apache.spark.sql.execution.datasources.PartitionSpec;
import org.apache.spark.sql.execution.datasources.PartitioningAwareFileIndex;
import org.apache.spark.sql.types.StructType;

/**
 * The files of one dataset version, exactly as the catalogue names them. It never lists a folder: an object that
 * appears beside them is not read, and planning asks the store nothing.
 */
final class PinnedFiles extends PartitioningAwareFileIndex {
  private static final long BLOCK_BYTES = 64L << 20;
  final String dataset;
  private final PartitionSpec partitions;
  private final scala.collection.mutable.LinkedHashMap<Path, FileStatus> files = new scala.collection.mutable.LinkedHashMap<>();
  private final scala.collection.immutable.Map<Path, FileStatus[]> filesOfPartition;
  private final scala.collection.immutable.Seq<Path> paths;

  /** values: the partition row of each file, in the order of `target.files`. */
  PinnedFiles(SparkSession session, Target target, StructType partitionSchema, List<InternalRow> values) {
    super(session, Scala.map(Map.of()), Scala.none(), NoopCache$.MODULE$);
    dataset = target.dataset;
    Map<Map<String, String>, Path> pathOfValues = new LinkedHashMap<>();
    Map<Path, List<FileStatus>> grouped = new LinkedHashMap<>();
    List<PartitionPath> found = new ArrayList<>();
    List<Path> all = new ArrayList<>();
    for (int i = 0; i < target.files.size(); i++) {
      var file = target.files.get(i);
      var status = new FileStatus(file.bytes(), false, 1, BLOCK_BYTES, 0, new Path(file.uri()));
      files.put(status.getPath(), status);
      all.add(status.getPath());
      Path key = pathOfValues.get(file.partition());
      if (key == null) {
        key = new Path(status.getPath().getParent(), "partition-" + pathOfValues.size());
        pathOfValues.put(file.partition(), key);
        if (!partitionSchema.isEmpty()) found.add(new PartitionPath(values.get(i), key));
      }
      grouped.computeIfAbsent(key, k -> new ArrayList<>()).add(status);
    }
    Map<Path, FileStatus[]> arrays = new LinkedHashMap<>();
    grouped.forEach((path, list) -> arrays.put(path, list.toArray(new FileStatus[0])));
    filesOfPartition = Scala.map(arrays);
    partitions = new PartitionSpec(partitionSchema, Scala.seq(found));
    paths = Scala.seq(all);
  }

  @Override
  public PartitionSpec partitionSpec() {
    return partitions;
  }

  @Override
  public scala.collection.mutable.LinkedHashMap<Path, FileStatus> leafFiles() {
    return files;
  }

  @Override
  public scala.collection.immutable.Map<Path, FileStatus[]> leafDirToChildrenFiles() {
    return filesOfPartition;
  }

  @Override
  public scala.collection.immutable.Seq<Path> rootPaths() {
    return paths;
  }

  @Override
  public void refresh() {}
}
