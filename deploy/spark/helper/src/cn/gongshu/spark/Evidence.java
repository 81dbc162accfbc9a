package cn.gongshu.spark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression$;
import org.apache.spark.sql.catalyst.optimizer.InlineCTE;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.classic.Dataset;
import org.apache.spark.sql.classic.Dataset$;
import org.apache.spark.sql.connect.service.SessionHolder;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.FloatType;
import org.apache.spark.sql.types.NumericType;

/**
 * A table that may leave: the gateway aggregates the governed plan itself and counts, for each cell and dataset, the
 * distinct entities and their largest shares. Only sums, counts and means; order and columns are ours.
 */
final class Evidence {
  private static final int MOST_CELLS = 100_000;
  private static final Set<String> FUNCTIONS = Set.of("sum", "count", "mean");

  private record Measure(String name, String function, String column) {}

  private final SessionHolder session;
  private final Statement statement;
  private final LogicalPlan analysed;
  private final List<String> by;
  private final List<Measure> measures = new ArrayList<>();

  Evidence(SessionHolder session, Statement statement, LogicalPlan analysed, JsonNode request) {
    this.session = session;
    this.statement = statement;
    this.analysed = analysed;
    this.by = Target.texts(request.get("by"));
    for (JsonNode m : request.get("measures")) {
      measures.add(new Measure(m.get("name").asText(), m.get("function").asText(), m.get("column").isNull() ? null : m.get("column").asText()));
    }
    for (Measure measure : measures) {
      if (!FUNCTIONS.contains(measure.function)) throw new Refusal("engine.release.function", measure.function);
      if (measure.column == null && !measure.function.equals("count")) throw new Refusal("engine.release.column", measure.name);
    }
    if (measures.isEmpty()) throw new Refusal("engine.release.no_measure", "measures");
  }

  ObjectNode table() {
    var uses = statement.invariants().check(analysed);
    LogicalPlan plan = Barrier.isNeeded(analysed, uses) ? Barrier.put(analysed, uses) : analysed;
    ObjectNode body = Answers.object();
    describe(body, uses);
    String impossible = null;
    Carrying.Carried carried = new Carrying.Carried(plan, List.of());
    try {
      LogicalPlan inlined = new InlineCTE(true, false, false).apply(plan);
      carried = new Carrying(statement.invariants().check(inlined)).carry(inlined);
      if (carried.entities().isEmpty()) impossible = "no-dataset";
    } catch (Carrying.Impossible reason) {
      impossible = reason.getMessage();
    }
    body.put("no_evidence", impossible).put("by_count", by.size());
    List<Carrying.Entity> entities = impossible == null ? carried.entities() : List.of();
    Dataset<Row> rows = Dataset$.MODULE$.ofRows(session.session(), named(carried.plan(), entities));
    cells(body, rows, entities);
    return body;
  }

  private void describe(ObjectNode body, List<Invariants.Use> uses) {
    Lineage lineage = new Lineage(uses);
    lineage.read(analysed, List.of());
    var read = new java.util.TreeSet<>(lineage.indirect);
    read.addAll(statement.executedColumns);
    ObjectNode origins = body.putObject("origins");
    List<String> used = new ArrayList<>(by);
    measures.stream().filter(m -> m.column != null).forEach(m -> used.add(m.column));
    for (String name : used) {
      Set<String> columns = lineage.of(output(name));
      read.addAll(columns);
      if (!origins.has(name)) columns.forEach(origins.putArray(name)::add);
    }
    ObjectNode columns = body.putObject("columns_read");
    Lineage.byDataset(read).forEach((dataset, names) -> names.forEach(columns.withArray("/" + dataset)::add));
    body.put("plan_text", PlanText.of(analysed, uses));
  }

  private Attribute output(String name) {
    List<Attribute> found = Scala.list(analysed.output()).stream().filter(a -> a.name().equalsIgnoreCase(name)).toList();
    if (found.size() != 1) throw new Refusal(found.isEmpty() ? "engine.release.column" : "engine.release.ambiguous", name);
    return found.get(0);
  }

  /** by columns as b0…, measured columns as m0…, entities as e0…: no name of the analyst's meets ours. */
  private LogicalPlan named(LogicalPlan plan, List<Carrying.Entity> entities) {
    List<NamedExpression> columns = new ArrayList<>();
    for (int i = 0; i < by.size(); i++) columns.add(alias(output(by.get(i)), "b" + i));
    for (int i = 0; i < measures.size(); i++) {
      if (measures.get(i).column != null) columns.add(alias(measured(measures.get(i)), "m" + i));
    }
    for (int i = 0; i < entities.size(); i++) columns.add(alias(entities.get(i).attribute(), "e" + i));
    return new Project(Scala.seq(columns), plan);
  }

  private Attribute measured(Measure measure) {
    Attribute column = output(measure.column);
    boolean numeric = measure.function.equals("count") || column.dataType() instanceof NumericType;
    if (!numeric) throw new Refusal("engine.release.not_a_number", measure.column);
    return column;
  }

  private static Alias alias(Attribute attribute, String name) {
    return new Alias(attribute, name, NamedExpression$.MODULE$.newExprId(), Scala.seq(List.of()), Scala.none(), Scala.seq(List.of()));
  }

  private void cells(ObjectNode body, Dataset<Row> rows, List<Carrying.Entity> entities) {
    List<Column> keys = columns("b", by.size());
    List<Column> values = new ArrayList<>(List.of(functions.expr("count(*)")));
    for (int i = 0; i < measures.size(); i++) values.add(functions.expr(value(i)));
    for (int i = 0; i < measures.size(); i++) values.add(functions.expr("cast(" + total(i, rows) + " as string)"));
    Dataset<Row> table = grouped(rows, keys, values).orderBy(keys.toArray(Column[]::new));
    List<Row> cells = collected(table);
    List<Map<List<Object>, Row>> evidence = new ArrayList<>();
    for (int e = 0; e < entities.size(); e++) evidence.add(evidence(rows, keys, e));

    ArrayNode names = body.putArray("columns");
    by.forEach(names::add);
    measures.forEach(m -> names.add(m.name));
    ArrayNode types = body.putArray("types");
    int width = by.size();
    for (int i = 0; i < width; i++) types.add(table.schema().fields()[i].dataType().sql());
    for (int i = 0; i < measures.size(); i++) types.add(table.schema().fields()[width + 1 + i].dataType().sql());
    ArrayNode out = body.putArray("cells");
    for (Row cell : cells) writeCell(out.addObject(), cell, entities, evidence);
  }

  private String value(int i) {
    Measure measure = measures.get(i);
    if (measure.function.equals("count")) return measure.column == null ? "count(*)" : "count(m" + i + ")";
    return (measure.function.equals("sum") ? "sum" : "avg") + "(m" + i + ")";
  }

  /** What a cell's contributions add up to: absolute values for sums and means, rows for counts. */
  private String total(int i, Dataset<Row> rows) {
    Measure measure = measures.get(i);
    if (measure.function.equals("count")) return value(i);
    DataType type = rows.schema().apply("m" + i).dataType();
    if (type instanceof DoubleType || type instanceof FloatType) return "sum(abs(m" + i + "))";
    int scale = type instanceof DecimalType decimal ? decimal.scale() : 0;
    return "sum(abs(cast(m" + i + " as decimal(38," + scale + "))))";
  }

  private Map<List<Object>, Row> evidence(Dataset<Row> rows, List<Column> keys, int e) {
    List<Column> withEntity = new ArrayList<>(keys);
    withEntity.add(functions.col("e" + e));
    List<Column> shares = new ArrayList<>();
    List<Column> tops = new ArrayList<>(List.of(functions.expr("count(*)")));
    for (int i = 0; i < measures.size(); i++) {
      shares.add(functions.expr(total(i, rows)).as("c" + i));
      tops.add(functions.expr("cast(max_by(c" + i + ", c" + i + ", 2) as array<string>)"));
    }
    Dataset<Row> each = grouped(rows.where("e" + e + " is not null"), withEntity, shares);
    Map<List<Object>, Row> found = new HashMap<>();
    for (Row row : collected(grouped(each, keys, tops))) found.put(key(row), row);
    return found;
  }

  private static Dataset<Row> grouped(Dataset<Row> rows, List<Column> keys, List<Column> values) {
    Column[] rest = values.subList(1, values.size()).toArray(Column[]::new);
    return rows.groupBy(keys.toArray(Column[]::new)).agg(values.get(0), rest);
  }

  private static List<Row> collected(Dataset<Row> rows) {
    List<Row> found = rows.limit(MOST_CELLS + 1).collectAsList();
    if (found.size() > MOST_CELLS) throw new Refusal("engine.release.too_many_cells", Integer.toString(MOST_CELLS));
    return found;
  }

  private static List<Column> columns(String prefix, int count) {
    List<Column> found = new ArrayList<>();
    for (int i = 0; i < count; i++) found.add(functions.col(prefix + i));
    return found;
  }

  private List<Object> key(Row row) {
    List<Object> key = new ArrayList<>();
    for (int i = 0; i < by.size(); i++) key.add(row.get(i));
    return key;
  }

  private void writeCell(ObjectNode out, Row cell, List<Carrying.Entity> entities, List<Map<List<Object>, Row>> evidence) {
    int width = by.size();
    ArrayNode keys = out.putArray("by");
    for (int i = 0; i < width; i++) keys.add(plain(cell.get(i)));
    out.put("rows", cell.getLong(width));
    ArrayNode values = out.putArray("values");
    for (int i = 0; i < measures.size(); i++) values.add(plain(cell.get(width + 1 + i)));
    ObjectNode counts = out.putObject("entities");
    ObjectNode shares = out.putObject("evidence");
    for (int e = 0; e < entities.size(); e++) {
      String dataset = entities.get(e).dataset();
      Row found = evidence.get(e).get(key(cell));
      long count = found == null ? 0 : found.getLong(width);
      // the same dataset twice in a join: the smaller figure stands
      if (counts.has(dataset) && counts.get(dataset).asLong() <= count) continue;
      counts.put(dataset, count);
      for (int i = 0; i < measures.size(); i++) {
        ObjectNode share = shares.withObject("/" + i).withObject("/" + dataset);
        List<String> tops = found == null || found.isNullAt(width + 1 + i) ? List.of() : found.getList(width + 1 + i);
        share.put("top1", tops.isEmpty() ? "0" : tops.get(0)).put("top2", tops.size() < 2 ? "0" : tops.get(1));
        String total = cell.getString(width + 1 + measures.size() + i);
        share.put("total", total == null ? "0" : total);
      }
    }
  }

  private static JsonNode plain(Object value) {
    if (value == null) return Answers.JSON.nullNode();
    if (value instanceof Boolean || value instanceof Integer || value instanceof Long || value instanceof Short || value instanceof Byte
        || value instanceof Double || value instanceof Float) return Answers.JSON.valueToTree(value);
    if (value instanceof java.math.BigDecimal decimal) return Answers.JSON.getNodeFactory().textNode(decimal.toPlainString());
    return Answers.JSON.getNodeFactory().textNode(value.toString());
  }
}
