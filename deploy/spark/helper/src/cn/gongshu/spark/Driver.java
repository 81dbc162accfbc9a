package cn.gongshu.spark;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connect.service.SparkConnectService$;
import py4j.GatewayServer;

/**
 * The driver process. Its settings and secrets come as one line of JSON on standard input, so that neither the
 * environment nor the command line holds any; it answers with one line (the ports) and ends when standard input does.
 */
public final class Driver {
  private Driver() {}

  public static void main(String[] arguments) throws Exception {
    PrintStream answer = System.out;
    System.setOut(System.err);
    var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    JsonNode settings = Answers.JSON.readTree(input.readLine());
    endWith(input);

    GatewayOnly.token = settings.get("connect_token").asText();
    Handles handles = new Handles(settings.get("handle_seconds").asLong());
    HandlePlugin.handles = handles;
    SparkSession session = SparkSession.builder().config(conf(settings)).getOrCreate();

    Map<String, String> pinned = new TreeMap<>();
    settings.get("pinned").fields().forEachRemaining(e -> pinned.put(e.getKey(), e.getValue().asText()));
    Securing securing = new Securing(session, settings.get("time_zone").asText(), settings.get("allow_local_files").asBoolean());
    Engine engine = new Engine(session, pinned, handles, securing, settings.get("call_seconds").asLong());
    GatewayServer server =
        new GatewayServer.GatewayServerBuilder()
            .entryPoint(engine)
            .javaPort(0)
            .javaAddress(InetAddress.getLoopbackAddress())
            .authToken(settings.get("py4j_token").asText())
            .build();
    server.start();
    var ports = Answers.object().put("py4j_port", server.getListeningPort()).put("connect_port", SparkConnectService$.MODULE$.localPort());
    answer.println(ports);
    answer.flush();
    engine.warmUp(settings.get("warm_bucket").asText());
  }

  private static SparkConf conf(JsonNode settings) {
    SparkConf conf = new SparkConf(false);
    settings.get("conf").fields().forEachRemaining(e -> conf.set(e.getKey(), e.getValue().asText()));
    settings.get("pinned").fields().forEachRemaining(e -> conf.set(e.getKey(), e.getValue().asText()));
    conf.set("spark.hadoop.fs.s3a.impl", PinnedStore.class.getName());
    return conf;
  }

  /** The gateway's death is ours. */
  private static void endWith(BufferedReader input) {
    Thread watch =
        new Thread(
            () -> {
              try {
                while (input.read() != -1) {
                  // nothing is said after the first line
                }
              } catch (IOException closed) {
                // the same as its end
              }
              Runtime.getRuntime().halt(0);
            },
            "gongshu-parent");
    watch.setDaemon(true);
    watch.start();
  }
}
