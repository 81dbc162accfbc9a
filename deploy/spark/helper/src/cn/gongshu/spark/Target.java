package cn.gongshu.spark;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A dataset version as one grant lets it be seen (the `SecuredRelation` of the Python side). */
final class Target {
  record StoredColumn(String name, String type, String comment) {}

  record Mask(String kind, long size) {}

  record PinnedFile(String uri, long bytes, Map<String, String> partition) {}

  final List<String> name;
  final String dataset;
  final int version;
  final List<PinnedFile> files = new ArrayList<>();
  final List<StoredColumn> columns = new ArrayList<>();
  final List<String> partitionColumns = new ArrayList<>();
  /** Allowed column to its mask (null = none), in order. */
  final Map<String, Mask> allowed = new LinkedHashMap<>();

  final JsonNode rowFilter;
  final byte[] maskKey;
  final String entityColumn;

  Target(JsonNode json) {
    name = texts(json.get("name"));
    dataset = json.get("dataset").asText();
    version = json.get("version").asInt();
    json.get("files").forEach(f -> files.add(file(f)));
    json.get("columns").forEach(c -> columns.add(new StoredColumn(c.get(0).asText(), c.get(1).asText(), c.get(2).asText())));
    partitionColumns.addAll(texts(json.get("partition_columns")));
    json.get("allowed").forEach(a -> allowed.put(a.get(0).asText(), mask(a.get(1))));
    rowFilter = json.get("row_filter").isNull() ? null : json.get("row_filter");
    maskKey = Base64.getDecoder().decode(json.get("mask_key").asText());
    entityColumn = json.get("entity_column").isNull() ? null : json.get("entity_column").asText();
  }

  boolean isPartitioned() {
    return !partitionColumns.isEmpty();
  }

  static List<String> texts(JsonNode array) {
    List<String> found = new ArrayList<>();
    array.forEach(item -> found.add(item.asText()));
    return found;
  }

  private static Mask mask(JsonNode json) {
    return json.isNull() ? null : new Mask(json.get("kind").asText(), json.get("size").asLong());
  }

  private static PinnedFile file(JsonNode json) {
    Map<String, String> partition = new LinkedHashMap<>();
    json.get(2).fields().forEachRemaining(e -> partition.put(e.getKey(), e.getValue().isNull() ? null : e.getValue().asText()));
    return new PinnedFile(json.get(0).asText(), json.get(1).asLong(), partition);
  }
}
