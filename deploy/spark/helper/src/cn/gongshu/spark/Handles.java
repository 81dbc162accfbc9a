package cn.gongshu.spark;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.connect.proto.Relation;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.connect.service.SessionHolder;
import org.sparkproject.connect.protobuf.Any;
import org.sparkproject.connect.protobuf.ByteString;

/**
 * Governed plans waiting to be run. A handle is random, bound to one session and good once, for a short time; a stage
 * is a governed part of the plan under work, good until its statement is planned.
 */
final class Handles {
  static final String TYPE_URL = "type.googleapis.com/gongshu.v1.Handle";
  private static final SecureRandom RANDOM = new SecureRandom();

  private record Kept(LogicalPlan plan, String userId, String sessionId, long untilNanos, boolean stage) {}

  private final Map<String, Kept> kept = new ConcurrentHashMap<>();
  private final long lifeNanos;

  Handles(long lifeSeconds) {
    lifeNanos = lifeSeconds * 1_000_000_000L;
  }

  String keep(LogicalPlan plan, SessionHolder session, boolean stage) {
    forgetOld();
    byte[] bytes = new byte[24];
    RANDOM.nextBytes(bytes);
    String handle = HexFormat.of().formatHex(bytes);
    kept.put(handle, new Kept(plan, session.userId(), session.sessionId(), System.nanoTime() + lifeNanos, stage));
    return handle;
  }

  /** The plan of a handle for exactly this session, once. */
  LogicalPlan take(String handle, String userId, String sessionId) {
    Kept found = kept.get(handle);
    if (found == null || !found.userId.equals(userId) || !found.sessionId.equals(sessionId)) return null;
    if (!found.stage && kept.remove(handle) != found) return null;
    return System.nanoTime() - found.untilNanos > 0 ? null : found.plan;
  }

  void forget(String handle) {
    kept.remove(handle);
  }

  void forgetSession(String userId, String sessionId) {
    kept.values().removeIf(k -> k.userId.equals(userId) && k.sessionId.equals(sessionId));
  }

  private void forgetOld() {
    long now = System.nanoTime();
    kept.values().removeIf(k -> !k.stage && now - k.untilNanos > 0);
  }

  static Relation relation(String handle) {
    return Relation.newBuilder()
        .setExtension(Any.newBuilder().setTypeUrl(TYPE_URL).setValue(ByteString.copyFromUtf8(handle)))
        .build();
  }
}
