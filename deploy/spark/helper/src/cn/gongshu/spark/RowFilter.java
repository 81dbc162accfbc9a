package cn.gongshu.spark;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import org.apache.spark.sql.catalyst.expressions.And;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.catalyst.expressions.EqualTo;
import org.apache.spark.sql.catalyst.expressions.EvalMode$;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GreaterThan;
import org.apache.spark.sql.catalyst.expressions.GreaterThanOrEqual;
import org.apache.spark.sql.catalyst.expressions.In;
import org.apache.spark.sql.catalyst.expressions.IsNotNull;
import org.apache.spark.sql.catalyst.expressions.IsNull;
import org.apache.spark.sql.catalyst.expressions.LessThan;
import org.apache.spark.sql.catalyst.expressions.LessThanOrEqual;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.Literal$;
import org.apache.spark.sql.catalyst.expressions.Not;
import org.apache.spark.sql.catalyst.expressions.Or;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.types.UTF8String;

/** A row filter of the grant as an expression. Literals take the column's type here, so the filter itself cannot fail on a row. */
final class RowFilter {
  private final Function<String, Attribute> column;
  private final String zone;

  RowFilter(Function<String, Attribute> column, String zone) {
    this.column = column;
    this.zone = zone;
  }

  Expression compile(JsonNode json) {
    if (json.has("and")) return fold(json.get("and"), And::new);
    if (json.has("or")) return fold(json.get("or"), Or::new);
    if (json.has("not")) return new Not(compile(json.get("not")));
    if (!json.hasNonNull("column") || !json.hasNonNull("op")) throw broken();
    return compare(column.apply(json.get("column").asText()), json);
  }

  private Expression fold(JsonNode parts, BinaryOperator<Expression> join) {
    List<Expression> found = new ArrayList<>();
    parts.forEach(part -> found.add(compile(part)));
    return found.stream().reduce(join).orElseThrow(RowFilter::broken);
  }

  private Expression compare(Attribute attribute, JsonNode json) {
    return switch (json.get("op").asText()) {
      case "=" -> new EqualTo(attribute, value(json, attribute));
      case "<>" -> new Not(new EqualTo(attribute, value(json, attribute)));
      case "<" -> new LessThan(attribute, value(json, attribute));
      case "<=" -> new LessThanOrEqual(attribute, value(json, attribute));
      case ">" -> new GreaterThan(attribute, value(json, attribute));
      case ">=" -> new GreaterThanOrEqual(attribute, value(json, attribute));
      case "in" -> new In(attribute, Scala.seq(values(json, attribute)));
      case "not-in" -> new Not(new In(attribute, Scala.seq(values(json, attribute))));
      case "is-null" -> new IsNull(attribute);
      case "is-not-null" -> new IsNotNull(attribute);
      default -> throw broken();
    };
  }

  private Expression value(JsonNode json, Attribute attribute) {
    if (!json.hasNonNull("value")) throw broken();
    return literal(json.get("value").asText(), attribute.dataType(), zone);
  }

  private List<Expression> values(JsonNode json, Attribute attribute) {
    if (!json.hasNonNull("values") || json.get("values").isEmpty()) throw broken();
    List<Expression> found = new ArrayList<>();
    for (JsonNode value : json.get("values")) {
      if (value.isNull() || value.isContainerNode()) throw broken();
      found.add(literal(value.asText(), attribute.dataType(), zone));
    }
    return found;
  }

  /** Text as a literal of the column's type; refused when it is no such value. Null text gives a null literal. */
  static Literal literal(String text, DataType type, String zone) {
    if (text == null) return Literal$.MODULE$.create(null, type);
    Object read =
        new Cast(new Literal(UTF8String.fromString(text), DataTypes.StringType), type, scala.Option.apply(zone), EvalMode$.MODULE$.TRY()).eval(null);
    if (read == null) throw broken();
    return new Literal(read, type);
  }

  private static Refusal broken() {
    return new Refusal("engine.row_filter.unusable", "row filter");
  }
}
