package cn.gongshu.spark;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.catalyst.expressions.Cast$;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.PlanExpression;
import org.apache.spark.sql.catalyst.expressions.aggregate.AggregateExpression;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.Join;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.types.StringType;

/**
 * Where a predicate of the analyst could be evaluated on rows or partitions that the row filter hides, and could fail
 * there (the error would tell of them), a filter that Spark must not reorder stands between. Else it would only cost.
 */
final class Barrier {
  /** Expressions that cannot fail, whatever the values. Anything else may. */
  private static final Set<String> NEVER_FAIL =
      Set.of(
          "AttributeReference", "Literal", "Alias", "And", "Or", "Not", "EqualTo", "EqualNullSafe", "LessThan", "LessThanOrEqual",
          "GreaterThan", "GreaterThanOrEqual", "In", "InSet", "InSubquery", "ListQuery", "ScalarSubquery", "Exists", "LateralSubquery",
          "OuterReference", "IsNull", "IsNotNull", "IsNaN", "Coalesce", "If", "CaseWhen", "StartsWith", "EndsWith", "Contains", "Upper",
          "Lower", "Length", "StringTrim", "Substring", "Concat", "SortOrder", "Year", "Month", "DayOfMonth", "DayOfWeek", "Quarter",
          "Hour", "TruncDate", "WindowExpression", "WindowSpecDefinition", "SpecifiedWindowFrame", "UnspecifiedFrame$",
          "UnboundedPreceding$", "UnboundedFollowing$", "CurrentRow$", "RowNumber", "Rank", "DenseRank", "GetStructField");

  private Barrier() {}

  static boolean isNeeded(LogicalPlan plan, List<Invariants.Use> uses) {
    boolean hidesPartitions = uses.stream().anyMatch(use -> use.target().rowFilter != null && use.target().isPartitioned());
    if (!hidesPartitions) return false;
    Scan scan = new Scan(uses);
    scan.visit(plan);
    return scan.hasPredicate && scan.canFail;
  }

  /** The same analysed plan with the barrier under each governed projection that hides partitions. */
  static LogicalPlan put(LogicalPlan plan, List<Invariants.Use> uses) {
    Map<Project, Invariants.Use> known = new IdentityHashMap<>();
    uses.forEach(use -> known.put(use.project(), use));
    LogicalPlan changed =
        (LogicalPlan)
            plan.transformDownWithSubqueries(
                Scala.rewrite(node -> {
                  Invariants.Use use = node instanceof Project project ? known.get(project) : null;
                  return use == null || use.target().rowFilter == null ? null : above((Filter) use.project().child(), use.project());
                }));
    changed.setAnalyzed();
    return changed;
  }

  private static LogicalPlan above(Filter rows, Project project) {
    var barrier =
        new org.apache.spark.sql.catalyst.expressions.GreaterThanOrEqual(
            new org.apache.spark.sql.catalyst.expressions.SparkPartitionID(),
            new org.apache.spark.sql.catalyst.expressions.Literal(0, org.apache.spark.sql.types.DataTypes.IntegerType));
    Project changed = new Project(project.projectList(), new Filter(barrier, rows));
    changed.copyTagsFrom(project);
    return changed;
  }

  private static final class Scan {
    private final Map<Object, Boolean> governed = new IdentityHashMap<>();
    private boolean hasPredicate;
    private boolean canFail;

    Scan(List<Invariants.Use> uses) {
      uses.forEach(use -> governed.put(use.project(), true));
    }

    void visit(LogicalPlan plan) {
      if (governed.containsKey(plan)) return;
      if (plan instanceof Filter || (plan instanceof Join join && join.condition().isDefined())) hasPredicate = true;
      plan.expressions().foreach(e -> { expression(e); return null; });
      plan.children().foreach(c -> { visit(c); return null; });
    }

    private void expression(Expression e) {
      if (e instanceof PlanExpression<?> subquery) {
        visit((LogicalPlan) subquery.plan());
        // IN and EXISTS become joins
        hasPredicate = true;
      }
      // an aggregate never moves below a filter of its input
      if (e instanceof AggregateExpression || e.foldable()) return;
      if (!NEVER_FAIL.contains(e.getClass().getSimpleName()) && !isSafeCast(e)) canFail = true;
      e.children().foreach(c -> { expression(c); return null; });
    }

    private static boolean isSafeCast(Expression e) {
      return e instanceof Cast cast
          && (cast.dataType() instanceof StringType || Cast$.MODULE$.canUpCast(cast.child().dataType(), cast.dataType()));
    }
  }
}
