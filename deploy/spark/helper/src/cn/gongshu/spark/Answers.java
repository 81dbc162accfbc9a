package cn.gongshu.spark;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import org.apache.spark.SparkThrowable;
import org.apache.spark.SparkThrowableHelper;

/** What goes back to Python: an answer, a refusal, or a failure scrubbed of everything but its kind and harmless parameters. */
final class Answers {
  static final ObjectMapper JSON = new ObjectMapper();
  private static final int LONGEST = 400;

  private Answers() {}

  static ObjectNode object() {
    return JSON.createObjectNode();
  }

  static String ok(ObjectNode body) {
    return object().<ObjectNode>set("ok", body).toString();
  }

  static String of(Throwable error) {
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      if (cause instanceof Refusal refusal) return refused(refusal);
    }
    if (error instanceof TimeoutException) return failed("GONGSHU_TIMEOUT", "", Map.of(), "", false);
    if (error instanceof OutOfMemoryError) return failed("GONGSHU_MEMORY", "", Map.of(), "", false);
    if (error instanceof StackOverflowError) return refused(new Refusal("engine.plan.too_deep", "plan"));
    boolean storage = isStorage(error);
    SparkThrowable known = find(error);
    if (known == null || known.getCondition() == null) return failed("INTERNAL_ERROR", "", Map.of(), "", storage);
    Map<String, String> parameters = harmless(known.getMessageParameters());
    return failed(known.getCondition(), String.valueOf(known.getSqlState()), parameters, message(known.getCondition(), parameters), storage);
  }

  private static String refused(Refusal refusal) {
    ObjectNode body = object().put("code", refusal.code);
    ObjectNode details = body.putObject("details");
    refusal.details.forEach(details::put);
    return object().<ObjectNode>set("refused", body).toString();
  }

  private static String failed(String condition, String state, Map<String, String> parameters, String message, boolean storage) {
    ObjectNode body = object().put("condition", condition).put("sql_state", state).put("message", message).put("storage", storage);
    ObjectNode kept = body.putObject("parameters");
    parameters.forEach(kept::put);
    return object().<ObjectNode>set("failed", body).toString();
  }

  /** The innermost error that names its condition. */
  private static SparkThrowable find(Throwable error) {
    SparkThrowable found = null;
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      if (cause instanceof SparkThrowable known && known.getCondition() != null) found = known;
    }
    return found;
  }

  /** Parameters that may hold a plan's text (and with it hidden columns or filters) are left out. */
  static Map<String, String> harmless(Map<String, String> parameters) {
    Map<String, String> kept = new java.util.TreeMap<>();
    parameters.forEach((name, value) -> {
      boolean plan = value == null || value.contains("\n") || value.contains("Relation") || value.matches("(?s).*#\\d+.*");
      boolean address = value != null && (value.contains("s3a:") || value.contains("file:") || value.contains("/"));
      kept.put(name, plan || address ? "…" : value.length() > LONGEST ? value.substring(0, LONGEST) + "…" : value);
    });
    return kept;
  }

  private static String message(String condition, Map<String, String> parameters) {
    try {
      return SparkThrowableHelper.getMessage(condition, Scala.map(parameters).toMap(scala.$less$colon$less$.MODULE$.refl()));
    } catch (RuntimeException unknown) {
      return condition;
    }
  }

  private static boolean isStorage(Throwable error) {
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      String name = cause.getClass().getName();
      boolean network = cause instanceof ConnectException || cause instanceof UnknownHostException
          || cause instanceof SocketTimeoutException || cause instanceof NoRouteToHostException;
      if (network || name.startsWith("software.amazon.awssdk") || name.startsWith("org.apache.hadoop.fs.s3a")) return true;
      String text = String.valueOf(cause.getMessage());
      if (text.contains("fs.s3a.") || text.contains("software.amazon.awssdk") || text.contains("java.net.ConnectException")) return true;
    }
    return false;
  }
}
