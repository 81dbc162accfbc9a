package cn.gongshu.spark;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression$;
import org.apache.spark.sql.catalyst.expressions.PlanExpression;
import org.apache.spark.sql.catalyst.plans.FullOuter$;
import org.apache.spark.sql.catalyst.plans.InnerLike;
import org.apache.spark.sql.catalyst.plans.LeftOuter$;
import org.apache.spark.sql.catalyst.plans.RightOuter$;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.Generate;
import org.apache.spark.sql.catalyst.plans.logical.Join;
import org.apache.spark.sql.catalyst.plans.logical.LocalRelation;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.OneRowRelation;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.Range;
import org.apache.spark.sql.catalyst.plans.logical.Repartition;
import org.apache.spark.sql.catalyst.plans.logical.RepartitionByExpression;
import org.apache.spark.sql.catalyst.plans.logical.ResolvedHint;
import org.apache.spark.sql.catalyst.plans.logical.Sort;
import org.apache.spark.sql.catalyst.plans.logical.SubqueryAlias;

/**
 * Carries the entity of every governed scan up to the top of a plan, beside the analyst's own columns, so that the
 * people behind a cell can be counted. Only through operators where one row stays one entity's row; any other operator
 * means that there is no evidence.
 */
final class Carrying {
  /** Why there can be no evidence. */
  static final class Impossible extends Exception {
    Impossible(String why) {
      super(why, null, false, false);
    }
  }

  record Entity(String dataset, Attribute attribute) {}

  record Carried(LogicalPlan plan, List<Entity> entities) {}

  private final Map<Project, Invariants.Use> governed = new IdentityHashMap<>();

  Carrying(List<Invariants.Use> uses) {
    uses.forEach(use -> governed.put(use.project(), use));
  }

  Carried carry(LogicalPlan plan) throws Impossible {
    if (plan instanceof Project project && governed.containsKey(project)) return scan(governed.get(project));
    requireNoSubquery(plan);
    if (plan instanceof Project project) return project(project);
    if (plan instanceof Join join) return join(join);
    if (plan instanceof LocalRelation || plan instanceof OneRowRelation || plan instanceof Range) return new Carried(plan, List.of());
    boolean passes =
        plan instanceof SubqueryAlias || plan instanceof Filter || plan instanceof Sort || plan instanceof Repartition
            || plan instanceof RepartitionByExpression || plan instanceof ResolvedHint || plan instanceof Generate;
    if (!passes) throw new Impossible("operator:" + plan.nodeName());
    Carried child = carry(plan.children().head());
    return new Carried(plan.withNewChildren(Scala.seq(List.of(child.plan))), child.entities);
  }

  private static Carried scan(Invariants.Use use) throws Impossible {
    String name = use.target().entityColumn;
    if (name == null) throw new Impossible("no-entity-column:" + use.target().dataset);
    Attribute stored =
        Scala.list(use.scan().output()).stream().filter(a -> a.name().equals(name)).findFirst().map(Attribute.class::cast).orElseThrow(() -> new Impossible("no-entity-column:" + use.target().dataset));
    Alias entity =
        new Alias(stored, "entity", NamedExpression$.MODULE$.newExprId(), Scala.seq(List.of()), Scala.none(), Scala.seq(List.of()));
    Project project = new Project(with(use.project().projectList(), List.of(entity)), use.project().child());
    return new Carried(project, List.of(new Entity(use.target().dataset, entity.toAttribute())));
  }

  private Carried project(Project project) throws Impossible {
    Carried child = carry(project.child());
    List<Attribute> entities = child.entities.stream().map(Entity::attribute).toList();
    return new Carried(new Project(with(project.projectList(), entities), child.plan), child.entities);
  }

  private Carried join(Join join) throws Impossible {
    var type = join.joinType();
    boolean keepsBoth = type instanceof InnerLike || type == LeftOuter$.MODULE$ || type == RightOuter$.MODULE$ || type == FullOuter$.MODULE$;
    if (!keepsBoth) throw new Impossible("join:" + type.sql());
    Carried left = carry(join.left());
    Carried right = carry(join.right());
    List<Entity> both = new ArrayList<>(left.entities);
    both.addAll(right.entities);
    return new Carried(join.withNewChildren(Scala.seq(List.of(left.plan, right.plan))), both);
  }

  /** A dataset that only decides in a subquery has people whom nobody would count. */
  private static void requireNoSubquery(LogicalPlan plan) throws Impossible {
    boolean found = Scala.list(plan.expressions()).stream().anyMatch(e -> e.exists(x -> x instanceof PlanExpression<?>));
    if (found) throw new Impossible("subquery");
  }

  private static scala.collection.immutable.Seq<NamedExpression> with(
      scala.collection.immutable.Seq<NamedExpression> shown, List<? extends NamedExpression> more) {
    List<NamedExpression> all = new ArrayList<>(Scala.list(shown));
    all.addAll(more);
    return Scala.seq(all);
  }
}
