package cn.gongshu.spark;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.connect.proto.Relation;

/** A temporary view that the front emulates: its plan, and the views which that plan knew. */
record View(List<String> name, Relation root, Map<List<String>, View> views) {
  static Map<List<String>, View> all(JsonNode array) {
    Map<List<String>, View> found = new HashMap<>();
    for (JsonNode json : array) {
      List<String> name = Target.texts(json.get("name"));
      byte[] plan = Base64.getDecoder().decode(json.get("plan").asText());
      found.put(lower(name), new View(name, Messages.root(plan), all(json.get("views"))));
    }
    return found;
  }

  static List<String> lower(List<String> name) {
    return name.stream().map(part -> part.toLowerCase(Locale.ROOT)).toList();
  }
}
