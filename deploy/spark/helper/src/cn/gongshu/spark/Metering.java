package cn.gongshu.spark;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerEvent;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.execution.FileSourceScanExec;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.ReusedSubqueryExec;
import org.apache.spark.sql.execution.adaptive.AdaptiveSparkPlanExec;
import org.apache.spark.sql.execution.adaptive.QueryStageExec;
import org.apache.spark.sql.execution.exchange.ReusedExchangeExec;
import org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionEnd;

/**
 * What each statement really took: processor time, spill, bytes read, and the rows of each dataset scanned. These are raw
 * figures that tell of hidden rows: they go to the gateway for the regulators' part of the log, and nowhere else.
 */
final class Metering extends SparkListener {
  private static final int KEPT = 2_000;
  private static final long UNKNOWN_MILLIS = 20;
  private static final String OPERATION = "_Operation_";

  private static final class Use {
    long cpuNanos;
    long spilledBytes;
    long bytesRead;
    long tasks;
    boolean ended;
    final Map<String, long[]> scans = new LinkedHashMap<>();
  }

  private final Map<String, Use> uses = bounded();
  private final Map<Integer, Use> ofStage = bounded();
  private final Map<Long, Use> ofExecution = bounded();

  void begin(SparkContext context) {
    context.listenerBus().addToQueue(this, "gongshu-metering");
  }

  /** What an operation took, once; waits shortly for its last events. */
  ObjectNode take(String operation, long patienceMillis) throws InterruptedException {
    long until = System.nanoTime() + patienceMillis * 1_000_000L;
    synchronized (this) {
      long known = System.nanoTime() + UNKNOWN_MILLIS * 1_000_000L; // one that ran no job is never heard of
      while (!(uses.containsKey(operation) && uses.get(operation).ended)) {
        long left = ((uses.containsKey(operation) ? until : Math.min(until, known)) - System.nanoTime()) / 1_000_000L;
        if (left <= 0) break;
        wait(left);
      }
      return body(uses.remove(operation));
    }
  }

  @Override
  public synchronized void onJobStart(SparkListenerJobStart event) {
    Properties said = event.properties();
    String operation = said == null ? null : operationIn(said.getProperty("spark.job.tags"));
    if (operation == null) return;
    Use use = uses.computeIfAbsent(operation, o -> new Use());
    Scala.list(event.stageInfos()).forEach(stage -> ofStage.put(stage.stageId(), use));
    String execution = said.getProperty("spark.sql.execution.id");
    if (execution != null) ofExecution.put(Long.parseLong(execution), use);
  }

  @Override
  public synchronized void onTaskEnd(SparkListenerTaskEnd event) {
    Use use = ofStage.get(event.stageId());
    var metrics = event.taskMetrics();
    if (use == null || metrics == null) return;
    use.tasks++;
    use.cpuNanos += metrics.executorCpuTime() + metrics.executorDeserializeCpuTime();
    use.spilledBytes += metrics.diskBytesSpilled();
    use.bytesRead += metrics.inputMetrics().bytesRead();
  }

  @Override
  public synchronized void onOtherEvent(SparkListenerEvent event) {
    if (!(event instanceof SparkListenerSQLExecutionEnd end)) return;
    Use use = ofExecution.remove(end.executionId());
    if (use == null) return;
    try {
      if (end.qe() != null) scans(end.qe().executedPlan(), use, new IdentityHashMap<>());
    } finally {
      use.ended = true;
      notifyAll();
    }
  }

  /** What is read twice through a reused part of the plan was read once. */
  private static void scans(SparkPlan plan, Use use, IdentityHashMap<SparkPlan, Boolean> seen) {
    if (plan instanceof ReusedExchangeExec || plan instanceof ReusedSubqueryExec || seen.put(plan, true) != null) return;
    if (plan instanceof AdaptiveSparkPlanExec adaptive) scans(adaptive.executedPlan(), use, seen);
    if (plan instanceof QueryStageExec stage) scans(stage.plan(), use, seen);
    if (plan instanceof FileSourceScanExec scan && scan.relation().location() instanceof PinnedFiles files) {
      long[] sums = use.scans.computeIfAbsent(files.dataset, d -> new long[2]);
      sums[0] += metric(scan, "numOutputRows");
      sums[1] += metric(scan, "filesSize");
    }
    Scala.list(plan.children()).forEach(child -> scans(child, use, seen));
    Scala.list(plan.subqueries()).forEach(child -> scans(child, use, seen));
  }

  private static long metric(FileSourceScanExec scan, String name) {
    var found = scan.metrics().get(name);
    return found.isDefined() ? found.get().value() : 0;
  }

  private static ObjectNode body(Use use) {
    ObjectNode body = Answers.object();
    if (use == null) return body;
    body.put("cpu_ms", use.cpuNanos / 1_000_000L).put("spilled_bytes", use.spilledBytes).put("bytes_read", use.bytesRead);
    body.put("tasks", use.tasks);
    ObjectNode scanned = body.putObject("scanned");
    use.scans.forEach((dataset, sums) -> scanned.putObject(dataset).put("rows", sums[0]).put("bytes", sums[1]));
    return body;
  }

  private static String operationIn(String tags) {
    if (tags == null) return null;
    for (String tag : tags.split(",")) {
      int at = tag.lastIndexOf(OPERATION);
      if (at >= 0 && tag.startsWith("SparkConnect_")) return tag.substring(at + OPERATION.length());
    }
    return null;
  }

  private static <K, V> Map<K, V> bounded() {
    return new LinkedHashMap<>() {
      @Override
      protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
        return size() > KEPT;
      }
    };
  }
}
