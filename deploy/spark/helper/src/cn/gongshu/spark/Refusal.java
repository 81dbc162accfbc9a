package cn.gongshu.spark;

import java.util.Map;

/** A plan that may not run: a stable code and what the analyst may be told; never data, never a hidden name. */
final class Refusal extends RuntimeException {
  final String code;
  final Map<String, String> details;

  Refusal(String code, Map<String, String> details) {
    super(code, null, false, false);
    this.code = code;
    this.details = details;
  }

  Refusal(String code, String what) {
    this(code, Map.of("what", what));
  }
}
