package cn.gongshu.spark;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.codegen.Block;
import org.apache.spark.sql.catalyst.expressions.codegen.CodeBlock;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.types.UTF8String;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;

/**
 * Masks on text: `sha-256-keyed` (HMAC-SHA-256 in hex), `show-last-4`, `mask-alphanum`. The key is a field of the
 * expression and is no argument of it, so that no plan text, error or log can print it. Null stays null; never fails.
 */
public final class MaskedText extends Expression implements java.io.Serializable {
  private static final int SHOWN = 4;
  private final Expression child;
  private final String kind;
  private final byte[] key;
  private transient ThreadLocal<Mac> macs;

  MaskedText(Expression child, String kind, byte[] key) {
    this.child = child;
    this.kind = kind;
    this.key = key;
  }

  /** Called by generated code. */
  public UTF8String apply(UTF8String value) {
    return switch (kind) {
      case "sha-256-keyed" -> digest(value);
      case "show-last-4" -> UTF8String.fromString(lastFour(value.toString()));
      case "mask-alphanum" -> UTF8String.fromString(masked(value.toString()));
      default -> throw new IllegalStateException("mask");
    };
  }

  private UTF8String digest(UTF8String value) {
    return UTF8String.fromBytes(HexFormat.of().formatHex(mac().doFinal(value.getBytes())).getBytes(StandardCharsets.US_ASCII));
  }

  private synchronized ThreadLocal<Mac> threadMacs() {
    if (macs == null) macs = ThreadLocal.withInitial(() -> newMac(key));
    return macs;
  }

  private Mac mac() {
    ThreadLocal<Mac> mine = macs;
    return (mine == null ? threadMacs() : mine).get();
  }

  private static Mac newMac(byte[] key) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      return mac;
    } catch (GeneralSecurityException error) {
      throw new IllegalStateException(error);
    }
  }

  private static String lastFour(String text) {
    int length = text.codePointCount(0, text.length());
    if (length <= SHOWN) return "*".repeat(length);
    return "*".repeat(length - SHOWN) + text.substring(text.offsetByCodePoints(0, length - SHOWN));
  }

  private static String masked(String text) {
    StringBuilder out = new StringBuilder(text.length());
    text.codePoints()
        .map(c -> Character.isDigit(c) ? 'n' : Character.isLetter(c) || Character.getType(c) == Character.OTHER_LETTER ? 'x' : c)
        .forEach(out::appendCodePoint);
    return out.toString();
  }

  @Override
  public Object eval(InternalRow row) {
    Object value = child.eval(row);
    return value == null ? null : apply((UTF8String) value);
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    String mask = context.addReferenceObj("mask", this, MaskedText.class.getName());
    ExprCode input = child.genCode(context);
    String isNull = code.isNull().code();
    String value = code.value().code();
    String body =
        String.format(
            "boolean %s = %s; UTF8String %s = %s ? null : %s.apply(%s);", isNull, input.isNull().code(), value, isNull, mask, input.value().code());
    Block own = new CodeBlock(Scala.seq(List.of(body)), Scala.seq(List.of()));
    return new ExprCode(input.code().$plus(own), code.isNull(), code.value());
  }

  @Override
  public boolean nullable() {
    return child.nullable();
  }

  @Override
  public Seq<Expression> children() {
    return Scala.seq(List.of(child));
  }

  @Override
  public Expression withNewChildrenInternal(IndexedSeq<Expression> changed) {
    return new MaskedText(changed.apply(0), kind, key);
  }

  @Override
  public DataType dataType() {
    return DataTypes.StringType;
  }

  @Override
  public String prettyName() {
    return "masked";
  }

  @Override
  public int productArity() {
    return 2;
  }

  @Override
  public Object productElement(int index) {
    return index == 0 ? child : kind;
  }

  @Override
  public boolean canEqual(Object other) {
    return other instanceof MaskedText;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof MaskedText that && child.equals(that.child) && kind.equals(that.kind) && Arrays.equals(key, that.key);
  }

  @Override
  public int hashCode() {
    return 31 * child.hashCode() + kind.hashCode();
  }
}
