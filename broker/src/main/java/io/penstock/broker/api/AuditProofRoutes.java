package io.penstock.broker.api;

import io.penstock.broker.access.Permission;
import io.penstock.broker.audit.AuditProof;
import io.penstock.broker.audit.Report;
import io.penstock.broker.audit.Verdict;
import io.penstock.codec.audit.AuditCheckpoint;
import io.penstock.codec.audit.ExportLine;
import io.penstock.codec.audit.Finding;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// `/api/v1/audit/verify`, `/export` and `/reports`: the proof of the trail, for Admins.
final class AuditProofRoutes {
  /// A caller goes on where one answer ended.
  private static final Duration ONE_LOOK = Duration.ofSeconds(10);

  private static final int DEFAULT_ROWS = 10_000;
  private static final int MAX_ROWS = 50_000;
  private static final int MAX_DAYS = 36_500;
  private static final int GDPR_DAYS = 90;
  private static final int ISO27001_DAYS = 30;
  private static final Duration YEAR = Duration.ofDays(365);
  private static final String LINES = "application/x-ndjson";
  private static final String CSV = "text/csv; charset=utf-8";

  private final AuditProof proof;
  private final Clock clock;

  AuditProofRoutes(AuditProof proof, Clock clock) {
    this.proof = proof;
    this.clock = clock;
  }

  void addTo(Routes routes) {
    Permission read = Permission.AUDIT_READ;
    routes.needs(read, HttpMethod.GET, "/api/v1/audit/verify", this::verify);
    routes.needs(read, HttpMethod.GET, "/api/v1/audit/export", this::export);
    routes.needs(read, HttpMethod.GET, "/api/v1/audit/reports/gdpr", this::gdpr);
    routes.needs(read, HttpMethod.GET, "/api/v1/audit/reports/soc2", this::soc2);
    routes.needs(read, HttpMethod.GET, "/api/v1/audit/reports/iso27001", this::iso27001);
    routes.needs(read, HttpMethod.GET, "/api/v1/audit/reports/access", this::access);
  }

  private Answer verify(Request request) {
    long after = request.queryNumber("after", 0, 0, Long.MAX_VALUE);
    return Answer.ok(json(proof.verify(after, ONE_LOOK)));
  }

  private static JsonObject json(Verdict verdict) {
    return new JsonObject()
        .put("ok", verdict.bad().isEmpty())
        .put("complete", verdict.complete())
        .put("after", verdict.after())
        .put("position", verdict.to())
        .put("waiting", verdict.waiting())
        .put("first_bad", verdict.bad().map(AuditProofRoutes::json).orElse(null))
        .put("checkpoint", verdict.checkpoint().map(it -> json(it, verdict)).orElse(null));
  }

  private static JsonObject json(Finding finding) {
    return new JsonObject()
        .put("what", finding.what().text())
        .put("position", finding.position())
        .put("id", finding.id() == 0 ? null : finding.id())
        .put("detail", finding.detail());
  }

  private static JsonObject json(AuditCheckpoint checkpoint, Verdict verdict) {
    return new JsonObject()
        .put("number", checkpoint.number())
        .put("position", checkpoint.position())
        .put("hash", checkpoint.hash().base64Url())
        .put("issued_at", Instant.ofEpochSecond(checkpoint.issuedAtEpochSeconds()).toString())
        .put("begins_after", checkpoint.beginsAfter())
        .put("jws", verdict.checkpointJws().orElse(null));
  }

  private Answer export(Request request) {
    Optional<String> after = request.query("after");
    List<ExportLine> lines =
        after.isEmpty()
            ? proof.exportBegin()
            : proof.exportNext(
                request.queryNumber("after", 0, 0, Long.MAX_VALUE),
                request.queryNumber("up_to", 0, 0, Long.MAX_VALUE));
    if (lines.isEmpty()) {
      throw Problem.conflict("nothing-sealed", "no checkpoint was signed yet");
    }
    String text = lines.stream().map(ExportLine::text).collect(Collectors.joining("\n", "", "\n"));
    return new Answer(200, text, LINES, "");
  }

  private Answer gdpr(Request request) {
    String user =
        request
            .query("user")
            .orElseThrow(() -> Request.expected("user", "whose data access is asked for"));
    return answer(
        request,
        proof.reports().gdpr(user, days(request, GDPR_DAYS), after(request), rows(request)));
  }

  private Answer soc2(Request request) {
    Instant to = request.queryInstant("to").orElseGet(clock::instant);
    Instant from = request.queryInstant("from").orElseGet(() -> to.minus(YEAR));
    if (!from.isBefore(to)) {
      throw Request.expected("from", "a time before to");
    }
    return answer(request, proof.reports().soc2(from, to, after(request), rows(request)));
  }

  private Answer iso27001(Request request) {
    return answer(request, proof.reports().iso27001(days(request, ISO27001_DAYS), rows(request)));
  }

  private Answer access(Request request) {
    int unused = (int) request.queryNumber("unused_days", 0, 0, MAX_DAYS);
    return answer(request, proof.reports().access(unused, rows(request)));
  }

  private static int days(Request request, int otherwise) {
    return (int) request.queryNumber("days", otherwise, 1, MAX_DAYS);
  }

  private static int rows(Request request) {
    return (int) request.queryNumber("limit", DEFAULT_ROWS, 1, MAX_ROWS);
  }

  private static Optional<Long> after(Request request) {
    long after = request.queryNumber("after", 0, 1, Long.MAX_VALUE);
    return after == 0 ? Optional.empty() : Optional.of(after);
  }

  private static Answer answer(Request request, Report report) {
    return switch (request.query("format").orElse("json")) {
      case "json" -> Answer.ok(json(report));
      case "csv" -> new Answer(200, ReportCsv.of(report), CSV, link(report));
      default -> throw Request.expected("format", "json or csv");
    };
  }

  /// The query of the next page, relative to this one.
  private static String link(Report report) {
    return report.next().map(after -> "<?after=" + after + ">; rel=\"next\"").orElse("");
  }

  private static JsonObject json(Report report) {
    var rows = new JsonArray();
    for (List<@Nullable Object> row : report.rows()) {
      var json = new JsonObject();
      for (int i = 0; i < row.size(); i++) {
        json.put(report.fields().get(i), value(report.fields().get(i), row.get(i)));
      }
      rows.add(json);
    }
    return new JsonObject()
        .put("report", report.name())
        .put("generated_at", report.generatedAt().toString())
        .put("parameters", new JsonObject(report.parameters()))
        .put("fields", new JsonArray(report.fields()))
        .put("rows", rows)
        .put("next", report.next().orElse(null));
  }

  private static @Nullable Object value(String field, @Nullable Object value) {
    return switch (value) {
      case null -> null;
      case Instant time -> time.toString();
      case String text when field.equals("changes") -> new JsonObject(text);
      default -> value;
    };
  }
}
