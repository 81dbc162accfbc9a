package cn.gongshu.spark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.spark.connect.proto.Plan;
import org.apache.spark.connect.proto.Relation;
import org.apache.spark.connect.proto.SQL;
import org.apache.spark.sql.SparkSession$;
import org.apache.spark.sql.catalyst.plans.logical.LocalRelation;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connect.common.DataTypeProtoConverter$;
import org.apache.spark.sql.connect.service.SessionHolder;
import org.apache.spark.sql.connect.service.SessionKey;
import org.apache.spark.sql.connect.service.SparkConnectService$;

/**
 * The verbs that the gateway calls through py4j. Each takes and returns text (JSON) and bytes, is bounded in time, and
 * answers with a result, a refusal or a scrubbed failure; no exception of Spark crosses over.
 */
public final class Engine {
  private record Described(byte[] bytes, LogicalPlan plan) {}

  private static final int WARMING_RUNS = 5;
  private static final long STACK_BYTES = 128L << 20;
  private final SparkSession root;
  private final Map<String, String> pinned;
  private final Handles handles;
  private final Securing securing;
  private final long callSeconds;
  private final Metering metering = new Metering();
  private final Map<SessionKey, Described> described = new ConcurrentHashMap<>();
  private final AtomicLong threads = new AtomicLong();
  private final ExecutorService workers =
      Executors.newCachedThreadPool(
          work -> {
            Thread thread = new Thread(null, work, "gongshu-plan-" + threads.incrementAndGet(), STACK_BYTES);
            thread.setDaemon(true);
            return thread;
          });

  Engine(SparkSession root, Map<String, String> pinned, Handles handles, Securing securing, long callSeconds) {
    this.root = root;
    this.pinned = pinned;
    this.handles = handles;
    this.securing = securing;
    this.callSeconds = callSeconds;
    metering.begin(root.sparkContext());
    new Fairness(root.sparkContext()).begin();
  }

  public String describe(String user, String session, byte[] plan) {
    return bounded(user, session, holder -> {
      try (Statement statement = new Statement(holder, handles, securing)) {
        Relation root = Messages.root(plan);
        LogicalPlan found = statement.describe(root);
        if (Statement.isPlain(root)) described.put(holder.key(), new Described(plan, found));
        ObjectNode body = Answers.object();
        ArrayNode names = body.putArray("names");
        statement.vetting.names.forEach(name -> name.forEach(names.addArray()::add));
        statement.vetting.functions.forEach(body.putArray("functions")::add);
        return body;
      }
    });
  }

  public String secure(String user, String session, byte[] plan, String request) {
    return bounded(user, session, holder -> {
      JsonNode json = Answers.JSON.readTree(request);
      try (Statement statement = new Statement(holder, handles, securing)) {
        LogicalPlan known = known(holder.key(), plan);
        LogicalPlan analysed = statement.secure(Messages.root(plan), known, targets(json), View.all(json.get("views")));
        return secured(holder, statement, analysed);
      }
    });
  }

  public String releaseTable(String user, String session, byte[] plan, String request) {
    return bounded(user, session, holder -> {
      JsonNode json = Answers.JSON.readTree(request);
      try (Statement statement = new Statement(holder, handles, securing)) {
        LogicalPlan analysed = statement.secure(Messages.root(plan), null, targets(json), View.all(json.get("views")));
        return new Evidence(holder, statement, analysed, json).table();
      }
    });
  }

  /** What `describe` made last in this session, if of the same bytes; analysing makes nodes of its own. */
  private LogicalPlan known(SessionKey key, byte[] plan) {
    Described last = described.get(key);
    return last != null && java.util.Arrays.equals(last.bytes, plan) ? last.plan : null;
  }

  public void forgetHandle(String handle) {
    handles.forget(handle);
  }

  public void forget(String user, String session) {
    handles.forgetSession(user, session);
    root.sparkContext().cancelJobsWithTag(tag(user, session));
    SessionKey key = new SessionKey(user, session);
    described.remove(key);
    SparkConnectService$.MODULE$.sessionManager().closeSession(key, false);
  }

  public void interrupt(String user, String session) {
    root.sparkContext().cancelJobsWithTag(tag(user, session));
  }

  /** What an operation of Spark Connect took; empty when it ran no job. */
  public String metered(String operation, long patienceMillis) {
    try {
      return Answers.ok(metering.take(operation, patienceMillis));
    } catch (InterruptedException error) {
      return Answers.of(error);
    }
  }

  /** Plans and runs something small once, so that the first analyst does not wait for the driver to warm up. */
  void warmUp(String bucket) {
    String text = "SELECT a, count(*), max(b) FROM VALUES (1, 'x'), (2, 'y') AS t(a, b) WHERE a > 0 GROUP BY a ORDER BY a";
    var plan = Plan.newBuilder().setRoot(Relation.newBuilder().setSql(SQL.newBuilder().setQuery(text))).build().toByteArray();
    String session = java.util.UUID.randomUUID().toString();
    for (int i = 0; i < WARMING_RUNS; i++) {
      describe("gongshu", session, plan);
      secure("gongshu", session, plan, "{\"relations\":[],\"views\":[]}");
    }
    root.sql(text).collect();
    forget("gongshu", session);
    if (!bucket.isEmpty()) warmUpStore(bucket);
  }

  private void warmUpStore(String bucket) {
    try {
      var path = new org.apache.hadoop.fs.Path("s3a://" + bucket + "/gongshu-warm-up");
      path.getFileSystem(root.sessionState().newHadoopConf()).exists(path);
    } catch (java.io.IOException | RuntimeException absent) {
      // statements will name the store's absence; the driver itself is up
    }
  }

  /** True while the driver can plan and schedule. */
  public boolean isAlive() {
    return !root.sparkContext().isStopped();
  }

  private ObjectNode secured(SessionHolder holder, Statement statement, LogicalPlan analysed) {
    List<Invariants.Use> uses = statement.invariants().check(analysed);
    boolean barrier = Barrier.isNeeded(analysed, uses);
    LogicalPlan run = barrier ? Barrier.put(analysed, uses) : analysed;
    if (barrier) statement.invariants().check(run);
    ObjectNode body = Answers.object().put("barrier", barrier);
    lineage(analysed, uses, statement, body);
    body.put("plan_text", PlanText.of(analysed, uses));
    var schema = analysed.schema();
    body.put("schema_json", schema.json()).put("schema_ddl", schema.toDDL()).put("tree_text", schema.treeString());
    body.put("schema_proto", Base64.getEncoder().encodeToString(DataTypeProtoConverter$.MODULE$.toConnectProtoType(schema, false).toByteArray()));
    body.put("semantic_hash", analysed.semanticHash()).put("is_local", analysed instanceof LocalRelation);
    return body.put("handle", handles.keep(run, holder, false));
  }

  static void lineage(LogicalPlan analysed, List<Invariants.Use> uses, Statement statement, ObjectNode body) {
    Lineage lineage = new Lineage(uses);
    var read = new java.util.TreeSet<>(lineage.read(analysed, List.of()));
    read.addAll(statement.executedColumns);
    columns(body.putObject("columns_read"), read);
    var governing = new java.util.TreeSet<String>();
    for (Invariants.Use use : uses) {
      if (use.target().rowFilter != null) filterColumns(use.target().rowFilter, use.target().dataset, governing);
    }
    columns(body.putObject("columns_governing"), governing);
    ObjectNode direct = body.putObject("lineage_direct");
    Scala.list(analysed.output()).forEach(a -> lineage.of(a).forEach(direct.withArray("/" + pointer(a.name()))::add));
    lineage.indirect.forEach(body.putArray("lineage_indirect")::add);
  }

  private static String pointer(String name) {
    return name.replace("~", "~0").replace("/", "~1");
  }

  private static void columns(ObjectNode node, java.util.Set<String> columns) {
    Lineage.byDataset(columns).forEach((dataset, names) -> names.forEach(node.withArray("/" + pointer(dataset))::add));
  }

  private static void filterColumns(JsonNode filter, String dataset, java.util.Set<String> found) {
    if (filter.hasNonNull("column")) found.add(dataset + "\0" + filter.get("column").asText());
    filter.findValuesAsText("column").forEach(name -> found.add(dataset + "\0" + name));
  }

  static List<Target> targets(JsonNode json) {
    List<Target> found = new ArrayList<>();
    json.get("relations").forEach(r -> found.add(new Target(r)));
    return found;
  }

  private interface Work {
    ObjectNode on(SessionHolder session) throws Exception;
  }

  private String bounded(String user, String session, Work work) {
    Future<String> future = workers.submit((Callable<String>) () -> inSession(user, session, work));
    try {
      return future.get(callSeconds, TimeUnit.SECONDS);
    } catch (TimeoutException late) {
      root.sparkContext().cancelJobsWithTag(tag(user, session));
      future.cancel(true);
      return Answers.of(late);
    } catch (InterruptedException | ExecutionException error) {
      return Answers.of(error);
    }
  }

  private String inSession(String user, String sessionId, Work work) {
    try {
      SessionHolder holder = SparkConnectService$.MODULE$.getOrCreateIsolatedSession(user, sessionId, Scala.none());
      SparkSession session = holder.session();
      pinned.forEach((key, value) -> session.sessionState().conf().setConfString(key, value));
      SparkSession$.MODULE$.setActiveSession(session);
      root.sparkContext().setLocalProperty(Fairness.POOL, user);
      root.sparkContext().addJobTag(tag(user, sessionId));
      return Answers.ok(work.on(holder));
    } catch (Throwable error) {
      // the one place where errors stop: whatever it is, only its kind goes on
      return Answers.of(error);
    } finally {
      root.sparkContext().clearJobTags();
      SparkSession$.MODULE$.clearActiveSession();
    }
  }

  private static String tag(String user, String session) {
    return "gongshu-" + Integer.toHexString((user + "\0" + session).hashCode()) + "-" + session;
  }
}
