package cn.gongshu.spark;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Set;
import org.apache.spark.connect.proto.AddArtifactsRequest;
import org.apache.spark.connect.proto.AnalyzePlanRequest;
import org.apache.spark.connect.proto.ConfigRequest;
import org.apache.spark.connect.proto.ExecutePlanRequest;
import org.apache.spark.connect.proto.Plan;
import org.sparkproject.connect.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import org.sparkproject.connect.grpc.Metadata;
import org.sparkproject.connect.grpc.ServerCall;
import org.sparkproject.connect.grpc.ServerCallHandler;
import org.sparkproject.connect.grpc.ServerInterceptor;
import org.sparkproject.connect.grpc.Status;

/**
 * Nobody but the gateway talks to Spark Connect, and even the gateway cannot have a plan run that is no handle. The
 * token lives here in memory, never in Spark's configuration or the environment.
 */
public final class GatewayOnly implements ServerInterceptor {
  private static final Metadata.Key<String> AUTHORIZATION = Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
  private static final Set<String> METHODS =
      Set.of("ExecutePlan", "AnalyzePlan", "Config", "AddArtifacts", "ArtifactStatus", "Interrupt", "ReattachExecute",
          "ReleaseExecute", "ReleaseSession", "FetchErrorDetails");
  static volatile String token;

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    String sent = headers.get(AUTHORIZATION);
    byte[] expected = ("Bearer " + token).getBytes(StandardCharsets.UTF_8);
    if (token == null || sent == null || !MessageDigest.isEqual(sent.getBytes(StandardCharsets.UTF_8), expected)) {
      return refuse(call, Status.UNAUTHENTICATED);
    }
    if (!METHODS.contains(call.getMethodDescriptor().getBareMethodName())) return refuse(call, Status.PERMISSION_DENIED);
    return new SimpleForwardingServerCallListener<Q>(next.startCall(call, headers)) {
      private boolean refused;

      @Override
      public void onMessage(Q message) {
        if (isAllowed(message)) {
          super.onMessage(message);
        } else {
          refused = true;
          call.close(Status.PERMISSION_DENIED.withDescription("GONGSHU_NOT_A_HANDLE"), new Metadata());
        }
      }

      @Override
      public void onHalfClose() {
        if (!refused) super.onHalfClose();
      }
    };
  }

  private static boolean isAllowed(Object message) {
    if (message instanceof ExecutePlanRequest execute) return isHandle(execute.getPlan());
    if (message instanceof AnalyzePlanRequest analyze) return isAllowedAnalysis(analyze);
    if (message instanceof ConfigRequest config) {
      return switch (config.getOperation().getOpTypeCase()) {
        case GET, GET_OPTION, GET_WITH_DEFAULT, IS_MODIFIABLE -> true;
        default -> false;
      };
    }
    if (message instanceof AddArtifactsRequest artifacts) return isLocalData(artifacts);
    return true;
  }

  /** Rows that the client made itself, under their digest; never code or files. */
  private static boolean isLocalData(AddArtifactsRequest request) {
    return switch (request.getPayloadCase()) {
      case BATCH -> request.getBatch().getArtifactsList().stream().allMatch(a -> isDigest(a.getName()));
      case BEGIN_CHUNK -> isDigest(request.getBeginChunk().getName());
      case CHUNK -> true;
      default -> false;
    };
  }

  private static boolean isDigest(String name) {
    return name.matches("cache/[0-9a-f]{64}");
  }

  private static boolean isAllowedAnalysis(AnalyzePlanRequest analyze) {
    return switch (analyze.getAnalyzeCase()) {
      case SCHEMA -> isHandle(analyze.getSchema().getPlan());
      case TREE_STRING -> isHandle(analyze.getTreeString().getPlan());
      case IS_LOCAL -> isHandle(analyze.getIsLocal().getPlan());
      case IS_STREAMING -> isHandle(analyze.getIsStreaming().getPlan());
      case SEMANTIC_HASH -> isHandle(analyze.getSemanticHash().getPlan());
      case SAME_SEMANTICS -> isHandle(analyze.getSameSemantics().getTargetPlan()) && isHandle(analyze.getSameSemantics().getOtherPlan());
      case SPARK_VERSION, DDL_PARSE, JSON_TO_DDL -> true;
      default -> false;
    };
  }

  private static boolean isHandle(Plan plan) {
    return plan.hasRoot() && plan.getRoot().hasExtension() && plan.getRoot().getExtension().getTypeUrl().equals(Handles.TYPE_URL);
  }

  private static <Q, A> ServerCall.Listener<Q> refuse(ServerCall<Q, A> call, Status status) {
    call.close(status, new Metadata());
    return new ServerCall.Listener<Q>() {};
  }
}
