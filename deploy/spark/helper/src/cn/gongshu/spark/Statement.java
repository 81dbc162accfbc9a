package cn.gongshu.spark;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.connect.proto.Expression;
import org.apache.spark.connect.proto.Join;
import org.apache.spark.connect.proto.Project;
import org.apache.spark.connect.proto.Relation;
import org.apache.spark.connect.proto.WithRelations;
import org.apache.spark.sql.catalyst.analysis.CTESubstitution$;
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan$;
import org.apache.spark.sql.catalyst.plans.logical.SubqueryAlias;
import org.apache.spark.sql.catalyst.plans.logical.SubqueryAlias$;
import org.apache.spark.sql.catalyst.plans.logical.UnresolvedWith;
import org.apache.spark.sql.connect.planner.SparkConnectPlanner;
import org.apache.spark.sql.connect.service.SessionHolder;
import org.apache.spark.sql.execution.CommandExecutionMode$;
import org.apache.spark.sql.sources.BaseRelation;

/**
 * One plan on its way: described (what does it name?), then secured (what does it become?). Nothing that Spark
 * computes while planning sees an input that is not governed already.
 */
final class Statement implements AutoCloseable {
  private final SessionHolder session;
  private final SparkConnectPlanner planner;
  private final Handles handles;
  private final Securing securing;
  private final List<String> stages = new ArrayList<>();
  private final Map<List<String>, Target> targets = new HashMap<>();
  private final Map<BaseRelation, List<Target>> scans = new IdentityHashMap<>();
  private List<Relation> references = List.of();
  final Vetting vetting = new Vetting();
  /** Stored columns ("dataset\0column") that planning itself has read. */
  final Set<String> executedColumns = new TreeSet<>();

  Statement(SessionHolder session, Handles handles, Securing securing) {
    this.session = session;
    this.planner = new SparkConnectPlanner(session, Scala.none());
    this.handles = handles;
    this.securing = securing;
  }

  /** Every name and function the plan mentions; refuses what is not on the lists. Runs nothing, resolves nothing. */
  LogicalPlan describe(Relation root) {
    Messages.requireAllowed(root);
    LogicalPlan plan = planned(unrolled(root));
    vetting.vet(plan);
    return plan;
  }

  /** known: what `describe` made of this very plan, or null. */
  LogicalPlan secure(Relation root, LogicalPlan known, List<Target> relations, Map<List<String>, View> views) {
    for (Target target : relations) {
      targets.put(View.lower(target.name), target);
      scans.computeIfAbsent(securing.scan(target), k -> new ArrayList<>()).add(target);
    }
    LogicalPlan described = known == null ? describe(root) : known;
    vetViews(views);
    return isPlain(root) ? analysed(swapped(described, views)) : secured(root, views);
  }

  /** The same for a plan that this statement has described already. */
  Invariants invariants() {
    return new Invariants(securing, scans);
  }

  private void vetViews(Map<List<String>, View> views) {
    for (View view : views.values()) {
      describe(view.root());
      vetViews(view.views());
    }
  }

  private LogicalPlan secured(Relation root, Map<List<String>, View> views) {
    return analysed(swapped(planned(staged(root, views)), views));
  }

  private LogicalPlan planned(Relation relation) {
    return CTESubstitution$.MODULE$.apply(planner.transformRelation(relation));
  }

  private LogicalPlan analysed(LogicalPlan plan) {
    LogicalPlan analysed = session.session().sessionState().executePlan(plan, CommandExecutionMode$.MODULE$.SKIP()).analyzed();
    invariants().check(analysed);
    return analysed;
  }

  private LogicalPlan swapped(LogicalPlan plan, Map<List<String>, View> views) {
    return (LogicalPlan)
        plan.transformUpWithSubqueries(
            Scala.rewrite(node -> node instanceof UnresolvedRelation named ? replacement(named, views) : null));
  }

  private LogicalPlan replacement(UnresolvedRelation named, Map<List<String>, View> views) {
    List<String> name = View.lower(Scala.list(named.multipartIdentifier()));
    View view = views.get(name);
    Target target = targets.get(name);
    LogicalPlan found;
    if (view != null) {
      found = SubqueryAlias$.MODULE$.apply(Scala.seq(view.name()), withoutIds(secured(view.root(), view.views())));
    } else if (target != null) {
      found = securing.secured(target, securing.newRelation(securing.scan(target)));
    } else {
      throw new Refusal("engine.relation.unknown", String.join(".", Scala.list(named.multipartIdentifier())));
    }
    found.copyTagsFrom(named);
    return found;
  }

  /** A view's inner plan ids must not answer to `df.column` of the outer plan. */
  private static LogicalPlan withoutIds(LogicalPlan plan) {
    plan.foreach(node -> {
      node.unsetTagValue(LogicalPlan$.MODULE$.PLAN_ID_TAG());
      return null;
    });
    return plan;
  }

  /** For reading only: what Spark would compute while planning becomes a projection of its expressions over its inputs. */
  private Relation unrolled(Relation given) {
    Relation relation = Messages.withoutSampleBy(given);
    if (Messages.isSqlWithReferences(relation)) return stage(relation, sqlWith(relation, this::unrolled));
    if (!Messages.isEager(relation)) return Messages.mapInputs(relation, this::unrolled);
    Relation input = Messages.inputs(relation).stream().map(this::unrolled).reduce(Statement::crossed).orElseThrow();
    List<Expression> expressions = Messages.expressions(relation);
    if (expressions.isEmpty()) return input;
    return Relation.newBuilder().setProject(Project.newBuilder().setInput(input).addAllExpressions(expressions)).build();
  }

  private static Relation crossed(Relation left, Relation right) {
    return Relation.newBuilder()
        .setJoin(Join.newBuilder().setLeft(left).setRight(right).setJoinType(Join.JoinType.JOIN_TYPE_CROSS))
        .build();
  }

  /** Inputs of what Spark computes while planning are governed first and come in as stages. */
  private Relation staged(Relation given, Map<List<String>, View> views) {
    Relation relation = Messages.withoutSampleBy(given);
    if (Messages.isSqlWithReferences(relation)) return stage(relation, sqlWith(relation, r -> staged(r, views)));
    if (relation.hasWithRelations()) return withReferences(relation, views);
    if (!Messages.isEager(relation)) return Messages.mapInputs(relation, r -> staged(r, views));
    return Messages.mapInputs(relation, input -> stagedInput(relation, input, views));
  }

  private Relation stagedInput(Relation eager, Relation input, Map<List<String>, View> views) {
    Relation whole = references.isEmpty() ? input : withRelations(input);
    LogicalPlan plan = secured(whole, views);
    if (Messages.runsJobs(eager)) executedColumns.addAll(new Lineage(invariants().check(plan)).read(plan, Messages.namedColumns(eager)));
    return stage(input, plan);
  }

  private Relation withReferences(Relation relation, Map<List<String>, View> views) {
    List<Relation> outer = references;
    references = relation.getWithRelations().getReferencesList();
    try {
      return Messages.mapInputs(relation, r -> staged(r, views));
    } finally {
      references = outer;
    }
  }

  private Relation withRelations(Relation input) {
    return Relation.newBuilder()
        .setCommon(input.getCommon())
        .setWithRelations(WithRelations.newBuilder().setRoot(input).addAllReferences(references))
        .build();
  }

  /** `spark.sql(text, df=df)`: the frames are names of this text alone. */
  private LogicalPlan sqlWith(Relation relation, java.util.function.UnaryOperator<Relation> change) {
    List<scala.Tuple3<String, SubqueryAlias, scala.Option<Object>>> named = new ArrayList<>();
    for (Relation reference : relation.getWithRelations().getReferencesList()) {
      String alias = reference.getSubqueryAlias().getAlias();
      LogicalPlan input = planner.transformRelation(change.apply(reference.getSubqueryAlias().getInput()));
      named.add(new scala.Tuple3<>(alias, SubqueryAlias$.MODULE$.apply(alias, input), Scala.none()));
    }
    return new UnresolvedWith(planner.transformRelation(relation.getWithRelations().getRoot()), Scala.seq(named), false);
  }

  private Relation stage(Relation original, LogicalPlan plan) {
    String handle = handles.keep(plan, session, true);
    stages.add(handle);
    Relation relation = Handles.relation(handle);
    return original.hasCommon() ? relation.toBuilder().setCommon(original.getCommon()).build() : relation;
  }

  /** Whether Spark plans it without computing anything: then what was described is what is analysed. */
  static boolean isPlain(Relation relation) {
    return !Messages.isEager(relation)
        && !Messages.isSqlWithReferences(relation)
        && Messages.inputs(relation).stream().allMatch(Statement::isPlain);
  }

  @Override
  public void close() {
    stages.forEach(handles::forget);
  }
}
