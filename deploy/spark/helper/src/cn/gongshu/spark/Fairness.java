package cn.gongshu.spark;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkContext;
import org.apache.spark.Success$;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageCompleted;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;

/**
 * One pool for each person, and turns for tasks that would never end by themselves. Spark's fair pools share slots only
 * as they fall free; a cross join holds every slot for as long as it likes. Where a person's statement waits and has no
 * slot at all, one task of whoever holds the most is broken off; it is tried again and costs its statement no failure.
 * With more people than slots the one who had the longest turn yields, and has a longer one next time.
 */
final class Fairness extends SparkListener {
  static final String POOL = "spark.scheduler.pool";
  private static final long TICK_MILLIS = 250;
  private static final long WAIT_NANOS = 500_000_000L;
  private static final long TURN_NANOS = 10_000_000_000L;
  private static final int LONGEST_TURNS = 6;

  private static final class Stage {
    final String pool;
    int waiting;
    int yielded;
    final Map<Long, Long> started = new HashMap<>();

    Stage(String pool, int waiting) {
      this.pool = pool;
      this.waiting = waiting;
    }
  }

  private record Task(long id, long age, Stage stage) {}

  private final SparkContext context;
  private final Map<Integer, Stage> stages = new HashMap<>();
  private final Map<String, Long> hungrySince = new HashMap<>();

  Fairness(SparkContext context) {
    this.context = context;
  }

  void begin() {
    context.listenerBus().addToQueue(this, "gongshu-fairness");
    var clock =
        Executors.newSingleThreadScheduledExecutor(
            work -> {
              Thread thread = new Thread(work, "gongshu-fairness");
              thread.setDaemon(true);
              return thread;
            });
    clock.scheduleWithFixedDelay(this::look, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
  }

  @Override
  public synchronized void onStageSubmitted(SparkListenerStageSubmitted event) {
    String pool = event.properties() == null ? null : event.properties().getProperty(POOL);
    stages.put(event.stageInfo().stageId(), new Stage(pool == null ? "default" : pool, event.stageInfo().numTasks()));
  }

  @Override
  public synchronized void onStageCompleted(SparkListenerStageCompleted event) {
    stages.remove(event.stageInfo().stageId());
  }

  @Override
  public synchronized void onTaskStart(SparkListenerTaskStart event) {
    Stage stage = stages.get(event.stageId());
    if (stage == null) return;
    stage.waiting--;
    stage.started.put(event.taskInfo().taskId(), System.nanoTime());
  }

  @Override
  public synchronized void onTaskEnd(SparkListenerTaskEnd event) {
    Stage stage = stages.get(event.stageId());
    if (stage == null || stage.started.remove(event.taskInfo().taskId()) == null) return;
    if (event.reason() != Success$.MODULE$) stage.waiting++;
  }

  private void look() {
    try {
      Task yields = choose();
      if (yields != null) context.killTaskAttempt(yields.id, true, "another person's turn");
    } catch (RuntimeException stopped) {
      // the context is ending; the next look, if there is one, sees for itself
    }
  }

  private synchronized Task choose() {
    Map<String, Integer> running = new HashMap<>();
    Map<String, Integer> waiting = new HashMap<>();
    for (Stage stage : stages.values()) {
      running.merge(stage.pool, stage.started.size(), Integer::sum);
      waiting.merge(stage.pool, stage.waiting, Integer::sum);
    }
    long now = System.nanoTime();
    hungrySince.keySet().removeIf(pool -> waiting.getOrDefault(pool, 0) <= 0 || running.get(pool) > 0);
    waiting.forEach((pool, count) -> { if (count > 0 && running.get(pool) == 0) hungrySince.putIfAbsent(pool, now); });
    if (hungrySince.values().stream().noneMatch(since -> now - since >= WAIT_NANOS)) return null;
    Task task = of(richest(running), now);
    if (task == null) return null;
    task.stage.yielded++;
    hungrySince.replaceAll((pool, since) -> now); // time for the freed slot to be taken
    return task;
  }

  private static String richest(Map<String, Integer> running) {
    var most = running.entrySet().stream().max(Map.Entry.comparingByValue()).orElse(null);
    return most != null && most.getValue() > 1 ? most.getKey() : null;
  }

  /** The youngest task of the pool that holds several slots; or the one that has had its turn, where all hold one. */
  private Task of(String pool, long now) {
    Task found = null;
    for (Stage stage : stages.values()) {
      if (pool != null && !stage.pool.equals(pool)) continue;
      long least = pool != null ? WAIT_NANOS : TURN_NANOS << Math.min(stage.yielded, LONGEST_TURNS);
      for (var one : stage.started.entrySet()) {
        Task task = new Task(one.getKey(), now - one.getValue(), stage);
        boolean better = found == null || (pool != null ? task.age < found.age : task.age > found.age);
        if (task.age >= least && better) found = task;
      }
    }
    return found;
  }
}
