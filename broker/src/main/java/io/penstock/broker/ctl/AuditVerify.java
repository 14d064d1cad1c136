package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.audit.Finding;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `ctl audit verify`: asks the broker, or looks at an export without one.
@Command(
    name = "verify",
    description = {
      "Is the audit trail what the broker wrote? Names the first record that is not, exit code 1.",
      "Without --file the broker looks, by its keys and by what it has signed. With --file an"
          + " export is looked at here, by the pinned or given root alone; a root or signature that"
          + " does not hold is exit code 4."
    })
final class AuditVerify implements Callable<Integer> {
  private final Terminal terminal;
  private final BrokerApi api;

  @Option(
      names = "--file",
      paramLabel = "FILE",
      description = "An export; needs no broker and no database.")
  private @Nullable Path file;

  @Option(
      names = "--consumed",
      description =
          "FILE holds the values of the Kafka topic as a consumer got them, one in each line"
              + " (docs/kafka.md): lines may come twice and there is no end.")
  private boolean consumed;

  @Option(
      names = "--root",
      paramLabel = "HASH",
      description = "SHA-256 of the broker's root key as you know it; default: the pinned one.")
  private @Nullable String root;

  @Option(
      names = "--at-least",
      paramLabel = "POSITION",
      description =
          "A checkpoint's position that you know from elsewhere (the broker's log, a metric): a"
              + " trail that ends before it is cut.")
  private long atLeast;

  @Option(
      names = "--after",
      paramLabel = "POSITION",
      description =
          "Only what follows this position, which was looked at before: goes on behind a record"
              + " that is known to be bad. Not with --file, which lists known foreign records and"
              + " goes on by itself.")
  private long after;

  AuditVerify(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  @Override
  public Integer call() {
    Path export = file;
    if (export != null) {
      if (after != 0) {
        throw Failure.wrongUsage("--after goes without --file: an export proves itself whole");
      }
      return offline(export);
    }
    if (consumed) {
      throw Failure.wrongUsage("--consumed goes with --file");
    }
    if (root != null) {
      throw Failure.wrongUsage("--root goes with --file: a broker looks by its own keys");
    }
    return online();
  }

  private int online() {
    JsonNode verdict = api.get("/audit/verify" + (after == 0 ? "" : "?after=" + after));
    while (!verdict.path("complete").asBoolean()) {
      terminal.err().println("verified up to position " + verdict.path("position").asLong());
      verdict = api.get("/audit/verify?after=" + verdict.path("position").asLong());
    }
    JsonNode bad = verdict.path("first_bad");
    JsonNode checkpoint = verdict.path("checkpoint");
    boolean cut = checkpoint.path("position").asLong() < atLeast;
    if (cut && !bad.isObject()) {
      throw Failure.failed(
          "the audit trail is cut: its newest checkpoint covers position "
              + checkpoint.path("position").asLong()
              + ", expected "
              + atLeast
              + " or more");
    }
    terminal.answer(verdict, bad.isObject() ? badOnline(bad) : good(verdict, checkpoint));
    return bad.isObject() ? ExitCode.FAILED : ExitCode.FINE;
  }

  private static String good(JsonNode verdict, JsonNode checkpoint) {
    return "the audit trail verifies up to position "
        + verdict.path("position").asLong()
        + (checkpoint.isObject()
            ? "; checkpoint "
                + checkpoint.path("number").asLong()
                + " of "
                + checkpoint.path("issued_at").asText()
                + " covers position "
                + checkpoint.path("position").asLong()
                + ", hash "
                + checkpoint.path("hash").asText()
            : "; no checkpoint yet")
        + "; "
        + verdict.path("waiting").asInt()
        + " records wait for their place";
  }

  private static String badOnline(JsonNode bad) {
    return bad(bad)
        + (bad.path("what").asText().equals("inserted")
            ? "\nwhat follows: --after " + bad.path("position").asLong()
            : "");
  }

  private static String bad(JsonNode bad) {
    return "the audit trail does not verify: "
        + bad.path("what").asText()
        + " at position "
        + bad.path("position").asLong()
        + (bad.path("id").isNumber() ? ", record " + bad.path("id").asLong() : "")
        + ": "
        + bad.path("detail").asText();
  }

  private int offline(Path export) {
    ExportCheck.Result result;
    try {
      result =
          consumed
              ? ExportCheck.ofConsumed(export, pinned(), atLeast)
              : ExportCheck.of(export, pinned(), atLeast);
    } catch (SealException e) {
      throw Failure.refusedForGood(export + " is not proven: " + e.getMessage());
    } catch (IOException e) {
      throw Failure.failed("cannot read " + export);
    }
    ObjectNode answer =
        Json.object()
            .put("ok", result.bad().isEmpty() && result.foreignCount() == 0)
            .put("first_position", result.firstPosition())
            .put("position", result.position())
            .put("root_sha256", result.rootSha256().base64Url())
            .put("keyset_version", result.keysetVersion())
            .put("checkpoint", result.checkpoint().number())
            .put("checkpoints_of_older_keys", result.ofOlderKeys());
    if (consumed) {
      answer.put("repeated", result.repeated()).put("not_covered", result.notCovered());
    }
    if (result.foreignCount() > 0) {
      answer.put("foreign_records", result.foreignCount());
      ArrayNode foreign = answer.putArray("foreign");
      result.foreign().forEach(it -> foreign.add(json(it)));
    }
    Optional<Finding> bad = result.bad();
    List<Finding> all = Stream.concat(result.foreign().stream(), bad.stream()).toList();
    if (!all.isEmpty()) {
      answer.set("first_bad", json(all.getFirst()));
      terminal.answer(
          answer, all.stream().map(it -> bad(json(it))).collect(Collectors.joining("\n")));
      return ExitCode.FAILED;
    }
    terminal.answer(
        answer,
        export
            + " verifies: positions "
            + result.firstPosition()
            + " to "
            + result.position()
            + ", under checkpoint "
            + result.checkpoint().number()
            + ", keyset "
            + result.keysetVersion()
            + " and root "
            + result.rootSha256()
            + (consumed
                ? "; "
                    + result.repeated()
                    + " lines came again, "
                    + result.notCovered()
                    + " are newer than that checkpoint"
                : ""));
    return ExitCode.FINE;
  }

  private static ObjectNode json(Finding finding) {
    ObjectNode json =
        Json.object().put("what", finding.what().text()).put("position", finding.position());
    if (finding.id() != 0) {
      json.put("id", finding.id());
    }
    return json.put("detail", finding.detail());
  }

  private Octets pinned() {
    if (root != null) {
      return Pins.hash(root);
    }
    return api.knownPins()
        .flatMap(Pins::root)
        .orElseThrow(
            () ->
                Failure.wrongUsage(
                    "no root is pinned here: give its hash as you know it with --root"));
  }
}
