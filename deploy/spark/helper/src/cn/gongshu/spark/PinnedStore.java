package cn.gongshu.spark;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.impl.FutureIOSupport;
import org.apache.hadoop.fs.impl.OpenFileParameters;
import org.apache.hadoop.fs.s3a.S3AFileStatus;
import org.apache.hadoop.fs.s3a.S3AFileSystem;

/**
 * s3a that reads exactly the object that was registered. A pinned path carries size, version and etag of its object behind
 * the key (`…/part.parquet;s=12;v=…;e=…`), so that executors elsewhere need to be told nothing: the store is asked for
 * that object only if it is still that one, and what was put in its place is an error, not other rows. It also spares the
 * store one question per file. Statements read pinned paths only ({@link Securing} sees to it).
 */
public final class PinnedStore extends S3AFileSystem {
  private static final long BLOCK_BYTES = 64L << 20;

  @Override
  public FSDataInputStream open(Path path, int bufferSize) throws IOException {
    if (!isPinned(path)) return super.open(path, bufferSize);
    return FutureIOSupport.awaitFuture(openPinned(path, new OpenFileParameters().withBufferSize(bufferSize)));
  }

  @Override
  public CompletableFuture<FSDataInputStream> openFileWithOptions(Path path, OpenFileParameters asked) throws IOException {
    return isPinned(path) ? openPinned(path, asked) : super.openFileWithOptions(path, asked);
  }

  @Override
  public FileStatus getFileStatus(Path path) throws IOException {
    S3AFileStatus pinned = statusOf(path, path);
    return pinned == null ? super.getFileStatus(path) : pinned;
  }

  private CompletableFuture<FSDataInputStream> openPinned(Path path, OpenFileParameters asked) throws IOException {
    Path object = new Path(path.getParent(), path.getName().substring(0, path.getName().indexOf(';')));
    Configuration options = asked.getOptions() == null ? new Configuration(false) : asked.getOptions();
    OpenFileParameters pinned =
        new OpenFileParameters()
            .withMandatoryKeys(Set.of())
            .withOptionalKeys(asked.getOptionalKeys() == null ? Set.of() : asked.getOptionalKeys())
            .withOptions(options)
            .withBufferSize(asked.getBufferSize())
            .withStatus(statusOf(path, object));
    return super.openFileWithOptions(object, pinned);
  }

  static boolean isPinned(Path path) {
    return path.getName().indexOf(';') > 0;
  }

  /** What a pinned path says of its object, without asking the store; null when it is not pinned. */
  private static S3AFileStatus statusOf(Path path, Path named) throws FileNotFoundException {
    if (!isPinned(path)) return null;
    String[] parts = path.getName().split(";");
    if (parts.length != 4 || !parts[1].startsWith("s=") || !parts[2].startsWith("v=") || parts[2].length() == 2) {
      throw new FileNotFoundException("not a registered object");
    }
    long bytes = Long.parseLong(parts[1].substring(2));
    return new S3AFileStatus(bytes, 0, named, BLOCK_BYTES, "gongshu", parts[3].substring(2), parts[2].substring(2));
  }
}
