package cn.gongshu.spark;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.Exists;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.PlanExpression;
import org.apache.spark.sql.catalyst.plans.logical.Aggregate;
import org.apache.spark.sql.catalyst.plans.logical.CTERelationDef;
import org.apache.spark.sql.catalyst.plans.logical.CTERelationRef;
import org.apache.spark.sql.catalyst.plans.logical.Distinct;
import org.apache.spark.sql.catalyst.plans.logical.Expand;
import org.apache.spark.sql.catalyst.plans.logical.Generate;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.Union;
import org.apache.spark.sql.catalyst.plans.logical.UnionLoop;
import org.apache.spark.sql.catalyst.plans.logical.UnionLoopRef;
import org.apache.spark.sql.catalyst.plans.logical.Window;

/**
 * Which stored columns an analysed plan needs. Direct: they make up the value of an output column. Indirect: they
 * decide which rows, groups or order there are. Static: the same for the same plan, whatever the data.
 */
final class Lineage {
  private final Map<Project, Target> governed = new IdentityHashMap<>();
  private final Map<ExprId, Set<String>> direct = new HashMap<>();
  private final Map<Long, List<Attribute>> named = new HashMap<>();
  final Set<String> indirect = new TreeSet<>();

  Lineage(List<Invariants.Use> uses) {
    uses.forEach(use -> governed.put(use.project(), use.target()));
  }

  /** Columns as "dataset\0column"; names: of the outputs that count, empty = all. */
  Set<String> read(LogicalPlan plan, List<String> names) {
    visit(plan);
    Set<String> found = new TreeSet<>(indirect);
    for (Attribute output : Scala.list(plan.output())) {
      if (names.isEmpty() || names.stream().anyMatch(n -> n.equalsIgnoreCase(output.name()))) found.addAll(of(output));
    }
    return found;
  }

  Set<String> of(Attribute output) {
    return direct.getOrDefault(output.exprId(), Set.of());
  }

  private void visit(LogicalPlan plan) {
    Target target = plan instanceof Project project ? governed.get(project) : null;
    if (target != null) {
      Scala.list(plan.output()).forEach(a -> direct.put(a.exprId(), Set.of(target.dataset + "\0" + a.name())));
      return;
    }
    plan.children().foreach(c -> { visit(c); return null; });
    if (plan instanceof Project project) project.projectList().foreach(this::define);
    else if (plan instanceof Aggregate aggregate) aggregate(aggregate);
    else if (plan instanceof Window window) window(window);
    else if (plan instanceof Union union) union(union);
    else if (plan instanceof UnionLoop loop) unionLoop(loop);
    else if (plan instanceof Generate generate) generate(generate);
    else if (plan instanceof Expand expand) expand(expand);
    else if (plan instanceof CTERelationDef definition) named.put(definition.id(), Scala.list(definition.output()));
    else if (plan instanceof CTERelationRef reference) copy(named.getOrDefault(reference.cteId(), List.of()), Scala.list(reference.output()));
    else if (plan instanceof UnionLoopRef reference) copy(named.getOrDefault(reference.loopId(), List.of()), Scala.list(reference.output()));
    else other(plan);
  }

  private void aggregate(Aggregate aggregate) {
    aggregate.aggregateExpressions().foreach(this::define);
    aggregate.groupingExpressions().foreach(this::decide);
  }

  private void window(Window window) {
    window.windowExpressions().foreach(this::define);
    window.partitionSpec().foreach(this::decide);
    window.orderSpec().foreach(this::decide);
  }

  /** Filters, joins, sorts, limits and whatever else: expressions decide; outputs pass through. */
  private void other(LogicalPlan plan) {
    plan.expressions().foreach(this::decide);
    boolean compares = plan instanceof Distinct || plan instanceof org.apache.spark.sql.catalyst.plans.logical.SetOperation;
    if (compares) plan.children().foreach(c -> { c.output().foreach(this::decide); return null; });
    if (plan instanceof org.apache.spark.sql.catalyst.plans.logical.SetOperation) copy(Scala.list(plan.children().head().output()), Scala.list(plan.output()));
    for (Attribute output : Scala.list(plan.output())) {
      // an output that no child has: it may come from anything below
      if (!direct.containsKey(output.exprId()) && !plan.children().isEmpty()) direct.put(output.exprId(), everythingBelow(plan));
    }
  }

  private Set<String> everythingBelow(LogicalPlan plan) {
    Set<String> found = new TreeSet<>();
    plan.children().foreach(c -> { c.output().foreach(a -> found.addAll(of(a))); return null; });
    return found;
  }

  private void union(Union union) {
    List<Attribute> outputs = Scala.list(union.output());
    union.children().foreach(c -> { merge(Scala.list(c.output()), outputs); return null; });
  }

  /** A recursive query: its own reference is read twice, so that what the second step adds is seen. */
  private void unionLoop(UnionLoop loop) {
    List<Attribute> outputs = Scala.list(loop.output());
    named.put(loop.id(), outputs);
    merge(Scala.list(loop.anchor().output()), outputs);
    for (int i = 0; i < 2; i++) {
      visit(loop.recursion());
      merge(Scala.list(loop.recursion().output()), outputs);
    }
  }

  private void generate(Generate generate) {
    decide(generate.generator());
    Set<String> input = of((Expression) generate.generator());
    generate.generatorOutput().foreach(a -> direct.put(a.exprId(), input));
  }

  private void expand(Expand expand) {
    List<Attribute> outputs = Scala.list(expand.output());
    for (var projection : Scala.list(expand.projections())) {
      for (int i = 0; i < outputs.size(); i++) add(outputs.get(i), of(projection.apply(i)));
    }
  }

  private Object define(Object part) {
    NamedExpression expression = (NamedExpression) part;
    if (!(expression instanceof AttributeReference)) direct.put(expression.exprId(), of((Expression) expression));
    return null;
  }

  private Object decide(Object expression) {
    indirect.addAll(of((Expression) expression));
    return null;
  }

  private Set<String> of(Expression expression) {
    Set<String> found = new TreeSet<>();
    collect(expression, found);
    return found;
  }

  private void collect(Expression expression, Set<String> found) {
    if (expression instanceof AttributeReference attribute) {
      found.addAll(of((Attribute) attribute));
    } else if (expression instanceof PlanExpression<?> subquery) {
      LogicalPlan plan = (LogicalPlan) subquery.plan();
      visit(plan);
      if (!(expression instanceof Exists)) plan.output().foreach(a -> found.addAll(of(a)));
    }
    expression.children().foreach(c -> { collect(c, found); return null; });
  }

  private void merge(List<Attribute> from, List<Attribute> to) {
    for (int i = 0; i < Math.min(from.size(), to.size()); i++) add(to.get(i), of(from.get(i)));
  }

  private void copy(List<Attribute> from, List<Attribute> to) {
    for (int i = 0; i < Math.min(from.size(), to.size()); i++) direct.put(to.get(i).exprId(), new TreeSet<>(of(from.get(i))));
  }

  private void add(Attribute output, Set<String> columns) {
    Set<String> all = new TreeSet<>(of(output));
    all.addAll(columns);
    direct.put(output.exprId(), all);
  }

  /** "dataset\0column" values as dataset to columns, in the dataset's own order. */
  static Map<String, List<String>> byDataset(Set<String> columns) {
    Map<String, List<String>> found = new java.util.TreeMap<>();
    for (String column : columns) {
      String[] parts = column.split("\0", 2);
      found.computeIfAbsent(parts[0], k -> new ArrayList<>()).add(parts[1]);
    }
    return found;
  }
}
