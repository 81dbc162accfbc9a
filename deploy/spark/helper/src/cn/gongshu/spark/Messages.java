package cn.gongshu.spark;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.apache.spark.connect.proto.Aggregate;
import org.apache.spark.connect.proto.Expression;
import org.apache.spark.connect.proto.Filter;
import org.apache.spark.connect.proto.Plan;
import org.apache.spark.connect.proto.Read;
import org.apache.spark.connect.proto.Relation;
import org.apache.spark.connect.proto.Relation.RelTypeCase;
import org.apache.spark.connect.proto.StatSampleBy;
import org.sparkproject.connect.protobuf.CodedInputStream;
import org.sparkproject.connect.protobuf.Descriptors.FieldDescriptor;
import org.sparkproject.connect.protobuf.Message;

/**
 * The protocol's messages: which relations and expressions may come in at all (the front decides this first; here it
 * is decided again), and which of them Spark computes while it plans.
 */
final class Messages {
  private static final int DEEPEST = 1024;

  private static final Set<RelTypeCase> ALLOWED =
      EnumSet.of(
          RelTypeCase.READ, RelTypeCase.PROJECT, RelTypeCase.FILTER, RelTypeCase.JOIN, RelTypeCase.SET_OP, RelTypeCase.SORT,
          RelTypeCase.LIMIT, RelTypeCase.AGGREGATE, RelTypeCase.SQL, RelTypeCase.LOCAL_RELATION, RelTypeCase.CACHED_LOCAL_RELATION,
          RelTypeCase.CHUNKED_CACHED_LOCAL_RELATION, RelTypeCase.SAMPLE, RelTypeCase.OFFSET, RelTypeCase.DEDUPLICATE, RelTypeCase.RANGE,
          RelTypeCase.SUBQUERY_ALIAS, RelTypeCase.REPARTITION, RelTypeCase.REPARTITION_BY_EXPRESSION, RelTypeCase.TO_DF,
          RelTypeCase.WITH_COLUMNS, RelTypeCase.WITH_COLUMNS_RENAMED, RelTypeCase.DROP, RelTypeCase.TAIL, RelTypeCase.SHOW_STRING,
          RelTypeCase.HTML_STRING, RelTypeCase.UNPIVOT, RelTypeCase.TO_SCHEMA, RelTypeCase.FILL_NA, RelTypeCase.DROP_NA,
          RelTypeCase.REPLACE, RelTypeCase.SUMMARY, RelTypeCase.DESCRIBE, RelTypeCase.CROSSTAB, RelTypeCase.COV, RelTypeCase.CORR,
          RelTypeCase.APPROX_QUANTILE, RelTypeCase.FREQ_ITEMS, RelTypeCase.SAMPLE_BY, RelTypeCase.TRANSPOSE, RelTypeCase.LATERAL_JOIN,
          RelTypeCase.AS_OF_JOIN, RelTypeCase.WITH_RELATIONS, RelTypeCase.UNRESOLVED_TABLE_VALUED_FUNCTION, RelTypeCase.HINT,
          RelTypeCase.COLLECT_METRICS);

  private static final Set<Expression.ExprTypeCase> ALLOWED_EXPRESSIONS =
      EnumSet.of(
          Expression.ExprTypeCase.LITERAL, Expression.ExprTypeCase.UNRESOLVED_ATTRIBUTE, Expression.ExprTypeCase.UNRESOLVED_FUNCTION,
          Expression.ExprTypeCase.EXPRESSION_STRING, Expression.ExprTypeCase.UNRESOLVED_STAR, Expression.ExprTypeCase.ALIAS,
          Expression.ExprTypeCase.CAST, Expression.ExprTypeCase.UNRESOLVED_REGEX, Expression.ExprTypeCase.SORT_ORDER,
          Expression.ExprTypeCase.LAMBDA_FUNCTION, Expression.ExprTypeCase.UNRESOLVED_NAMED_LAMBDA_VARIABLE,
          Expression.ExprTypeCase.WINDOW, Expression.ExprTypeCase.UNRESOLVED_EXTRACT_VALUE, Expression.ExprTypeCase.UPDATE_FIELDS,
          Expression.ExprTypeCase.CALL_FUNCTION, Expression.ExprTypeCase.NAMED_ARGUMENT_EXPRESSION,
          Expression.ExprTypeCase.SUBQUERY_EXPRESSION);

  /** Planned by analysing or running their input: the input must be governed before Spark sees the relation. */
  private static final Set<RelTypeCase> EAGER =
      EnumSet.of(
          RelTypeCase.SHOW_STRING, RelTypeCase.HTML_STRING, RelTypeCase.FILL_NA, RelTypeCase.DROP_NA, RelTypeCase.REPLACE,
          RelTypeCase.SUMMARY, RelTypeCase.DESCRIBE, RelTypeCase.COV, RelTypeCase.CORR, RelTypeCase.APPROX_QUANTILE,
          RelTypeCase.CROSSTAB, RelTypeCase.FREQ_ITEMS, RelTypeCase.TO_SCHEMA, RelTypeCase.WITH_COLUMNS,
          RelTypeCase.WITH_COLUMNS_RENAMED, RelTypeCase.DROP, RelTypeCase.AS_OF_JOIN, RelTypeCase.TRANSPOSE);

  /** Of the eager ones, those that may run a job; their columns count as read even when the result no longer shows it. */
  private static final Set<RelTypeCase> RUNS =
      EnumSet.of(
          RelTypeCase.SHOW_STRING, RelTypeCase.HTML_STRING, RelTypeCase.COV, RelTypeCase.CORR, RelTypeCase.APPROX_QUANTILE,
          RelTypeCase.CROSSTAB, RelTypeCase.FREQ_ITEMS, RelTypeCase.TRANSPOSE, RelTypeCase.AGGREGATE, RelTypeCase.SUMMARY,
          RelTypeCase.DESCRIBE);

  private Messages() {}

  static Relation root(byte[] plan) {
    try {
      CodedInputStream input = CodedInputStream.newInstance(plan);
      input.setRecursionLimit(DEEPEST);
      Plan parsed = Plan.parseFrom(input);
      if (!parsed.hasRoot()) throw new Refusal("engine.plan.command", "command");
      return parsed.getRoot();
    } catch (java.io.IOException error) {
      throw new Refusal("engine.plan.unreadable", "plan");
    }
  }

  static boolean isEager(Relation relation) {
    return EAGER.contains(relation.getRelTypeCase()) || isPivot(relation) || isOrderedSample(relation);
  }

  static boolean runsJobs(Relation relation) {
    return RUNS.contains(relation.getRelTypeCase()) && isEager(relation);
  }

  private static boolean isPivot(Relation relation) {
    return relation.hasAggregate() && relation.getAggregate().getGroupType() == Aggregate.GroupType.GROUP_TYPE_PIVOT;
  }

  private static boolean isOrderedSample(Relation relation) {
    return relation.hasSample() && relation.getSample().getDeterministicOrder();
  }

  static boolean isSqlWithReferences(Relation relation) {
    return relation.hasWithRelations()
        && relation.getWithRelations().getRoot().hasSql()
        && relation.getWithRelations().getReferencesList().stream().allMatch(Relation::hasSubqueryAlias);
  }

  /** Refuses what is not on the lists, at any depth, unknown fields included. */
  static void requireAllowed(Message message) {
    if (!message.getUnknownFields().asMap().isEmpty()) throw new Refusal("engine.message.unknown_field", message.getDescriptorForType().getName());
    if (message instanceof Relation relation) requireRelation(relation);
    else if (message instanceof Expression expression && !ALLOWED_EXPRESSIONS.contains(expression.getExprTypeCase())) {
      throw new Refusal("engine.message.expression", expression.getExprTypeCase().name().toLowerCase(java.util.Locale.ROOT));
    }
    forEachMessage(message, Messages::requireAllowed);
  }

  private static void requireRelation(Relation relation) {
    if (!ALLOWED.contains(relation.getRelTypeCase())) {
      throw new Refusal("engine.message.relation", relation.getRelTypeCase().name().toLowerCase(java.util.Locale.ROOT));
    }
    if (relation.hasRead()) {
      Read read = relation.getRead();
      if (!read.hasNamedTable()) throw new Refusal("engine.message.relation", "data source");
      if (read.getIsStreaming()) throw new Refusal("engine.plan.streaming", "stream");
      if (read.getNamedTable().getOptionsCount() > 0) throw new Refusal("engine.relation.options", "options");
    }
    if (relation.hasWithRelations() && relation.getWithRelations().getRoot().hasSql() && !isSqlWithReferences(relation)) {
      throw new Refusal("engine.message.relation", "with_relations");
    }
    if (relation.hasJoin() && relation.getJoin().hasJoinDataType()) throw new Refusal("engine.message.relation", "typed join");
    if (relation.hasSql()) requireArguments(relation);
  }

  /** Arguments of a SQL text are analysed by Spark before we see the plan: values only. */
  private static void requireArguments(Relation relation) {
    List<Expression> arguments = new ArrayList<>(relation.getSql().getPosArgumentsList());
    arguments.addAll(relation.getSql().getNamedArgumentsMap().values());
    arguments.forEach(Messages::requireValue);
  }

  private static void requireValue(Expression argument) {
    if (argument.hasLiteral()) return;
    if (argument.hasCast()) {
      requireValue(argument.getCast().getExpr());
      return;
    }
    if (argument.hasUnresolvedFunction()
        && Set.of("array", "map", "map_from_arrays", "named_struct", "struct").contains(argument.getUnresolvedFunction().getFunctionName().toLowerCase(java.util.Locale.ROOT))) {
      argument.getUnresolvedFunction().getArgumentsList().forEach(Messages::requireValue);
      return;
    }
    throw new Refusal("engine.message.argument", "argument");
  }

  /** `sampleBy` as a filter: Spark would plan it with a function of its own that no list can tell from a foreign one. */
  static Relation withoutSampleBy(Relation relation) {
    if (!relation.hasSampleBy()) return relation;
    StatSampleBy sample = relation.getSampleBy();
    Expression.UnresolvedFunction.Builder fraction = Expression.UnresolvedFunction.newBuilder().setFunctionName("when");
    for (StatSampleBy.Fraction f : sample.getFractionsList()) {
      fraction.addArguments(call("=", sample.getCol(), Expression.newBuilder().setLiteral(f.getStratum()).build()));
      fraction.addArguments(number(f.getFraction()));
    }
    fraction.addArguments(number(0));
    Expression.Literal.Builder seed = Expression.Literal.newBuilder().setLong(sample.getSeed());
    Expression random = call("rand", Expression.newBuilder().setLiteral(seed).build());
    Expression keep = call("<", random, Expression.newBuilder().setUnresolvedFunction(fraction).build());
    return relation.toBuilder().setFilter(Filter.newBuilder().setInput(sample.getInput()).setCondition(keep)).build();
  }

  private static Expression call(String function, Expression... arguments) {
    return Expression.newBuilder()
        .setUnresolvedFunction(Expression.UnresolvedFunction.newBuilder().setFunctionName(function).addAllArguments(List.of(arguments)))
        .build();
  }

  private static Expression number(double value) {
    return Expression.newBuilder().setLiteral(Expression.Literal.newBuilder().setDouble(value)).build();
  }

  /** The same message with each nearest relation below it replaced. */
  static Relation mapInputs(Relation relation, UnaryOperator<Relation> change) {
    return (Relation) mapBelow(relation, change);
  }

  private static Message mapBelow(Message message, UnaryOperator<Relation> change) {
    Message.Builder builder = null;
    for (var entry : message.getAllFields().entrySet()) {
      FieldDescriptor field = entry.getKey();
      if (field.getJavaType() != FieldDescriptor.JavaType.MESSAGE || field.isMapField()) continue;
      if (builder == null) builder = message.toBuilder();
      if (field.isRepeated()) {
        List<?> values = (List<?>) entry.getValue();
        for (int i = 0; i < values.size(); i++) builder.setRepeatedField(field, i, mapOne((Message) values.get(i), change));
      } else {
        builder.setField(field, mapOne((Message) entry.getValue(), change));
      }
    }
    return builder == null ? message : builder.build();
  }

  private static Message mapOne(Message message, UnaryOperator<Relation> change) {
    return message instanceof Relation relation ? change.apply(relation) : mapBelow(message, change);
  }

  /** The nearest relations below a relation. */
  static List<Relation> inputs(Relation relation) {
    List<Relation> found = new ArrayList<>();
    mapInputs(relation, input -> { found.add(input); return input; });
    return found;
  }

  /** The nearest expressions of a relation itself, none of its inputs'. */
  static List<Expression> expressions(Relation relation) {
    List<Expression> found = new ArrayList<>();
    collectExpressions(relation, found);
    return found;
  }

  private static void collectExpressions(Message message, List<Expression> found) {
    forEachMessage(message, part -> {
      if (part instanceof Expression expression) found.add(expression);
      else if (!(part instanceof Relation)) collectExpressions(part, found);
    });
  }

  /** Names of columns that an eager relation names as plain text; empty = it may use all. */
  static List<String> namedColumns(Relation relation) {
    return switch (relation.getRelTypeCase()) {
      case COV -> List.of(relation.getCov().getCol1(), relation.getCov().getCol2());
      case CORR -> List.of(relation.getCorr().getCol1(), relation.getCorr().getCol2());
      case CROSSTAB -> List.of(relation.getCrosstab().getCol1(), relation.getCrosstab().getCol2());
      case APPROX_QUANTILE -> relation.getApproxQuantile().getColsList();
      case FREQ_ITEMS -> relation.getFreqItems().getColsList();
      case DESCRIBE -> relation.getDescribe().getColsList();
      default -> List.of();
    };
  }

  private static void forEachMessage(Message message, Consumer<Message> visit) {
    for (var entry : message.getAllFields().entrySet()) {
      if (entry.getKey().getJavaType() != FieldDescriptor.JavaType.MESSAGE) continue;
      if (entry.getKey().isRepeated()) ((List<?>) entry.getValue()).forEach(v -> visit.accept((Message) v));
      else visit.accept((Message) entry.getValue());
    }
  }
}
