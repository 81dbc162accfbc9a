package cn.gongshu.spark;

import java.util.ArrayList;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.LinkedHashSet;
import org.apache.spark.sql.catalyst.analysis.UnresolvedAttribute;
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunction;
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation;
import org.apache.spark.sql.catalyst.analysis.UnresolvedTableValuedFunction;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.Command;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.trees.TreeNode;

/**
 * Reads an unresolved plan: every node, expression, function and name must be on a list. It walks all that a node
 * holds, maps and pairs too, so that no plan hides where Spark's own walks do not go.
 */
final class Vetting {
  private static final int MOST_NODES = 50_000;
  final Set<List<String>> names = new LinkedHashSet<>();
  final Set<String> functions = new TreeSet<>();
  private final Map<Object, Boolean> seen = new IdentityHashMap<>();

  void vet(LogicalPlan plan) {
    visit(plan);
  }

  private void visit(Object part) {
    if (part instanceof TreeNode<?> node) {
      visitNode(node);
    } else if (part instanceof scala.collection.Map<?, ?> map) {
      scala.jdk.javaapi.CollectionConverters.asJava((scala.collection.Map<?, ?>) map).values().forEach(this::visit);
    } else if (part instanceof scala.collection.Iterable<?> many) {
      scala.jdk.javaapi.CollectionConverters.asJava((scala.collection.Iterable<?>) many).forEach(this::visit);
    } else if (part instanceof Collection<?> many) {
      many.forEach(this::visit);
    } else if (part instanceof scala.Option<?> option) {
      if (option.isDefined()) visit(option.get());
    } else if (part instanceof scala.Product product && !isLeafValue(part)) {
      product.productIterator().foreach(p -> { visit(p); return null; });
    }
  }

  private static boolean isLeafValue(Object part) {
    String name = part.getClass().getName();
    return name.startsWith("org.apache.spark.sql.types.") || part instanceof scala.Symbol;
  }

  private void visitNode(TreeNode<?> node) {
    if (seen.put(node, true) != null) return;
    if (seen.size() > MOST_NODES) throw new Refusal("engine.plan.too_large", "plan");
    if (node instanceof LogicalPlan plan) vetNode(plan);
    else if (node instanceof Expression expression) vetExpression(expression);
    else throw new Refusal("engine.plan.unknown_part", node.getClass().getSimpleName());
    // a resolved local relation holds rows, not plans
    if (!(node instanceof org.apache.spark.sql.catalyst.plans.logical.LocalRelation)) {
      node.productIterator().foreach(p -> { visit(p); return null; });
    }
    node.children().foreach(c -> { visit(c); return null; });
    node.innerChildren().foreach(c -> { visit(c); return null; });
  }

  private void vetNode(LogicalPlan plan) {
    if (plan instanceof Command) throw new Refusal("engine.plan.command", plan.nodeName());
    if (!Lists.isAllowedPlan(plan)) throw new Refusal("engine.plan.node", plan.nodeName());
    if (plan instanceof UnresolvedRelation relation) {
      if (relation.isStreaming()) throw new Refusal("engine.plan.streaming", "stream");
      if (!relation.options().isEmpty()) throw new Refusal("engine.relation.options", "options");
      names.add(new ArrayList<>(Scala.list(relation.multipartIdentifier())));
    } else if (plan instanceof UnresolvedTableValuedFunction function) {
      requireFunction(Scala.list(function.name()), Lists.TABLE_FUNCTIONS);
    } else if (plan instanceof org.apache.spark.sql.catalyst.plans.logical.Range || !plan.isStreaming()) {
      return;
    } else {
      throw new Refusal("engine.plan.streaming", "stream");
    }
  }

  private void vetExpression(Expression expression) {
    if (!Lists.isAllowedExpression(expression)) throw new Refusal("engine.expression.class", expression.nodeName());
    if (expression instanceof UnresolvedFunction function) {
      requireFunction(Scala.list(function.nameParts()), Lists.FUNCTIONS);
    } else if (expression instanceof UnresolvedAttribute attribute) {
      boolean metadata = attribute.getTagValue(org.apache.spark.sql.catalyst.plans.logical.LogicalPlan$.MODULE$.IS_METADATA_COL()).isDefined();
      boolean named = Scala.list(attribute.nameParts()).stream().anyMatch(p -> p.equalsIgnoreCase("_metadata"));
      if (metadata || named) throw new Refusal("engine.expression.metadata", "_metadata");
    }
  }

  private void requireFunction(List<String> parts, Set<String> allowed) {
    List<String> lower = parts.stream().map(p -> p.toLowerCase(Locale.ROOT)).toList();
    if (lower.size() == 3 && lower.get(0).equals("system") && lower.get(1).equals("builtin")) lower = lower.subList(2, 3);
    if (lower.size() == 2 && lower.get(0).equals("builtin")) lower = lower.subList(1, 2);
    if (lower.size() != 1 || !allowed.contains(lower.get(0))) throw new Refusal("engine.function.not_allowed", String.join(".", parts));
    functions.add(lower.get(0));
  }
}
