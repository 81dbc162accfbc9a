package cn.gongshu.spark;

import java.util.List;
import java.util.function.Function;
import scala.PartialFunction;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/** Scala's collections and partial functions, as Java needs them. */
final class Scala {
  private Scala() {}

  static <T> Seq<T> seq(List<? extends T> list) {
    return CollectionConverters.<T>asScala((List<T>) list).toSeq();
  }

  static <T> List<T> list(scala.collection.Seq<T> seq) {
    return CollectionConverters.asJava(seq);
  }

  static <T> scala.Option<T> none() {
    return scala.Option.empty();
  }

  static <K, V> scala.collection.immutable.Map<K, V> map(java.util.Map<K, V> map) {
    return scala.collection.immutable.Map$.MODULE$.from(CollectionConverters.asScala(map));
  }

  /** A rewrite that answers null where it does not apply. */
  static <T> PartialFunction<T, T> rewrite(Function<T, T> function) {
    return new scala.runtime.AbstractPartialFunction<T, T>() {
      @Override
      public boolean isDefinedAt(T value) {
        return function.apply(value) != null;
      }

      @Override
      @SuppressWarnings("unchecked")
      public <A extends T, B> B applyOrElse(A value, scala.Function1<A, B> otherwise) {
        T result = function.apply(value);
        return result == null ? otherwise.apply(value) : (B) result;
      }
    };
  }
}
