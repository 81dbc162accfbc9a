package cn.gongshu.spark;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.stream.Collectors;

/** The allow-lists, read from the jar. Closed: what is not named is refused. */
final class Lists {
  static final Set<String> FUNCTIONS = read("functions.txt");
  static final Set<String> TABLE_FUNCTIONS = read("table-functions.txt");
  static final Set<String> PLANS = read("plans.txt");
  static final Set<String> EXPRESSIONS = read("expressions.txt");
  private static final String CATALYST = "org.apache.spark.sql.catalyst.";

  private Lists() {}

  static boolean isAllowedPlan(Object node) {
    return PLANS.contains(shortName(node));
  }

  static boolean isAllowedExpression(Object expression) {
    return EXPRESSIONS.contains(shortName(expression)) || expression instanceof MaskedText;
  }

  private static String shortName(Object node) {
    String name = node.getClass().getName();
    return name.startsWith(CATALYST) ? name.substring(CATALYST.length()) : name;
  }

  private static Set<String> read(String name) {
    try (var stream = Lists.class.getResourceAsStream(name);
        var reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
      return reader.lines().filter(l -> !l.isBlank() && !l.startsWith("# ")).collect(Collectors.toUnmodifiableSet());
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }
}
