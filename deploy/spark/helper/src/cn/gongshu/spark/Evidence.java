package cn.gongshu.spark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.connect.service.SessionHolder;

final class Evidence {
  Evidence(SessionHolder session, Statement statement, LogicalPlan plan, JsonNode request) {}

  ObjectNode table() {
    throw new Refusal("engine.release.pending", "release");
  }
}
