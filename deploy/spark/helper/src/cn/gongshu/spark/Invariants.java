package cn.gongshu.spark;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.InheritAnalysisRules;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.LocalRelation;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.trees.TreeNode;
import org.apache.spark.sql.execution.datasources.LogicalRelation;
import org.apache.spark.sql.sources.BaseRelation;

/**
 * What must hold of an analysed plan, closed by default: every scan is one of ours under exactly the filter and
 * projection of its grant, nothing above it refers to a raw column, every node and expression class is on a list.
 */
final class Invariants {
  /** Where a governed dataset stands in the plan. */
  record Use(Project project, Target target, LogicalRelation scan) {}

  private final Securing securing;
  private final Map<BaseRelation, List<Target>> scans;
  private final List<Use> uses = new ArrayList<>();
  private final Map<Object, Boolean> seen = new IdentityHashMap<>();
  private final Set<ExprId> referenced = new HashSet<>();

  Invariants(Securing securing, Map<BaseRelation, List<Target>> scans) {
    this.securing = securing;
    this.scans = scans;
  }

  /** Returns where governed datasets stand. Throws a Refusal when anything is not as it must be. */
  List<Use> check(LogicalPlan plan) {
    if (!plan.resolved()) throw new Refusal("engine.invariant.unresolved", "plan");
    visit(plan);
    for (Use use : uses) {
      for (var raw : Scala.list(use.scan.output())) {
        if (referenced.contains(raw.exprId())) throw new Refusal("engine.invariant.raw_column", "column");
      }
    }
    return uses;
  }

  private void visit(Object part) {
    if (part instanceof LogicalPlan plan) visitPlan(plan);
    else if (part instanceof Expression expression) visitExpression(expression);
    else if (part instanceof TreeNode<?> node) throw new Refusal("engine.invariant.part", node.nodeName());
    else if (part instanceof scala.collection.Map<?, ?> map) scala.jdk.javaapi.CollectionConverters.asJava((scala.collection.Map<?, ?>) map).values().forEach(this::visit);
    else if (part instanceof scala.collection.Iterable<?> many) scala.jdk.javaapi.CollectionConverters.asJava((scala.collection.Iterable<?>) many).forEach(this::visit);
    else if (part instanceof Collection<?> many) many.forEach(this::visit);
    else if (part instanceof scala.Option<?> option && option.isDefined()) visit(option.get());
    else if (part instanceof scala.Product product && product.getClass().getName().startsWith("scala.Tuple")) visitAll(product);
  }

  private void visitAll(scala.Product product) {
    product.productIterator().foreach(p -> { visit(p); return null; });
  }

  private void visitPlan(LogicalPlan plan) {
    if (seen.put(plan, true) != null) return;
    if (plan instanceof Project project && scanBelow(project) != null) {
      uses.add(governed(project, scanBelow(project)));
      return;
    }
    if (!Lists.isAllowedPlan(plan)) throw new Refusal("engine.invariant.node", plan.nodeName());
    if (plan.isStreaming()) throw new Refusal("engine.plan.streaming", "stream");
    if (plan instanceof LocalRelation) return;
    visitAll(plan);
    plan.children().foreach(c -> { visit(c); return null; });
    plan.innerChildren().foreach(c -> { visit(c); return null; });
  }

  private void visitExpression(Expression expression) {
    if (seen.put(expression, true) != null) return;
    if (!Lists.isAllowedExpression(expression)) throw new Refusal("engine.expression.class", expression.nodeName());
    if (expression instanceof AttributeReference attribute) referenced.add(attribute.exprId());
    if (expression instanceof InheritAnalysisRules replaced) {
      replaced.parameters().foreach(p -> { visit(p); return null; });
      return;
    }
    visitAll(expression);
    expression.children().foreach(c -> { visit(c); return null; });
  }

  /** The scan under a projection and at most two filters, or null. */
  private static LogicalRelation scanBelow(Project project) {
    LogicalPlan below = project.child();
    for (int i = 0; i < 2 && below instanceof Filter filter; i++) below = filter.child();
    return below instanceof LogicalRelation scan ? scan : null;
  }

  private Use governed(Project project, LogicalRelation scan) {
    for (Target target : scans.getOrDefault(scan.relation(), List.of())) {
      if (isExactly(project, target, scan, false) || isExactly(project, target, scan, true)) return new Use(project, target, scan);
    }
    throw new Refusal("engine.invariant.scan", "scan");
  }

  private boolean isExactly(Project project, Target target, LogicalRelation scan, boolean barrier) {
    List<String> names = Scala.list(project.projectList()).stream().map(c -> c.name()).toList();
    return names.equals(List.copyOf(target.allowed.keySet()))
        && securing.governed(target, scan, barrier).canonicalized().equals(project.canonicalized());
  }
}
