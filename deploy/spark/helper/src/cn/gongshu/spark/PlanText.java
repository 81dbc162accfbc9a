package cn.gongshu.spark;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.catalyst.plans.logical.LocalRelation;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;

/** A plan as the analyst may see it: governed datasets are named, never what is below them; no rows of local data. */
final class PlanText {
  private static final int LONGEST = 20_000;

  private PlanText() {}

  static String of(LogicalPlan plan, List<Invariants.Use> uses) {
    Map<Project, String> known = new IdentityHashMap<>();
    uses.forEach(use -> known.put(use.project(), use.target().dataset));
    StringBuilder text = new StringBuilder();
    write(plan, known, 0, text);
    return text.length() > LONGEST ? text.substring(0, LONGEST) + "…" : text.toString();
  }

  private static void write(LogicalPlan plan, Map<Project, String> known, int depth, StringBuilder text) {
    if (text.length() > LONGEST) return;
    text.append(depth == 0 ? "" : "   ".repeat(depth - 1) + "+- ");
    String dataset = plan instanceof Project project ? known.get(project) : null;
    if (dataset != null) {
      text.append("Governed ").append(dataset).append(' ').append(names(plan)).append('\n');
      return;
    }
    text.append(plan.nodeName()).append(' ').append(plan instanceof LocalRelation ? names(plan) : expressions(plan)).append('\n');
    plan.children().foreach(c -> { write(c, known, depth + 1, text); return null; });
    plan.subqueries().foreach(s -> { write((LogicalPlan) s, known, depth + 1, text); return null; });
  }

  private static List<String> names(LogicalPlan plan) {
    return Scala.list(plan.output()).stream().map(a -> a.name()).toList();
  }

  private static List<String> expressions(LogicalPlan plan) {
    return Scala.list(plan.expressions()).stream().map(PlanText::sql).toList();
  }

  private static String sql(org.apache.spark.sql.catalyst.expressions.Expression expression) {
    boolean holdsPlan = expression.exists(e -> e instanceof org.apache.spark.sql.catalyst.expressions.PlanExpression<?>);
    return holdsPlan ? expression.prettyName() + "(subquery)" : expression.sql();
  }
}
