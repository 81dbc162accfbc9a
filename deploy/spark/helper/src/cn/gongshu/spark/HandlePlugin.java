package cn.gongshu.spark;

import java.util.Optional;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.connect.planner.SparkConnectPlanner;
import org.apache.spark.sql.connect.plugin.RelationPlugin;
import org.sparkproject.connect.protobuf.Any;
import org.sparkproject.connect.protobuf.InvalidProtocolBufferException;

/** Spark Connect's way to a governed plan: the handle in the plan's extension is exchanged for the plan itself. */
public final class HandlePlugin implements RelationPlugin {
  static volatile Handles handles;

  @Override
  public Optional<LogicalPlan> transform(byte[] relation, SparkConnectPlanner planner) {
    Any message = parse(relation);
    if (!message.getTypeUrl().equals(Handles.TYPE_URL)) return Optional.empty();
    var session = planner.sessionHolder();
    LogicalPlan plan = handles.take(message.getValue().toStringUtf8(), session.userId(), session.sessionId());
    if (plan == null) throw new SecurityException("GONGSHU_HANDLE_UNKNOWN");
    // one fair pool for each person: a heavy statement of one does not stop another's
    session.session().sparkContext().setLocalProperty(Fairness.POOL, session.userId());
    return Optional.of(plan);
  }

  private static Any parse(byte[] bytes) {
    try {
      return Any.parseFrom(bytes);
    } catch (InvalidProtocolBufferException error) {
      throw new SecurityException("GONGSHU_HANDLE_UNKNOWN");
    }
  }
}
